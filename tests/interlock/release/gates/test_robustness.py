"""A model that small disturbances upset fails; how much was disturbed is exactly what was said."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from interlock.release.evidence import Evidence, Outcome
from interlock.release.gates import disturbing
from interlock.release.gates.robustness import RobustnessGate, Undisturbed
from tests.interlock.release.gates.given import BrokenModel, FunctionModel, evidence, found, inputs, table

RANDOM = np.random.default_rng(11)
FRAME = pd.DataFrame(
    {
        "income": RANDOM.normal(50, 10, 300),
        "children": RANDOM.integers(0, 6, 300),
        "owner": RANDOM.integers(0, 2, 300),
        "town": RANDOM.choice(["a", "b"], 300),
    }
).assign(label=lambda rows: (rows["income"] + RANDOM.normal(0, 5, 300) > 50).astype(int))
STEADY = FunctionModel(lambda rows: (rows["income"].fillna(50) - 20) / 60)


def ask(
    model: Any = STEADY, limits: dict[str, Any] | None = None, frame: pd.DataFrame = FRAME, **parameters: Any
) -> Evidence:
    given = inputs(tables={"evaluation": table(frame, target="label")}, predictor=model)
    return evidence(RobustnessGate(), given, limits, resamples=200, **parameters)


LIMITS = {"changed_decisions": {"at_most": "0.1"}, "lost_area_under_curve": {"at_most": "0.05"}}


def test_a_model_that_changes_smoothly_passes() -> None:
    said = ask(limits=LIMITS)
    assert (said.outcome, said.reasons) == (Outcome.PASSED, ())
    assert {one.of.value for one in said.measures if one.of and one.of.attribute == "disturbance"} == {
        "noise", "gaps", "scale",
    }  # fmt: skip


def test_a_model_that_hangs_on_the_last_digits_fails() -> None:
    jumpy = FunctionModel(lambda rows: (rows["income"].fillna(0) * 1000 % 2 > 1).astype(float))
    said = ask(jumpy, LIMITS)
    assert said.outcome is Outcome.FAILED
    assert any(one.startswith("changed_decisions of disturbance=noise is 0.") for one in said.reasons)


def test_a_model_that_cannot_do_without_a_value_fails() -> None:
    needy = FunctionModel(lambda rows: rows["income"] / 100)
    assert "have predictions that are missing" in ask(needy).reasons[0]
    assert ask(needy, gaps=0).outcome is Outcome.PASSED
    assert ask(BrokenModel()).reasons == ("the model failed: it took longer than 60 s",)


def test_a_share_exactly_on_its_limit_passes_and_one_row_more_fails() -> None:
    def flips(many: int) -> FunctionModel:
        """Answers the second time, to the disturbed rows, otherwise for so many of them, and then as it did first."""
        answers = iter([np.full(300, 0.9), np.where(np.arange(300) < many, 0.1, 0.9)])
        return FunctionModel(lambda rows: next(answers, np.full(len(rows), 0.9)))

    only: dict[str, Any] = {"gaps": 0, "scale": 0, "repeats": 1, "columns": 0}
    limit = {"changed_decisions": {"at_most": "0.1"}}
    assert ask(flips(30), limit, **only).outcome is Outcome.PASSED
    assert ask(flips(31), limit, **only).outcome is Outcome.FAILED


def test_a_column_dealt_out_anew_shows_how_much_hangs_on_it() -> None:
    said = ask()
    assert float(found(said, "permuted_lost_area_under_curve", "income").value or 0) > 0.2
    assert found(said, "permuted_lost_area_under_curve", "children").value == 0
    assert found(said, "permuted_changed_decisions", "town").value == 0


def test_what_is_lost_agrees_with_scikit_learn() -> None:
    scores = RANDOM.random((3, 300))
    base = RANDOM.random(300)
    positive = FRAME["label"].to_numpy() == 1
    before = Undisturbed(FRAME, base, positive, np.ones(300), 0.5)
    expected = roc_auc_score(positive, base) - np.mean([roc_auc_score(positive, one) for one in scores])
    assert before.lost(scores) == pytest.approx(expected, abs=1e-9)


def test_one_class_only_has_no_area_to_lose() -> None:
    said = ask(frame=FRAME.assign(label=1), limits=LIMITS)
    assert "lost_area_under_curve of disturbance=noise has no value; the limit is ≤ 0.05" in said.reasons


def test_a_large_table_is_drawn_from_and_the_count_says_so() -> None:
    assert found(ask(most_rows=100), "changed_decisions", "noise").count == 100


def test_the_same_inputs_are_disturbed_in_the_same_way() -> None:
    assert ask().measures == ask().measures


def test_a_policy_that_turns_every_disturbance_off_fails() -> None:
    assert ask(noise=0, gaps=0, scale=0).outcome is Outcome.FAILED


def test_missing_labels_fail() -> None:
    assert (
        "1 of 300 rows have no label" in ask(frame=FRAME.assign(label=FRAME["label"].where(FRAME.index > 0))).reasons[0]
    )


def test_noise_is_as_wide_as_said_and_leaves_answers_and_words_alone() -> None:
    large = pd.concat([FRAME] * 30, ignore_index=True)
    other = disturbing.noisy(large, 0.1, np.random.default_rng(1))
    assert (other["income"] - large["income"]).std() == pytest.approx(0.1 * FRAME["income"].std(), rel=0.05)
    assert other["children"].dtype == large["children"].dtype
    assert other[["owner", "town"]].equals(large[["owner", "town"]])


def test_gaps_are_as_many_as_said_and_only_where_nothing_can_stand() -> None:
    large = pd.concat([FRAME] * 30, ignore_index=True)
    other = disturbing.with_gaps(large, 0.1, np.random.default_rng(1))
    assert other[["income", "town"]].isna().mean().tolist() == pytest.approx([0.1, 0.1], abs=0.01)
    assert other[["children", "owner"]].equals(large[["children", "owner"]])


def test_another_scale_is_one_factor_a_column() -> None:
    other = disturbing.rescaled(FRAME, 0.02, np.random.default_rng(1))
    factors = (other["income"] / FRAME["income"]).round(9).unique()
    assert factors.tolist() in ([1.02], [0.98])


def test_a_permuted_column_holds_the_same_values() -> None:
    other = disturbing.permuted(FRAME, "town", np.random.default_rng(1))
    assert sorted(other["town"]) == sorted(FRAME["town"])
    assert not other["town"].equals(FRAME["town"])
    assert other.drop(columns="town").equals(FRAME.drop(columns="town"))
