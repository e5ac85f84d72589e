"""The claim that roles which deploy are given what the table gives them, on each thing that there is.

A task asks for one example; a right that is denied on one bucket or one role of several would break the next
deployment and no task. Of what the policies of things themselves deny, only this is asked: that the platform may still
change each, and so mend it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any, Final

from interlock.duties.evaluator.decision import decide
from interlock.duties.evaluator.parsing import parse
from interlock.duties.evaluator.policy import PolicyKind
from interlock.duties.evaluator.request import Layers
from interlock.duties.proof.calls import Session
from interlock.duties.proof.forms import delegating
from interlock.duties.proof.property import Context, Denied, Property, Violation
from interlock.duties.proof.providing import ARTIFACTS
from interlock.duties.proof.working import ORDINARY, denied, regions, said_now
from interlock.duties.world import Entitlement, Principal, Resource, ResourceKind, canonical

DEPLOYING: Final = frozenset({"foundation", "platform"})
PLATFORM: Final = "platform"
MENDING: Final = {
    ResourceKind.BUCKET: "s3:PutBucketPolicy",
    ResourceKind.SECRET: "secretsmanager:PutResourcePolicy",
    ResourceKind.TABLE: "dynamodb:PutResourcePolicy",
}
OF_THINGS: Final = ("kms:resourcealiases", "aws:resourceaccount", "aws:resourcetag/")
"""Keys that the thing itself has, and nobody says."""
FILLED: Final = ("StringEquals", "ForAnyValue:StringEquals", "ArnEquals", "ArnLike", "Bool")


def _no_less(context: Context) -> Iterator[Violation]:
    for principal in context.scene.world.principals:
        entitlement = context.scene.world.entitlements.get(principal.arn)
        if entitlement is not None and principal.duty in DEPLOYING and not _is_as_given(principal, entitlement):
            yield from _lacking(context, principal, entitlement)


def _is_as_given(principal: Principal, entitlement: Entitlement) -> bool:
    """Return whether a role has the very documents of the table, and none beside."""
    has = Counter(canonical(one.document) for one in principal.identity)
    bounded = principal.boundary is not None and principal.boundary.document == entitlement.boundary
    return bounded and has == Counter(map(canonical, entitlement.identity))


def _lacking(context: Context, principal: Principal, entitlement: Entitlement) -> Iterator[Violation]:
    name = f"what the table of duties gives {principal.arn}"
    given = Layers(
        identity=tuple(parse(one, PolicyKind.IDENTITY, name) for one in entitlement.identity),
        boundary=parse(entitlement.boundary, PolicyKind.BOUNDARY, name),
        resource=delegating(principal.account_id),
    )
    session = Session(principal.arn)
    for written in entitlement.identity:
        for statement in written["Statement"]:
            for thing in _things(context, principal.account_id, _listed(statement["Resource"])):
                for action in _listed(statement["Action"]):
                    asked = _asked(context, session, action, thing, statement)
                    if decide(asked.request, given).allowed and not decide(asked.request, asked.layers).allowed:
                        words = f"{session} cannot {action} on {thing}, which the table gives it"
                        yield Violation(words, denied=asked)


def _things(context: Context, account_id: str, patterns: Sequence[str]) -> Iterator[str]:
    """Yield what is there of that which patterns name in one account: for the objects of a bucket, one of them."""
    world = context.scene.world
    own = [one for one in world.resources if one.account_id == account_id]
    arns = [*(one.arn for one in world.principals if one.account_id == account_id), *(one.arn for one in own)]
    arns += [f"{one.arn}/example" for one in own if one.kind is ResourceKind.BUCKET]
    yield from (arn for arn in arns if any(pattern != "*" and fnmatchcase(arn, pattern) for pattern in patterns))


def _asked(context: Context, session: Session, action: str, thing: str, statement: Mapping[str, Any]) -> Denied:
    """Return the request of a right as its statement would have it, without the policy of the thing."""
    facts = {**said_now(regions(context.scene, action, thing)[0]), **ORDINARY, **_fulfilled(statement)}
    asked = denied(context.scene, session, action, thing, facts).request
    account_id = context.scene.principal(session.arn).account_id
    said = replace(asked, context={**asked.context, "aws:resourceaccount": (account_id,)})
    return Denied(said, context.scene.layers(session, delegating(account_id), account_id))


def _fulfilled(statement: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return what a request says that meets a statement's conditions, beside what the thing itself has."""
    return {
        key.lower(): (_listed(values)[0],)
        for operator, keys in statement.get("Condition", {}).items()
        if operator in FILLED
        for key, values in keys.items()
        if not key.lower().startswith(OF_THINGS)
    }


def _can_be_mended(context: Context) -> Iterator[Violation]:
    world = context.scene.world
    platforms = list(world.of_duty(PLATFORM))
    for thing in (one for one in world.resources if one.policy is not None and _is_the_platforms(context, one)):
        for principal in (one for one in platforms if one.account_id == thing.account_id):
            action, session = MENDING[thing.kind], Session(principal.arn)
            facts = {**said_now(regions(context.scene, action, thing.arn)[0]), **ORDINARY}
            facts["aws:resourceaccount"] = (thing.account_id,)
            asked = denied(context.scene, session, action, thing.arn, facts)
            if not decide(asked.request, asked.layers).allowed:
                yield Violation(f"{session} cannot {action} on {thing.arn}, and nobody else mends it", denied=asked)


def _is_the_platforms(context: Context, thing: Resource) -> bool:
    if thing.kind is ResourceKind.BUCKET:
        return fnmatchcase(thing.arn, ARTIFACTS)
    return thing.kind in MENDING and thing.arn in context.scene.world.kept


def _listed(values: Any) -> Sequence[str]:
    return [values] if isinstance(values, str) else list(values)


PROPERTIES: Final = (
    Property(
        "rights-reach-everything",
        "Roles that deploy can do what the table gives them on each thing that there is, as far as their own policies "
        "and boundaries decide.",
        _no_less,
    ),
    Property(
        "platforms-can-be-mended",
        "No policy of a store of artifacts, a secret or a table keeps the platform's role from changing it.",
        _can_be_mended,
    ),
)
