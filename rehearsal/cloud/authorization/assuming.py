"""Taking on a role: whether the caller may, and what the session then carries.

Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from moto.iam.models import Role

from interlock.duties.evaluator.assuming import Assumption, decide_assumption
from interlock.duties.evaluator.decision import Decision, decide
from interlock.duties.evaluator.policy import NotModelled, PolicyError, PolicyKind
from interlock.duties.evaluator.request import Layers, Principal, PrincipalKind
from rehearsal.cloud.authorization.deciding import caller_values
from rehearsal.cloud.authorization.documents import read
from rehearsal.cloud.authorization.factors import is_current_code
from rehearsal.cloud.authorization.layers import layers_of, managed_policy, trust_of
from rehearsal.cloud.authorization.needs import Need
from rehearsal.cloud.authorization.sessions import SessionFacts
from rehearsal.cloud.callers import Caller

if TYPE_CHECKING:
    from rehearsal.cloud.context import CloudContext

_MFA: Final = "aws:multifactorauthpresent"


class AssumptionRefused(Exception):
    """A role is not taken on; `code` and `status` are how STS answers."""

    def __init__(self, message: str, code: str = "AccessDenied", status: int = 403) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


@dataclass(frozen=True)
class Asked:
    """The parameters of AssumeRole; `policy` and `policy_arns` narrow the session."""

    role_arn: str
    session_name: str
    source_identity: str = ""
    external_id: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    transitive_tags: Sequence[str] = ()
    policy: str = ""
    policy_arns: Sequence[str] = ()
    serial_number: str = ""
    token_code: str = ""


def authorize(cloud: CloudContext, caller: Caller, asked: Asked, role: Role | None) -> None:
    """Raise AssumptionRefused unless the caller may take on the role as asked."""
    if not caller.is_known:
        raise AssumptionRefused("The security token included in the request is invalid.", "InvalidClientTokenId")
    need = Need("sts:AssumeRole", asked.role_arn)
    if role is None:
        decision = Decision(False, "the role does not exist", PolicyKind.TRUST)
        cloud.authorizer.noted(need, caller, decision)
        raise AssumptionRefused(
            f"User: {caller.arn} is not authorized to perform: sts:AssumeRole on resource: {asked.role_arn}"
        )
    _check_factor(cloud, caller, asked)
    now = cloud.now()
    context = caller_values(caller, "sts", cloud.region, now) | _factor(asked)
    assumption = Assumption(
        caller.principal,
        asked.role_arn,
        asked.session_name,
        asked.source_identity,
        _tags(caller, asked),
        asked.transitive_tags,
        asked.external_id,
        context,
    )
    need, decision = decide_with(assumption, role, caller.facts)
    refused = cloud.authorizer.noted(need, caller, decision)
    if refused is not None:
        raise AssumptionRefused(refused)
    check_session_policies(asked)


def decide_with(assumption: Assumption, role: Role, facts: SessionFacts) -> tuple[Need, Decision]:
    """Return the decision about taking on a role, and the permission of it that decided."""
    owner = assumption.role_arn.split(":")[4]
    try:
        layers: Layers = layers_of(assumption.principal, owner, trust_of(role), facts=facts)
    except (NotModelled, PolicyError) as problem:
        reason = f"denied, because a policy cannot be evaluated: {problem}"
        return Need("sts:AssumeRole", assumption.role_arn), Decision(False, reason, unknown=True)
    decision = decide_assumption(assumption, layers)
    actions = [one.action for one in assumption.requests if not decide(one, layers).allowed]
    # A source identity that is to become another one is refused, whatever policies say.
    first = assumption.requests[0].action if decision.allowed else "sts:SetSourceIdentity"
    return Need(actions[0] if actions else first, assumption.role_arn), decision


def decide_service(
    cloud: CloudContext,
    service: Principal,
    role: Role,
    session_name: str,
    source_arn: str = "",
    *,
    tells_source: bool = True,
) -> Decision:
    """Return whether an AWS service may act in a role; it tells for whose resource, unless it is said not to."""
    said = {"aws:securetransport": "true"}
    if tells_source:
        said["aws:sourceaccount"] = role.arn.split(":")[4]
    if source_arn:
        said["aws:sourcearn"] = source_arn
    need, decision = decide_with(Assumption(service, role.arn, session_name, context=said), role, SessionFacts())
    cloud.authorizer.noted(need, Caller(service), decision)
    return decision


def session_facts(caller: Caller, asked: Asked) -> SessionFacts:
    """Return what the new session carries, after its caller was let in."""
    tags = _tags(caller, asked)
    transitive = {key: value for key, value in tags.items() if key in asked.transitive_tags}
    assumption = Assumption(
        caller.principal,
        asked.role_arn,
        asked.session_name,
        asked.source_identity,
        tags,
        context=caller.facts.context,
    )
    context = {**assumption.session_context, **{key: (value,) for key, value in _factor(asked).items()}}
    policies = {"session policy": asked.policy} if asked.policy else {}
    account = asked.role_arn.split(":")[4]
    policies |= {arn: managed_policy(account, arn) for arn in asked.policy_arns}
    return SessionFacts(context, policies, {**caller.facts.transitive_tags, **transitive})


def _tags(caller: Caller, asked: Asked) -> Mapping[str, str]:
    return {**asked.tags, **caller.facts.transitive_tags}


def _factor(asked: Asked) -> dict[str, str]:
    return {_MFA: "true", "aws:multifactorauthage": "0"} if asked.serial_number else {}


def _check_factor(cloud: CloudContext, caller: Caller, asked: Asked) -> None:
    if not asked.serial_number:
        return
    own = caller.principal.kind is PrincipalKind.USER
    if not own or not is_current_code(caller.arn, asked.serial_number, asked.token_code, cloud.now()):
        raise AssumptionRefused(
            "MultiFactorAuthentication failed with invalid MFA one time pass code."
            if own
            else "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code.",
        )


def check_session_policies(asked: Asked) -> None:
    """Raise AssumptionRefused for a session policy that cannot be evaluated."""
    account = asked.role_arn.split(":")[4]
    named = {arn: managed_policy(account, arn) for arn in asked.policy_arns}
    try:
        for name, text in {**({"policy": asked.policy} if asked.policy else {}), **named}.items():
            read(text, PolicyKind.SESSION, name)
    except (NotModelled, PolicyError) as problem:
        raise AssumptionRefused(str(problem), "MalformedPolicyDocument", 400) from problem
