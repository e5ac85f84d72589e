"""STS: who a caller is, and which roles there are to be assumed."""

from __future__ import annotations

import re
from typing import Any, ClassVar
from xml.sax.saxutils import escape

from moto.core.responses import ActionResult
from moto.iam.models import Role, iam_backends
from moto.sts.exceptions import STSValidationError
from moto.sts.responses import TokenResponse

from rehearsal.cloud.callers import caller_of
from rehearsal.cloud.policies import Request, caller_values, judge
from rehearsal.cloud.service import Patches, Service, correction

_API = "https://docs.aws.amazon.com/STS/latest/APIReference"
_PARTITION = "aws"


class SecurityTokens(Service):
    """AWS STS; sessions are nobody's property and do not count."""

    name: ClassVar[str] = "sts"

    @correction("sts.caller-identity", f"{_API}/API_GetCallerIdentity.html")
    def name_callers(self, patches: Patches) -> None:
        """The cloud's own user, IAM users and sessions of roles are told apart."""
        patches.replace(TokenResponse, "get_caller_identity", _get_caller_identity)

    @correction("sts.trust", f"{_API}/API_AssumeRole.html")
    def ask_trust_policies(self, patches: Patches) -> None:
        """A role has to exist and its trust policy to name the caller, in whichever accounts they are."""
        original = patches.replace(TokenResponse, "assume_role", None)

        def assume_role(response: TokenResponse) -> Any:
            caller = caller_of(response.get_access_key(), response.current_account)
            role_arn = str(response._get_param("RoleArn") or "")
            role = _role(role_arn)
            values = caller_values(caller, response.region, self.cloud.now()) | _asked(response)
            if (
                role is None
                or not judge(
                    role.assume_role_policy_document, Request(caller, "sts:AssumeRole", role_arn, values)
                ).permits
            ):
                message = f"User: {caller.arn} is not authorized to perform: sts:AssumeRole on resource: {role_arn}"
                return _access_denied(message)
            return original(response)

        patches.replace(TokenResponse, "assume_role", assume_role)


def _access_denied(message: str) -> tuple[str, dict[str, Any]]:
    # Moto knows a status only for errors of the service's model, which this, common to all services, is not in.
    error = f"<Error><Type>Sender</Type><Code>AccessDenied</Code><Message>{escape(message)}</Message></Error>"
    body = f'<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">{error}</ErrorResponse>'
    return body, {"status": 403, "content-type": "text/xml"}


def _role(arn: str) -> Role | None:
    if len(arn) < 20:
        raise STSValidationError(
            f"1 validation error detected: Value '{arn}' at 'roleArn' failed to satisfy constraint: Member must have "
            "length greater than or equal to 20"
        )
    known = re.fullmatch(r"arn:aws:iam::(\d{12}):role/.+", arn)
    if known is None:
        raise STSValidationError(f"{arn} is invalid")
    roles = iam_backends[known[1]][_PARTITION].roles.values()
    return next((role for role in roles if role.arn == arn), None)


def _asked(response: TokenResponse) -> dict[str, list[str]]:
    """Return the condition keys of a session that is asked for."""
    keys = {
        "sts:externalid": "ExternalId",
        "sts:rolesessionname": "RoleSessionName",
        "sts:sourceidentity": "SourceIdentity",
    }
    given = {key: response._get_param(parameter) for key, parameter in keys.items()}
    return {key: [str(value)] for key, value in given.items() if value is not None}


def _get_caller_identity(response: TokenResponse) -> ActionResult:
    caller = caller_of(response.get_access_key(), response.current_account)
    return ActionResult({"UserId": caller.user_id, "Account": caller.account_id, "Arn": caller.arn})
