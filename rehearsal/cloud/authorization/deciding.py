"""One need of one caller, decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from moto.organizations.models import organizations_backends

from interlock.duties.evaluator.action_level import action_level
from interlock.duties.evaluator.decision import Decision, decide
from interlock.duties.evaluator.policy import NotModelled, PolicyError
from interlock.duties.evaluator.request import PrincipalKind, Request
from rehearsal.cloud.accounts import MANAGEMENT
from rehearsal.cloud.authorization.guards import grants_of, policy_of, tags_of
from rehearsal.cloud.authorization.layers import layers_of
from rehearsal.cloud.authorization.needs import Need, Values
from rehearsal.cloud.callers import Caller

_PARTITION: Final = "aws"
_GLOBAL: Final = {"account", "budgets", "cloudfront", "health", "iam", "organizations", "route53", "shield", "support"}
"""Services whose endpoint is in us-east-1, wherever a request says it is for."""
KNOWN_OF_EVERY_REQUEST: Final = frozenset(
    {
        "aws:currenttime", "aws:epochtime", "aws:multifactorauthage", "aws:multifactorauthpresent",
        "aws:principalaccount", "aws:principalarn", "aws:principalisawsservice", "aws:principalorgid",
        "aws:principaltype", "aws:requestedregion", "aws:securetransport", "aws:sourceidentity", "aws:sourceip",
        "aws:useragent", "aws:userid", "aws:username", "aws:viaawsservice",
    }
)  # fmt: skip
"""Condition keys whose absence from a request is known, too, whatever its action."""


def decide_need(need: Need, caller: Caller, values: Values) -> Decision:
    """Return whether a caller may; `values` are the condition keys of its request as a whole.

    A document that cannot be evaluated denies whatever it has a say in, and the reason says so.
    """
    # An ARN that names no account is nobody's but the caller's: the service will refuse it.
    named = need.resource.split(":")[4] if need.resource.count(":") > 4 else ""
    owner = need.owner or ("" if named else caller.account_id)
    request = Request(caller.principal, need.action, need.resource, {**values, **need.values}, resource_account=owner)
    try:
        if not need.exact:
            return decide(request, action_level(layers_of(caller.principal, caller.account_id, facts=caller.facts),
                                                KNOWN_OF_EVERY_REQUEST))  # fmt: skip
        resource = policy_of(need.resource)
        layers = layers_of(caller.principal, request.owner, resource, grants_of(need.resource), caller.facts)
        return decide(request, layers)
    except (NotModelled, PolicyError) as problem:
        return Decision(False, f"denied, because a policy cannot be evaluated: {problem}", unknown=True)


def caller_values(caller: Caller, service: str, region: str, now: datetime) -> dict[str, str | Sequence[str]]:
    """Return the condition keys that every request has; those about the principal itself come with it.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
    """
    values: dict[str, str | Sequence[str]] = {
        "aws:currenttime": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "aws:epochtime": str(int(now.timestamp())),
        "aws:requestedregion": "us-east-1" if service in _GLOBAL else region,
        # The plain endpoint on loopback stands for AWS's TLS endpoint.
        "aws:securetransport": "true",
        "aws:viaawsservice": "false",
    }
    if caller.principal.kind is PrincipalKind.ROLE_SESSION:
        # Only temporary credentials say whether there was a second factor.
        values["aws:multifactorauthpresent"] = "false"
    if organization := organization_of(caller.account_id):
        values["aws:principalorgid"] = organization
    values |= _principal_tags(caller)
    return {**values, **caller.facts.context}


def organization_of(account_id: str) -> str:
    """Return the id of the organization that an account belongs to, empty if to none."""
    backend = organizations_backends[MANAGEMENT][_PARTITION]
    member = any(account.id == account_id for account in backend.accounts)
    return str(backend.org.id) if backend.org is not None and member else ""


def _principal_tags(caller: Caller) -> Mapping[str, str]:
    return {f"aws:principaltag/{key.lower()}": value for key, value in tags_of(caller.principal_arn).items()}
