"""The decision: every layer of policies over one request, as AWS puts them together.

Sources: IAM User Guide, "How AWS enforcement code logic evaluates requests to allow or deny access" and
"Cross-account policy evaluation logic"; Organizations User Guide, "SCP evaluation" and "RCP evaluation".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from interlock.duties.evaluator.grants import granting
from interlock.duties.evaluator.matching import Naming
from interlock.duties.evaluator.policy import Policy, PolicyKind
from interlock.duties.evaluator.request import Layers, PrincipalKind, Request
from interlock.duties.evaluator.services import (
    UNCONTROLLED,
    heeds_resource_control,
    is_about_trust,
    is_on_key,
    refused_by_aws,
    requires_resource_policy,
)
from interlock.duties.evaluator.statements import Applying, Voice, heard, open_questions


@dataclass(frozen=True)
class Decision:
    """What AWS answers, and why.

    `layer` is the kind of policy that decided; `statements` are those that denied, or those without which it would
    not be allowed; `unknown` says that a refusal rests on something the request does not tell.
    """

    allowed: bool
    reason: str
    layer: PolicyKind | None = None
    statements: tuple[Applying, ...] = ()
    unknown: bool = False
    explicit: bool = False
    """Whether a Deny statement denied, rather than no statement allowed."""


def decide(request: Request, layers: Layers) -> Decision:
    """Return whether a request is allowed: one that nothing allows is denied, and so is one that is unknown."""
    if request.action.lower() in UNCONTROLLED:
        return Decision(True, f"{request.action} needs no permission, and no policy takes it away")
    decision = _Case(request, layers).decide()
    refused = refused_by_aws(request.action, request.resource, request.principal, request.owner)
    if decision.allowed and refused:
        return Decision(
            False, f"denied: {refused} ({request.action} on {request.resource} by {request.principal.name})"
        )
    return decision


_SIDES: Final = (PolicyKind.IDENTITY, PolicyKind.BOUNDARY, PolicyKind.SESSION)


class _Case:
    """One request with what each layer says of it."""

    def __init__(self, request: Request, layers: Layers) -> None:
        self._request = request
        self._layers = layers
        principal, managed = request.principal, layers.management_account
        restricted = not principal.is_service_linked
        # Control policies of an organisation: on principals of a member account, on resources of a member account.
        scps = layers.scps if restricted and principal.account and principal.account != managed else ()
        rcps = layers.rcps if restricted and request.owner != managed and heeds_resource_control(request.action) else ()
        self._scps = [heard(level, request) for level in scps]
        self._rcps = heard((policy for level in rcps for policy in level), request)
        self._resource = heard([layers.resource] if layers.resource else [], request)
        self._sides = {
            PolicyKind.IDENTITY: heard(layers.identity, request),
            PolicyKind.BOUNDARY: heard([layers.boundary] if layers.boundary else [], request),
            PolicyKind.SESSION: heard(layers.session, request),
        }
        self._grant, self._granted = granting(layers.grants, request) if is_on_key(request) else (None, Naming.NOT)

    def decide(self) -> Decision:
        return self._denied() or self._outside_guardrails() or self._permitted()

    def _voices(self) -> Iterator[Voice]:
        yield from (*self._scps, self._rcps, self._resource, *self._sides.values())

    def _denied(self) -> Decision | None:
        for voice in self._voices():
            if voice.denies:
                return self._refuse(f"{_the(voice.denies[0])} denies it", voice.denies, explicit=True)
        for voice in self._voices():
            if voice.may_deny:
                return self._unknown("denies", voice.may_deny)
        return None

    def _outside_guardrails(self) -> Decision | None:
        """Every level of service control policies has to allow; RCPFullAWSAccess always does for the resource's."""
        for depth, level in enumerate(self._scps):
            if not level.allows:
                where = f"at level {depth} from the organisation's root"
                return self._silent(PolicyKind.SCP, f"no service control policy {where} allows it", level)
        return None

    def _permitted(self) -> Decision:
        principal = self._request.principal
        if not principal.account:
            return self._by_resource_alone()
        if principal.account != self._request.owner:
            return self._across_accounts()
        return self._in_one_account()

    def _by_resource_alone(self) -> Decision:
        if self._naming() is Naming.NOT:
            return self._no_resource_policy()
        return self._allow(self._resource.allows, "")

    def _across_accounts(self) -> Decision:
        if self._naming() is Naming.NOT:
            return self._no_resource_policy()
        decision = self._own_side(self._resource.allows)
        if self._grant and not decision.allowed:
            # Whether a grant alone is enough across accounts is said both ways.
            words = f"it is unknown whether {self._grant_words()} is enough across accounts"
            return replace(decision, reason=f"denied: {words} ({self._what()})", unknown=True)
        return decision

    def _in_one_account(self) -> Decision:
        naming = self._naming()
        if naming is Naming.DIRECT:
            return self._allow(self._direct(), self._grant_words())
        if naming is Naming.ENTITY:
            return self._limited((PolicyKind.BOUNDARY, PolicyKind.SESSION), self._resource.allows)
        if naming is Naming.NOT and requires_resource_policy(self._request):
            return self._no_resource_policy()
        return self._own_side(self._resource.allows if naming is Naming.ACCOUNT else [])

    def _naming(self) -> Naming:
        """Return how closely what allows on the resource's side names who asks."""
        return max((self._granted, *(one.naming for one in self._resource.allows)))

    def _direct(self) -> Sequence[Applying]:
        return [one for one in self._resource.allows if one.naming is Naming.DIRECT]

    def _own_side(self, beside: Sequence[Applying]) -> Decision:
        """Decide by the principal's own policies; its account's root user needs none."""
        if self._request.principal.kind is PrincipalKind.ROOT:
            return self._allow(beside, "the root user of the account needs no policy")
        return self._limited(_SIDES, beside)

    def _limited(self, kinds: Sequence[PolicyKind], beside: Sequence[Applying]) -> Decision:
        used = list(beside)
        for kind in kinds:
            voice = self._sides[kind]
            if not voice.allows and self._limits(kind):
                return self._silent(kind, self._missing(kind), voice)
            used += voice.allows
        return self._allow(used, self._grant_words())

    def _limits(self, kind: PolicyKind) -> bool:
        if kind is PolicyKind.BOUNDARY:
            return self._layers.boundary is not None
        if kind is PolicyKind.SESSION:
            # A federated user's session has no more than the session policies that it was given.
            return bool(self._layers.session) or self._request.principal.kind is PrincipalKind.FEDERATED_USER
        return True

    def _missing(self, kind: PolicyKind) -> str:
        if kind is PolicyKind.BOUNDARY and self._layers.boundary is not None:
            return f"no statement of the boundary {self._layers.boundary.name!r} allows it"
        policies = self._layers.session if kind is PolicyKind.SESSION else self._layers.identity
        names = ", ".join(repr(policy.name) for policy in policies)
        plural = "session policies" if kind is PolicyKind.SESSION else "identity policies"
        return f"no statement of the {plural} ({names}) allows it" if names else f"there are no {plural}"

    def _no_resource_policy(self) -> Decision:
        owner: Policy | None = self._layers.resource
        kind = PolicyKind.TRUST if is_about_trust(self._request) else PolicyKind.RESOURCE
        words = (
            f"no statement of the {kind} {owner.name!r} allows it" if owner else f"there is no {kind} that allows it"
        )
        return self._silent(kind, words, self._resource)

    def _silent(self, kind: PolicyKind, words: str, voice: Voice) -> Decision:
        if voice.may_allow or self._resource.may_allow:
            return self._unknown("allows", [*voice.may_allow, *self._resource.may_allow])
        return Decision(False, f"denied: {words} ({self._what()})", kind)

    def _unknown(self, verb: str, statements: Sequence[Applying]) -> Decision:
        first = statements[0]
        why = "; ".join(open_questions(first, self._request))
        return Decision(
            False,
            f"denied: it is unknown whether {_the(first)} {verb} it: {why} ({self._what()})",
            first.kind,
            tuple(statements),
            unknown=True,
        )

    def _refuse(self, words: str, statements: Sequence[Applying], *, explicit: bool) -> Decision:
        return Decision(
            False, f"denied: {words} ({self._what()})", statements[0].kind, tuple(statements), explicit=explicit
        )

    def _allow(self, statements: Sequence[Applying], words: str) -> Decision:
        by = " and ".join(dict.fromkeys(_the(one) for one in statements)) or words
        return Decision(
            True, f"allowed by {by} ({self._what()})", statements[0].kind if statements else None, tuple(statements)
        )

    def _grant_words(self) -> str:
        return f"the grant to {self._grant.grantee}" if self._grant else ""

    def _what(self) -> str:
        return f"{self._request.action} on {self._request.resource} by {self._request.principal.name}"


def _the(applying: Applying) -> str:
    return f"{applying.statement.label} of the {applying.kind} {applying.policy!r}"
