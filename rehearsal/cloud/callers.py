"""Who sent a request: the cloud's administrator, an IAM user, or a session of a role."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from moto.iam.models import iam_backends
from moto.sts.models import sts_backends
from moto.utilities.utils import PARTITION_NAMES

from rehearsal.cloud.accounts import ACCESS_KEY_ID, SECRET_ACCESS_KEY


@dataclass(frozen=True)
class Caller:
    """`arn` is what GetCallerIdentity says, `principal_arn` what aws:PrincipalArn is: for a session, its role."""

    account_id: str
    user_id: str
    arn: str
    principal_arn: str
    kind: str
    secret_access_key: str | None


def caller_of(access_key_id: str, account_id: str) -> Caller:
    """Return who holds an access key.

    The administrator is an IAM user and not the account's root, as AWS advises. Keys that the cloud never issued are
    taken for the administrator's, with a secret that nobody knows.
    """
    for known in (*_role_sessions(access_key_id), *_users(access_key_id)):
        return known
    arn = f"arn:aws:iam::{account_id}:user/administrator"
    is_own = access_key_id == ACCESS_KEY_ID
    secret = SECRET_ACCESS_KEY if is_own else None
    return Caller(account_id, "AIDAADMINISTRATOR0000", arn, arn, "User", secret)


def _role_sessions(access_key_id: str) -> Iterator[Caller]:
    for account_id, accounts in list(sts_backends.items()):
        for backend in list(accounts.values()):
            session = backend.get_assumed_role_from_access_key(access_key_id)
            if session is not None:
                secret = session.secret_access_key
                yield Caller(account_id, session.user_id, session.arn, session.role_arn, "AssumedRole", secret)


def _users(access_key_id: str) -> Iterator[Caller]:
    for account_id, accounts in list(iam_backends.items()):
        for partition in [name for name in PARTITION_NAMES if name in dict.keys(accounts)]:
            for user in list(accounts[partition].users.values()):
                for key in user.access_keys:
                    if key.access_key_id == access_key_id:
                        yield Caller(account_id, user.id, user.arn, user.arn, "User", key.secret_access_key)
