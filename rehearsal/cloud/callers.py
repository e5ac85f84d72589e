"""Who sent a request: an IAM user, a session of a role, or nobody whom this cloud knows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from moto.core.responses import BaseResponse
from moto.iam.models import iam_backends
from moto.sts.models import AssumedRole, sts_backends
from moto.utilities.utils import PARTITION_NAMES

from interlock.duties.evaluator.request import Principal, anonymous, role_session, user
from rehearsal.cloud.authorization.sessions import NOTHING_CARRIED, SessionFacts, facts_of

_CREDENTIAL = re.compile(r"(?:Credential=|AWS )([^/:\s]+)[/:]")


@dataclass(frozen=True)
class Caller:
    """`arn` is what GetCallerIdentity says, `principal_arn` what aws:PrincipalArn is: for a session, its role.

    `facts` is what a session carries, `until` when its credentials end (UTC); a user's never do.
    """

    principal: Principal
    secret_access_key: str | None = None
    facts: SessionFacts = field(default=NOTHING_CARRIED)
    until: datetime | None = None

    @property
    def account_id(self) -> str:
        return self.principal.account

    @property
    def user_id(self) -> str:
        return self.principal.unique_id

    @property
    def arn(self) -> str:
        return self.principal.name

    @property
    def principal_arn(self) -> str:
        return self.principal.entity

    @property
    def is_known(self) -> bool:
        """Whether this cloud issued the access key."""
        return bool(self.principal.account)


def caller_of(access_key_id: str) -> Caller:
    """Return who holds an access key; one that this cloud never issued is nobody's."""
    for known in (*_role_sessions(access_key_id), *_users(access_key_id)):
        return known
    return Caller(anonymous())


def access_key_of(response: BaseResponse) -> str:
    """Return the access key that signed a request, as its header or its query says, empty if none did."""
    signed = _CREDENTIAL.search(response.headers.get("Authorization", ""))
    query = response.querystring
    presigned = query.get("X-Amz-Credential", [""])[0].partition("/")[0] or query.get("AWSAccessKeyId", [""])[0]
    return signed[1] if signed is not None else str(presigned)


def session_of(role_arn: str, session_name: str) -> Caller:
    """Return an AWS service as it acts in a role that it has taken on."""
    return Caller(role_session(role_arn, session_name, f"{role_arn.rpartition('/')[2]}:{session_name}"))


def _role_sessions(access_key_id: str) -> Iterator[Caller]:
    for accounts in list(sts_backends.values()):
        for backend in list(accounts.values()):
            session: AssumedRole | None = backend.get_assumed_role_from_access_key(access_key_id)
            if session is not None:
                yield Caller(
                    role_session(session.role_arn, session.session_name, session.user_id),
                    session.secret_access_key,
                    facts_of(session),
                    session.expiration.replace(tzinfo=UTC),
                )


def _users(access_key_id: str) -> Iterator[Caller]:
    for accounts in list(iam_backends.values()):
        for partition in [name for name in PARTITION_NAMES if name in dict.keys(accounts)]:
            for holder in list(accounts[partition].users.values()):
                for key in holder.access_keys:
                    if key.access_key_id == access_key_id and key.status == "Active":
                        yield Caller(user(holder.arn, holder.id), key.secret_access_key)
