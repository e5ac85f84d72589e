"""Claims that nothing keeps from duties what the table gives them.

A task asks for one example; a right that is denied on one bucket or one role of several would break the next
deployment and no task. Of roles that deploy, each right is asked of every thing that there is and of one that is yet
to be, by their own policies and boundaries; of every duty, what the policies of the stack's things deny it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any, Final

from interlock.duties.evaluator.decision import decide
from interlock.duties.evaluator.parsing import parse
from interlock.duties.evaluator.policy import PolicyKind
from interlock.duties.evaluator.request import Layers
from interlock.duties.key_policy import TAKING_AWAY
from interlock.duties.prefixes import OWN_NAME
from interlock.duties.proof.calls import Session
from interlock.duties.proof.forms import delegating
from interlock.duties.proof.guarding import under_duties
from interlock.duties.proof.holding import OWN_REPOSITORIES
from interlock.duties.proof.keeping import APPROVER, REMOVING_IN_BUCKETS, is_the_platforms
from interlock.duties.proof.property import DEPLOYING, Context, Denied, Property, Violation
from interlock.duties.proof.providing import ARTIFACTS
from interlock.duties.proof.selecting import about
from interlock.duties.proof.working import ORDINARY, denied, regions, said_now
from interlock.duties.world import Document, Entitlement, Principal, Resource, ResourceKind, World, canonical

PLATFORM: Final = "platform"
MENDING: Final = {
    ResourceKind.BUCKET: "s3:PutBucketPolicy",
    ResourceKind.SECRET: "secretsmanager:PutResourcePolicy",
    ResourceKind.TABLE: "dynamodb:PutResourcePolicy",
}
OF_THINGS: Final = ("kms:resourcealiases", "aws:resourceaccount", "aws:resourcetag/")
"""Keys that the thing itself has, and nobody says."""
BOUNDING: Final = frozenset(
    {
        "iam:CreateRole", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy", "iam:AttachRolePolicy",
        "iam:DeleteRolePolicy", "iam:DetachRolePolicy",
    }
)  # fmt: skip
"""What a role's boundary may be a condition of."""
FILLED: Final = (
    "StringEquals", "StringLike", "ForAnyValue:StringEquals", "ForAnyValue:StringLike", "ArnEquals", "ArnLike", "Bool",
)  # fmt: skip
SOMEBODY: Final = "somebody"


def _no_less(context: Context) -> Iterator[Violation]:
    for principal in context.scene.world.principals:
        entitlement = context.scene.world.entitlements.get(principal.arn)
        if entitlement is not None and principal.duty in DEPLOYING and not _is_as_given(principal, entitlement):
            yield from _lacking(context, principal, entitlement)


def _is_as_given(principal: Principal, entitlement: Entitlement) -> bool:
    """Return whether a role has the very documents of the table, and none beside."""
    has = Counter(canonical(one.document) for one in principal.identity)
    bounded = principal.boundary is not None and principal.boundary.document == entitlement.boundary
    return bounded and has in (Counter(map(canonical, one)) for one in (entitlement.identity, entitlement.most))


def _lacking(context: Context, principal: Principal, entitlement: Entitlement) -> Iterator[Violation]:
    name = f"what the table of duties gives {principal.arn}"
    given = Layers(
        identity=tuple(parse(one, PolicyKind.IDENTITY, name) for one in entitlement.most),
        boundary=parse(entitlement.boundary, PolicyKind.BOUNDARY, name),
        resource=delegating(principal.account_id),
    )
    for documents, of_examples in ((entitlement.identity, True), (entitlement.beside, False)):
        for statement in _statements(documents):
            for asked in rights(context, principal, statement, of_examples=of_examples):
                request = asked.request
                if decide(request, given).allowed and not decide(request, asked.layers).allowed:
                    words = f"{Session(principal.arn)} cannot {request.action} on {request.resource}"
                    yield Violation(f"{words}, which the table gives it", denied=asked)


def rights(
    context: Context,
    principal: Principal,
    statement: Mapping[str, Any],
    *,
    of_examples: bool = True,
    things: Sequence[str] | None = None,
) -> Iterator[Denied]:
    """Yield requests for what a statement gives a role: of each of `things`, of all in its account if they are left
    out, and of one that is yet to be."""
    account_id = principal.account_id
    arns = _arns(context.scene.world, account_id) if things is None else things
    said, meant = _fulfilled(statement), _fulfilled(statement, of_things=True)
    for action in _listed(statement["Action"]):
        for pattern in _listed(statement["Resource"]):
            like = pattern if pattern != "*" else f"arn:*:{action.partition(':')[0]}:*"
            for arn in arns:
                if fnmatchcase(arn, like):
                    yield _asked(context, principal, action, arn, said)
            if of_examples:
                # The account is the role's own where the pattern names none.
                yet_to_be = re.sub(r"^(arn:[^:]*:[^:]*:[^:]*):\*:", rf"\1:{account_id}:", pattern)
                bounds = context.scene.boundaries if action in BOUNDING else ()
                for given in ({}, *({"iam:permissionsboundary": (one,)} for one in bounds)):
                    yield _asked(context, principal, action, yet_to_be, {**meant, **given})


def _arns(world: World, account_id: str) -> list[str]:
    """Return the ARNs of what there is in an account: of a bucket, also that of an object in it."""
    own = [one for one in world.resources if one.account_id == account_id]
    arns = [*(one.arn for one in world.principals if one.account_id == account_id), *(one.arn for one in own)]
    return [*arns, *(f"{one.arn}/example" for one in own if one.kind is ResourceKind.BUCKET)]


def _asked(
    context: Context, principal: Principal, action: str, thing: str, said: Mapping[str, tuple[str, ...]]
) -> Denied:
    """Return the request of a right as its statement would have it, without the policy of the thing."""
    facts = {**said_now(regions(context.scene, action, thing)[0]), **ORDINARY, "aws:sourceidentity": (SOMEBODY,)}
    facts |= {key: tuple(one.replace(OWN_NAME, SOMEBODY) for one in values) for key, values in said.items()}
    session = Session(principal.arn)
    asked = denied(context.scene, session, action, thing.replace(OWN_NAME, SOMEBODY), facts).request
    (owner,) = said.get("aws:resourceaccount", (asked.resource_account,))
    placed = replace(
        asked,
        resource="*" if thing == "*" else asked.resource,
        context={**asked.context, "aws:resourceaccount": (owner,)},
        resource_account=owner,
    )
    return Denied(placed, context.scene.layers(session, delegating(principal.account_id), owner))


def _fulfilled(statement: Mapping[str, Any], *, of_things: bool = False) -> dict[str, tuple[str, ...]]:
    """Return what a request says that meets a statement's conditions; with `of_things`, what the thing has as well."""
    return {
        key.lower(): (_listed(values)[0].replace("*", "x"),)
        for operator, keys in statement.get("Condition", {}).items()
        if operator in FILLED
        for key, values in keys.items()
        if of_things or not key.lower().startswith(OF_THINGS)
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


def _given_things(context: Context) -> Iterator[Violation]:
    scene = context.scene
    guarded = [one for one in scene.world.resources if one.policy is not None and _is_of_the_stack(context, one)]
    things = [one.arn for one in guarded]
    things += [f"{one.arn}/example" for one in guarded if one.kind is ResourceKind.BUCKET]
    for principal in (one for one in scene.world.principals if one.duty is not None):
        session, entitlement = Session(principal.arn), scene.world.entitlements.get(principal.arn)
        for statement in _statements(entitlement.identity if entitlement is not None else ()):
            for asked in rights(context, principal, statement, of_examples=False, things=things):
                thing, request = scene.resource(asked.request.resource), asked.request
                policy = scene.resource_policy(thing) if thing is not None else None
                if thing is None or policy is None or not about(policy, request.action.lower()).denying:
                    continue
                held = scene.layers(session, policy, thing.account_id)
                if not _is_meant(principal, request.action, thing) and _is_denied(asked, held):
                    words = f"the policy of {thing.arn} keeps {session} from {request.action} on {request.resource}"
                    yield Violation(words, denied=Denied(request, held))


def _is_of_the_stack(context: Context, thing: Resource) -> bool:
    """Return whether a thing is the stack's own: an account has others, such as the buckets of states."""
    world, attributes = context.scene.world, thing.attributes
    if thing.kind is ResourceKind.BUCKET:
        is_kept = attributes.get("evidence") == "true" or thing.arn in world.staging
        return is_kept or fnmatchcase(thing.arn, ARTIFACTS)
    if thing.kind is ResourceKind.KEY:
        return thing.owner is not None or attributes.get("evidence") == "true" or is_the_platforms(thing)
    if thing.kind in (ResourceKind.SECRET, ResourceKind.TABLE):
        return thing.arn in world.kept
    if thing.kind is ResourceKind.TOPIC:
        return attributes.get("alarm") == "true"
    if thing.kind is ResourceKind.REPOSITORY:
        return fnmatchcase(thing.arn, OWN_REPOSITORIES)
    return thing.arn in under_duties(context)


def _is_denied(asked: Denied, held: Layers) -> bool:
    return decide(asked.request, held).explicit and decide(asked.request, asked.layers).allowed


def _is_meant(principal: Principal, action: str, thing: Resource) -> bool:
    """Return whether a thing of ours denies what a row of the table gives for others of its kind."""
    if thing.kind is ResourceKind.BUCKET:
        return action in REMOVING_IN_BUCKETS and thing.attributes.get("evidence") == "true"
    if thing.kind is ResourceKind.KEY and is_the_platforms(thing):
        # Where one stack holds both layers, its foundation makes this key and keeps it.
        return principal.duty == PLATFORM and action in TAKING_AWAY
    # An approver's key knows the person, whose tasks ask for it.
    return action == "kms:Sign" and (thing.owner or "").startswith(APPROVER)


def _statements(documents: Sequence[Document]) -> Iterator[Mapping[str, Any]]:
    """Yield what documents allow."""
    yield from (one for written in documents for one in written["Statement"] if one["Effect"] == "Allow")


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
    Property(
        "things-keep-nothing-back",
        "No policy of a bucket, key, secret, table, repository, function or topic of the stack denies a duty's role "
        "what the table of duties gives it there; vaults alone let nobody say what expires.",
        _given_things,
    ),
)
