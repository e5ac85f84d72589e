"""Whether a model answers each row for itself: tables are asked in an order that nobody knew before, and twice."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from interlock.monitoring.arrays import Floats
from interlock.release.gates.gate import Predictor, Table
from interlock.release.gates.predictions import scores_from

if TYPE_CHECKING:
    import pandas as pd

SAME: Final = 1e-6
"""By how much of itself, or of 1 if it is smaller, an answer may differ: another batch takes its last digits."""


def shuffled(table: Table, seed: int) -> Table:
    """Return the table in an order drawn with `seed`: one that is sorted by its labels would tell them by place."""
    order = np.random.Generator(np.random.PCG64(seed)).permutation(len(table.frame))
    return replace(table, frame=table.frame.iloc[order].reset_index(drop=True))


def answers_by_place(model: Predictor, rows: pd.DataFrame, scores: Floats, seed: int) -> list[str]:
    """Return why `scores`, shaped (rows,), are not the model's answers to the rows themselves, if they are not.

    The rows are asked again in another order and in two batches, cut where `seed` says. Raises NotMeasurable,
    ModelFailed.
    """
    random = np.random.Generator(np.random.PCG64([seed, 1]))
    order = random.permutation(len(rows))
    # Neither batch so small that the other one is nearly all rows again.
    cut = int(random.integers(len(rows) // 4, 3 * len(rows) // 4 + 1))
    again = np.empty(len(rows))
    for places in (order[:cut], order[cut:]):
        if places.size:
            again[places] = scores_from(model, rows.iloc[places].reset_index(drop=True))
    apart = np.abs(again - scores) / np.maximum(np.abs(scores), 1)
    changed = int((apart > SAME).sum())
    if not changed:
        return []
    text = f"{changed} of {len(rows)} rows have another answer in another order and other batches"
    return [f"{text}: the model goes by a row's place or company, or by chance"]
