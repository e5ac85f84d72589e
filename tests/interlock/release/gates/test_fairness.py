"""Fairness agrees with fairlearn, and a model that is given a protected attribute fails whatever its rates are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import fairlearn.metrics
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.monitoring import fairness
from interlock.release.evidence import Evidence, Outcome
from interlock.release.gates.fairness import BY_ITSELF, EVERY_GROUP, FairnessGate
from interlock.release.gates.gate import ModelFailed
from interlock.release.gates.group_rates import Decisions, GroupRates
from interlock.release.gates.running import Answer, prepare_gate
from interlock.release.tiers import Tier, parse_policy
from tests.interlock.release.gates.given import NOW, FunctionModel, evidence, found, inputs, table, terms

SHIPPED = Path(__file__).resolve().parents[4] / "policy" / "tiers.yaml"

ROWS = st.lists(
    st.tuples(st.booleans(), st.booleans(), st.integers(0, 2), st.floats(0.1, 5)), min_size=6, max_size=60
).filter(lambda rows: {(one[1], one[2]) for one in rows} == {(truth, group) for truth in (0, 1) for group in range(3)})


@settings(max_examples=15)
@given(ROWS)
def test_rates_of_groups_agree_with_fairlearn(rows: Sequence[tuple[Any, ...]]) -> None:
    decided, deserved, places, weights = (np.array(one) for one in zip(*rows, strict=True))
    of = {"sensitive_features": places, "sample_weight": weights}
    everybody = np.ones_like(deserved)
    selected, true, false = (
        fairness.rates(decided, among, places, 3)(weights) for among in (everybody, deserved, ~deserved)
    )
    ours = [
        float(fairness.spread(selected)),
        float(fairness.impact_ratios(selected).min()),
        float(fairness.spread(true)),
        float(max(fairness.spread(true), fairness.spread(false))),
    ]
    ratio = fairlearn.metrics.demographic_parity_ratio(deserved, decided, **of)
    theirs = [
        fairlearn.metrics.demographic_parity_difference(deserved, decided, **of),
        1.0 if np.isnan(ratio) else ratio,
        fairlearn.metrics.equal_opportunity_difference(deserved, decided, **of),
        fairlearn.metrics.equalized_odds_difference(deserved, decided, **of),
    ]
    assert ours == pytest.approx(theirs, abs=1e-9)


def people(selected: dict[str, int], of: int = 100) -> pd.DataFrame:
    """Return `of` people of each race, of whom so many are scored above one half; who deserves it goes by turns."""
    frames = [
        pd.DataFrame(
            {
                "score": [0.9] * many + [0.1] * (of - many),
                "label": [index % 2 for index in range(of)],
                "race": race,
                "sex": [index % 4 // 2 for index in range(of)],
            }
        )
        for race, many in selected.items()
    ]
    return pd.concat(frames, ignore_index=True)


MODEL = FunctionModel(lambda rows: rows["score"])
LIMITS = {
    "disparate_impact": {"at_least": "0.8"},
    "demographic_parity_difference": {"below": "0.1"},
    "equal_opportunity_difference": {"below": "0.1"},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model that takes a score."""
    return written(tmp_path, ["score"])


def written(folder: Path, columns: list[str], parameters: list[str] | None = None, metadata: Any = None) -> Path:
    signature = {
        "inputs": json.dumps([{"name": name, "type": "double", "required": True} for name in columns]),
        "params": json.dumps([{"name": name, "dtype": "string"} for name in parameters or []]),
    }
    (folder / "MLmodel").write_text(json.dumps({"signature": signature, "metadata": metadata}))
    return folder


def ask(
    frame: pd.DataFrame,
    folder: Path,
    limits: dict[str, Any] | None = None,
    model: Any = MODEL,
    attributes: tuple[str, ...] = ("race",),
    named: dict[str, Any] | None = None,
    **parameters: Any,
) -> Evidence:
    measured_on = table(frame, target="label", protected=("race", "sex"), **(named or {}))
    given = inputs(
        folder, tables={"out_of_fold": measured_on}, predictor=model, protected_attributes=attributes
    )  # fmt: skip
    return evidence(FairnessGate(), given, limits, resamples=100, **parameters)


def test_a_ratio_of_exactly_four_fifths_passes_and_one_below_fails(folder: Path) -> None:
    limit = {"disparate_impact": {"at_least": "0.8"}}
    passed = ask(people({"a": 30, "b": 24}), folder, limit)
    assert (passed.outcome, passed.reasons) == (Outcome.PASSED, ())
    assert float(found(passed, "disparate_impact", "b").value or 0) == 0.8
    failed = ask(people({"a": 30, "b": 23}), folder, limit)
    assert failed.outcome is Outcome.FAILED
    assert failed.reasons[0].startswith("disparate_impact of race=b is 0.766666666667 (interval 0.")


def test_a_difference_of_exactly_a_tenth_fails_and_one_below_passes(folder: Path) -> None:
    limit = {"demographic_parity_difference": {"below": "0.1"}}
    assert ask(people({"a": 50, "b": 40}), folder, limit).outcome is Outcome.FAILED
    assert ask(people({"a": 50, "b": 41}), folder, limit).outcome is Outcome.PASSED


def test_equal_opportunity_looks_at_those_who_deserve_it(folder: Path) -> None:
    frame = people({"a": 50, "b": 50})
    frame.loc[frame["race"] == "b", "label"] = [1 - one for one in frame.loc[frame["race"] == "a", "label"]]
    frame.loc[(frame["race"] == "b") & (frame["label"] == 1), "score"] = 0.1
    said = ask(frame, folder, {"equal_opportunity_difference": {"below": "0.1"}})
    assert said.outcome is Outcome.FAILED
    assert float(found(said, "equal_opportunity_difference", EVERY_GROUP).value or 0) == 0.5
    assert float(found(said, "true_positive_rate", "b").value or 0) == 0


def test_every_attribute_that_the_policy_names_is_measured(folder: Path) -> None:
    frame = people({"a": 50, "b": 50}).assign(score=lambda rows: np.where(rows["sex"] == 1, 0.9, 0.1))
    said = ask(frame, folder, LIMITS, attributes=("race", "sex"))
    assert {one.of.attribute for one in said.measures if one.of} == {"race", "sex"}
    assert [one for one in said.reasons if "sex" not in one] == []
    assert said.outcome is Outcome.FAILED


def test_combinations_of_attributes_are_groups_as_well(folder: Path) -> None:
    frame = people({"a": 50, "b": 50}, of=200)
    frame["score"] = np.where((frame["race"] == "a") == (frame["sex"] == 1), 0.9, 0.1)
    apart = ask(frame, folder, LIMITS | {"equal_opportunity_difference": {"at_most": "1"}}, attributes=("race", "sex"))
    assert apart.outcome is Outcome.PASSED
    crossed = ask(frame, folder, LIMITS, attributes=("race", "sex"), intersections=[["race", "sex"]])
    assert crossed.outcome is Outcome.FAILED
    assert found(crossed, "selection_rate", "a × 0").value == 0


def test_a_small_group_is_not_told_and_does_not_count(folder: Path) -> None:
    frame = pd.concat([people({"a": 50, "b": 50}), people({"c": 0}, of=29)])
    said = ask(frame, folder, {"disparate_impact": {"at_least": "0.8"}})
    assert said.outcome is Outcome.PASSED
    small = found(said, "disparate_impact", "c")
    assert (small.suppressed, small.value, small.count) == (True, None, None)
    assert float(found(said, "suppressed_share", EVERY_GROUP).value or 0) == pytest.approx(29 / 229)
    at_the_boundary = pd.concat([people({"a": 50, "b": 50}), people({"c": 0}, of=30)])
    assert ask(at_the_boundary, folder, {"disparate_impact": {"at_least": "0.8"}}).outcome is Outcome.FAILED


def test_an_attribute_with_one_group_left_cannot_be_measured_and_fails(folder: Path) -> None:
    said = ask(pd.concat([people({"a": 50}), people({"b": 1}, of=5)]), folder)
    assert said.reasons == ("'race' has 1 group of at least 30 rows, so there are none to compare",)


def test_people_whose_attribute_is_not_known_are_a_group(folder: Path) -> None:
    frame = people({"a": 50, "b": 50, "c": 20}).replace({"race": {"c": None}})
    said = ask(frame, folder, {"disparate_impact": {"at_least": "0.8"}})
    assert said.reasons[0].startswith("disparate_impact of race=missing is 0.4")


def test_nobody_selected_at_all_is_no_difference(folder: Path) -> None:
    assert ask(people({"a": 0, "b": 0}), folder, LIMITS).outcome is Outcome.PASSED


def test_nobody_who_deserves_it_leaves_equal_opportunity_without_a_value(folder: Path) -> None:
    said = ask(people({"a": 50, "b": 50}).assign(label=0), folder, LIMITS)
    assert said.reasons == ("equal_opportunity_difference of race=all groups has no value; the limit is < 0.1",)


def test_a_missing_attribute_or_label_fails(folder: Path) -> None:
    frame = people({"a": 50, "b": 50})
    said = ask(frame, folder, attributes=("race", "age"))
    assert said.reasons == (
        "the protected attribute 'age' is not in the table 'out_of_fold', so it cannot be measured",
    )
    unlabelled = ask(frame.assign(label=frame["label"].where(frame.index > 0)), folder)
    assert unlabelled.reasons == ("it could not decide: 1 of 200 rows have no label",)
    assert ask(frame, folder, attributes=()).outcome is Outcome.FAILED


def test_predictions_out_of_fold_are_those_of_the_table_and_that_is_said(folder: Path) -> None:
    frame = people({"a": 50, "b": 50})
    frame["made"] = np.where(frame["race"] == "a", frame["score"], 0.1)
    said = ask(frame, folder, LIMITS, named={"prediction": "made"})
    assert said.outcome is Outcome.FAILED
    assert any(one.startswith("disparate_impact of race=b is 0 ") for one in said.reasons)
    assert said.unchecked[0].startswith("the predictions are those of the column 'made'")


def test_predictions_that_whoever_made_the_table_chose_do_not_hide_how_the_model_decides(folder: Path) -> None:
    frame = people({"a": 50, "b": 10}).assign(made=0.9)
    said = ask(frame, folder, LIMITS, named={"prediction": "made"})
    assert said.outcome is Outcome.FAILED
    assert all(f"race{BY_ITSELF}" in one for one in said.reasons)
    (impact,) = [one for one in said.measures if one.name == "disparate_impact" and one.holds is False]
    assert float(impact.value or 0) == pytest.approx(0.2)


def shipped(tier: Tier) -> dict[str, Any]:
    """Return the limits of the fairness gate that ship for a tier."""
    limits = parse_policy(SHIPPED.read_bytes()).tiers[tier].evidence["fairness"].limits
    return {name: one.model_dump(mode="json") for name, one in limits.items()}


@pytest.mark.parametrize("tier", [Tier.HIGH, Tier.CRITICAL])
def test_the_shipped_policy_refuses_predictions_of_another_model_however_fair_both_are(
    folder: Path, tier: Tier
) -> None:
    frame = people({"a": 500, "b": 500}, of=1000)
    frame["made"] = frame["score"]
    assert ask(frame, folder, shipped(tier), named={"prediction": "made"}).outcome is Outcome.PASSED
    # As many are decided positive in either group, and they are other people.
    frame["made"] = 1 - frame["score"]
    said = ask(frame, folder, shipped(tier), named={"prediction": "made"})
    assert [one for one in said.reasons if "same_decisions" not in one] == []
    assert said.outcome is Outcome.FAILED


@pytest.mark.parametrize("tier", [Tier.HIGH, Tier.CRITICAL])
def test_the_shipped_policy_takes_no_other_model_s_predictions_for_one_small_group(folder: Path, tier: Tier) -> None:
    frame = pd.concat([people({"a": 2000}, of=4000), people({"b": 40}, of=80)], ignore_index=True)
    swapped = frame.index[frame["race"] == "b"]
    frame["made"] = frame["score"]
    frame.loc[swapped, "made"] = 1 - frame.loc[swapped, "score"]
    said = ask(frame, folder, shipped(tier), named={"prediction": "made"})
    assert float(found(said, "same_decisions").value or 0) > 0.96
    assert "slice_same_decisions of race=b" in [one.partition(" is ")[0] for one in said.reasons]


def test_a_few_rows_that_a_refit_decides_otherwise_do_not_fail_a_small_group(folder: Path) -> None:
    frame = pd.concat([people({"a": 500}, of=1000), people({"b": 20}, of=40)], ignore_index=True)
    # Five of forty: what chance does to a group of this size.
    refit = frame.index[frame["race"] == "b"][18:23]
    frame["made"] = frame["score"]
    frame.loc[refit, "made"] = 1 - frame.loc[refit, "score"]
    said = ask(frame, folder, {"slice_same_decisions": shipped(Tier.HIGH)["slice_same_decisions"]},
               named={"prediction": "made"})  # fmt: skip
    assert float(found(said, "slice_same_decisions", "b").value or 0) == 0.875
    assert said.outcome is Outcome.PASSED


def test_the_shipped_policy_refuses_a_group_that_is_hidden_by_its_size(folder: Path) -> None:
    frame = pd.concat([people({"a": 150, "b": 150}, of=300), people({"c": 0}, of=29)], ignore_index=True)
    limit = {"suppressed_share": shipped(Tier.HIGH)["suppressed_share"]}
    said = ask(frame, folder, limit)
    assert [one.partition(" is ")[0] for one in said.reasons] == ["suppressed_share of race=all groups"]


FAIR = people({"a": 50, "b": 50})


@pytest.mark.parametrize(
    ("columns", "parameters", "metadata", "reason"),
    [
        (["score", "race"], [], None, "the protected attribute 'race' is an input of the model"),
        (["score"], ["Race "], None, "the protected attribute 'race' is a parameter of the model"),
        (
            ["score"],
            [],
            {"deciding": {"Thresholds": {"a": 0.4, "b": 0.5}}},
            "MLmodel's metadata.deciding.Thresholds sets several thresholds; accepted is one for everybody",
        ),
        (["score", "code"], [], None, "the model's input 'code' is a copy of the protected attribute 'race'"),
    ],
)
def test_a_protected_attribute_or_a_group_threshold_in_the_model_fails(
    tmp_path: Path, columns: list[str], parameters: list[str], metadata: Any, reason: str
) -> None:
    frame = FAIR.assign(code=FAIR["race"].map({"a": 7.5, "b": -1}))
    said = ask(frame, written(tmp_path, columns, parameters, metadata), LIMITS)
    assert reason in said.reasons


def test_a_model_without_a_schema_fails(tmp_path: Path) -> None:
    assert ask(FAIR, tmp_path).reasons[0].startswith("the model has no schema of its columns")
    (tmp_path / "MLmodel").write_text("signature: {inputs: '[3]'}")
    assert "holds no readable signature" in ask(FAIR, tmp_path).reasons[0]


def test_a_model_that_changes_its_answer_when_offered_the_attribute_fails(folder: Path) -> None:
    peeking = FunctionModel(
        lambda rows: rows["score"] + (rows["race"] == "a") * 0.01 if "race" in rows else rows["score"]
    )
    assert ask(FAIR, folder, LIMITS, peeking).reasons == (
        "the model's predictions change when it is offered the protected attributes",
    )


def test_a_model_that_refuses_further_columns_does_not_use_them(folder: Path) -> None:
    def strict(rows: pd.DataFrame) -> Any:
        if list(rows.columns) != ["score"]:
            raise ModelFailed("unexpected columns")
        return rows["score"]

    assert ask(FAIR, folder, LIMITS, FunctionModel(strict)).outcome is Outcome.PASSED


def test_a_model_that_answers_at_random_fails(folder: Path) -> None:
    random = np.random.default_rng(1)
    said = ask(FAIR, folder, model=FunctionModel(lambda rows: random.random(len(rows))))
    assert "the model answers the same rows differently each time, so nothing shows what it goes by" in said.reasons


def test_decisions_by_a_threshold_for_each_group_are_found(folder: Path) -> None:
    frame = FAIR.assign(score=np.linspace(0, 1, 200))
    by_group = frame.assign(decided=(frame["score"] >= np.where(frame["race"] == "a", 0.2, 0.7)).astype(int))
    said = ask(by_group, folder, named={"decision": "decided"})
    assert said.reasons == ("the decisions in the table do not follow from one threshold for everybody",)
    for_all = frame.assign(decided=(frame["score"] >= 0.6).astype(int))
    assert ask(for_all, folder, named={"decision": "decided"}, threshold=0.6).reasons == ()


def test_decisions_at_another_threshold_than_the_policy_s_prove_nothing(folder: Path) -> None:
    generous = FAIR.assign(score=np.linspace(0, 1, 200), decided=1)
    said = ask(generous, folder, named={"decision": "decided"})
    assert said.reasons == ("100 decisions in the table are not those of the threshold 0.5",)


def test_how_often_the_model_itself_decides_like_the_table_is_told(folder: Path) -> None:
    forged = people({"a": 50, "b": 10}).assign(made=0.9)
    said = ask(forged, folder, {"same_decisions": {"at_least": "0.9"}}, named={"prediction": "made"})
    (reason,) = said.reasons
    assert reason.startswith("same_decisions is 0.3 (interval 0.24")
    assert reason.endswith("n=200); the limit is ≥ 0.9")


def test_a_copy_of_an_attribute_with_many_values_is_found_and_a_column_beside_it_is_not(tmp_path: Path) -> None:
    random = np.random.default_rng(4)
    frame = FAIR.assign(age=random.permutation(200), salary=random.normal(size=200))
    frame["old"] = 1000 - 3.5 * frame["age"]
    said = ask(frame, written(tmp_path, ["score", "salary", "old"]), attributes=("age",))
    assert [one for one in said.reasons if "copy" in one] == [
        "the model's input 'old' is a copy of the protected attribute 'age'"
    ]


def test_weights_count_people(folder: Path) -> None:
    frame = people({"a": 50, "b": 40}).assign(times=lambda rows: 1 + (rows["score"] > 0.5) * (rows["race"] == "b"))
    plain, weighted = ask(frame, folder), ask(frame, folder, named={"weight": "times"})
    assert float(found(plain, "disparate_impact", "b").value or 0) == 0.8
    repeated = frame.loc[frame.index.repeat(frame["times"])]
    expected = fairlearn.metrics.demographic_parity_ratio(
        repeated["label"], repeated["score"] >= 0.5, sensitive_features=repeated["race"]
    )
    values = [float(found(weighted, "disparate_impact", race).value or 0) for race in ("a", "b")]
    assert min(values) == pytest.approx(expected, abs=1e-9)


def test_intervals_of_rows_that_are_alike_are_those_of_all_rows() -> None:
    random = np.random.default_rng(6)
    places = random.integers(0, 2, 400)
    decisions = Decisions(random.random(400) < 0.5 + 0.2 * places, random.random(400) < 0.5, np.ones(400))
    alike = GroupRates(decisions, places, 2, 30)
    apart = GroupRates(Decisions(decisions.decided, decisions.deserved, np.full(400, 2.0)), places, 2, 30)
    figures = [{"parity": one.parity, "odds": one.odds} for one in (alike, apart)]
    assert alike.values(figures[0]) == pytest.approx(apart.values(figures[1]))
    quick = alike.intervals(figures[0], seed=1, resamples=4000)
    slow = apart.intervals(figures[1], seed=1, resamples=4000)
    for name in quick:
        assert quick[name] == pytest.approx(slow[name], abs=0.015)


def test_thresholds_by_group_in_the_policy_are_refused(folder: Path) -> None:
    said = ask(FAIR, folder, threshold={"a": 0.4, "b": 0.5})
    assert said.reasons[0].startswith("parameters.threshold of the policy: received {'a': 0.4, 'b': 0.5}")


@pytest.mark.parametrize(
    ("changed", "attributes"),
    [
        ({"oof": None}, ("race",)),
        ({"oof": "likely"}, ("race",)),
        ({"decided": 2}, ("race",)),
        ({"label": None}, ("race",)),
        ({}, ("race", "Race")),
    ],
)
def test_a_table_that_lacks_what_is_measured_is_to_be_replaced_and_speaks_against_no_release(
    folder: Path, changed: dict[str, Any], attributes: tuple[str, ...]
) -> None:
    frame = FAIR.assign(oof=FAIR["score"], decided=(FAIR["score"] >= 0.5).astype(int)).assign(**changed)
    named = table(frame, target="label", prediction="oof", decision="decided", protected=("race", "sex"))
    given = inputs(folder, tables={"out_of_fold": named}, predictor=MODEL, protected_attributes=attributes)
    answer = prepare_gate(FairnessGate(), given, terms(LIMITS, resamples=100)).answer(lambda: NOW)
    assert (answer.evidence.outcome, answer.unfit is not None) == (Outcome.FAILED, True)


def answered(frame: pd.DataFrame, folder: Path, limits: dict[str, Any], **named: Any) -> Answer:
    given = inputs(
        folder,
        tables={"out_of_fold": table(frame, target="label", protected=("race", "sex"), **named)},
        predictor=MODEL,
        protected_attributes=("race",),
    )
    return prepare_gate(FairnessGate(), given, terms(limits, resamples=100)).answer(lambda: NOW)


LARGE = people({"a": 500, "b": 500}, of=1000).assign(
    clerks=lambda rows: np.arange(len(rows)) % 3 // 2, of_another=lambda rows: np.arange(len(rows)) % 10 / 10
)


@pytest.mark.parametrize("tier", [Tier.HIGH, Tier.CRITICAL])
@pytest.mark.parametrize(
    ("named", "why"),
    [
        ({"decision": "clerks"}, "the decisions in the table do not follow from one threshold for everybody"),
        ({"prediction": "of_another"}, "same_decisions is 0.5"),
        ({"prediction": "of_another", "decision": "clerks"}, "the decisions in the table do not follow"),
    ],
)
def test_a_column_that_somebody_else_decided_or_predicted_speaks_against_no_release(
    folder: Path, tier: Tier, named: dict[str, str], why: str
) -> None:
    wrong = answered(LARGE, folder, shipped(tier), **named)
    assert (wrong.evidence.outcome, why in str(wrong.unfit)) == (Outcome.FAILED, True)
    by_itself = answered(LARGE, folder, shipped(tier))
    assert (by_itself.evidence.outcome, by_itself.unfit) == (Outcome.PASSED, None)


@pytest.mark.parametrize(
    ("frame", "why"),
    [
        (LARGE.assign(label=0), "equal_opportunity_difference of race=all groups has no value"),
        (LARGE.iloc[:1020], "'race' has 1 group of at least 30 rows"),
        (pd.concat([people({"a": 60, "b": 60}), people({"c": 12}, of=29)]), "suppressed_share of race=all groups is"),
    ],
)
def test_labels_of_one_class_and_groups_that_are_too_small_speak_against_no_release(
    folder: Path, frame: pd.DataFrame, why: str
) -> None:
    answer = answered(frame.reset_index(drop=True), folder, shipped(Tier.HIGH))
    assert (answer.evidence.outcome, why in str(answer.unfit)) == (Outcome.FAILED, True)


def test_a_model_that_is_unfair_is_signed_whether_or_not_the_table_says_the_same(folder: Path) -> None:
    frame = people({"a": 500, "b": 100}, of=1000).assign(made=lambda rows: rows["score"])
    for named in ({}, {"prediction": "made"}):
        answer = answered(frame, folder, shipped(Tier.HIGH), **named)
        assert (answer.evidence.outcome, answer.unfit) == (Outcome.FAILED, None)
        assert any(one.startswith("disparate_impact") for one in answer.evidence.reasons)
