"""Shapley values agree with their definition and with shap's exact explainer, and add up to the answer."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from interlock.monitoring.arrays import Flags, Floats
from interlock.release.evidence import Evidence, Outcome
from interlock.release.gates.explainability import ExplainabilityGate, Worths, direction
from interlock.release.gates.shapley import exact_values, sampled_values, shapley_values
from tests.interlock.release.gates.given import BrokenModel, FunctionModel, evidence, found, inputs, table

BACKGROUND = np.array([[0, 1, 2, -1], [1, 0, -1, 0.5], [-0.5, 2, 0.25, 1], [0.75, -1, 1, -2]])
ROWS = np.array([[1, 1, 1, 1], [0.5, -1, 2, 0], [-2, 0.25, 0.5, 1.5]])
FROM_SHAP = np.array(
    [
        [0.24079020704850299, -0.07995263955834528, 0.1286612747435905, 0.07199563199612494],
        [0.1211277564239653, 0.15159657242464555, 0.1539552435132707, 0.15905012127919835],
        [-0.21262950546532206, -0.01577818226436733, -0.0032644594076733837, -0.03725382034376283],
    ]
)
"""What shap 0.51 answers for `curved`: `shap.explainers.Exact(curved, shap.maskers.Independent(BACKGROUND))(ROWS)`."""


def curved(x: Floats) -> Floats:
    """Return a function of four columns in which up to three interact."""
    z = 0.8 * x[:, 0] - 0.5 * x[:, 1] + x[:, 0] * x[:, 2] - np.abs(x[:, 3]) + 0.3 * x[:, 1] * x[:, 2] * x[:, 3]
    return np.asarray(1 / (1 + np.exp(-z)))


def worth_of(function: Callable[[Floats], Floats], rows: Floats, background: Floats) -> Callable[[Flags], Floats]:
    """Return the worth of sets of columns by the definition, one row, one set, one background row at a time."""

    def worth(sets: Flags) -> Floats:
        means = [
            [np.mean([function(np.where(one, row, back)[None])[0] for back in background]) for one in sets]
            for row in rows
        ]
        return np.array(means)

    return worth


def by_definition(worth: Callable[[Flags], Floats], columns: int) -> Floats:
    """Return the Shapley values as the mean over all orders."""
    total: Any = 0
    for order in itertools.permutations(range(columns)):
        before = np.zeros((1, columns), dtype=bool)
        gains = []
        for column in order:
            after = before.copy()
            after[0, column] = True
            gains.append((column, worth(after)[:, 0] - worth(before)[:, 0]))
            before = after
        total = total + np.stack([gain for _, gain in sorted(gains, key=lambda one: one[0])], axis=1)
    return np.asarray(total / math.factorial(columns))


def test_exact_values_agree_with_shap() -> None:
    frame, back = (pd.DataFrame(one, columns=list("abcd")) for one in (ROWS, BACKGROUND))
    worths = Worths(FunctionModel(lambda rows: curved(rows.to_numpy())), frame, back)
    np.testing.assert_allclose(exact_values(worths, 4), FROM_SHAP, atol=1e-9)


@settings(max_examples=10)
@given(st.lists(st.floats(-5, 5), min_size=8, max_size=8))
def test_exact_values_agree_with_the_definition(numbers: list[float]) -> None:
    worth = {tuple(one): numbers[place] for place, one in enumerate(itertools.product([False, True], repeat=3))}

    def of(sets: Flags) -> Floats:
        return np.array([[worth[tuple(bool(cell) for cell in one)] for one in sets]])

    np.testing.assert_allclose(exact_values(of, 3), by_definition(of, 3), atol=1e-9)


def test_orders_walked_both_ways_are_exact_where_two_columns_interact() -> None:
    def pairs(x: Floats) -> Floats:
        return np.asarray(x[:, 0] * x[:, 1] - 2 * x[:, 2] + x[:, 1] * x[:, 3])

    worth = worth_of(pairs, ROWS, BACKGROUND)
    sampled = sampled_values(worth, 4, permutations=1, random=np.random.default_rng(1))
    np.testing.assert_allclose(sampled, exact_values(worth, 4), atol=1e-9)


def test_sampled_values_come_near_the_exact_ones_and_always_add_up() -> None:
    worth = worth_of(curved, ROWS, BACKGROUND)
    sampled = sampled_values(worth, 4, permutations=100, random=np.random.default_rng(1))
    exact = exact_values(worth, 4)
    np.testing.assert_allclose(sampled, exact, atol=0.01)
    np.testing.assert_allclose(sampled.sum(axis=1), exact.sum(axis=1), atol=1e-9)


def test_many_columns_are_sampled_and_few_are_exact() -> None:
    asked: list[int] = []

    def worth(sets: Flags) -> Floats:
        asked.append(len(sets))
        return np.asarray(sets.sum(axis=1)[None, :], dtype=np.float64)

    assert shapley_values(worth, 8, permutations=2, random=np.random.default_rng(1)).tolist() == [[1.0] * 8]
    assert asked == [256]
    asked.clear()
    assert shapley_values(worth, 9, permutations=2, random=np.random.default_rng(1)).tolist() == [[1.0] * 9]
    assert asked == [10] * 4


RANDOM = np.random.default_rng(2)
FRAME = pd.DataFrame(
    {
        "income": RANDOM.normal(50, 10, 120),
        "debt": RANDOM.normal(10, 3, 120),
        "idle": RANDOM.normal(0, 1, 120),
        "children": RANDOM.integers(0, 5, 120),
        "town": RANDOM.choice(["a", "b"], 120),
        "label": RANDOM.integers(0, 2, 120),
    }
)
MODEL = FunctionModel(lambda rows: 0.01 * rows["income"] - 0.02 * rows["debt"] + 0.05 * (rows["town"] == "a"))
TABLE = {"evaluation": table(FRAME, target="label")}


def ask(model: Any = MODEL, limits: dict[str, Any] | None = None, **parameters: Any) -> Evidence:
    return evidence(ExplainabilityGate(), inputs(tables=TABLE, predictor=model), limits, **parameters)


def test_contributions_add_up_and_a_column_that_is_not_used_has_none() -> None:
    said = ask(limits={"additivity_error": {"at_most": "0.000000001"}})
    assert (said.outcome, said.reasons) == (Outcome.PASSED, ())
    assert float(found(said, "contribution", "idle").value or 0) == pytest.approx(0, abs=1e-12)
    assert said.details["bars"][0]["column"] == "income"
    assert said.details["method"] == "exact"
    directions = {one["column"]: one["direction"] for one in said.details["bars"]}
    assert (directions["income"], directions["debt"], directions["town"]) == ("1", "-1", None)


def test_a_linear_model_s_contributions_are_known_in_closed_form() -> None:
    slopes = np.array([2.0, -1.0, 0.5, 0.0])
    frame, back = (pd.DataFrame(one, columns=list("abcd")) for one in (ROWS, BACKGROUND))
    values = exact_values(Worths(FunctionModel(lambda rows: rows.to_numpy() @ slopes), frame, back), 4)
    np.testing.assert_allclose(values, slopes * (ROWS - BACKGROUND.mean(axis=0)), atol=1e-9)


def test_a_share_exactly_on_its_limit_passes_and_a_model_of_one_column_fails() -> None:
    single = FunctionModel(lambda rows: rows["income"])
    assert ask(single, {"top_share": {"at_most": 1}}).outcome is Outcome.PASSED
    assert ask(single, {"top_share": {"below": 1}}).outcome is Outcome.FAILED


def test_a_model_that_answers_at_random_does_not_add_up() -> None:
    random = np.random.default_rng(1)
    said = ask(FunctionModel(lambda rows: random.random(len(rows))), {"additivity_error": {"at_most": "0.000001"}})
    assert said.outcome is Outcome.FAILED


def test_columns_keep_their_types_on_the_way_to_the_model() -> None:
    kinds = set()

    def look(rows: pd.DataFrame) -> Any:
        kinds.add("".join(kind.kind for kind in rows[["income", "children"]].dtypes))
        assert set(rows["town"]) <= {"a", "b"}
        return rows["income"]

    ask(FunctionModel(look))
    assert kinds == {"fi"}


def test_no_row_s_own_values_stand_in_the_evidence() -> None:
    frame = FRAME.assign(income=FRAME["income"].round(3) + 7_000_000)
    said = evidence(
        ExplainabilityGate(), inputs(tables={"evaluation": table(frame, target="label")}, predictor=MODEL)
    )  # fmt: skip
    assert "70000" not in str(said.details["bars"])


def test_a_constant_model_has_no_strongest_column() -> None:
    said = ask(FunctionModel(lambda rows: np.full(len(rows), 0.5)), {"top_share": {"at_most": 1}})
    assert said.reasons == ("top_share has no value; the limit is ≤ 1",)


def test_too_few_rows_and_a_model_that_fails_fail() -> None:
    assert ask(rows=100, background=20).outcome is Outcome.PASSED
    assert "the table has 120 rows; accepted are 121 and more" in ask(rows=101, background=20).reasons[0]
    assert ask(BrokenModel()).outcome is Outcome.FAILED


def test_the_direction_agrees_with_the_rank_correlation_of_scipy() -> None:
    column, contributions = FRAME["children"], RANDOM.normal(size=120).round(1)
    ours = float(direction(column, contributions) or "nan")
    assert ours == pytest.approx(stats.spearmanr(column, contributions).statistic, abs=1e-5)
