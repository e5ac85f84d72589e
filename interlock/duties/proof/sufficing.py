"""Claims about one layer by itself: boundaries whatever policies say, and policies without a boundary."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from interlock.duties.landscape import LEDGER_ROLES
from interlock.duties.proof.calls import FREE, Session
from interlock.duties.proof.forms import EVERYTHING, Form
from interlock.duties.proof.keeping import REMOVING_IN_BUCKETS, REMOVING_OBJECTS, TAKING_KEYS, UNFASTENING
from interlock.duties.proof.property import DEPLOYING, OWNERS, Context, Property, Violation
from interlock.duties.proof.reaching import ALARMS, RECORD
from interlock.duties.proof.taking import CREATING, ON_POLICIES, ON_ROLES, ON_USERS, PUSHING, REPLACING_CODE
from interlock.duties.proof.working import MOVING_TRAFFIC
from interlock.duties.world import NamedDocument, Principal, ResourceKind, canonical

PLATFORM: Final = DEPLOYING - OWNERS
OF_THE_LEDGER: Final = frozenset(role.value for role in LEDGER_ROLES)
"""Duties whose functions the foundation keeps, and hands their roles to."""
UNBINDING: Final = ("iam:DeleteRolePermissionsBoundary", "iam:DeleteUserPermissionsBoundary")
NAMING_KEYS: Final = ("kms:CreateAlias", "kms:UpdateAlias", "kms:DeleteAlias")


@dataclass(frozen=True)
class Kept:
    """What a boundary has to keep from whoever is in it."""

    actions: Sequence[str]
    resource: str
    """An ARN, or a pattern of one."""
    words: str
    by_denial: bool
    """Whether the boundary denies it in words, so that allowing more beside would not allow it."""
    given: Mapping[str, tuple[str, ...] | None] = field(default_factory=dict)


def _boundaries_suffice(context: Context) -> Iterator[Violation]:
    for principal in _one_in_each_boundary(context):
        widened = Session(principal.arn, FREE, Form.WIDENED)
        for action, kind in CREATING:
            anything = f"arn:aws:iam::{principal.account_id}:{kind}/*"
            for within in (None, (f"arn:aws:iam::{principal.account_id}:policy/made-for-this",)):
                given = {"iam:permissionsboundary": within}
                if call := context.scene.can(widened, action, anything, given=given, delegated=True):
                    yield Violation(f"{widened} can make a {kind} outside of our boundaries by {action}", call=call)
        for one in _kept(context, principal):
            session = Session(principal.arn, FREE, Form.LOOSENED) if one.by_denial else widened
            for action in one.actions:
                if call := context.scene.can(session, action, one.resource, given=one.given, delegated=True):
                    yield Violation(f"{session} can {one.words} by {action} on {one.resource}", call=call)


def _one_in_each_boundary(context: Context) -> Iterator[Principal]:
    """Yield a principal for each boundary and account, first of duties, then of roles that are yet to be."""
    seen: set[tuple[str, str]] = set()
    for principal in context.scene.world.principals:
        if principal.duty is not None and principal.boundary is not None:
            key = (canonical(principal.boundary.document), principal.account_id)
            if key not in seen:
                yield principal
            seen.add(key)
    for arn, boundary in sorted(context.scene.boundaries.items()):
        account = arn.split(":")[4]
        if (canonical(boundary.document), account) not in seen:
            role = f"arn:aws:iam::{account}:role/any-within-{boundary.name}"
            everything = (NamedDocument(name="everything", document=EVERYTHING),)
            yield context.scene.add(Principal(arn=role, identity=everything, boundary=boundary))


def _kept(context: Context, principal: Principal) -> Iterator[Kept]:
    yield from _kept_roles(context, principal)
    yield from _kept_evidence(context, principal)
    yield from _kept_keys(context, principal)


def _kept_roles(context: Context, principal: Principal) -> Iterator[Kept]:
    world, duty = context.scene.world, principal.duty
    own, deploys, is_platform = principal.account_id, duty in DEPLOYING, duty in PLATFORM
    for account in world.accounts:
        yield Kept(RECORD, f"arn:aws:cloudtrail:*:{account.id}:trail/*", "stop the record", is_platform)
    yield Kept([edit.action for edit in ON_USERS], f"arn:aws:iam::{own}:user/*", "act as a user", deploys)
    yield Kept(UNBINDING, f"arn:aws:iam::{own}:role/*", "take a boundary off", deploys)
    for other in world.principals:
        if other.duty is None:
            continue
        if other.duty != duty:
            yield Kept(("sts:AssumeRole",), other.arn, "go on to another duty", duty is not None)
            if duty in OWNERS and other.duty in OF_THE_LEDGER:
                elsewhere = {"iam:passedtoservice": ("ecs-tasks.amazonaws.com",)}
                yield Kept(("iam:PassRole",), other.arn, "hand over a role of the ledger's", deploys, elsewhere)
            elif deploys or duty is None:
                yield Kept(("iam:PassRole",), other.arn, "hand over a duty's role", deploys)
        if duty not in OWNERS or other.duty in DEPLOYING:
            yield Kept([edit.action for edit in ON_ROLES], other.arn, "change a duty's role", deploys)
        if other.duty in DEPLOYING:
            arns = {one.editable_arn for one in (*other.identity, other.boundary) if one and one.editable_arn}
            yield from (Kept(ON_POLICIES, arn, "change what a deploying role may do", deploys) for arn in sorted(arns))
    if duty not in OWNERS:
        yield Kept(ON_POLICIES, f"arn:aws:iam::{own}:policy/interlock/*", "change a boundary or a policy", is_platform)
        for repository in world.of_kind(ResourceKind.REPOSITORY):
            yield Kept(PUSHING, repository.arn, "decide which image runs", is_platform)
    if duty in PLATFORM or duty is None:
        yield Kept(MOVING_TRAFFIC, f"arn:aws:sagemaker:*:{own}:endpoint/*", "move traffic", is_platform)
        for alarm in world.of_kind(ResourceKind.ALARM):
            yield Kept(ALARMS, alarm.arn, "silence the alarm of break-glass", is_platform)


def _kept_evidence(context: Context, principal: Principal) -> Iterator[Kept]:
    duty = principal.duty
    for bucket in context.scene.world.of_kind(ResourceKind.BUCKET):
        if bucket.attributes.get("evidence") == "true":
            objects = f"{bucket.arn}/*"
            yield Kept(
                (*REMOVING_OBJECTS, "s3:PutObjectLegalHold"), objects, "delete or hide evidence", duty is not None
            )
            if duty not in OWNERS:
                yield Kept(REMOVING_IN_BUCKETS, bucket.arn, "let evidence be deleted", duty is not None)
            if duty in PLATFORM or duty is None:
                yield Kept(("s3:PutObject",), objects, "write evidence", duty is not None)


def _kept_keys(context: Context, principal: Principal) -> Iterator[Kept]:
    duty = principal.duty
    deploys, is_platform = duty in DEPLOYING, duty in PLATFORM
    for key in context.scene.world.of_kind(ResourceKind.KEY):
        if key.owner is None and key.attributes.get("evidence") != "true":
            continue
        if key.owner is not None and (deploys or duty is None):
            yield Kept(("kms:Sign",), key.arn, "sign", deploys)
        if key.owner is not None and duty is not None:
            yield Kept(("kms:CreateGrant",), key.arn, "give a key's use", deploys)
        if duty is None:
            by_hand = {"kms:grantisforawsresource": ("false",)}
            yield Kept(("kms:CreateGrant",), key.arn, "give a key's use by hand", by_denial=False, given=by_hand)
        if duty not in OWNERS:
            yield Kept((*TAKING_KEYS, "kms:PutKeyPolicy"), key.arn, "take a key away", is_platform)
            start = key.arn.rpartition(":")[0]
            for alias in key.context.get("kms:ResourceAliases", ()):
                yield Kept(NAMING_KEYS, f"{start}:{alias}", "let another key pass for one", is_platform)


def _policies_suffice(context: Context) -> Iterator[Violation]:
    for principal in context.scene.world.principals:
        if principal.duty is None or principal.duty in OWNERS:
            continue
        session = Session(principal.arn, FREE, Form.UNBOUNDED)
        for one in (*_kept(context, principal), *_never_granted(principal)):
            for action in one.actions:
                if call := context.scene.can(session, action, one.resource, given=one.given, delegated=True):
                    yield Violation(f"{session} can {one.words} by {action} on {one.resource}", call=call)
        if principal.duty in DEPLOYING:
            continue
        for step in context.closure.takings(Session(principal.arn, form=Form.UNBOUNDED)):
            if context.scene.principal(step.to.arn).duty not in (None, principal.duty) or step.made:
                yield Violation(f"{session} {step}", (step,))
        for never in context.scene.world.forbidden:
            if never.principal == principal.arn and (call := context.scene.can(session, never.action, never.resource)):
                yield Violation(f"{session} can {never.name}: {never.action} on {never.resource}", call=call)


def _never_granted(principal: Principal) -> Iterator[Kept]:
    """Yield what the own policies of a duty's role never allow on anything of its account."""
    own = principal.account_id
    yield Kept((*PUSHING, *UNFASTENING), "arn:aws:ecr:*:*:repository/*", "decide which image runs", by_denial=False)
    if principal.duty not in DEPLOYING:
        for service, actions in REPLACING_CODE.items():
            anything = f"arn:aws:{service}:*:{own}:*"
            yield Kept(actions, anything, "replace the code that runs", by_denial=False)
        yield Kept(("ecs:RegisterTaskDefinition",), f"arn:aws:ecs:*:{own}:*", "say what runs", by_denial=False)


PROPERTIES: Final = (
    Property(
        "boundaries-suffice",
        "Even were a role's own policies to allow everything, its boundary would keep it from other duties, from the "
        "deploying roles, from users, and from deleting evidence; the platform's also from keys, images and traffic. "
        "The foundation alone hands over roles: the ledger's two, to functions.",
        _boundaries_suffice,
    ),
    Property(
        "policies-suffice",
        "Even were its boundary taken off, no duty's role could do what it must never do, replace code or images, or "
        "come into another's: its own policies do not allow it.",
        _policies_suffice,
    ),
)
