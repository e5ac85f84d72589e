"""Rows as they might arrive: a little off, with gaps, in slightly other units, with a column that means nothing.

Each returns other rows of the same shape and types; `random` decides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


def noisy(rows: pd.DataFrame, share: float, random: np.random.Generator) -> pd.DataFrame:
    """Add normal noise to numbers, `share` of each column's standard deviation wide; whole numbers stay whole.

    Columns of at most two values are left alone, for they are answers and not measurements.
    """
    other = rows.copy()
    for name in _numbers(rows):
        values = rows[name].to_numpy(dtype=np.float64, na_value=np.nan)
        if rows[name].nunique(dropna=True) > 2:
            other[name] = _as_before(rows[name], values + random.normal(0.0, share * np.nanstd(values), len(rows)))
    return other


def with_gaps(rows: pd.DataFrame, share: float, random: np.random.Generator) -> pd.DataFrame:
    """Take each cell away with the chance `share`, in columns that can hold nothing: no whole numbers, no truths."""
    other = rows.copy()
    for name in rows.columns:
        if rows[name].dtype.kind not in "iub":
            other[name] = rows[name].mask(random.random(len(rows)) < share)
    return other


def rescaled(rows: pd.DataFrame, share: float, random: np.random.Generator) -> pd.DataFrame:
    """Multiply each column of measurements by 1 + `share` or 1 − `share`, as another instrument might."""
    other = rows.copy()
    for name in _numbers(rows):
        if rows[name].nunique(dropna=True) > 2:
            values = rows[name].to_numpy(dtype=np.float64, na_value=np.nan)
            other[name] = _as_before(rows[name], values * (1 + share * random.choice([-1.0, 1.0])))
    return other


def permuted(rows: pd.DataFrame, name: str, random: np.random.Generator) -> pd.DataFrame:
    """Deal a column's values out anew, so that they mean nothing for the row any more."""
    other = rows.copy()
    other[name] = rows[name].iloc[random.permutation(len(rows))].array
    return other


def _numbers(rows: pd.DataFrame) -> list[str]:
    return [name for name in rows.columns if rows[name].dtype.kind in "iuf"]


def _as_before(column: pd.Series, values: np.ndarray) -> np.ndarray:
    return values if column.dtype.kind == "f" else np.rint(values).astype(column.dtype)
