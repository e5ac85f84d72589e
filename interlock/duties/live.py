"""What was read of accounts that are there, with who has which duty, as the world of a proof."""

from __future__ import annotations

from dataclasses import dataclass

from interlock.duties.duty_world import exclusions, people_of
from interlock.duties.planned import landscape_of
from interlock.duties.table_world import with_table
from interlock.duties.world import Account, Compute, NamedDocument, Principal, Resource, World
from interlock.failures import BadInput
from interlock.settings.model import Settings

SERVICE_LINKED = ":role/aws-service-role/"
NOT_READ = (
    "policies of the organization; they could only deny more, so that nothing that is proved to be denied is in doubt, "
    "but a task that is proved to be allowed might be denied"
)


@dataclass(frozen=True)
class AccountReading:
    """What one account says of itself."""

    account_id: str
    principals: tuple[Principal, ...]
    boundaries: tuple[NamedDocument, ...]
    resources: tuple[Resource, ...]
    compute: tuple[Compute, ...]


def live_world(stack: str, settings: Settings, readings: tuple[AccountReading, ...]) -> World:
    """Return the world of a stack's accounts as they were read.

    Administrators that the settings name, and roles that only AWS's services assume, are left out: the certificate
    assumes them.
    Raises BadInput for settings that assign nobody, and where no role of the stack's duties was found.
    """
    if settings.duties is None or not settings.duties.people:
        raise BadInput("interlock:duties: nobody is assigned to any duty, and of nobody nothing can be proved")
    assignments = settings.duties.assignments()
    resources = tuple(one for reading in readings for one in reading.resources)
    administrators = tuple(settings.administrators or ())
    left_out = set(administrators) - {one for one in administrators if ":role/interlock/" in one}
    principals = tuple(
        one
        for reading in readings
        for one in reading.principals
        if one.arn not in left_out and SERVICE_LINKED not in one.arn
    )
    if not any(one.duty for one in principals):
        found = ", ".join(reading.account_id for reading in readings)
        raise BadInput(f"{stack}: no role of a duty is in {found}; accepted is a stack that has been brought up")
    land = landscape_of(stack, settings, resources)
    world = World(
        stack=stack,
        accounts=tuple(Account(id=one) for one in dict.fromkeys((land.workload, land.evidence, land.audit))),
        principals=principals,
        resources=resources,
        compute=tuple(one for reading in readings for one in reading.compute),
        people=people_of(land, assignments),
        boundaries=tuple(one for reading in readings for one in reading.boundaries),
        exclusions=exclusions(),
        administrators=administrators,
        minimum_retention_days=settings.vault.retention_days,
    )
    return with_table(world, land, settings.tracking.secret_readers if settings.tracking else ())
