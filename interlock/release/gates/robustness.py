"""The gate `robustness`: how many decisions a small disturbance of the rows flips, and how much skill it costs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import Field

from interlock.monitoring.arrays import Flags, Floats
from interlock.monitoring.resampling import intervals
from interlock.release.evidence import Measure, Slice
from interlock.release.gates import disturbing
from interlock.release.gates.gate import (
    OUR_VERSION,
    GateInputs,
    LabelledParameters,
    Measured,
    Needs,
    NotMeasurable,
    Predictor,
)
from interlock.release.gates.measuring import measure, slice_of
from interlock.release.gates.placing import answers_by_place, shuffled
from interlock.release.gates.predictions import model_rows, positive_rows, scores_from, weights_of
from interlock.release.gates.scores import area_under_curve, mean_of

if TYPE_CHECKING:
    import pandas as pd

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Disturbance = Callable[["pd.DataFrame", np.random.Generator], "pd.DataFrame"]


class RobustnessParameters(LabelledParameters):
    table: str = "evaluation"
    threshold: Annotated[float, Field(allow_inf_nan=False)] = 0.5
    positive: str | int | bool = 1
    noise: Share = 0.05
    """The width of the noise, as a share of each column's standard deviation; 0 leaves it out, as for the next two."""
    gaps: Share = 0.05
    """The chance of a cell to be missing."""
    scale: Share = 0.02
    """By which share a column's unit is off."""
    repeats: Annotated[int, Field(ge=1, le=100)] = 5
    resamples: Annotated[int, Field(ge=100, le=20000)] = 1000
    most_rows: Annotated[int, Field(ge=10)] = 5000
    """Of a larger table so many rows are drawn."""
    columns: Annotated[int, Field(ge=0)] = 200
    """How many columns at most are dealt out anew, one after the other."""


@dataclass(frozen=True)
class Undisturbed:
    """What the model answered to the rows as they are."""

    rows: pd.DataFrame
    scores: Floats
    positive: Flags
    weights: Floats
    threshold: float

    def flipped(self, scores: Floats) -> Floats:
        """Return how often each row's decision is another; `scores` are shaped (repeats, rows)."""
        changed = (scores >= self.threshold) != (self.scores >= self.threshold)
        return np.asarray(changed.mean(axis=0), dtype=np.float64)

    def lost(self, scores: Floats) -> float:
        """Return the area under the ROC curve minus the mean one of `scores`, shaped (repeats, rows)."""
        before = area_under_curve(self.positive, self.scores)(self.weights)
        after = [float(area_under_curve(self.positive, one)(self.weights)) for one in scores]
        return float(before) - float(np.mean(after))


class RobustnessGate:
    name = "robustness"
    version = OUR_VERSION
    Parameters = RobustnessParameters

    def needs(self, parameters: RobustnessParameters) -> Needs:
        return Needs(tables=(parameters.table,), predictor=True)

    def measure(self, inputs: GateInputs) -> Measured:
        parameters = inputs.parameters
        assert isinstance(parameters, RobustnessParameters)
        random = np.random.Generator(np.random.PCG64(inputs.seed))
        before = _undisturbed(inputs, parameters, random)
        model = inputs.model()
        answers: dict[tuple[str, Slice], Floats] = {}
        for name, disturb in _disturbances(parameters).items():
            scores = _answers(model, before.rows, disturb, random, parameters.repeats)
            answers["", slice_of("disturbance", name)] = scores
        names = list(before.rows.columns)
        for name in names[: parameters.columns]:
            scores = scores_from(model, disturbing.permuted(before.rows, name, random))[None, :]
            answers["permuted_", slice_of("column", str(name))] = scores
        measures = list(_measures(before, answers, inputs.seed, parameters.resamples))
        reasons = answers_by_place(model, before.rows, before.scores, inputs.seed)
        return Measured(measures, reasons, unchecked=list(_unchecked(parameters, len(names), before)))


def _undisturbed(inputs: GateInputs, parameters: RobustnessParameters, random: np.random.Generator) -> Undisturbed:
    table = shuffled(inputs.labelled_table(parameters.table, parameters), inputs.seed)
    rows = model_rows(inputs, table).reset_index(drop=True)
    positive, weights = positive_rows(table, parameters.positive), weights_of(table)
    if len(rows) > parameters.most_rows:
        kept = np.sort(random.choice(len(rows), parameters.most_rows, replace=False))
        rows, positive, weights = rows.iloc[kept].reset_index(drop=True), positive[kept], weights[kept]
    return Undisturbed(rows, scores_from(inputs.model(), rows), positive, weights, parameters.threshold)


def _disturbances(parameters: RobustnessParameters) -> Mapping[str, Disturbance]:
    noise, gaps, scale = parameters.noise, parameters.gaps, parameters.scale
    every: dict[str, tuple[float, Disturbance]] = {
        "noise": (noise, lambda rows, random: disturbing.noisy(rows, noise, random)),
        "gaps": (gaps, lambda rows, random: disturbing.with_gaps(rows, gaps, random)),
        "scale": (scale, lambda rows, random: disturbing.rescaled(rows, scale, random)),
    }
    chosen = {name: disturb for name, (share, disturb) in every.items() if share > 0}
    if not chosen:
        raise NotMeasurable("the policy turns every disturbance off")
    return chosen


def _answers(
    model: Predictor, rows: pd.DataFrame, disturb: Disturbance, random: np.random.Generator, repeats: int
) -> Floats:
    """Return the scores of so many disturbances, shaped (repeats, rows), asked for at once."""
    import pandas as pd

    asked = pd.concat([disturb(rows, random) for _ in range(repeats)], ignore_index=True)
    return scores_from(model, asked).reshape(repeats, len(rows))


def _measures(
    before: Undisturbed, answers: Mapping[tuple[str, Slice], Floats], seed: int, resamples: int
) -> Iterator[Measure]:
    """Yield what each disturbance did; `answers`, shaped (repeats, rows), by the measures' prefix and their slice."""
    flipped = {str(place): mean_of(before.flipped(scores)) for place, scores in enumerate(answers.values())}
    between = intervals(flipped, before.weights, seed=seed, resamples=resamples)
    count = before.weights.size
    for place, ((prefix, of), scores) in enumerate(answers.items()):
        share = float(flipped[str(place)](before.weights))
        yield measure(f"{prefix}changed_decisions", share, between[str(place)], count=count, of=of)
        yield measure(f"{prefix}lost_area_under_curve", before.lost(scores), count=count, of=of)


def _unchecked(parameters: RobustnessParameters, columns: int, before: Undisturbed) -> Iterator[str]:
    if columns > parameters.columns:
        yield f"{columns - parameters.columns} columns were not dealt out anew"
    off = [name for name in ("noise", "gaps", "scale") if getattr(parameters, name) == 0]
    if off:
        yield f"the policy turns off: {', '.join(off)}"
    whole = [str(name) for name in before.rows.columns if before.rows[name].dtype.kind in "iub"]
    if parameters.gaps and whole:
        yield f"no gaps were made in {len(whole)} columns of whole numbers and truths, whose type has no missing value"
    yield "disturbances are random and small; somebody who searches for rows that flip finds more"
