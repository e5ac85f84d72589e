"""Performance agrees with scikit-learn, and fails on each thing that it cannot decide."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from interlock.failures import BadInput, Failure, OutsideFailure, Refusal
from interlock.monitoring.resampling import intervals
from interlock.release.evidence import Evidence, Outcome
from interlock.release.gates import scores
from interlock.release.gates.gate import NotMeasurable, Table
from interlock.release.gates.performance import PerformanceGate
from interlock.release.gates.running import prepare_gate
from tests.interlock.release.gates.given import NOW, BrokenModel, FunctionModel, evidence, found, inputs, table, terms

ROWS = st.lists(
    st.tuples(st.booleans(), st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 1.0]) | st.floats(0, 1), st.floats(0.1, 5)),
    min_size=4,
    max_size=60,
).filter(lambda rows: len({one[0] for one in rows}) == 2)


@settings(max_examples=40)
@given(ROWS)
def test_figures_of_a_classifier_agree_with_scikit_learn_with_ties_and_weights(rows: Sequence[tuple[Any, ...]]) -> None:
    positive, scored, weights = (np.array(one) for one in zip(*rows, strict=True))
    figures = scores.classification(positive, scored, 0.5)
    outside = {
        "area_under_curve": metrics.roc_auc_score(positive, scored, sample_weight=weights),
        "log_loss": metrics.log_loss(positive, scored, sample_weight=weights),
        "brier": metrics.brier_score_loss(positive, scored, sample_weight=weights),
        "accuracy": metrics.accuracy_score(positive, scored >= 0.5, sample_weight=weights),
    }
    assert {name: float(figure(weights)) for name, figure in figures.items()} == pytest.approx(outside, abs=1e-9)


@settings(max_examples=40)
@given(ROWS)
def test_the_roc_curve_agrees_with_scikit_learn(rows: Sequence[tuple[Any, ...]]) -> None:
    positive, scored, weights = (np.array(one) for one in zip(*rows, strict=True))
    false, true, _ = metrics.roc_curve(positive, scored, sample_weight=weights, drop_intermediate=False)
    ours = scores.roc_curve(positive, scored, weights)
    np.testing.assert_allclose(ours[0], false, atol=1e-9)
    np.testing.assert_allclose(ours[1], true, atol=1e-9)


@settings(max_examples=40)
@given(st.lists(st.tuples(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3), st.floats(0.1, 5)), min_size=1, max_size=50))
def test_figures_of_a_regression_agree_with_scikit_learn(rows: Sequence[tuple[float, float, float]]) -> None:
    target, predicted, weights = (np.array(one) for one in zip(*rows, strict=True))
    figures = scores.regression(target, predicted)
    assert float(figures["rmse"](weights)) == pytest.approx(
        metrics.root_mean_squared_error(target, predicted, sample_weight=weights), abs=1e-9
    )
    assert float(figures["mae"](weights)) == pytest.approx(
        metrics.mean_absolute_error(target, predicted, sample_weight=weights), abs=1e-9
    )


@settings(max_examples=40)
@given(ROWS)
def test_figures_of_many_weightings_are_those_of_each(rows: Sequence[tuple[Any, ...]]) -> None:
    positive, scored, weights = (np.array(one) for one in zip(*rows, strict=True))
    several = np.stack([weights, np.ones_like(weights), weights**2])
    for figure in scores.classification(positive, scored, 0.5).values():
        np.testing.assert_allclose(figure(several), [figure(one) for one in several], atol=1e-12)


def test_calibration_agrees_with_scikit_learn() -> None:
    random = np.random.default_rng(3)
    scored = random.random(500)
    positive = random.random(500) < scored
    observed, predicted = (np.asarray(one) for one in _calibration_of_scikit_learn(positive, scored))
    ours = scores.calibration(positive, scored, np.ones(500))
    np.testing.assert_allclose([one["observed"] for one in ours], observed, atol=1e-9)
    np.testing.assert_allclose([one["predicted"] for one in ours], predicted, atol=1e-9)


def _calibration_of_scikit_learn(positive: npt.NDArray[Any], scored: npt.NDArray[Any]) -> Any:
    from sklearn.calibration import calibration_curve

    return calibration_curve(positive, scored, n_bins=10)


def test_an_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    random = np.random.default_rng(5)
    covered = 0
    for seed in range(200):
        values = random.normal(3.0, 1.0, 80)
        low, high = intervals({"mean": scores.mean_of(values)}, np.ones(80), seed=seed, resamples=200)["mean"]
        covered += low <= 3.0 <= high
    assert 176 <= covered <= 199


def test_an_interval_is_the_same_for_the_same_seed_and_differs_for_another() -> None:
    values = np.arange(50.0)
    first, again, other = (
        intervals({"mean": scores.mean_of(values)}, np.ones(50), seed=seed, resamples=100)["mean"] for seed in (1, 1, 2)
    )
    assert first == again != other


FRAME = pd.DataFrame(
    {
        "score": [0.9, 0.8, 0.8, 0.6, 0.5, 0.4, 0.3, 0.2] * 10,
        "label": [1, 1, 0, 1, 0, 1, 0, 0] * 10,
        "region": (["north"] * 4 + ["south"] * 4) * 10,
    }
)
MODEL = FunctionModel(lambda rows: rows["score"])


def ask(
    frame: pd.DataFrame = FRAME,
    limits: dict[str, Any] | None = None,
    model: Any = MODEL,
    champion: Any = None,
    given_table: Table | None = None,
    **parameters: Any,
) -> Evidence:
    measured_on = given_table or table(frame, target="label")
    given = inputs(tables={"evaluation": measured_on}, predictor=model, champion=champion)
    return evidence(PerformanceGate(), given, limits, resamples=200, **parameters)


def test_a_figure_on_its_limit_passes_and_one_short_of_it_fails() -> None:
    area = float(metrics.roc_auc_score(FRAME["label"], FRAME["score"]))
    assert area == 0.78125
    assert ask(limits={"area_under_curve": {"at_least": "0.78125"}}).outcome is Outcome.PASSED
    assert ask(limits={"area_under_curve": {"above": "0.78125"}}).outcome is Outcome.FAILED
    assert ask(limits={"accuracy": {"at_least": "0.625"}}).outcome is Outcome.PASSED
    assert ask(limits={"accuracy": {"at_least": "0.626"}}).outcome is Outcome.FAILED


def test_the_champion_itself_gains_exactly_nothing() -> None:
    said = ask(champion=MODEL, limits={"area_under_curve_gain": {"at_least": "0", "bound": "lower"}})
    gained = found(said, "area_under_curve_gain")
    assert {gained.value, gained.low, gained.high} == {Decimal(0)}
    assert said.outcome is Outcome.PASSED
    assert "champion" not in " ".join(said.unchecked)


def test_a_model_worse_than_the_champion_has_negative_gains_and_fails() -> None:
    worse = FunctionModel(lambda rows: 1 - rows["score"])
    said = ask(model=worse, champion=MODEL, limits={"area_under_curve_gain": {"above": "-0.05", "bound": "lower"}})
    assert said.outcome is Outcome.FAILED
    gains = [one for one in said.measures if one.name.endswith("_gain")]
    assert {one.name for one in gains} == {"area_under_curve_gain", "log_loss_gain", "brier_gain", "accuracy_gain"}
    assert all(one.high is not None and one.high < 0 for one in gains)


def test_without_a_champion_the_gain_is_over_knowing_the_average_and_that_is_said() -> None:
    said = ask()
    assert float(found(said, "area_under_curve_gain").value or 0) == pytest.approx(0.78125 - 0.5)
    assert any("no champion" in one for one in said.unchecked)


def test_slices_agree_with_scikit_learn_and_a_small_one_is_not_told() -> None:
    frame = pd.concat([FRAME, pd.DataFrame({"score": [0.5] * 3, "label": [1, 0, 1], "region": "west"})])
    said = ask(frame, {"slice_accuracy": {"at_least": "0.1"}}, slices=["region"])
    for name in ("north", "south"):
        part = FRAME[FRAME["region"] == name]
        area = float(found(said, "slice_area_under_curve", name).value or 0)
        assert area == pytest.approx(metrics.roc_auc_score(part["label"], part["score"]), abs=1e-9)
    west = found(said, "slice_area_under_curve", "west")
    assert (west.suppressed, west.value, west.count) == (True, None, None)
    assert said.outcome is Outcome.PASSED
    assert any("region=west" in one for one in said.unchecked)


def test_a_slice_is_compared_with_the_champion_on_its_own_rows() -> None:
    worse_in_the_south = FunctionModel(lambda rows: np.where(rows["region"] == "south", 0.5, rows["score"]))
    limits = {"slice_area_under_curve_gain": {"at_least": "0"}}
    said = ask(limits=limits, model=worse_in_the_south, champion=MODEL, slices=["region"])
    assert found(said, "slice_area_under_curve_gain", "north").value == 0
    south = FRAME[FRAME["region"] == "south"]
    lost = 0.5 - metrics.roc_auc_score(south["label"], south["score"])
    assert float(found(said, "slice_area_under_curve_gain", "south").value or 0) == pytest.approx(lost, abs=1e-9)
    assert len(said.reasons) == 1


def test_a_slice_of_one_class_has_no_area_and_breaks_its_limit() -> None:
    frame = FRAME.assign(region=np.where(FRAME["label"] == 1, "good", "bad"))
    assert ask(frame, slices=["region"]).outcome is Outcome.PASSED
    said = ask(frame, {"slice_area_under_curve": {"at_least": "0"}}, slices=["region"])
    assert said.reasons == tuple(
        f"slice_area_under_curve of region={name} has no value; the limit is ≥ 0" for name in ("bad", "good")
    )


def test_weights_count_rows() -> None:
    weighted = table(FRAME.assign(times=np.arange(80) % 3), target="label", weight="times")
    repeated = FRAME.loc[FRAME.index.repeat(np.arange(80) % 3)]
    ours = found(ask(given_table=weighted), "log_loss").value
    assert float(ours or 0) == pytest.approx(metrics.log_loss(repeated["label"], repeated["score"]), abs=1e-9)


def test_a_regression_is_measured_in_the_target_s_unit() -> None:
    frame = pd.DataFrame({"score": [1.0, 2.0, 3.0, 4.0], "label": [1.5, 2.5, 2.5, 4.5]})
    said = ask(frame, {"rmse": {"at_most": "0.5"}, "mae": {"at_most": "0.5"}}, task="regression")
    assert said.outcome is Outcome.PASSED
    assert ask(frame, {"rmse": {"below": "0.5"}}, task="regression").outcome is Outcome.FAILED


def test_what_a_page_draws_is_small() -> None:
    random = np.random.default_rng(1)
    frame = pd.DataFrame({"score": random.random(3000), "label": random.integers(0, 2, 3000)})
    details = ask(frame, champion=MODEL).details
    assert len(details["roc"]) == 100
    assert details["roc"][0] == ["0", "0"]
    assert details["roc"][-1] == ["1", "1"]
    assert len(details["calibration"]) == 10


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (FRAME.assign(label=FRAME["label"].where(FRAME.index > 2)), "3 of 80 rows have no label"),
        (FRAME.assign(label=["a", "b", "c", "d"] * 20), "'label' has 4 values; accepted are two classes"),
        (FRAME.assign(label=["yes", "no"] * 40), "no label is 1; there are 'no' and 'yes'"),
        (FRAME.drop(columns="label"), "the table has no column 'label'"),
        (FRAME.iloc[:0], "the table has no rows"),
        (FRAME.assign(score=np.nan), "80 of 80 rows have predictions that are missing or infinite"),
        (FRAME.assign(score=np.inf), "80 of 80 rows have predictions that are missing or infinite"),
    ],
)
def test_what_cannot_be_decided_has_failed(frame: pd.DataFrame, reason: str) -> None:
    said = ask(frame)
    assert said.outcome is Outcome.FAILED
    assert reason in said.reasons[0]


def test_one_class_only_has_no_area_under_the_curve() -> None:
    said = ask(FRAME.assign(label=1), {"area_under_curve": {"at_least": "0.5"}})
    assert said.reasons == ("area_under_curve has no value; the limit is ≥ 0.5",)


@pytest.mark.parametrize("weights", [np.zeros(80), -np.ones(80), np.full(80, np.nan)])
def test_what_is_no_weight_fails(weights: npt.NDArray[Any]) -> None:
    said = ask(given_table=table(FRAME.assign(times=weights), target="label", weight="times"))
    assert said.outcome is Outcome.FAILED


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (BrokenModel(), "the model failed: it took longer than 60 s"),
        (FunctionModel(lambda rows: rows["score"][:-1]), "answered an array shaped (79,) for 80 rows"),
        (FunctionModel(lambda rows: np.ones((len(rows), 3))), "accepted are one or two numbers a row"),
        (FunctionModel(lambda rows: ["yes"] * len(rows)), "the predictions are no numbers"),
        (FunctionModel(lambda _: 3), "answered an array shaped () for 80 rows"),
    ],
)
def test_a_model_that_answers_something_else_fails(model: Any, reason: str) -> None:
    said = ask(model=model)
    assert said.outcome is Outcome.FAILED
    assert reason in said.reasons[0]


def test_a_champion_that_fails_fails_the_comparison() -> None:
    said = ask(champion=BrokenModel())
    assert "the champion, which it is compared with, gave no predictions" in said.reasons[0]


def raising(error: Exception) -> FunctionModel:
    def refuse(_: pd.DataFrame) -> Any:
        raise error

    return FunctionModel(refuse)


@pytest.mark.parametrize(
    "champion",
    [
        BrokenModel(),
        raising(NotMeasurable("its MLmodel is none")),
        raising(KeyError("income")),
        raising(FileNotFoundError(2, "No such file")),
        FunctionModel(lambda rows: rows["score"][:-1]),
        FunctionModel(lambda rows: ["yes"] * len(rows)),
    ],
)
def test_whatever_is_wrong_with_the_champion_speaks_against_no_challenger(champion: Any) -> None:
    taken = inputs(tables={"evaluation": table(FRAME, target="label")}, predictor=MODEL, champion=champion)
    answer = prepare_gate(PerformanceGate(), taken, terms(resamples=100)).answer(lambda: NOW)
    assert str(answer.unfit).startswith(
        "it could not decide: the champion, which it is compared with, gave no predictions: "
    )


@pytest.mark.parametrize("error", [Refusal("its files were exchanged"), BadInput("no such"), OutsideFailure("away")])
def test_a_champion_that_cannot_be_brought_ends_the_command_and_not_the_gate(error: Failure) -> None:
    with pytest.raises(type(error), match=error.message):
        ask(champion=raising(error))


def test_scores_that_are_no_probabilities_have_an_area_and_no_log_loss() -> None:
    said = ask(model=FunctionModel(lambda rows: rows["score"] * 3), limits={"log_loss": {"at_most": "1"}})
    assert found(said, "area_under_curve").value is not None
    assert said.reasons == ("it measured no log_loss, which the policy limits to ≤ 1",)


def test_probabilities_of_two_classes_are_read_by_the_second() -> None:
    both = FunctionModel(lambda rows: np.stack([1 - rows["score"], rows["score"]], axis=1))
    assert found(ask(model=both), "area_under_curve") == found(ask(), "area_under_curve")


def test_the_target_and_what_is_protected_never_reach_the_model() -> None:
    seen: list[str] = []

    def look(rows: pd.DataFrame) -> Any:
        seen.extend(rows.columns)
        return rows["score"]

    ask(given_table=table(FRAME, target="label", protected=("region",)), model=FunctionModel(look))
    assert set(seen) == {"score"}


@pytest.mark.parametrize(
    ("named", "parameters", "reason"),
    [
        ({"target": "label"}, {"target": "label"}, None),
        ({"target": "label"}, {"target": "label", "weighted": False}, None),
        ({"target": "twice"}, {"target": "label"}, "tables.evaluation.target: received 'twice'; accepted is 'label'"),
        ({}, {"target": "label"}, "tables.evaluation.target: received none; accepted is 'label'"),
        (
            {"target": "label", "weight": "twice"},
            {"weighted": False},
            "tables.evaluation.weight: received 'twice'; accepted is none",
        ),
    ],
)
def test_a_policy_may_name_the_target_and_have_rows_count_alike(
    named: dict[str, str], parameters: dict[str, Any], reason: str | None
) -> None:
    frame = FRAME.assign(twice=FRAME["label"])
    taken = inputs(tables={"evaluation": table(frame, **named)}, predictor=MODEL)
    answer = prepare_gate(PerformanceGate(), taken, terms(**parameters)).answer(lambda: NOW)
    assert (answer.unfit is None) == (reason is None)
    assert reason is None or reason in str(answer.unfit)


def test_a_slice_of_one_class_is_no_fault_of_the_model() -> None:
    frame = pd.concat([FRAME.assign(part="all"), FRAME[FRAME["label"] == 1].assign(part="good")], ignore_index=True)
    taken = inputs(tables={"evaluation": table(frame, target="label")}, predictor=MODEL)
    limits = {"slice_area_under_curve": {"at_least": "0.5"}}
    answer = prepare_gate(PerformanceGate(), taken, terms(limits, slices=["part"])).answer(lambda: NOW)
    assert answer.evidence.outcome is Outcome.FAILED
    assert answer.unfit == "slice_area_under_curve of part=good has no value; the limit is ≥ 0.5"
    limits = {"slice_area_under_curve": {"at_least": "0.9"}}
    frame = FRAME.assign(part="all")
    taken = inputs(tables={"evaluation": table(frame, target="label")}, predictor=MODEL)
    assert prepare_gate(PerformanceGate(), taken, terms(limits, slices=["part"])).answer(lambda: NOW).unfit is None
