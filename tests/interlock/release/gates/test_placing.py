"""A model that knows where a row stands, or beside which others, knows too much: it fails with a reason of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from interlock.release.evidence import Evidence, Outcome
from interlock.release.gates.fairness import FairnessGate
from interlock.release.gates.gate import Gate
from interlock.release.gates.performance import PerformanceGate
from interlock.release.gates.placing import answers_by_place, shuffled
from interlock.release.gates.robustness import RobustnessGate
from tests.interlock.release.gates.given import FunctionModel, evidence, found, inputs, table

GATES: list[tuple[Gate, str, dict[str, Any]]] = [
    (PerformanceGate(), "evaluation", {"resamples": 100}),
    (FairnessGate(), "out_of_fold", {"resamples": 100}),
    (RobustnessGate(), "evaluation", {"resamples": 100, "repeats": 1, "gaps": 0}),
]
REASON = "have another answer in another order and other batches"


def sorted_by_label() -> pd.DataFrame:
    random = np.random.default_rng(3)
    label = np.repeat([1, 0], 150)
    return pd.DataFrame({"score": random.random(300), "label": label, "race": random.integers(0, 2, 300)})


def by_place(rows: pd.DataFrame) -> Any:
    """The first rows of a long batch are good ones, and of short ones nothing is known."""
    return np.linspace(0.99, 0.01, len(rows)) if len(rows) > 100 else np.full(len(rows), 0.5)


def by_company(rows: pd.DataFrame) -> Any:
    return rows["score"] - rows["score"].mean() + 0.5


def by_index(rows: pd.DataFrame) -> Any:
    return np.where(rows.index < 150, 0.9, 0.1)


def by_row(rows: pd.DataFrame) -> Any:
    return rows["score"]


def judged(gate: Gate, part: str, parameters: dict[str, Any], model: Callable[[pd.DataFrame], Any]) -> Evidence:
    given = table(sorted_by_label(), target="label", protected=("race",))
    taken = inputs(predictor=FunctionModel(model), tables={part: given}, protected_attributes=("race",))
    return evidence(gate, taken, **parameters)


@pytest.mark.parametrize("model", [by_place, by_index, by_company])
@pytest.mark.parametrize(("gate", "part", "parameters"), GATES)
def test_a_model_that_goes_by_place_or_company_fails_with_its_own_reason(
    gate: Gate, part: str, parameters: dict[str, Any], model: Callable[[pd.DataFrame], Any]
) -> None:
    said = judged(gate, part, parameters, model)
    assert said.outcome is Outcome.FAILED
    assert any(REASON in one for one in said.reasons), said.reasons


@pytest.mark.parametrize(("gate", "part", "parameters"), GATES)
def test_a_model_that_answers_each_row_for_itself_has_no_such_reason(
    gate: Gate, part: str, parameters: dict[str, Any]
) -> None:
    assert not any(REASON in one for one in judged(gate, part, parameters, by_row).reasons)


@pytest.mark.parametrize("model", [by_place, by_index])
def test_places_tell_nothing_of_a_table_that_was_sorted_by_its_labels(model: Callable[[pd.DataFrame], Any]) -> None:
    area = found(judged(*GATES[0], model), "area_under_curve").value
    assert area is not None
    assert abs(float(area) - 0.5) < 0.15


@pytest.mark.parametrize(("difference", "changed"), [(0.9e-6, False), (1.1e-6, True)])
@pytest.mark.parametrize("size", [1.0, 1e6])
def test_last_digits_may_differ_between_batches_and_no_others(difference: float, size: float, changed: bool) -> None:
    rows = pd.DataFrame({"score": np.full(40, size)})
    scores = rows["score"].to_numpy() * (1 + difference)
    assert bool(answers_by_place(FunctionModel(by_row), rows, scores, 7)) is changed


@pytest.mark.parametrize("rows", [0, 1, 2, 300])
def test_a_shuffled_table_has_the_same_rows_in_an_order_that_its_seed_says(rows: int) -> None:
    before = table(sorted_by_label().iloc[:rows], target="label")
    after = shuffled(before, 5)
    assert after.frame.equals(shuffled(before, 5).frame)
    assert list(after.frame.index) == list(range(rows))
    assert sorted(after.frame["score"]) == sorted(before.frame["score"])
    assert (rows < 300) or not after.frame["score"].equals(shuffled(before, 6).frame["score"])
    assert after.sha256 == before.sha256
    if rows:
        assert answers_by_place(FunctionModel(by_row), after.frame, after.frame["score"].to_numpy(), 5) == []
