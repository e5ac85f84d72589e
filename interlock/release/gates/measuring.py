"""From floats to the measures that are signed."""

from __future__ import annotations

import math
from typing import Final

from interlock.release.evidence import Measure, Slice
from interlock.release.gates.text import plain

DECIMALS: Final = 12
"""What a measure is rounded to before it meets its limit: a rate of exactly 4 in 5 is 0.8, whatever the last bits of
its division are."""

_Z: Final = 1.959963984540054
"""Of a normal distribution, for 95 %."""


def measure(
    name: str,
    number: float,
    interval: tuple[float, float] | None = None,
    *,
    count: int | None = None,
    of: Slice | None = None,
    unit: str = "",
) -> Measure:
    """Return a measure; a number that is NaN or infinite does not exist, and holds against no limit."""
    low, high = interval if interval is not None else (math.nan, math.nan)
    return Measure(
        name=name, value=_kept(number), low=_kept(low), high=_kept(high), count=count, of=of, unit=unit
    )  # fmt: skip


def share(name: str, good: int, count: int, of: Slice | None = None) -> Measure:
    """Return a share with Wilson's interval at 95 % (Wilson 1927, J. Am. Stat. Assoc. 22:209)."""
    p, z = good / count, _Z
    middle = (p + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * math.sqrt(p * (1 - p) / count + z * z / (4 * count * count))
    return measure(name, p, (max(middle - half, 0.0), min(middle + half, 1.0)), count=count, of=of)


def too_few(name: str, of: Slice) -> Measure:
    """Return the measure of a slice with so few rows that a number would tell of people."""
    return Measure(name=name, suppressed=True, of=of)


def told(measure: Measure) -> str:
    """Return what a measure is called in sentences: its name, and of which slice it is."""
    return measure.name if measure.of is None else f"{measure.name} of {measure.of.attribute}={measure.of.value}"


def slice_of(attribute: str, value: str) -> Slice:
    """Return the slice, its words fit for a signed document."""
    return Slice(attribute=plain(attribute, 200), value=plain(value, 200))


def _kept(number: float) -> float | None:
    return round(number, DECIMALS) + 0.0 if math.isfinite(number) else None
