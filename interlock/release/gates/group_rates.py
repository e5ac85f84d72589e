"""The rates of one attribute's groups, and their intervals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from interlock.monitoring import fairness
from interlock.monitoring.arrays import Flags, Floats, Integers
from interlock.monitoring.fairness import Rates
from interlock.monitoring.resampling import Figure, intervals, intervals_of_cells


@dataclass(frozen=True)
class Decisions:
    """Who was decided positive and who deserved it, and how often each row counts; all shaped (rows,)."""

    decided: Flags
    deserved: Flags
    weights: Floats

    def take(self, rows: Flags | Integers) -> Decisions:
        """Return these rows."""
        return Decisions(self.decided[rows], self.deserved[rows], self.weights[rows])


class GroupRates:
    """Groups with too few rows for a rate are left out of the difference of that rate."""

    def __init__(self, decisions: Decisions, places: Integers, groups: int, least: int) -> None:
        self.rows = np.bincount(places, minlength=groups)
        self.deserving = np.bincount(places[decisions.deserved], minlength=groups)
        self.enough = self.deserving >= least
        self._enough_others = self.rows - self.deserving >= least
        self._alike = bool((decisions.weights == 1).all())
        if self._alike:
            decisions, places = _cells(decisions, places)
        self._weights = decisions.weights
        everybody = np.ones_like(decisions.deserved)
        self.selection = fairness.rates(decisions.decided, everybody, places, groups)
        self.true_positive = fairness.rates(decisions.decided, decisions.deserved, places, groups)
        self._false_positive = fairness.rates(decisions.decided, ~decisions.deserved, places, groups)

    def impact(self, weights: Floats) -> Floats:
        return fairness.impact_ratios(self.selection(weights))

    def parity(self, weights: Floats) -> Floats:
        return fairness.spread(self.selection(weights))

    def opportunity(self, weights: Floats) -> Floats:
        return _spread_among(self.true_positive(weights), self.enough)

    def odds(self, weights: Floats) -> Floats:
        among_others = _spread_among(self._false_positive(weights), self._enough_others)
        return np.maximum(self.opportunity(weights), among_others)

    def values(self, figures: Mapping[str, Figure]) -> dict[str, float]:
        """Return the figures of the rows as they are."""
        return {name: float(figure(self._weights)) for name, figure in figures.items()}

    def intervals(self, figures: Mapping[str, Figure], *, seed: int, resamples: int) -> dict[str, tuple[float, float]]:
        """Return their 95 % intervals."""
        if self._alike:
            return intervals_of_cells(figures, self._weights.astype(np.int64), seed=seed, resamples=resamples)
        return intervals(figures, self._weights, seed=seed, resamples=resamples)


def _cells(decisions: Decisions, places: Integers) -> tuple[Decisions, Integers]:
    """Return rows that count once each as one row for all that are alike, which counts as often."""
    keys = places * 4 + decisions.decided * 2 + decisions.deserved
    cells, counts = np.unique(keys, return_counts=True)
    alike = Decisions(cells % 4 >= 2, cells % 2 == 1, counts.astype(np.float64))
    return alike, (cells // 4).astype(np.int64)


def of_group(rates: Rates, place: int) -> Figure:
    """Return the figure of one group."""
    return lambda weights: np.asarray(rates(weights)[..., place])


def _spread_among(of_groups: Floats, enough: Flags) -> Floats:
    if enough.sum() < 2:
        return np.full(of_groups.shape[:-1], np.nan)
    return fairness.spread(of_groups[..., enough])
