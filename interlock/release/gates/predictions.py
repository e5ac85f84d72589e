"""From tables and what a model answered to the numbers that are measured, or why there are none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from interlock.monitoring.arrays import Flags, Floats
from interlock.release.gates.gate import GateInputs, NotMeasurable, Predictor, Table, UnfitInputs
from interlock.release.gates.schema import schema_of

if TYPE_CHECKING:
    import pandas as pd


def model_rows(inputs: GateInputs, table: Table) -> pd.DataFrame:
    """Return the columns that the model takes: those of its schema, or without one all that are not set aside.

    Raises UnfitInputs if a column of the schema is missing, or one is what answers are measured by; and without rows.
    """
    if len(table.frame) == 0:
        raise UnfitInputs("the table has no rows")
    if not table.frame.columns.is_unique:
        raise UnfitInputs("the table has two columns of the same name")
    aside = {*table.aside, *inputs.protected_attributes}
    schema = schema_of(inputs.folder)
    if schema is None:
        return table.frame[[name for name in table.frame.columns if name not in aside]]
    missing = [one.name for one in schema.inputs if one.required and one.name not in table.frame.columns]
    if missing:
        raise UnfitInputs(f"the table lacks columns of the model's schema: {', '.join(missing)}")
    told = {name: role for role, name in table.columns.roles.items() if role != "identifier"}
    answers = [f"{name!r}, the table's {told[name]}" for name in schema.names if name in told]
    if answers:
        raise UnfitInputs(f"the model would be given what it is measured by: {', '.join(answers)}")
    return table.frame[[name for name in schema.names if name in table.frame.columns]]


def champion_rows(inputs: GateInputs, table: Table) -> pd.DataFrame:
    """Return the columns for the champion, whose schema may be another: all that are not set aside."""
    aside = {*table.aside, *inputs.protected_attributes}
    return table.frame[[name for name in table.frame.columns if name not in aside]]


def scores_from(predictor: Predictor, rows: pd.DataFrame) -> Floats:
    """Return one score a row: the prediction, or of two probabilities the second one. Raises NotMeasurable."""
    return as_scores(predictor.predict(rows), len(rows))


def as_scores(answer: npt.NDArray[Any], rows: int) -> Floats:
    """Return predictions shaped (rows,), (rows, 1) or (rows, 2) as one score a row. Raises NotMeasurable."""
    if answer.shape[:1] != (rows,):
        raise NotMeasurable(f"the model answered an array shaped {answer.shape} for {rows} rows")
    if answer.ndim == 2 and answer.shape[1] in (1, 2):
        answer = answer[:, -1]
    if answer.ndim != 1:
        raise NotMeasurable(f"the model answered an array shaped {answer.shape}; accepted are one or two numbers a row")
    return _finite(answer, "predictions", NotMeasurable)


def given_scores(table: Table, name: str) -> Floats:
    """Return predictions that were made elsewhere. Raises UnfitInputs where they are missing or no numbers."""
    return _finite(column(table, name).to_numpy(), "predictions")


def column(table: Table, name: str) -> pd.Series:
    """Return a column. Raises UnfitInputs if the table has none of that name."""
    if name not in table.frame.columns:
        raise UnfitInputs(f"the table has no column {name!r}")
    return table.frame[name]


def positive_rows(table: Table, positive: str | int | bool) -> Flags:
    """Return which rows' labels are `positive`. Raises UnfitInputs for missing labels and for more than two."""
    if table.target is None:
        raise UnfitInputs("the table does not say which column is the target")
    labels = column(table, table.target)
    _no_missing(int(labels.isna().sum()), len(labels), "have no label")
    values = sorted(labels.unique().tolist(), key=str)
    if len(values) > 2:
        raise UnfitInputs(f"the target {table.target!r} has {len(values)} values; accepted are two classes")
    found = np.asarray(labels == positive, dtype=np.bool_)
    if len(values) == 2 and not found.any():
        raise UnfitInputs(f"no label is {positive!r}; there are {values[0]!r} and {values[1]!r}")
    return found


def target_values(table: Table) -> Floats:
    """Return the target of a regression. Raises UnfitInputs where it is missing or no number."""
    if table.target is None:
        raise UnfitInputs("the table does not say which column is the target")
    return _finite(column(table, table.target).to_numpy(), "targets")


def weights_of(table: Table) -> Floats:
    """Return how often each row counts: 1 without a column of weights. Raises UnfitInputs for what is no weight."""
    if table.weight is None:
        return np.ones(len(table.frame))
    weights = _finite(column(table, table.weight).to_numpy(), "weights")
    if bool((weights < 0).any()) or not weights.sum() > 0:
        raise UnfitInputs("weights are at least 0, and one at least is more")
    return weights


def groups(values: Sequence[Any] | pd.Series, most: int = 50) -> tuple[npt.NDArray[np.int64], list[str]]:
    """Return for each row the place of its group among the groups' names, which are sorted.

    Rows without a value are a group of their own, `missing`. Numbers of more than twelve values are cut at their
    quartiles. Raises UnfitInputs for more than `most` groups.
    """
    import pandas as pd

    series = pd.Series(values).reset_index(drop=True)
    absent = series.isna()
    if pd.api.types.is_numeric_dtype(series) and series[~absent].nunique() > 12:
        cut = pd.qcut(series.astype("float64"), 4, duplicates="drop")
        names = cut.astype(object).map(str, na_action="ignore")
    else:
        names = series.astype(object).map(_name, na_action="ignore")
    text = names.where(~absent, "missing").astype(str).to_numpy()
    kinds, place = np.unique(text.astype(object), return_inverse=True)
    if len(kinds) > most:
        raise UnfitInputs(f"there are {len(kinds)} groups; accepted are {most}")
    return np.asarray(place, dtype=np.int64), [str(one) for one in kinds]


def _name(value: Any) -> str:
    whole = isinstance(value, float | np.floating) and float(value).is_integer()
    return str(int(value)) if whole else str(value)


def _finite(values: Any, what: str, fault: type[NotMeasurable] = UnfitInputs) -> Floats:
    try:
        numbers = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise fault(f"the {what} are no numbers: {error}") from None
    _no_missing(int((~np.isfinite(numbers)).sum()), numbers.size, f"have {what} that are missing or infinite", fault)
    return numbers


def _no_missing(missing: int, rows: int, what: str, fault: type[NotMeasurable] = UnfitInputs) -> None:
    if missing:
        raise fault(f"{missing} of {rows} rows {what}")


def thinned(points: Iterable[Sequence[float]], most: int = 100) -> list[Sequence[float]]:
    """Return at most `most` of the points, the first and the last among them, evenly spread."""
    found = list(points)
    if len(found) <= most:
        return found
    return [found[place] for place in np.unique(np.linspace(0, len(found) - 1, most).round().astype(np.int64))]
