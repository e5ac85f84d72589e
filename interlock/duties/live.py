"""What was read of accounts that are there, with who has which duty, as the world of a proof."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from interlock.duties.bucket_names import VAULT, bucket_name
from interlock.duties.duty_world import exclusions, people_of
from interlock.duties.landscape import Landscape
from interlock.duties.live_vault import VaultReading, unlike_a_live_vault
from interlock.duties.planned import landscape_of
from interlock.duties.table_world import with_table
from interlock.duties.world import Account, Compute, NamedDocument, Principal, Resource, ResourceKind, World
from interlock.failures import BadInput
from interlock.settings.model import Settings

SERVICE_LINKED = ":role/aws-service-role/"
OWN_ROLES = ":role/interlock/"
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
    vaults: tuple[VaultReading, ...] = ()
    """Its locked buckets."""


def live_world(
    stack: str, settings: Settings, readings: tuple[AccountReading, ...], trusted: Sequence[str] = ()
) -> World:
    """Return the world of a stack's accounts as they were read.

    `trusted` are ARNs of the accounts' own administrators, and of those of other accounts who become one. The former,
    and those that the settings name, are set apart, and roles that only AWS's services assume are left out: the
    certificate assumes them.
    Raises BadInput for settings that assign nobody, and where no role of the stack's duties was found.
    """
    if settings.duties is None or not settings.duties.people:
        raise BadInput("interlock:duties: nobody is assigned to any duty, and of nobody nothing can be proved")
    assignments = settings.duties.assignments()
    resources = tuple(_named_for_what_they_are(stack, settings, readings))
    read_accounts = {reading.account_id for reading in readings}
    elsewhere = tuple(one for one in trusted if one.split(":")[4] not in read_accounts)
    own = (one for one in trusted if one not in elsewhere)
    administrators = tuple(dict.fromkeys((*(settings.administrators or ()), *own)))
    found = [one for reading in readings for one in reading.principals if SERVICE_LINKED not in one.arn]
    ways = {one.principal for one in assignments.people}
    apart = tuple(one for one in found if one.arn not in ways and _is_set_apart(one, administrators))
    principals = tuple(one for one in found if one not in apart)
    if not any(one.duty for one in principals):
        read = ", ".join(reading.account_id for reading in readings)
        raise BadInput(f"{stack}: no role of a duty is in {read}; accepted is a stack that has been brought up")
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
        trusted=apart,
        trusted_elsewhere=elsewhere,
        minimum_retention_days=settings.vault.retention_days,
    )
    whole = with_table(world, land, settings.tracking.secret_readers if settings.tracking else ())
    vaults = _vaults(land, settings, readings)
    return whole.model_copy(update={"missing": tuple(unlike_a_live_vault(vaults, land, resources))})


def _is_set_apart(principal: Principal, administrators: Sequence[str]) -> bool:
    """Return whether the proof was told of a principal as an administrator; a role of ours it is told of in vain.

    So it is of what somebody with a duty comes in as.
    """
    is_ours = principal.duty is not None or OWN_ROLES in principal.arn
    return not is_ours and principal.arn in administrators


def _named_for_what_they_are(stack: str, settings: Settings, readings: Sequence[AccountReading]) -> Iterator[Resource]:
    """Yield what was read, each locked bucket that is no vault as a record: such as the trail's."""
    found = [one for reading in readings for one in reading.resources]
    vaults = {f"arn:aws:s3:::{one.name}" for one in _vaults(landscape_of(stack, settings, found), settings, readings)}
    for one in found:
        if one.kind is ResourceKind.BUCKET and one.attributes.get("evidence") == "true" and one.arn not in vaults:
            kept = {key: value for key, value in one.attributes.items() if key != "evidence"}
            yield one.model_copy(update={"attributes": {**kept, "record": "true"}})
        else:
            yield one


def _vaults(land: Landscape, settings: Settings, readings: Sequence[AccountReading]) -> Sequence[VaultReading]:
    """Return the vaults among the evidence account's locked buckets: those of their names, or else all, of which none
    may be left out."""
    locked = [one for each in readings if each.account_id == land.evidence for one in each.vaults]
    given = (settings.vault.bucket_name, settings.vault.recovery_bucket_name)
    names = {one for one in given if one is not None}
    names |= {bucket_name(land.prefix, VAULT, land.evidence, region) for region in land.regions}
    return [one for one in locked if one.name in names] or locked
