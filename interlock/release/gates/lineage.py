"""The gate `lineage`: every source of the training data is on the tier's list."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from interlock.release.gates.gate import OUR_VERSION, GateInputs, GateParameters, Measured, Needs, Origin, Table
from interlock.release.gates.measuring import measure
from interlock.release.gates.text import plain


class LineageParameters(GateParameters):
    tables: tuple[str, ...] = ("training", "evaluation", "out_of_fold")
    """Those of them that are given are looked for among the snapshots that the pin names."""


class LineageGate:
    name = "lineage"
    version = OUR_VERSION
    Parameters = LineageParameters

    def needs(self, parameters: LineageParameters) -> Needs:
        return Needs(optional=parameters.tables, origin=True)

    def measure(self, inputs: GateInputs) -> Measured:
        parameters = inputs.parameters
        assert isinstance(parameters, LineageParameters)
        assert inputs.origin is not None
        sources = inputs.origin.sources
        strange = [one for one in sources if not is_approved(one, inputs.approved_sources)]
        reasons = [f"the source '{plain(one, 200)}' is not on the tier's list" for one in strange]
        if not sources:
            reasons.append("the pin names no source of the training data, so nothing shows where they come from")
        unknown = sorted(part for part, one in inputs.tables.items() if not _is_snapshot(one, inputs.origin))
        measures = [
            measure("sources", len(sources)),
            measure("unapproved_sources", len(strange)),
            measure("snapshots", len(inputs.origin.snapshots)),
            measure("unknown_tables", len(unknown), count=len(inputs.tables)),
        ]
        return Measured(
            measures,
            reasons,
            unchecked=list(_unchecked(unknown, parameters.tables, inputs)),
            of_inputs=frozenset({"unknown_tables"}),
        )


def is_approved(source: str, approved: Sequence[str]) -> bool:
    """Say whether a URI is one of `approved`, or below one of them that ends in `/`.

    What follows such a prefix must stay below it for every reader: no part `.` or `..`, and neither a percent sign,
    which some readers decode, nor a query, a fragment, a backslash or a character that cannot be printed.
    """
    if source in approved:
        return True
    below = (source.removeprefix(one) for one in approved if one.endswith("/") and source.startswith(one))
    return any(_stays(one) for one in below)


def _stays(below: str) -> bool:
    parts = below.split("/")
    return below.isprintable() and not set("%?#\\") & set(below) and not {"", ".", ".."} & set(parts[:-1] or parts)


def _is_snapshot(table: Table, origin: Origin) -> bool:
    return table.sha256 in origin.snapshots.values()


def _unchecked(unknown: Sequence[str], parts: Sequence[str], inputs: GateInputs) -> Iterator[str]:
    yield "the sources are those that the training run logged; nothing shows that there were no others"
    for part in unknown:
        yield f"the table {part!r} is none of the snapshots that the pin names, or they are named by other digests"
    absent = [part for part in parts if part not in inputs.tables]
    if absent:
        yield f"tables that were not given, and so are not compared with the pin: {', '.join(absent)}"
