"""The gate `sbom`: what a release brings along of others' making, what is known against it, and on which terms.

Reads the release's own pinned requirements, the inventory of the environment that it will serve in, and a snapshot
of known vulnerabilities that must not be older than the policy says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any, Final

from pydantic import Field

from interlock.release.gates.files.requirements import Requirements, requirements_of
from interlock.release.gates.gate import OUR_VERSION, GateInputs, GateParameters, Measured, Needs, UnfitInputs
from interlock.release.gates.measuring import measure
from interlock.release.gates.supply.bill import bill_of_materials
from interlock.release.gates.supply.inventory import Closure, Distribution, Inventory, closure_of
from interlock.release.gates.supply.licences import ACCEPTED, NoExpression, is_accepted
from interlock.release.gates.supply.osv import (
    Severity,
    Snapshot,
    UnreadableSnapshot,
    Vulnerability,
    read_snapshot,
    vulnerabilities_of,
)
from interlock.release.gates.text import plain
from interlock.written_documents import InvalidDocument, read_document

SNAPSHOT: Final = "osv"
INVENTORY: Final = "inventory"
_MOST_TOLD: Final = 200


class SbomParameters(GateParameters):
    snapshot_days: Annotated[int, Field(ge=1, le=365)] = 7
    """How old the snapshot of vulnerabilities may be."""
    inventory_days: Annotated[int, Field(ge=1, le=3650)] = 90
    """How old the inventory of the serving environment may be."""
    licences: tuple[str, ...] = ACCEPTED
    """SPDX identifiers of the accepted licences."""
    licensed: Mapping[str, str] = Field(default_factory=dict)
    """The licence of a distribution whose own metadata names none, by its name."""
    tolerated: Mapping[str, date] = Field(default_factory=dict)
    """Vulnerabilities that were judged not to matter, each until a day."""


@dataclass(frozen=True)
class Supply:
    """All that the gate has read and looked up."""

    requirements: Requirements
    closure: Closure
    vulnerabilities: tuple[Vulnerability, ...]
    snapshot: Snapshot
    inventory: Inventory


class SbomGate:
    name = "sbom"
    version = OUR_VERSION
    Parameters = SbomParameters

    def needs(self, parameters: SbomParameters) -> Needs:  # noqa: ARG002 (every gate is asked so)
        return Needs(documents=(SNAPSHOT, INVENTORY))

    def measure(self, inputs: GateInputs) -> Measured:
        parameters = inputs.parameters
        assert isinstance(parameters, SbomParameters)
        supply = supply_of(inputs)
        today = inputs.now.date()
        counted = [one for one in supply.vulnerabilities if not _is_tolerated(one, parameters.tolerated, today)]
        refused = [one for one in supply.closure.distributions if not _is_accepted(one, parameters)]
        measures = [
            measure("components", len(supply.closure.distributions)),
            *(measure(f"{name}_vulnerabilities", number) for name, number in _by_severity(counted).items()),
            measure("tolerated_vulnerabilities", len(supply.vulnerabilities) - len(counted)),
            measure("refused_licences", len(refused)),
            measure("unpinned_requirements", len(supply.requirements.unpinned)),
            measure("snapshot_records", supply.snapshot.count),
            measure("snapshot_days", (inputs.now - supply.snapshot.taken_at).total_seconds() / 86400, unit="days"),
        ]
        return Measured(
            measures,
            reasons=list(_reasons(inputs, supply)),
            unfit=list(_out_of_date(inputs, parameters, supply)),
            unchecked=list(_unchecked(counted)),
            details=_details(supply, refused),
            of_inputs=frozenset({"snapshot_days", "snapshot_records"}),
        )


def supply_of(inputs: GateInputs) -> Supply:
    """Return what the release brings along. Raises UnfitInputs for documents that cannot be read."""
    try:
        snapshot = read_snapshot(inputs.document(SNAPSHOT).content)
        inventory = read_document(inputs.document(INVENTORY).content, Inventory)
    except UnreadableSnapshot as error:
        raise UnfitInputs(f"the document 'osv' is no snapshot of vulnerabilities: {error}") from error
    except InvalidDocument as error:
        raise UnfitInputs(f"the document 'inventory' cannot be read: {error}") from error
    requirements = requirements_of(inputs.folder)
    closure = closure_of(requirements.pinned, inventory)
    found = [
        one for part in closure.distributions for one in vulnerabilities_of(part.name, part.version, snapshot)
    ]  # fmt: skip
    return Supply(requirements, closure, tuple(found), snapshot, inventory)


def bill_of(inputs: GateInputs) -> dict[str, Any]:
    """Return the release's bill of materials, CycloneDX 1.6, to be signed as a statement of its own.

    `inputs` are those of the gate. Raises UnfitInputs as the gate does.
    """
    supply = supply_of(inputs)
    return bill_of_materials(
        inputs.manifest.subject_digest,
        [one.name for one in supply.requirements.pinned],
        supply.closure.distributions,
        supply.vulnerabilities,
        supply.snapshot.taken_at,
    )


def _out_of_date(inputs: GateInputs, parameters: SbomParameters, supply: Supply) -> Iterator[str]:
    for what, taken_at, days in (
        ("snapshot of vulnerabilities", supply.snapshot.taken_at, parameters.snapshot_days),
        ("inventory", supply.inventory.taken_at, parameters.inventory_days),
    ):
        age = inputs.now - taken_at
        if age > timedelta(days=days):
            yield f"the {what} is of {taken_at:%Y-%m-%d}, {age.days} days old; accepted are {days}"
        elif age < timedelta():
            yield f"the {what} is of {taken_at:%Y-%m-%d %H:%M}, which is yet to come"


def _reasons(inputs: GateInputs, supply: Supply) -> Iterator[str]:
    if (inputs.folder / "MLmodel").is_file() and not supply.requirements.pinned:
        yield "the model asks for no distribution, so nothing says what it would run with"
    yield from (f"'{plain(one, 200)}' is not one version" for one in supply.requirements.unpinned)
    yield from (f"'{plain(one, 200)}' is no version of a distribution" for one in supply.requirements.strange)
    yield from (plain(one, 300) for one in supply.closure.problems)


def _by_severity(found: Sequence[Vulnerability]) -> dict[str, int]:
    # What nobody has rated may be anything.
    groups = {
        "critical": (Severity.CRITICAL, Severity.UNRATED),
        "high": (Severity.HIGH,),
        "medium": (Severity.MEDIUM,),
        "low": (Severity.LOW,),
    }
    return {name: sum(one.severity in severities for one in found) for name, severities in groups.items()}


def _is_tolerated(found: Vulnerability, tolerated: Mapping[str, date], today: date) -> bool:
    return any(today <= tolerated[one] for one in (found.identifier, *found.aliases) if one in tolerated)


def _is_accepted(distribution: Distribution, parameters: SbomParameters) -> bool:
    licence = distribution.licence or parameters.licensed.get(distribution.name)
    if licence is None:
        return False
    try:
        return is_accepted(licence, parameters.licences)
    except NoExpression:
        return False


def _unchecked(counted: Sequence[Vulnerability]) -> Iterator[str]:
    yield "licences are those that the distributions' own metadata name"
    yield "libraries of the system below Python, which the image's own scan looks at"
    unrated = sum(one.severity is Severity.UNRATED for one in counted)
    if unrated:
        yield f"{unrated} vulnerabilities that nobody has rated count as critical"


def _details(supply: Supply, refused: Sequence[Distribution]) -> dict[str, Any]:
    return {
        "snapshot": {"taken_at": supply.snapshot.taken_at.isoformat(), "records": supply.snapshot.count},
        "vulnerabilities": [
            {
                "distribution": one.name, "version": plain(one.version, 100), "id": plain(one.identifier, 100),
                "aliases": [plain(alias, 100) for alias in one.aliases[:10]], "severity": str(one.severity),
            }
            for one in supply.vulnerabilities[:_MOST_TOLD]
        ],
        "refused_licences": [
            {"distribution": one.name, "version": one.version, "licence": one.licence} for one in refused[:_MOST_TOLD]
        ],
        "components": [
            {"name": one.name, "version": one.version, "licence": one.licence}
            for one in supply.closure.distributions[:_MOST_TOLD]
        ],
    }  # fmt: skip
