"""A preview, with who has which duty, as the world of a proof."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from interlock.duties.demanded import missing
from interlock.duties.duty_world import deploying_principals, exclusions, people_of
from interlock.duties.landscape import LIVE_STATE_TABLES, Landscape
from interlock.duties.people import Assignments
from interlock.duties.plan_images import not_the_foundations
from interlock.duties.plan_principals import Principals
from interlock.duties.plan_readable import unreadable
from interlock.duties.plan_resources import Resources
from interlock.duties.plan_world import Plan, read_plans
from interlock.duties.table_world import with_table
from interlock.duties.world import Account, Resource, ResourceKind, World
from interlock.failures import BadInput
from interlock.settings.model import Settings
from interlock.settings.reading import SettingsError, read_settings
from interlock.settings.section import Layer


@dataclass(frozen=True)
class Planned:
    """The world of a preview; `assumed` names each policy that is taken for more than it can be."""

    world: World
    assumed: tuple[str, ...]
    unread: tuple[str, ...] = ()
    """What of the world no preview tells."""


def planned_world(*documents: Any, sources: Sequence[str] = ()) -> Planned:
    """Return the world that a preview would bring about, or that of a platform with that of its foundation.

    `sources` are what messages call the documents, in their order. A resource of a type that is not read, a second
    policy of one thing, and a policy of nothing in the preview are refused: AWS would heed them, and the proof would
    not. A role's policy that is not known yet counts as all that the role's boundary allows; without a boundary it is
    one of those that have to be known.
    Raises BadInput for a document that is no preview or holds what is not read, for settings that cannot be used or
    assign nobody, and with every policy document that has to be known and is not.
    """
    plan = read_plans(*documents, sources=sources)
    if overlooked := list(unreadable(plan)):
        raise BadInput(f"the preview of {plan.stack} holds what a proof cannot read", reasons=overlooked)
    settings = _settings(plan)
    if settings.duties is None or not settings.duties.people:
        raise BadInput(
            "interlock:duties: nobody is assigned to any duty, and of nobody nothing can be proved",
            next_step="name the people in interlock:duties of stacks/Pulumi.<stack>.yaml",
        )
    assignments = settings.duties.assignments()
    principals = Principals(plan)
    identities = {one.name: one.source_identity for one in settings.approvers}
    identities |= {one.name: one.source_identity for one in assignments.people}
    resources = Resources(plan, identities)
    problems = [*principals.problems, *resources.problems]
    if problems:
        raise BadInput(f"the preview of {plan.stack} leaves policy documents open", reasons=problems)
    return Planned(
        _world(plan, settings, assignments, principals, resources),
        tuple(principals.taken_for_everything),
        resources.unread,
    )


def _settings(plan: Plan) -> Settings:
    try:
        return read_settings(plan.stack, plan.config)
    except SettingsError as error:
        reasons = [str(one) for one in error.problems]
        raise BadInput(f"the settings of {plan.stack} cannot be used", reasons=reasons) from error


def _world(
    plan: Plan, settings: Settings, assignments: Assignments, principals: Principals, resources: Resources
) -> World:
    land = landscape_of(plan.stack, settings, resources.resources)
    ids = dict.fromkeys((land.workload, land.evidence, land.audit, *(one.account_id for one in plan.resources)))
    world = World(
        stack=plan.stack,
        accounts=tuple(Account(id=one) for one in ids if one),
        principals=(*deploying_principals(land, assignments), *principals.principals),
        resources=resources.resources,
        compute=tuple(resources.compute(principals)),
        people=people_of(land, assignments),
        boundaries=principals.boundaries(),
        exclusions=exclusions(),
        administrators=tuple(settings.administrators or ()),
        minimum_retention_days=settings.vault.retention_days,
    )
    whole = with_table(world, land, settings.tracking.secret_readers if settings.tracking else ())
    lacking = list(not_the_foundations(plan, principals, resources.resources, land.evidence))
    if Layer.FOUNDATION in settings.layers:
        lacking += missing(plan, land, assignments, whole)
    return whole.model_copy(update={"missing": tuple(lacking)})


def landscape_of(stack: str, settings: Settings, resources: Iterable[Resource]) -> Landscape:
    """Return the names of one stack, its buckets' as a preview or the accounts have them."""
    workload = settings.account_id
    evidence = settings.accounts.evidence.account_id if settings.accounts.evidence else workload
    audit = settings.accounts.audit.account_id if settings.accounts.audit else workload
    buckets = [one for one in resources if one.kind is ResourceKind.BUCKET and one.account_id == evidence]
    vaults = [one for one in buckets if one.attributes.get("evidence") == "true"]
    named = settings.named_after(stack)
    tables = tuple(one.table_name for one in (settings.live_state.primary, settings.live_state.recovery))
    return Landscape(
        stack=named,
        workload=workload,
        evidence=evidence,
        audit=audit,
        regions=(settings.region, *([settings.recovery.region] if settings.recovery else [])),
        vaults=tuple(_bucket_name(one.arn) for one in vaults),
        staging=tuple(_bucket_name(one.arn) for one in buckets if one not in vaults and "staging" in one.arn),
        endpoints=tuple(f"interlock-{named}-{one.name}" for one in settings.endpoints),
        tables=tuple(one for one in tables if one) if all(tables) else LIVE_STATE_TABLES,
        environment=settings.environment.value,
    )


def _bucket_name(arn: str) -> str:
    return arn.rpartition(":")[2]
