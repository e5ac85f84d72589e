"""Intervals by the bootstrap: the same rows are drawn for every figure, so that differences are paired."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from interlock.monitoring.arrays import Floats, Integers

Figure = Callable[[Floats], Floats]
"""From weights shaped (…, rows) to one number each, shaped (…); NaN where it is undefined."""

CONFIDENCE: Final = 0.95
LEAST_DEFINED: Final = 0.95
"""Which share of the resamples must have a number before an interval is told."""
_CELLS_AT_ONCE: Final = 2_000_000


def intervals(
    figures: Mapping[str, Figure], weights: Floats, *, seed: int, resamples: int
) -> dict[str, tuple[float, float]]:
    """Return the 95 % percentile interval of each figure.

    `weights` is shaped (rows,); a resample multiplies it by how often each of as many rows was drawn with
    replacement. (NaN, NaN) where more than one resample in twenty has no number.

    Source: Efron and Tibshirani, An Introduction to the Bootstrap (1993), ch. 13.
    """
    rows = weights.size
    found: dict[str, list[Floats]] = {name: [] for name in figures}
    random = np.random.Generator(np.random.PCG64(seed))
    left = resamples
    while rows and left:
        many = min(left, max(1, _CELLS_AT_ONCE // rows))
        drawn = np.stack([np.bincount(random.integers(0, rows, rows), minlength=rows) for _ in range(many)]) * weights
        for name, figure in figures.items():
            found[name].append(figure(drawn))
        left -= many
    return {name: _percentiles(np.concatenate(parts) if parts else np.empty(0)) for name, parts in found.items()}


def intervals_of_cells(
    figures: Mapping[str, Figure], counts: Integers, *, seed: int, resamples: int
) -> dict[str, tuple[float, float]]:
    """Return the intervals of figures of rows that differ in their cell alone, as `intervals` does.

    `counts`, shaped (cells,), says how many rows are in each; drawing that many rows with replacement is drawing the
    cells' counts from a multinomial distribution, which takes no longer for a million rows than for ten.
    """
    random = np.random.Generator(np.random.PCG64(seed))
    drawn = random.multinomial(int(counts.sum()), counts / counts.sum(), size=resamples).astype(np.float64)
    return {name: _percentiles(figure(drawn)) for name, figure in figures.items()}


def _percentiles(values: Floats) -> tuple[float, float]:
    defined = values[np.isfinite(values)]
    if values.size == 0 or defined.size < LEAST_DEFINED * values.size:
        return float("nan"), float("nan")
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(defined, [tail, 1 - tail])
    return float(low), float(high)
