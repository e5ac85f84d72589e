"""Shapley values: what each column contributes to one answer, against the answers to background rows.

The worth of a set of columns is the mean answer to the background's rows when these columns are the explained row's
(the interventional value function of SHAP). A column's Shapley value is what it adds to that, averaged over all orders
in which columns can be added. Source: Lundberg and Lee, A Unified Approach to Interpreting Model Predictions (2017).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

import numpy as np

from interlock.monitoring.arrays import Flags, Floats

Worth = Callable[[Flags], Floats]
"""From sets of columns, shaped (sets, columns), to what each is worth for every row, shaped (rows, sets)."""

MOST_EXACT: Final = 8
"""Columns up to which all 2^columns sets are asked for."""


def shapley_values(worth: Worth, columns: int, *, permutations: int, random: np.random.Generator) -> Floats:
    """Return the Shapley values, shaped (rows, columns): exact for few columns, else over random orders.

    Either way a row's values add up to the worth of all columns minus that of none.
    """
    if columns <= MOST_EXACT:
        return exact_values(worth, columns)
    return sampled_values(worth, columns, permutations=permutations, random=random)


def exact_values(worth: Worth, columns: int) -> Floats:
    """Return the Shapley values from the worth of all 2^columns sets, shaped (rows, columns)."""
    sets = (np.arange(2**columns)[:, None] >> np.arange(columns)) & 1 == 1
    worths = worth(sets)
    sizes = sets.sum(axis=1)
    orders = np.array([math.factorial(size) * math.factorial(columns - size - 1) for size in range(columns)])
    shares = orders / math.factorial(columns)
    values = np.empty((worths.shape[0], columns))
    for column in range(columns):
        without = np.flatnonzero(~sets[:, column])
        added = worths[:, without + (1 << column)] - worths[:, without]
        values[:, column] = added @ shares[sizes[without]]
    return values


def sampled_values(worth: Worth, columns: int, *, permutations: int, random: np.random.Generator) -> Floats:
    """Return estimates from random orders of the columns, each walked forwards and backwards, shaped (rows, columns).

    Walking both ways makes them exact for a model in which at most two columns interact.
    Source: Mitchell et al., Sampling Permutations for Shapley Value Estimation (2022).
    """
    orders = [random.permutation(columns) for _ in range(permutations)]
    walks = [*orders, *(order[::-1] for order in orders)]
    total: Floats | float = 0.0
    for order in walks:
        places = np.empty(columns, dtype=np.int64)
        places[order] = np.arange(columns)
        sets = np.arange(columns + 1)[:, None] > places
        steps = np.diff(worth(sets), axis=1)
        total = total + steps[:, places]
    return np.asarray(total / len(walks), dtype=np.float64)
