"""The gate `explainability`: which columns the answers come from, by Shapley values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Final

import numpy as np
from pydantic import Field

from interlock.monitoring.arrays import Flags, Floats
from interlock.monitoring.resampling import intervals
from interlock.release.evidence import Measure
from interlock.release.gates.gate import (
    OUR_VERSION,
    GateInputs,
    GateParameters,
    Measured,
    Needs,
    Predictor,
    UnfitInputs,
)
from interlock.release.gates.measuring import measure, slice_of
from interlock.release.gates.predictions import model_rows, scores_from
from interlock.release.gates.scores import mean_of
from interlock.release.gates.shapley import MOST_EXACT, shapley_values
from interlock.release.gates.text import plain, point

if TYPE_CHECKING:
    import pandas as pd

MOST_ASKED: Final = 50_000
"""Rows that the model is asked for at once."""
MOST_BARS: Final = 30


class ExplainabilityParameters(GateParameters):
    table: str = "evaluation"
    rows: Annotated[int, Field(ge=10, le=2000)] = 60
    """How many rows are explained."""
    background: Annotated[int, Field(ge=5, le=500)] = 20
    """How many rows they are compared with."""
    permutations: Annotated[int, Field(ge=1, le=200)] = 4
    """Orders of the columns, each walked both ways, where there are more columns than can be tried in all orders."""


class ExplainabilityGate:
    name = "explainability"
    version = OUR_VERSION
    Parameters = ExplainabilityParameters

    def needs(self, parameters: ExplainabilityParameters) -> Needs:
        return Needs(tables=(parameters.table,), predictor=True)

    def measure(self, inputs: GateInputs) -> Measured:
        parameters = inputs.parameters
        assert isinstance(parameters, ExplainabilityParameters)
        rows = model_rows(inputs, inputs.table(parameters.table)).reset_index(drop=True)
        if len(rows) < parameters.rows + parameters.background:
            needed = parameters.rows + parameters.background
            raise UnfitInputs(f"the table has {len(rows)} rows; accepted are {needed} and more")
        random = np.random.Generator(np.random.PCG64(inputs.seed))
        drawn = random.permutation(len(rows))
        explained = rows.iloc[drawn[: parameters.rows]]
        background = rows.iloc[drawn[parameters.rows : parameters.rows + parameters.background]]
        worths = Worths(inputs.model(), explained, background)
        values = shapley_values(worths, rows.shape[1], permutations=parameters.permutations, random=random)
        names = [str(name) for name in rows.columns]
        answered = scores_from(inputs.model(), explained)
        average = float(scores_from(inputs.model(), background).mean())
        error = float(np.abs(average + values.sum(axis=1) - answered).max())
        measures = [
            measure("additivity_error", error, count=len(explained)),
            *_by_column(names, values, inputs.seed),
        ]
        method = "exact" if len(names) <= MOST_EXACT else "sampled"
        details = {"method": method, "average_answer": point(average), "bars": _bars(names, values, explained)}
        return Measured(measures, unchecked=list(_unchecked(method)), details=details)


class Worths:
    """What sets of columns are worth, asked of a model: the mean answer over the background."""

    def __init__(self, model: Predictor, explained: pd.DataFrame, background: pd.DataFrame) -> None:
        self._model = model
        self._explained = explained
        self._background = background

    def __call__(self, sets: Flags) -> Floats:
        """Return the worth of sets shaped (sets, columns) for every explained row, shaped (rows, sets)."""
        a_set = len(self._explained) * len(self._background)
        many = max(1, MOST_ASKED // a_set)
        parts = [self._asked(sets[begin : begin + many]) for begin in range(0, len(sets), many)]
        return np.concatenate(parts, axis=1)

    def _asked(self, sets: Flags) -> Floats:
        import pandas as pd

        shape = (len(self._explained), len(sets), len(self._background))
        of_row = np.repeat(np.arange(shape[0]), shape[1] * shape[2])
        of_set = np.tile(np.repeat(np.arange(shape[1]), shape[2]), shape[0])
        of_background = np.tile(np.arange(shape[2]), shape[0] * shape[1])
        columns = {}
        for place, name in enumerate(self._explained.columns):
            chosen = pd.concat([self._explained[name], self._background[name]], ignore_index=True)
            where = np.where(sets[of_set, place], of_row, shape[0] + of_background)
            # Taken and not masked, so that every column keeps its type.
            columns[name] = chosen.take(where).array
        answers = scores_from(self._model, pd.DataFrame(columns))
        return np.asarray(answers.reshape(shape).mean(axis=2), dtype=np.float64)


def _by_column(names: list[str], values: Floats, seed: int) -> Iterator[Measure]:
    size = np.abs(values)
    figures = {name: mean_of(size[:, place]) for place, name in enumerate(names)}
    between = intervals(figures, np.ones(len(values)), seed=seed, resamples=1000)
    total = float(size.mean(axis=0).sum())
    for place, name in enumerate(names):
        mean = float(size[:, place].mean())
        yield measure("contribution", mean, between[name], count=len(values), of=slice_of("column", name))
    strongest = float(size.mean(axis=0).max())
    yield measure("top_share", strongest / total if total > 0 else float("nan"), count=len(values))
    yield measure("columns_used", int((size.max(axis=0) > 0).sum()), count=len(values))


def _bars(names: list[str], values: Floats, explained: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the strongest columns: how much each contributes, its spread, and whether more of it means more.

    The rows' own values are not among them: they are somebody's, and stay where evidence is kept for years.
    """
    strength = np.abs(values).mean(axis=0)
    found = []
    for place in sorted(range(len(names)), key=lambda one: (-strength[one], names[one]))[:MOST_BARS]:
        spread = np.quantile(values[:, place], [0.05, 0.5, 0.95])
        found.append(
            {
                "column": plain(names[place], 200),
                "mean_absolute": point(float(strength[place])),
                "spread": [point(float(one)) for one in spread],
                "direction": direction(explained.iloc[:, place], values[:, place]),
            }
        )
    return found


def direction(column: pd.Series, contributions: Floats) -> str | None:
    """Return the rank correlation of a column of numbers with its contributions; None where there is none."""
    if column.dtype.kind not in "iufb":
        return None
    known = column.notna().to_numpy()
    ranks = [column[known].rank().to_numpy(dtype=np.float64), _ranks(contributions[known])]
    if known.sum() < 2 or min(np.ptp(one) for one in ranks) == 0:
        return None
    return point(float(np.corrcoef(ranks[0], ranks[1])[0, 1]))


def _ranks(values: Floats) -> Floats:
    kinds, place, many = np.unique(values, return_inverse=True, return_counts=True)
    del kinds
    return np.asarray((np.cumsum(many) - (many - 1) / 2)[place], dtype=np.float64)


def _unchecked(method: str) -> Iterator[str]:
    if method == "sampled":
        yield "contributions are estimates from random orders of the columns; exact where at most two of them interact"
    yield "columns are changed one without the other, so rows are asked that nobody would have; who is told why is not"
