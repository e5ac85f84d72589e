"""What a column looked like at release: the bins are frozen, so that a year later the same ones are counted."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from interlock.monitoring.arrays import Floats, Integers
from interlock.monitoring.drift import histogram, population_stability_index, quantile_edges
from interlock.release.numbers import Number

if TYPE_CHECKING:
    import pandas as pd

MOST_CATEGORIES: Final = 30
SKETCH_POINTS: Final = 33
"""Quantiles that are kept of a column of numbers, the smallest and the largest value among them."""


class ColumnKind(StrEnum):
    NUMBER = "number"
    CATEGORY = "category"


class ColumnReference(BaseModel):
    """A column's histogram: bins, then what is in none of them, then what is missing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: ColumnKind
    edges: tuple[Number, ...] = ()
    """Of numbers: the inner edges; the bins are (…, e0], (e0, e1], …, (en, …)."""
    categories: Annotated[tuple[str, ...], Field(max_length=MOST_CATEGORIES)] = ()
    """Of categories: a bin each; another bin for all others."""
    counts: tuple[Annotated[int, Field(ge=0)], ...]
    """One a bin, and the last one of missing values."""
    sketch: tuple[Number, ...] = ()
    """Of numbers: quantiles in equal steps from the smallest to the largest."""

    def count(self, values: pd.Series) -> Integers:
        """Return the histogram of other values over this column's bins, shaped as `counts`."""
        missing = int(values.isna().sum())
        present = values[values.notna()]
        if self.kind is ColumnKind.NUMBER:
            inside = histogram(_numbers(present), np.array([float(one) for one in self.edges]))
        else:
            tally = present.map(category).value_counts()
            known = [int(tally.get(one, 0)) for one in self.categories]
            inside = np.array([*known, len(present) - sum(known)], dtype=np.int64)
        return np.append(inside, missing)

    def stability_index(self, values: pd.Series) -> float:
        """Return the PSI of other values against these. Raises ValueError where there are none."""
        return population_stability_index(np.array(self.counts, dtype=np.int64), self.count(values))


class DriftReference(BaseModel):
    """What monitoring compares with, by column; `prediction` is what the model answered on the same rows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = 1
    rows: Annotated[int, Field(ge=1)]
    columns: Mapping[str, ColumnReference]
    prediction: ColumnReference | None = None


def column_reference(values: pd.Series, bins: int = 10) -> ColumnReference:
    """Return the reference of a column: numbers by quantiles, all else by its most frequent values.

    Raises ValueError for infinite numbers.
    """
    present = values[values.notna()]
    if _is_number(values):
        numbers = _numbers(present)
        edges = quantile_edges(numbers, bins)
        sketch = np.quantile(numbers, np.linspace(0, 1, SKETCH_POINTS)) if numbers.size else np.empty(0)
        counts = np.append(histogram(numbers, edges), len(values) - len(present))
        return ColumnReference(
            kind=ColumnKind.NUMBER, edges=_exact(edges), counts=_whole(counts), sketch=_exact(sketch)
        )  # fmt: skip
    tally = present.map(category).value_counts()
    # Equally frequent values are put in the order of their names, so that the same rows give the same reference.
    ranked = sorted(tally.items(), key=lambda one: (-int(one[1]), str(one[0])))[:MOST_CATEGORIES]
    known = [int(many) for _, many in ranked]
    counts = np.array([*known, len(present) - sum(known), len(values) - len(present)])
    names = tuple(str(name) for name, _ in ranked)
    return ColumnReference(kind=ColumnKind.CATEGORY, categories=names, counts=_whole(counts))


def category(value: Any) -> str:
    """Return the name of a category: the value's text, at most 100 characters of it."""
    return str(value)[:100].encode("utf-8", "backslashreplace").decode()


def _is_number(values: pd.Series) -> bool:
    import pandas as pd

    return bool(pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values))


def _numbers(present: pd.Series) -> Floats:
    try:
        numbers = np.asarray(present, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"the column {present.name!r} holds what is no number: {error}") from None
    if not np.isfinite(numbers).all():
        raise ValueError(f"the column {present.name!r} holds infinite numbers")
    return numbers


def _exact(numbers: Floats) -> tuple[Any, ...]:
    return tuple(float(one) for one in numbers)


def _whole(counts: Integers) -> tuple[int, ...]:
    return tuple(int(one) for one in counts)
