"""Asks, before a service answers a request, whether whoever sent it may."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from interlock.duties.evaluator.decision import Decision
from rehearsal.cloud.authorization.calls import Call, call_of, signed
from rehearsal.cloud.authorization.decided import DECIDED, Decided
from rehearsal.cloud.authorization.deciding import caller_values, decide_need
from rehearsal.cloud.authorization.needs import Need, Values, needs_of
from rehearsal.cloud.authorization.readings import Unreadable
from rehearsal.cloud.authorization.record import Decisions
from rehearsal.cloud.authorization.refusals import Refusal, body_of, message_of, refusal, unreadable
from rehearsal.cloud.callers import Caller, caller_of
from rehearsal.cloud.dispatch import Refused
from rehearsal.cloud.listener import Environ

if TYPE_CHECKING:
    from rehearsal.cloud.context import CloudContext

_ASSUMING: Final = frozenset({"AssumeRole", "AssumeRoleWithWebIdentity", "AssumeRoleWithSAML"})
_log = logging.getLogger(__name__)


class Authorizer:
    """Decides requests and keeps count of what it has decided."""

    def __init__(self, cloud: CloudContext) -> None:
        self._cloud = cloud
        self.decisions = Decisions()

    def refused(self, backend: str, environ: Environ) -> Refused | None:
        """Return the answer to a request that is refused, None where it may go on."""
        found = self._refusal(backend, environ)
        if found is None:
            return None
        refused, protocol = found
        kind, body = body_of(refused, protocol)
        return Refused(refused.status, [("Content-Type", kind), ("x-amzn-ErrorType", refused.code)], body)

    def _refusal(self, backend: str, environ: Environ) -> tuple[Refusal, str] | None:
        """Return what refuses a request, and the protocol that it is in.

        Two services ask by themselves, because only they know what is asked for: S3 about buckets and objects, and
        STS about taking on a role.
        """
        if backend == "s3" and environ["PATH_INFO"] != "/":
            return None
        try:
            call = call_of(environ, backend, self._cloud.region)
        except Unreadable as problem:
            self.decisions.note_unreadable(backend, str(problem))
            _log.info("refused: %s: %s", backend, problem)
            return unreadable(problem), problem.protocol
        environ[DECIDED] = Decided(call.operation, call.region, call.protocol, call.labels)
        if call.service == "sts" and call.operation in _ASSUMING:
            return None
        key = signed(environ).access_key_id
        caller = caller_of(key)
        if not caller.is_known:
            return refusal_of_key(call), call.protocol
        if has_ended(caller):
            message = "The security token included in the request is expired"
            return Refusal("403 Forbidden", _ended_code(call), message), call.protocol
        said = self.refusal_message(call, caller, needs_of(call, caller.account_id))
        return None if said is None else (refusal(call.service, call.protocol, said), call.protocol)

    def refusal_message(self, call: Call, caller: Caller, needs: Sequence[Need]) -> str | None:
        """Return why a caller may not, in AWS's words; None if everything that is needed is allowed."""
        values = caller_values(caller, call.service, call.region, self._cloud.now())
        values |= {"aws:sourceip": call.source_ip, "aws:useragent": call.user_agent}
        for need in needs:
            refused = self.refusal_of_need(need, caller, values)
            if refused is not None:
                return refused
        return None

    def refusal_of_need(self, need: Need, caller: Caller, values: Values) -> str | None:
        """Decide and count one need; return why it is refused, None if it is allowed."""
        return self.noted(need, caller, decide_need(need, caller, values))

    def noted(self, need: Need, caller: Caller, decision: Decision) -> str | None:
        """Count a decision and return why it refuses, None if it allows."""
        refused = None if decision.allowed else message_of(need, caller, decision)
        if refused is not None:
            _log.info("refused: %s (%s)", refused, decision.reason)
        self.decisions.note(caller, need, refused)
        return refused


def has_ended(caller: Caller) -> bool:
    """Return whether a session's credentials are over, by this machine's clock, which moto sets their end by."""
    return caller.until is not None and caller.until <= datetime.now(UTC)


def refusal_of_key(call: Call) -> Refusal:
    """Return the answer to an access key that this cloud never issued, or that is no longer active."""
    message = "The security token included in the request is invalid."
    code = "UnrecognizedClientException" if "json" in call.protocol else "InvalidClientTokenId"
    if call.service == "s3":
        code = "InvalidAccessKeyId"
    return Refusal("403 Forbidden", "AuthFailure" if call.service == "ec2" else code, message)


def _ended_code(call: Call) -> str:
    return "ExpiredTokenException" if "json" in call.protocol else "ExpiredToken"
