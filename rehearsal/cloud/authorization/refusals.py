"""How AWS words a refusal, and in which shape each protocol carries it.

Sources: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html and, of each service, "Common
errors".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape

from interlock.duties.evaluator.decision import Decision
from interlock.duties.evaluator.policy import PolicyKind
from rehearsal.cloud.authorization.needs import Need
from rehearsal.cloud.authorization.readings import Unreadable
from rehearsal.cloud.callers import Caller

_KINDS: Final[Mapping[PolicyKind, str]] = {
    PolicyKind.IDENTITY: "identity-based policy",
    PolicyKind.RESOURCE: "resource-based policy",
    PolicyKind.TRUST: "role trust policy",
    PolicyKind.BOUNDARY: "permissions boundary",
    PolicyKind.SESSION: "session policy",
    PolicyKind.SCP: "service control policy",
    PolicyKind.RCP: "resource control policy",
}
_JSON: Final = ("json", "rest-json", "smithy-rpc-v2-cbor", "query-json")
_SNS: Final = "AuthorizationError"
_REQUEST_ID: Final = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True)
class Refusal:
    """An answer instead of the service's; `code` is what a client calls the error."""

    status: str
    code: str
    message: str


def message_of(need: Need, caller: Caller, decision: Decision) -> str:
    """Return a refusal in AWS's words; what the local cloud cannot evaluate it says in its own."""
    who = f"User: {caller.arn} is not authorized to perform: {need.action} on resource: {need.resource}"
    if decision.unknown:
        return f"{who}: {decision.reason}"
    kind = _KINDS[decision.layer] if decision.layer is not None else _KINDS[PolicyKind.IDENTITY]
    if decision.explicit:
        article = "an" if kind.startswith("identity") else "a"
        return f"{who} with an explicit deny in {article} {kind}"
    return f"{who} because no {kind} allows the {need.action} action"


def refusal(service: str, protocol: str, message: str) -> Refusal:
    """Return the answer that denies, as the service's clients know it."""
    if service == "ec2":
        return Refusal("403 Forbidden", "UnauthorizedOperation", message)
    if service == "sns":
        return Refusal("403 Forbidden", _SNS, message)
    if protocol == "rest-json":
        return Refusal("403 Forbidden", "AccessDeniedException", message)
    if protocol in _JSON:
        return Refusal("400 Bad Request", "AccessDeniedException", message)
    return Refusal("403 Forbidden", "AccessDenied", message)


def unreadable(problem: Unreadable) -> Refusal:
    """Return the answer to a request that is no operation of its service."""
    status = {"MethodNotAllowed": "405 Method Not Allowed"}.get(problem.code, "400 Bad Request")
    if problem.protocol.startswith("rest") and problem.code == "UnknownOperationException":
        status = "404 Not Found"
    return Refusal(status, problem.code, str(problem))


def body_of(refused: Refusal, protocol: str) -> tuple[str, bytes]:
    """Return the content type and the body of a refusal in a protocol of AWS's."""
    if protocol in _JSON:
        body = json.dumps({"__type": refused.code, "Message": refused.message, "message": refused.message})
        return "application/json" if protocol == "rest-json" else "application/x-amz-json-1.1", body.encode()
    error = f"<Code>{refused.code}</Code><Message>{escape(refused.message)}</Message>"
    if protocol == "ec2":
        text = f"<Response><Errors><Error>{error}</Error></Errors><RequestID>{_REQUEST_ID}</RequestID></Response>"
    elif protocol == "query":
        text = (
            f"<ErrorResponse><Error><Type>Sender</Type>{error}</Error>"
            f"<RequestId>{_REQUEST_ID}</RequestId></ErrorResponse>"
        )
    else:
        text = f"<Error>{error}<RequestId>{_REQUEST_ID}</RequestId></Error>"
    return "text/xml", f'<?xml version="1.0" encoding="UTF-8"?>{text}'.encode()
