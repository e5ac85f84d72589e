"""STS: who a caller is, and which roles there are to be assumed."""

from __future__ import annotations

from typing import Any, ClassVar

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult
from moto.iam.models import iam_backends
from moto.sts.models import STSBackend
from moto.sts.responses import TokenResponse

from rehearsal.cloud.callers import caller_of
from rehearsal.cloud.service import Patches, Service, correction

_API = "https://docs.aws.amazon.com/STS/latest/APIReference"


class AccessDenied(ServiceException):  # type: ignore[misc]
    """The caller may not assume the role, or there is none."""

    code = "AccessDenied"


class SecurityTokens(Service):
    """AWS STS; sessions are nobody's property and do not count."""

    name: ClassVar[str] = "sts"

    @correction("sts.caller-identity", f"{_API}/API_GetCallerIdentity.html")
    def name_callers(self, patches: Patches) -> None:
        """The cloud's own user, IAM users and sessions of roles are told apart."""
        patches.replace(TokenResponse, "get_caller_identity", _get_caller_identity)

    @correction("sts.unknown-role", f"{_API}/API_AssumeRole.html")
    def refuse_unknown_roles(self, patches: Patches) -> None:
        """A role of this account has to exist; another account's is taken to, since nobody here could make it."""
        original = patches.replace(STSBackend, "assume_role", None)

        def assume_role(backend: STSBackend, *arguments: Any, role_arn: str, **named: Any) -> Any:
            account_id = role_arn.split(":")[4] if role_arn.count(":") >= 5 else ""
            known = {role.arn for role in iam_backends[backend.account_id][backend.partition].roles.values()}
            if account_id == backend.account_id and role_arn not in known:
                raise AccessDenied(f"User is not authorized to perform: sts:AssumeRole on resource: {role_arn}")
            return original(backend, *arguments, role_arn=role_arn, **named)

        patches.replace(STSBackend, "assume_role", assume_role)


def _get_caller_identity(response: TokenResponse) -> ActionResult:
    caller = caller_of(response.get_access_key(), response.current_account)
    return ActionResult({"UserId": caller.user_id, "Account": caller.account_id, "Arn": caller.arn})
