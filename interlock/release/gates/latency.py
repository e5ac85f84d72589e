"""The gate `latency`: how long the serving process takes for a request, and what a thousand of them cost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Final

import numpy as np
from pydantic import Field

from interlock.monitoring.arrays import Floats
from interlock.monitoring.resampling import Figure, intervals
from interlock.release.evidence import Measure
from interlock.release.gates.gate import OUR_VERSION, GateInputs, GateParameters, Measured, Needs, NotMeasurable, Served
from interlock.release.gates.measuring import measure
from interlock.release.gates.predictions import as_scores, model_rows
from interlock.release.gates.scores import mean_of
from interlock.release.gates.text import point
from interlock.release.numbers import Number

if TYPE_CHECKING:
    import pandas as pd

SAME: Final = 1e-6
"""How far a served prediction may lie from the model's own: JSON and another batch take their last digits."""
BINS: Final = 30


class LatencyParameters(GateParameters):
    table: str = "evaluation"
    requests: Annotated[int, Field(ge=20, le=20000)] = 200
    warm_up: Annotated[int, Field(ge=0, le=1000)] = 20
    """Requests before those that count."""
    rows: Annotated[int, Field(ge=1, le=1000)] = 1
    """Rows in each request."""
    hourly_usd: Number | None = None
    """What the instance costs an hour; without it nothing is said of cost."""
    resamples: Annotated[int, Field(ge=100, le=20000)] = 1000


class LatencyGate:
    name = "latency"
    version = OUR_VERSION
    Parameters = LatencyParameters

    def needs(self, parameters: LatencyParameters) -> Needs:
        return Needs(tables=(parameters.table,), predictor=True, server=True)

    def measure(self, inputs: GateInputs) -> Measured:
        parameters = inputs.parameters
        assert isinstance(parameters, LatencyParameters)
        assert inputs.server is not None
        rows = model_rows(inputs, inputs.table(parameters.table)).reset_index(drop=True)
        requests = _requests(rows, parameters, inputs.seed)
        served = inputs.server.answer(requests)
        if len(served) != len(requests):
            raise NotMeasurable(f"{len(requests)} requests have {len(served)} answers")
        counted = served[parameters.warm_up :]
        failed = sum(one.predictions is None for one in counted)
        seconds = np.array([one.seconds for one in counted if one.predictions is not None], dtype=np.float64)
        if seconds.size == 0:
            raise NotMeasurable("the serving process answered no request with predictions")
        reasons = [f"{failed} of {len(counted)} requests were not answered with predictions"] if failed else []
        reasons += _otherwise(inputs, requests[-len(counted) :], counted)
        measures = [
            *_measures(seconds, parameters, inputs.seed),
            measure("failed_requests", failed, count=len(counted)),
        ]
        return Measured(measures, reasons, list(_unchecked(parameters)), {"histogram": _histogram(seconds)})


def _requests(rows: pd.DataFrame, parameters: LatencyParameters, seed: int) -> list[pd.DataFrame]:
    random = np.random.Generator(np.random.PCG64(seed))
    many = parameters.warm_up + parameters.requests
    return [rows.iloc[random.integers(0, len(rows), parameters.rows)].reset_index(drop=True) for _ in range(many)]


def _otherwise(inputs: GateInputs, requests: Sequence[pd.DataFrame], served: Sequence[Served]) -> list[str]:
    """Return why what was served are not the model's predictions: another answer, however quick, counts for nothing."""
    import pandas as pd

    answered = [
        (asked, one.predictions) for asked, one in zip(requests, served, strict=True) if one.predictions is not None
    ]
    asked = pd.concat([rows for rows, _ in answered], ignore_index=True)
    expected = as_scores(inputs.model().predict(asked), len(asked))
    try:
        given = np.concatenate([as_scores(predictions, len(rows)) for rows, predictions in answered])
    except NotMeasurable as error:
        return [f"what was served are not the model's predictions: {error}"]
    apart = float(np.abs(given - expected).max())
    return [] if apart <= SAME else [f"what was served are not the model's predictions: they differ by {apart:.6g}"]


def quantile_of(values: Floats, share: float) -> Figure:
    """Return the smallest value that at least `share` of the weight does not exceed.

    Source: Hyndman and Fan, Sample Quantiles in Statistical Packages (1996), definition 1.
    """
    order = np.argsort(values, kind="stable")
    ranked = values[order]

    def quantile(weights: Floats) -> Floats:
        below = np.cumsum(weights[..., order], axis=-1)
        # Sums of whole weights are exact, so a share that is met is met.
        place = (below < share * below[..., -1:]).sum(axis=-1)
        return np.asarray(ranked[np.minimum(place, values.size - 1)])

    return quantile


def _measures(seconds: Floats, parameters: LatencyParameters, seed: int) -> Iterator[Measure]:
    milliseconds = seconds * 1000
    figures = {f"p{share}_milliseconds": quantile_of(milliseconds, share / 100) for share in (50, 95, 99)}
    every = {**figures, "mean": mean_of(milliseconds)}
    weights = np.ones(seconds.size)
    between = intervals(every, weights, seed=seed, resamples=parameters.resamples)
    for name, figure in figures.items():
        yield measure(name, float(figure(weights)), between[name], count=seconds.size, unit="ms")
    if parameters.hourly_usd is not None:
        costs = [_cost(one, parameters.hourly_usd) for one in (float(milliseconds.mean()), *between["mean"])]
        yield measure(
            "cost_per_1000_requests", costs[0], (costs[1], costs[2]), count=seconds.size, unit="USD"
        )  # fmt: skip


def _cost(milliseconds: float, hourly_usd: Decimal) -> float:
    """Return what the instance costs while it answers a thousand requests one after the other, in US dollars."""
    return milliseconds / 1000 * 1000 / 3600 * float(hourly_usd)


def _histogram(seconds: Floats) -> list[dict[str, Any]]:
    counts, edges = np.histogram(seconds * 1000, bins=BINS)
    return [
        {"from": point(float(low)), "to": point(float(high)), "count": int(many)}
        for low, high, many in zip(edges[:-1], edges[1:], counts, strict=True)
    ]


def _unchecked(parameters: LatencyParameters) -> Iterator[str]:
    yield "measured on the machine that ran the gate, one request after the other; an instance under load differs"
    yield "the network between a caller and the process is not in it"
    if parameters.hourly_usd is None:
        yield "the policy says no price of an instance, so nothing is said of cost"
