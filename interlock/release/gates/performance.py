"""The gate `performance`: how good the predictions are, against limits and against the champion, and by slice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from interlock.monitoring.arrays import Floats, Integers
from interlock.monitoring.resampling import Figure, intervals
from interlock.release.evidence import Measure, Slice
from interlock.release.gates import scores
from interlock.release.gates.excusing import no_predictions
from interlock.release.gates.gate import (
    OUR_VERSION,
    GateInputs,
    LabelledParameters,
    Measured,
    Needs,
    NotMeasurable,
    Table,
)
from interlock.release.gates.measuring import measure, slice_of, told, too_few
from interlock.release.gates.placing import answers_by_place, shuffled
from interlock.release.gates.predictions import (
    as_scores,
    champion_rows,
    column,
    groups,
    model_rows,
    positive_rows,
    scores_from,
    target_values,
    thinned,
    weights_of,
)
from interlock.release.gates.text import point


class Task(StrEnum):
    CLASSIFICATION = "classification"
    REGRESSION = "regression"


class PerformanceParameters(LabelledParameters):
    task: Task = Task.CLASSIFICATION
    table: str = "evaluation"
    threshold: Annotated[float, Field(allow_inf_nan=False)] = 0.5
    """At which score and above a row is decided positive."""
    positive: str | int | bool = 1
    """The label of the positive class."""
    slices: tuple[str, ...] = ()
    """Columns of the table by whose values the figures are told apart."""
    resamples: Annotated[int, Field(ge=100, le=20000)] = 1000
    minimum_rows: Annotated[int, Field(ge=2)] = 30
    """A slice of fewer rows is not told."""


@dataclass(frozen=True)
class Performance:
    """One model's figures on one table, and the numbers behind them."""

    truth: Floats
    scores: Floats
    figures: Mapping[str, Figure]


class PerformanceGate:
    name = "performance"
    version = OUR_VERSION
    Parameters = PerformanceParameters

    def needs(self, parameters: PerformanceParameters) -> Needs:
        return Needs(tables=(parameters.table,), predictor=True, champion=True)

    def measure(self, inputs: GateInputs) -> Measured:
        parameters = inputs.parameters
        assert isinstance(parameters, PerformanceParameters)
        table = shuffled(inputs.labelled_table(parameters.table, parameters), inputs.seed)
        weights = weights_of(table)
        rows = model_rows(inputs, table)
        answered = scores_from(inputs.model(), rows)
        model = _performance(table, answered, parameters)
        compared = _compared(inputs, table, weights, parameters)
        champion = _performance(table, compared, parameters)
        figures = _with_gains(model.figures, champion.figures)
        measures = [measure("rows", len(rows)), measure("champion_compared", int(inputs.champion is not None))]
        measures += _measures(figures, weights, inputs.seed, parameters.resamples)
        for attribute in parameters.slices:
            places, names = groups(column(table, attribute))
            of = [slice_of(attribute, name) for name in names]
            measures += _sliced(places, of, (model, champion), weights, inputs.seed, parameters)
        return Measured(
            measures,
            reasons=answers_by_place(inputs.model(), rows, answered, inputs.seed),
            unchecked=list(_unchecked(inputs, model, parameters)),
            details=_details(model, champion, weights, parameters),
            # The labels say of which slices there is no area to tell, and not the model.
            of_inputs=frozenset({"rows", *(told(one) for one in measures if one.value is None)}),
        )


def _performance(table: Table, answered: Floats, parameters: PerformanceParameters) -> Performance:
    truth = _truth(table, parameters)
    return Performance(truth, answered, _figures(truth, answered, parameters))


def _truth(table: Table, parameters: PerformanceParameters) -> Floats:
    if parameters.task is Task.REGRESSION:
        return target_values(table)
    return positive_rows(table, parameters.positive).astype(np.float64)


def _figures(truth: Floats, answered: Floats, parameters: PerformanceParameters) -> Mapping[str, Figure]:
    if parameters.task is Task.REGRESSION:
        return scores.regression(truth, answered)
    return scores.classification(truth > 0, answered, parameters.threshold)


def _compared(inputs: GateInputs, table: Table, weights: Floats, parameters: PerformanceParameters) -> Floats:
    """Return the champion's scores, or without one the scores of knowing nothing but the average."""
    if inputs.champion is not None:
        answered = inputs.champion.predict(champion_rows(inputs, table))
        try:
            return as_scores(answered, len(table.frame))
        except NotMeasurable as error:
            raise no_predictions(error) from error
    return np.full(len(table.frame), float(weights @ _truth(table, parameters) / weights.sum()))


def _with_gains(model: Mapping[str, Figure], champion: Mapping[str, Figure]) -> dict[str, Figure]:
    shared = {name: champion[name] for name in model if name in champion}
    gains = {f"{name}_gain": scores.gain(name, model[name], other) for name, other in shared.items()}
    return {**model, **gains}


def _measures(figures: Mapping[str, Figure], weights: Floats, seed: int, resamples: int) -> Iterator[Measure]:
    between = intervals(figures, weights, seed=seed, resamples=resamples)
    for name, figure in figures.items():
        yield measure(name, float(figure(weights)), between[name], count=weights.size)


def _sliced(
    places: Integers,
    of: Sequence[Slice],
    models: Sequence[Performance],
    weights: Floats,
    seed: int,
    parameters: PerformanceParameters,
) -> Iterator[Measure]:
    """Yield the figures of each slice; `models` are the model and the champion, `of` the slices by their place."""
    whole = _with_gains(models[0].figures, models[1].figures)
    for place, one in enumerate(of):
        inside = places == place
        if int(inside.sum()) < parameters.minimum_rows:
            yield from (too_few(f"slice_{name}", one) for name in whole)
            continue
        model, champion = (_figures(each.truth[inside], each.scores[inside], parameters) for each in models)
        figures = _with_gains(model, champion)
        # Scores that are all probabilities in a slice need not be in the whole table, and the whole decides.
        shared = {name: figures[name] for name in whole}
        for found in _measures(shared, weights[inside], seed, parameters.resamples):
            yield found.model_copy(update={"name": f"slice_{found.name}", "of": one})


def _unchecked(inputs: GateInputs, model: Performance, parameters: PerformanceParameters) -> Iterator[str]:
    if inputs.champion is None:
        yield "there is no champion to compare with; what it gains is over a constant, the average of the labels"
    if not parameters.slices:
        yield "no slices were named, so a group that it serves badly would not show"
    if parameters.task is Task.CLASSIFICATION and "log_loss" not in model.figures:
        yield "scores outside of 0 to 1 are no probabilities: neither log loss nor Brier's score nor calibration"


def _details(
    model: Performance, champion: Performance, weights: Floats, parameters: PerformanceParameters
) -> dict[str, Any]:
    if parameters.task is Task.REGRESSION:
        return {}
    positive = model.truth > 0
    details: dict[str, Any] = {"roc": _roc(positive, model.scores, weights)}
    if np.ptp(champion.scores) > 0:
        details["champion_roc"] = _roc(positive, champion.scores, weights)
    if "log_loss" in model.figures:
        bins = scores.calibration(positive, model.scores, weights)
        details["calibration"] = [{name: point(value) for name, value in one.items()} for one in bins]
    return details


def _roc(positive: Any, scored: Floats, weights: Floats) -> list[list[str | None]]:
    curve = zip(*scores.roc_curve(positive, scored, weights), strict=True)
    return [[point(false), point(true)] for false, true in thinned(curve)]
