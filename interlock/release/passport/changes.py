"""What is different about a release, compared with the one that serves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from interlock.release.champion import PERFORMANCE
from interlock.release.evidence import Evidence, Measure
from interlock.release.manifest import Manifest
from interlock.release.pin_statement import PinPredicate
from interlock.release.record import Record

if TYPE_CHECKING:
    from interlock.release.passport.model import Other


@dataclass(frozen=True)
class Change:
    """One thing that differs; numbers are there where it is a measure of the same name, over all of the data."""

    what: str
    before: str
    after: str
    numbers: tuple[Decimal, Decimal] | None = None


def changes(
    record: Record, pin: PinPredicate | None, evidence: Sequence[Evidence], champion: Other
) -> Iterator[Change]:
    """Yield what differs between a release and `champion`: measures first, then what it was made of."""
    theirs = max(champion.readings.evidence, key=lambda one: one.what.ended_at, default=None)
    if theirs is not None:
        yield from _of_measures(evidence, [one.what for one in champion.readings.evidence])
    before = max(champion.readings.pins, key=lambda one: one.recorded.key, default=None)
    if pin is not None and before is not None:
        yield from _of_pins(before.what, pin)
    if record.manifest is not None and champion.record.manifest is not None:
        yield from _of_files(champion.record.manifest, record.manifest)


def _of_measures(mine: Sequence[Evidence], theirs: Sequence[Evidence]) -> Iterator[Change]:
    before, after = _whole(theirs), _whole(mine)
    for name, one in after.items():
        other = before.get(name)
        if other is not None and one.value is not None and other.value is not None and one.value != other.value:
            yield Change(" ".join(name), str(other.value), str(one.value), (other.value, one.value))


def _whole(evidence: Sequence[Evidence]) -> Mapping[tuple[str, str], Measure]:
    """Return the measures over all rows, by gate and name, of the newest evidence of each gate."""
    newest = {one.gate: one for one in sorted(evidence, key=lambda one: one.ended_at)}
    return {
        (gate, measure.name): measure
        for gate, one in sorted(newest.items())
        for measure in one.measures
        if measure.of is None and not (gate == PERFORMANCE and _is_relative(measure.name))
    }


def _is_relative(name: str) -> bool:
    """Say whether a measure of performance is a difference itself, each release's to a champion of its own."""
    return name == "champion_compared" or name.endswith("_gain")


def _of_pins(before: PinPredicate, after: PinPredicate) -> Iterator[Change]:
    pairs = (
        (
            "model version",
            f"{before.source.name}/{before.source.version}",
            f"{after.source.name}/{after.source.version}",
        ),
        ("code revision", before.code.revision, after.code.revision),
        ("tier", before.tier, after.tier),
        ("policy", before.policy, after.policy),
        ("data", ", ".join(one.digest for one in before.data), ", ".join(one.digest for one in after.data)),
        ("inputs", _columns(before), _columns(after)),
    )
    yield from (Change(what, old, new) for what, old, new in pairs if old != new)


def _columns(pin: PinPredicate) -> str:
    names = [str(one.get("name", "")) for one in pin.signature.inputs] if pin.signature else []
    return ", ".join(names)


def _of_files(before: Manifest, after: Manifest) -> Iterator[Change]:
    old, new = ({one.path: one for one in each.files} for each in (before, after))
    for path in sorted(old.keys() | new.keys()):
        mine, theirs = new.get(path), old.get(path)
        if mine is None or theirs is None or mine.sha256 != theirs.sha256:
            yield Change(
                f"file {path}",
                f"{theirs.size:,} bytes" if theirs else "not there",
                f"{mine.size:,} bytes" if mine else "not there",
            )
