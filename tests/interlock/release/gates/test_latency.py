"""Latency agrees with numpy's quantiles; a server that answers something else, however quickly, fails."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.release.evidence import Evidence, Outcome
from interlock.release.gates.gate import ModelFailed, Served
from interlock.release.gates.latency import LatencyGate, quantile_of
from tests.interlock.release.gates.given import FunctionModel, evidence, found, inputs, table

FRAME = pd.DataFrame({"income": np.arange(50) / 50, "label": np.arange(50) % 2})
MODEL = FunctionModel(lambda rows: rows["income"])


class StandIn:
    """A server that takes the time it is told to."""

    def __init__(self, seconds: Callable[[int], float], answer: Any = lambda rows: rows["income"]) -> None:
        self._seconds = seconds
        self._answer = answer
        self.requests: Sequence[pd.DataFrame] = ()

    def answer(self, requests: Sequence[pd.DataFrame]) -> list[Served]:
        self.requests = requests
        served = [self._answer(rows) for rows in requests]
        return [
            Served(self._seconds(place), None if one is None else np.asarray(one)) for place, one in enumerate(served)
        ]


def ask(server: Any, limits: dict[str, Any] | None = None, **parameters: Any) -> Evidence:
    given_inputs = inputs(tables={"evaluation": table(FRAME, target="label")}, predictor=MODEL, server=server)
    return evidence(LatencyGate(), given_inputs, limits, resamples=100, **parameters)


@settings(max_examples=50)
@given(st.lists(st.floats(0, 1e3), min_size=1, max_size=60), st.sampled_from([0.5, 0.95, 0.99]))
def test_quantiles_agree_with_numpy(values: list[float], share: float) -> None:
    ours = float(quantile_of(np.array(values), share)(np.ones(len(values))))
    assert ours == np.quantile(values, share, method="inverted_cdf")


def test_percentiles_count_the_requests_after_the_warm_up() -> None:
    said = ask(StandIn(lambda place: 9.0 if place < 20 else (place - 19) / 1000), requests=100)
    numbers = {name: found(said, name).value for name in ("p50_milliseconds", "p95_milliseconds", "p99_milliseconds")}
    assert numbers == {"p50_milliseconds": 50, "p95_milliseconds": 95, "p99_milliseconds": 99}
    assert found(said, "p95_milliseconds").count == 100
    assert sum(one["count"] for one in said.details["histogram"]) == 100


def test_a_percentile_exactly_on_its_limit_passes_and_one_above_fails() -> None:
    server = StandIn(lambda _: 0.25)
    assert ask(server, {"p95_milliseconds": {"at_most": 250}}).outcome is Outcome.PASSED
    assert ask(server, {"p95_milliseconds": {"below": 250}}).outcome is Outcome.FAILED


def test_a_thousand_requests_cost_the_instance_s_time() -> None:
    said = ask(StandIn(lambda _: 0.36), {"cost_per_1000_requests": {"at_most": "0.1"}}, hourly_usd="1")
    cost = found(said, "cost_per_1000_requests")
    assert (float(cost.value or 0), cost.unit) == (0.1, "USD")
    assert said.outcome is Outcome.PASSED
    assert ask(StandIn(lambda _: 0.37), {"cost_per_1000_requests": {"at_most": "0.1"}}, hourly_usd="1").reasons


def test_without_a_price_a_limit_on_cost_fails() -> None:
    said = ask(StandIn(lambda _: 0.1), {"cost_per_1000_requests": {"at_most": 1}})
    assert said.reasons == ("it measured no cost_per_1000_requests, which the policy limits to ≤ 1",)


def test_requests_have_as_many_rows_as_the_policy_says_and_none_of_the_label() -> None:
    server = StandIn(lambda _: 0.1)
    ask(server, rows=7, requests=30, warm_up=5)
    assert len(server.requests) == 35
    assert {tuple(one.columns) for one in server.requests} == {("income",)}
    assert {len(one) for one in server.requests} == {7}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (lambda rows: None, "the serving process answered no request with predictions"),
        (
            lambda rows: None if rows["income"][0] > 0.5 else rows["income"],
            "requests were not answered with predictions",
        ),
        (lambda rows: rows["income"] + 0.01, "what was served are not the model's predictions: they differ by 0.01"),
        (
            lambda rows: [1.0, 2.0],
            "what was served are not the model's predictions: the model answered an array shaped",
        ),
        (lambda rows: rows["income"] * np.nan, "what was served are not the model's predictions: 1 of 1 rows"),
    ],
)
def test_a_server_that_answers_something_else_fails(answer: Any, reason: str) -> None:
    said = ask(StandIn(lambda _: 0.001, answer))
    assert said.outcome is Outcome.FAILED
    assert any(reason in one for one in said.reasons), said.reasons


def test_a_server_that_does_not_start_or_loses_answers_fails() -> None:
    class Down:
        def answer(self, requests: Sequence[pd.DataFrame]) -> list[Served]:
            raise ModelFailed("the model does not load: ValueError")

    class Forgetful:
        def answer(self, requests: Sequence[pd.DataFrame]) -> list[Served]:
            return []

    assert ask(Down()).reasons == ("the model failed: the model does not load: ValueError",)
    assert ask(Forgetful()).outcome is Outcome.FAILED
