"""The gate `training-serving-skew`: whether the model is asked about what it was trained on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from interlock.monitoring.drift import kolmogorov_smirnov
from interlock.monitoring.reference import ColumnKind, ColumnReference, category, column_reference
from interlock.release.evidence import Measure
from interlock.release.gates.gate import OUR_VERSION, GateInputs, GateParameters, Measured, Needs, Table, UnfitInputs
from interlock.release.gates.measuring import measure, slice_of
from interlock.release.gates.predictions import column, model_rows, scores_from
from interlock.release.gates.text import plain, point

if TYPE_CHECKING:
    import pandas as pd

MOST_DRAWN = 8
"""Columns whose histograms are kept for drawing: those that differ most."""


class SkewParameters(GateParameters):
    training: str = "training"
    serving: str = "serving"
    """A sample of what is asked in production; before the first release, what it will be asked as far as is known."""


class SkewGate:
    name = "training-serving-skew"
    version = OUR_VERSION
    Parameters = SkewParameters

    def needs(self, parameters: SkewParameters) -> Needs:
        return Needs(tables=(parameters.training, parameters.serving), predictor=True)

    def measure(self, inputs: GateInputs) -> Measured:
        parameters = inputs.parameters
        assert isinstance(parameters, SkewParameters)
        training, serving = inputs.table(parameters.training), inputs.table(parameters.serving)
        if training.sha256 == serving.sha256:
            raise UnfitInputs(f"the tables {parameters.training!r} and {parameters.serving!r} are the same file")
        trained, served = _common_columns(model_rows(inputs, training), model_rows(inputs, serving))
        measures: list[Measure] = []
        drawn: list[tuple[float, str, ColumnReference, Any]] = []
        for name in trained.columns:
            reference = _reference(trained[name])
            measures += _of_column(str(name), reference, trained[name], served[name])
            drawn.append((float(measures[-1].value or 0), str(name), reference, reference.count(served[name])))
        measures.append(_of_predictions(inputs, trained, served))
        measures += _of_same_rows(training, serving, list(trained.columns))
        drawn.sort(key=lambda one: (-one[0], one[1]))
        details = {"histograms": [_drawn(name, reference, counts) for _, name, reference, counts in drawn[:MOST_DRAWN]]}
        return Measured(measures, unchecked=list(_unchecked(training, serving)), details=details)


def _common_columns(trained: pd.DataFrame, served: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    apart = sorted(set(map(str, trained.columns)) ^ set(map(str, served.columns)))
    if apart:
        raise UnfitInputs(f"only one of the two tables has the columns {', '.join(apart)}")
    return trained, served


def _reference(values: pd.Series) -> ColumnReference:
    try:
        return column_reference(values)
    except ValueError as error:
        raise UnfitInputs(f"the training table: {error}") from error


def _of_column(name: str, reference: ColumnReference, trained: pd.Series, served: pd.Series) -> Iterator[Measure]:
    """Yield the measures of one column, its PSI last."""
    of = slice_of("column", name)
    try:
        index = reference.stability_index(served)
    except ValueError as error:
        raise UnfitInputs(f"the serving table: {error}") from error
    count = len(served)
    missing = float(served.isna().mean() - trained.isna().mean())
    yield measure("missing_difference", abs(missing), count=count, of=of)
    if reference.kind is ColumnKind.NUMBER:
        before, after = (np.asarray(one.dropna(), dtype=np.float64) for one in (trained, served))
        if before.size and after.size:
            yield measure("kolmogorov_smirnov", kolmogorov_smirnov(np.sort(before), after), count=count, of=of)
    else:
        known = set(trained.dropna().map(category))
        unseen = float((~served.dropna().map(category).isin(known)).sum() / count)
        yield measure("unseen_share", unseen, count=count, of=of)
    yield measure("population_stability_index", index, count=count, of=of, unit="nats")


def _of_predictions(inputs: GateInputs, trained: pd.DataFrame, served: pd.DataFrame) -> Measure:
    import pandas as pd

    before, after = (pd.Series(scores_from(inputs.model(), rows), name="prediction") for rows in (trained, served))
    index = column_reference(before).stability_index(after)
    return measure(
        "prediction_stability_index", index, count=len(served), unit="nats"
    )  # fmt: skip


def _of_same_rows(training: Table, serving: Table, columns: list[Any]) -> Iterator[Measure]:
    """Yield which share of cells differs between the same rows of both tables, where rows have names."""
    if training.identifier is None or serving.identifier is None:
        return
    before, after = _by_name(training, columns), _by_name(serving, columns)
    shared = before.index.intersection(after.index)
    if len(shared) == 0:
        return
    one, other = before.loc[shared], after.loc[shared]
    differing = ~((one == other) | (one.isna() & other.isna()))
    yield measure("changed_cells", float(differing.to_numpy().mean()), count=len(shared))


def _by_name(table: Table, columns: list[Any]) -> pd.DataFrame:
    assert table.identifier is not None
    names = column(table, table.identifier)
    if names.isna().any() or names.duplicated().any():
        raise UnfitInputs(f"the identifiers in {table.identifier!r} are not one for each row")
    return table.frame.set_index(names)[columns]


def _drawn(name: str, reference: ColumnReference, counts: Any) -> dict[str, Any]:
    before = np.array(reference.counts, dtype=np.float64)
    return {
        "column": plain(name, 200),
        "bins": [*_bins(reference), "missing"],
        "training": [point(one) for one in before / before.sum()],
        "serving": [point(one) for one in counts / counts.sum()],
    }


def _bins(reference: ColumnReference) -> list[str]:
    if reference.kind is ColumnKind.CATEGORY:
        return [*(plain(one, 60) for one in reference.categories), "others"]
    edges = [point(float(one)) for one in reference.edges]
    return [f"≤ {one}" for one in edges] + [f"> {edges[-1]}" if edges else "all"]


def _unchecked(training: Table, serving: Table) -> Iterator[str]:
    if training.identifier is None or serving.identifier is None:
        yield "the tables name no rows, so whether the same row's columns are computed alike was not compared"
    yield "columns are looked at one by one: a change in how they go together does not show"
