"""What the table of duties demands of a world: what each role must do, what it must never, and the most that it may."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, Final

from interlock.duties.boundaries import BOUNDED_BY, DEPLOYING, Boundary, boundary_arn, boundary_name, boundary_policy
from interlock.duties.bucket_policy import LONGEST_RETENTION_DAYS
from interlock.duties.deploying import documents_of
from interlock.duties.duty import Role
from interlock.duties.duty_policy import identity_policy
from interlock.duties.guarded_world import keepings
from interlock.duties.landscape import BOUNDARY_PATH, ROLE_PATH, Landscape, reach
from interlock.duties.matrix import MATRIX
from interlock.duties.prefixes import LOCKERS, STAGED_WRITERS, WRITERS
from interlock.duties.replication_role import replication_boundary
from interlock.duties.rights import Account, Kind, Never, Row
from interlock.duties.state_rights import state_policy
from interlock.duties.trust import DUTY_SECONDS
from interlock.duties.world import Entitlement, Forbidden, Principal, ResourceKind, Task, World

APPROVERS_KEYS: Final = "approver-*"
KEEPING_A_KEY: Final = "kms:PutKeyPolicy"


def with_table(world: World, land: Landscape, secret_readers: Sequence[str] = ()) -> World:
    """Return the world with the tasks of every role of the table, what the role must never do, and the most it may.

    `secret_readers` are those whom the settings let read secrets beside what needs them.
    """
    world = _with_duties(world, land)
    table: dict[str, Any] = {
        "tasks": tuple(_tasks(world, land)),
        "forbidden": tuple(_forbidden(world, land)),
        "writers": _writers(WRITERS, land),
        "lockers": tuple(arn for role in LOCKERS for arn in arns_of(role, land)),
        "staging": tuple(f"arn:aws:s3:::{one}" for one in land.staging),
        "staged_writers": _writers(STAGED_WRITERS, land),
        "records": land.records,
        "kept": dict(keepings(world, land, secret_readers)),
        "entitlements": dict(_entitlements(world, land)),
        "limits": _limits(land),
    }
    return world.model_copy(update=table)


def _writers(by_prefix: Mapping[str, Sequence[Role]], land: Landscape) -> dict[str, tuple[str, ...]]:
    return {prefix: tuple(arn for role in roles for arn in arns_of(role, land)) for prefix, roles in by_prefix.items()}


def _with_duties(world: World, land: Landscape) -> World:
    """Return the world with each role of the table under its duty, whatever the role's tag says.

    Of other roles the tag counts only under the path of duties, where other stacks of the account have theirs.
    """
    duties = {principal.arn: row.duty.value for row, principal in _of_table(world, land)}
    tagged = {one.arn: one.duty for one in world.principals if f":role{ROLE_PATH}" in one.arn}
    principals = tuple(one.model_copy(update={"duty": (tagged | duties).get(one.arn)}) for one in world.principals)
    return world.model_copy(update={"principals": principals})


def arns_of(role: Role, land: Landscape) -> list[str]:
    """Return the ARNs of a duty's role, in each account that has it."""
    return [land.role_arn(role, home) for home in land.homes_of(role, MATRIX[role].home)]


def _entitlements(world: World, land: Landscape) -> Iterator[tuple[str, Entitlement]]:
    bounds = {one: json.loads(boundary_policy(one, land)) for one in dict.fromkeys(BOUNDED_BY.values())}
    for row, principal in _of_table(world, land):
        if row.role in DEPLOYING:
            boundary, rights = documents_of(row.role, land)
            state = state_policy(row.role, land, principal.account_id)
            yield principal.arn, Entitlement(identity=tuple(rights.values()), beside=(state,), boundary=boundary)
        else:
            identity = (json.loads(identity_policy(row, land)),)
            services = (row.service,) if row.service is not None else ()
            boundary = bounds[BOUNDED_BY[row.role]]
            yield (
                principal.arn,
                Entitlement(
                    identity=identity, boundary=boundary, services=services, longest_session_seconds=DUTY_SECONDS
                ),
            )


def _limits(land: Landscape) -> dict[str, Any]:
    """Return, by ARN, what the boundaries of services' roles and of the vault's replication allow at most."""
    services = json.loads(boundary_policy(Boundary.SERVICE, land))
    replication = f"arn:aws:iam::{land.evidence}:policy{BOUNDARY_PATH}{land.prefix}-replication"
    return {
        **{boundary_arn(Boundary.SERVICE, land, home): services for home in Account},
        replication: json.loads(replication_boundary(sorted(land.vaults))),
    }


def _tasks(world: World, land: Landscape) -> Iterator[Task]:
    for row, principal in _of_table(world, land):
        for task in row.tasks:
            own = task.kind is Kind.SIGNING_KEY and task.name == APPROVERS_KEYS
            examples = [""] if own else _examples(_resources(world, land, task.kind, task.name), row, principal, land)
            for example in examples if task.kind in _EACH_COUNTS else examples[:1]:
                yield Task(
                    principal=principal.arn,
                    name=task.words,
                    action=task.action,
                    resource=example.replace("*", "example"),
                    context={key: tuple(values) for key, values in task.context.items()}
                    | _given(land, task.kind, task.action, example, principal.account_id)
                    | _locked(task.action),
                    own_key=own,
                )


_GUARDED: Final = {Kind.SECRET: ResourceKind.SECRET, Kind.TABLE: ResourceKind.TABLE}
"""Kinds with policies of their own, which count where the world has them."""
_EACH_COUNTS: Final = (
    Kind.SIGNING_KEY, Kind.EVIDENCE_KEY, Kind.VAULT, Kind.OBJECTS, Kind.STAGING, Kind.STAGED, Kind.TABLE,
)  # fmt: skip
"""Kinds of which there is one in each region, each with a policy of its own."""


def _examples(resources: Iterable[str], row: Row, principal: Principal, land: Landscape) -> list[str]:
    """Return the resources of a task; a role with a home in several accounts has it where the resource is."""
    found = list(resources)
    at_home = [one for one in found if _account_in(one) in ("", principal.account_id)]
    if len(land.homes_of(row.role, row.home)) > 1:
        main = principal.account_id == land.account_of(row.home)
        return [one for one in at_home if main or _account_in(one)]
    return at_home or found


_REGION_IN_ARN: Final = 3


def _account_in(arn: str) -> str:
    return arn.split(":")[4] if arn.count(":") >= 5 else ""


def _given(land: Landscape, kind: Kind, action: str, example: str, own_account_id: str) -> dict[str, tuple[str, ...]]:
    """Return what AWS says of a request beside the table: whose the resource is, its tags, through whom it comes."""
    found: dict[str, tuple[str, ...]] = {}
    account_id = _account_in(example) or own_account_id
    if kind is Kind.EVIDENCE_KEY and action != KEEPING_A_KEY:
        # S3 asks for it in the name of who reads or writes the object.
        found["kms:viaservice"] = (f"s3.{example.split(':')[_REGION_IN_ARN]}.amazonaws.com",)
    if kind in (Kind.VAULT, Kind.OBJECTS, Kind.STAGING, Kind.STAGED, Kind.GUARDED):
        found["aws:resourceaccount"] = (land.evidence,)
    if kind in (Kind.SECRET, Kind.SERVICE, Kind.DATABASE):
        found["aws:resourcetag/interlock:stack"] = (land.platform,)
    if kind in (Kind.SERVICE_ROLE, Kind.DUTY_ROLE):
        bounded = boundary_name(Boundary.SERVICE if kind is Kind.SERVICE_ROLE else Boundary.DUTY, land)
        found["iam:permissionsboundary"] = (f"arn:aws:iam::{account_id}:policy{BOUNDARY_PATH}{bounded}",)
    return found


def _locked(action: str) -> dict[str, tuple[str, ...]]:
    """Return for how long the longest lock is, where the task is to lock."""
    days = (str(LONGEST_RETENTION_DAYS),)
    return {"s3:object-lock-remaining-retention-days": days} if action == "s3:PutObjectRetention" else {}


def _forbidden(world: World, land: Landscape) -> Iterator[Forbidden]:
    for row, principal in _of_table(world, land):
        for never in row.nevers:
            for resource in _forbidden_on(world, land, never):
                yield from (
                    Forbidden(principal=principal.arn, name=never.words, action=action, resource=resource)
                    for action in never.actions
                )


def _forbidden_on(world: World, land: Landscape, never: Never) -> Iterable[str]:
    if not never.but:
        return _resources(world, land, never.kind, never.name)
    spared = {arn for name in never.but for arn in arns_of(Role(name), land)}
    return [principal.arn for _, principal in _of_table(world, land) if principal.arn not in spared]


def _of_table(world: World, land: Landscape) -> Iterator[tuple[Row, Principal]]:
    for role, row in MATRIX.items():
        for home in land.homes_of(role, row.home):
            principal = world.principal(land.role_arn(role, home))
            if principal is not None:
                yield row, principal


def _resources(world: World, land: Landscape, kind: Kind, name: str) -> Iterable[str]:
    if kind in _GUARDED:
        patterns = reach(kind, name, land).resources
        found = [one.arn for one in world.of_kind(_GUARDED[kind]) if any(fnmatchcase(one.arn, of) for of in patterns)]
        return found or patterns
    if kind not in (Kind.SIGNING_KEY, Kind.EVIDENCE_KEY):
        return reach(kind, name, land).resources
    alias = land.key_alias("evidence" if kind is Kind.EVIDENCE_KEY else name)
    start = alias.partition("*")[0]
    return [
        one.arn
        for one in world.of_kind(ResourceKind.KEY)
        if (one.owner is not None) is (kind is Kind.SIGNING_KEY)
        and any(
            (alias.endswith("*") and known.startswith(start)) or known == alias
            for known in one.context.get("kms:ResourceAliases", ())
        )
    ]
