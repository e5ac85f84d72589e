"""How far what is seen lies from what was seen: between histograms over the same bins, and between samples."""

from __future__ import annotations

import numpy as np

from interlock.monitoring.arrays import Floats, Integers


def population_stability_index(reference: Integers, current: Integers) -> float:
    """Return the PSI between two histograms over the same bins.

    Both are shaped (bins,) and hold counts. A bin that is empty on one side counts as half an observation there, so
    the result is finite; one that is empty on both says nothing. 0 means no change; the unit is nats.

    Raises ValueError if the shapes differ or a histogram is empty.
    Source: Siddiqi, Credit Risk Scorecards (2006), ch. 10.
    """
    if reference.shape != current.shape or reference.ndim != 1:
        raise ValueError(f"histograms differ in shape: {reference.shape} and {current.shape}")
    seen = (reference > 0) | (current > 0)
    p, q = _shares(reference[seen]), _shares(current[seen])
    return float(np.sum((q - p) * np.log(q / p)))


def _shares(counts: Integers) -> Floats:
    if counts.sum() == 0:
        raise ValueError("a histogram of nothing")
    smoothed = np.where(counts == 0, 0.5, counts)
    return np.asarray(smoothed / smoothed.sum(), dtype=np.float64)


def kolmogorov_smirnov(reference: Floats, current: Floats) -> float:
    """Return the largest distance between the distribution functions of two samples, ties and all.

    Both are shaped (rows,); `reference` is sorted. Raises ValueError for a sample that is empty or not finite.
    """
    if reference.size == 0 or current.size == 0:
        raise ValueError("a sample of nothing")
    if not (np.isfinite(reference).all() and np.isfinite(current).all()):
        raise ValueError("a sample with what is no finite number")
    current = np.sort(current)
    places = np.concatenate([reference, current])
    below = np.searchsorted(reference, places, side="right") / reference.size
    beside = np.searchsorted(current, places, side="right") / current.size
    return float(np.abs(below - beside).max())


def histogram(values: Floats, edges: Floats) -> Integers:
    """Return how many values lie in each of the bins (…, e0], (e0, e1], …, (en, …), shaped (edges + 1,).

    One comparison an edge is quicker than a search for each value while there are some ten edges.
    """
    up_to = np.array([np.count_nonzero(values <= edge) for edge in edges], dtype=np.int64)
    return np.diff(np.concatenate([[0], up_to, [values.size]])).astype(np.int64)


def quantile_edges(values: Floats, bins: int = 10) -> Floats:
    """Return the inner edges of `bins` bins with equally many values, shaped (bins − 1,); fewer where values repeat."""
    if values.size == 0:
        return np.empty(0)
    # Each edge is one of the values and the largest is none, so that no bin is empty of the reference.
    inner = np.quantile(values, np.arange(1, bins) / bins, method="lower")
    return np.unique(inner[inner < values.max()])
