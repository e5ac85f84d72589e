"""STS: who a caller is, and who takes on which role, with what the session then carries."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar
from xml.sax.saxutils import escape

from moto.core.responses import ActionResult
from moto.iam.models import Role
from moto.sts.exceptions import STSValidationError
from moto.sts.responses import TokenResponse

from rehearsal.cloud.authorization import federation
from rehearsal.cloud.authorization.assuming import Asked, AssumptionRefused, authorize, session_facts
from rehearsal.cloud.authorization.layers import role_of
from rehearsal.cloud.authorization.sessions import SessionFacts, remember
from rehearsal.cloud.callers import Caller, caller_of
from rehearsal.cloud.service import Patches, Service, correction

_API = "https://docs.aws.amazon.com/STS/latest/APIReference"
_LONGEST_CHAINED_SECONDS = 3600


class SecurityTokens(Service):
    """AWS STS; sessions are nobody's property and do not count."""

    name: ClassVar[str] = "sts"

    @correction("sts.trust", f"{_API}/API_AssumeRole.html")
    def ask_trust_policies(self, patches: Patches) -> None:
        """A role has to exist, and its trust policy and the caller's own policies to allow the whole of a session."""
        patches.replace(TokenResponse, "assume_role", lambda response: self._assume_role(response))

    @correction("sts.web-identity", f"{_API}/API_AssumeRoleWithWebIdentity.html")
    def read_tokens(self, patches: Patches) -> None:
        """A token has to be a registered provider's, for its audience, in time, and to satisfy the trust policy."""
        patches.replace(TokenResponse, "assume_role_with_web_identity", lambda response: self._federate(response))

    def _assume_role(self, response: TokenResponse) -> Any:
        caller = caller_of(response.get_access_key())
        asked = _asked(response)
        role = _role(asked.role_arn)
        try:
            authorize(self.cloud, caller, asked, role)
        except AssumptionRefused as refused:
            return _error(refused.code, str(refused), refused.status)
        assert role is not None
        duration = response._get_int_param("DurationSeconds", 3600)
        _check_duration(duration, role, caller)
        return _session(response, asked, duration, session_facts(caller, asked), {})

    def _federate(self, response: TokenResponse) -> Any:
        asked = _asked(response)
        role = _role(asked.role_arn)
        token = str(response.params.get("WebIdentityToken") or "")
        try:
            facts = federation.authorize(self.cloud, asked, role, token)
        except AssumptionRefused as refused:
            return _error(refused.code, str(refused), refused.status)
        assert role is not None
        duration = response._get_int_param("DurationSeconds", 3600)
        _check_duration(duration, role, None)
        claims = self.cloud.issuer.read(token, self.cloud.now())
        told = {
            "SubjectFromWebIdentityToken": claims.subject,
            "Audience": claims.audience,
            "Provider": facts.context["aws:federatedprovider"][0],
        }
        return _session(response, asked, duration, facts, told)


def _session(
    response: TokenResponse, asked: Asked, duration: int, facts: SessionFacts, more: Mapping[str, str]
) -> ActionResult:
    session = response.backend.assume_role(
        region_name=response.region,
        role_session_name=asked.session_name,
        role_arn=asked.role_arn,
        policy=asked.policy,
        duration=duration,
        external_id=asked.external_id,
    )
    remember(session, facts)
    identity = facts.context.get("aws:sourceidentity")
    return ActionResult(
        {
            "Credentials": session,
            "AssumedRoleUser": {"AssumedRoleId": session.user_id, "Arn": session.arn},
            **({"PackedPolicySize": 6} if facts.policies else {}),
            **({"SourceIdentity": identity[0]} if identity else {}),
            **more,
        }
    )


def _asked(response: TokenResponse) -> Asked:
    given: Mapping[str, Any] = response.params
    name = str(given.get("RoleSessionName") or "")
    if not re.fullmatch(r"[\w+=,.@-]{2,64}", name):
        raise STSValidationError(
            f"1 validation error detected: Value '{name}' at 'roleSessionName' failed to satisfy constraint: Member "
            "must have length between 2 and 64 and satisfy regular expression pattern: [\\w+=,.@-]*"
        )
    tags = given.get("Tags") or []
    return Asked(
        role_arn=str(given.get("RoleArn") or ""),
        session_name=name,
        source_identity=str(given.get("SourceIdentity") or ""),
        external_id=str(given.get("ExternalId") or ""),
        tags={str(tag["Key"]): str(tag["Value"]) for tag in tags},
        transitive_tags=tuple(map(str, given.get("TransitiveTagKeys") or ())),
        policy=str(given.get("Policy") or ""),
        policy_arns=tuple(str(one["arn"]) for one in given.get("PolicyArns") or ()),
        serial_number=str(given.get("SerialNumber") or ""),
        token_code=str(given.get("TokenCode") or ""),
    )


def _check_duration(duration: int, role: Role, caller: Caller | None) -> None:
    longest = int(role.max_session_duration or 3600)
    if caller is not None and caller.until is not None and duration > _LONGEST_CHAINED_SECONDS:
        raise STSValidationError(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining"
        )
    if duration > longest:
        raise STSValidationError("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")


def _error(code: str, message: str, status: int) -> tuple[str, dict[str, Any]]:
    # Moto knows a status only for errors of the service's model, which these, common to all services, are not in.
    error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
    body = f'<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">{error}</ErrorResponse>'
    return body, {"status": status, "content-type": "text/xml"}


def _role(arn: str) -> Role | None:
    if len(arn) < 20:
        raise STSValidationError(
            f"1 validation error detected: Value '{arn}' at 'roleArn' failed to satisfy constraint: Member must have "
            "length greater than or equal to 20"
        )
    if re.fullmatch(r"arn:aws:iam::(\d{12}):role/.+", arn) is None:
        raise STSValidationError(f"{arn} is invalid")
    return role_of(arn)
