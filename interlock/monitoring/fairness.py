"""How differently groups of people are decided about: figures of weights, for the bootstrap to be taken of.

`decided` and `deserved` (rows,) say who was decided positive and who was so in truth; `places` (rows,) is each row's
group among `count`. Weights are shaped (…, rows).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from interlock.monitoring.arrays import Flags, Floats, Integers

Rates = Callable[[Floats], Floats]
"""From weights shaped (…, rows) to one rate a group, shaped (…, groups); NaN for a group without weight."""


def rates(decided: Flags, among: Flags, places: Integers, count: int) -> Rates:
    """Return, of each group, which share of its rows `among` was decided positive.

    Among all rows this is the selection rate; among those who deserve it the true positive rate, among the others
    the false positive rate.
    """

    def of(weights: Floats) -> Floats:
        total = _sums(weights * among, places, count)
        positive = _sums(weights * (among & decided), places, count)
        with np.errstate(invalid="ignore"):
            return np.asarray(np.where(total > 0, positive / total, np.nan), dtype=np.float64)

    return of


def _sums(values: Floats, places: Integers, count: int) -> Floats:
    """Return the sum of the last axis by group."""
    indicator = np.zeros((places.size, count))
    indicator[np.arange(places.size), places] = 1.0
    return np.asarray(values @ indicator, dtype=np.float64)


def impact_ratios(selected: Floats) -> Floats:
    """Return each group's selection rate over the highest one's, shaped as `selected` (…, groups).

    The lowest of them is the demographic parity ratio. Where nobody at all is selected nobody is treated otherwise,
    and the ratios are 1. NaN if a group has no rate.
    Source: the four-fifths rule, 29 CFR 1607.4(D).
    """
    highest = selected.max(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(highest == 0, 1.0, selected / highest), dtype=np.float64)


def spread(of_groups: Floats) -> Floats:
    """Return the highest rate minus the lowest, shaped (…); NaN if a group has no rate.

    Of selection rates this is the demographic parity difference, of true positive rates the equal opportunity
    difference. Source: Hardt, Price and Srebro, Equality of Opportunity in Supervised Learning (2016).
    """
    return np.asarray(of_groups.max(axis=-1) - of_groups.min(axis=-1), dtype=np.float64)


def one_threshold(scores: Floats, decided: Flags) -> bool:
    """Say whether one threshold for everybody explains the decisions: every score decided positive is above every
    other, and no score was decided both ways.
    """
    if not decided.any() or decided.all():
        return True
    return bool(scores[decided].min() > scores[~decided].max())
