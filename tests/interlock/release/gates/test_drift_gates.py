"""The gates of drift: the reference that is frozen, and the skew between training and serving."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from interlock.monitoring.reference import DriftReference
from interlock.release.evidence import Evidence, Outcome
from interlock.release.gates.drift_reference import DriftReferenceGate
from interlock.release.gates.skew import SkewGate
from tests.interlock.release.gates.given import BrokenModel, FunctionModel, evidence, found, inputs, table

RANDOM = np.random.default_rng(7)
TRAINING = pd.DataFrame(
    {
        "id": np.arange(400),
        "income": RANDOM.normal(50, 10, 400),
        "kind": RANDOM.choice(["rent", "own"], 400),
    }
)
MODEL = FunctionModel(lambda rows: rows["income"].fillna(0) / 100)


def skew(serving: pd.DataFrame, limits: dict[str, Any] | None = None, **named: Any) -> Evidence:
    tables = {"training": table(TRAINING, identifier="id"), "serving": table(serving, **{"identifier": "id"} | named)}
    return evidence(SkewGate(), inputs(tables=tables, predictor=MODEL), limits)


def test_one_file_for_both_tables_shows_nothing() -> None:
    said = skew(TRAINING)
    assert said.reasons == ("it could not decide: the tables 'training' and 'serving' are the same file",)


def test_the_same_rows_have_no_skew_at_all() -> None:
    said = skew(TRAINING.iloc[::-1], {"population_stability_index": {"at_most": 0}, "changed_cells": {"at_most": 0}})
    assert said.outcome is Outcome.PASSED
    assert {float(one.value or 0) for one in said.measures} == {0.0}


def test_a_column_that_moved_is_named_and_fails() -> None:
    said = skew(TRAINING.assign(income=TRAINING["income"] + 10), {"population_stability_index": {"at_most": "0.2"}})
    assert said.outcome is Outcome.FAILED
    assert said.reasons[0].startswith("population_stability_index of column=income is ")
    assert len(said.reasons) == 1
    assert float(found(said, "prediction_stability_index").value or 0) > 0.2
    assert said.details["histograms"][0]["column"] == "income"


def test_an_index_exactly_on_its_limit_passes() -> None:
    moved = TRAINING.assign(income=TRAINING["income"] + 1)
    index = found(skew(moved), "population_stability_index", "income").value
    assert skew(moved, {"population_stability_index": {"at_most": str(index)}}).outcome is Outcome.PASSED
    assert skew(moved, {"population_stability_index": {"below": str(index)}}).outcome is Outcome.FAILED


def test_values_that_training_never_saw_are_counted() -> None:
    kinds = TRAINING["kind"].where(TRAINING.index >= 40, "squat")
    said = skew(TRAINING.assign(kind=kinds), {"unseen_share": {"below": "0.1"}})
    assert said.reasons == ("unseen_share of column=kind is 0.1 (n=400); the limit is < 0.1",)


def test_values_that_go_missing_are_counted() -> None:
    said = skew(TRAINING.assign(income=TRAINING["income"].where(TRAINING.index >= 100)))
    assert float(found(said, "missing_difference", "income").value or 0) == 0.25


def test_the_same_row_computed_otherwise_is_found_whatever_the_distributions_say() -> None:
    shuffled = TRAINING.assign(income=TRAINING["income"].to_numpy()[::-1])
    said = skew(shuffled, {"population_stability_index": {"at_most": 0}, "changed_cells": {"at_most": 0}})
    assert said.reasons == ("changed_cells is 0.5 (n=400); the limit is ≤ 0",)


def test_rows_without_names_are_not_compared_and_that_is_said() -> None:
    said = skew(TRAINING.drop(columns="id"), identifier=None)
    assert any("the tables name no rows" in one for one in said.unchecked)


@pytest.mark.parametrize(
    ("serving", "reason"),
    [
        (TRAINING.drop(columns="kind"), "only one of the two tables has the columns kind"),
        (TRAINING.iloc[:0], "the table has no rows"),
        (TRAINING.assign(income=np.inf), "the serving table: the column 'income' holds infinite numbers"),
        (TRAINING.assign(income="much"), "the serving table: the column 'income' holds what is no number"),
        (TRAINING.assign(id=1), "the identifiers in 'id' are not one for each row"),
    ],
)
def test_tables_that_cannot_be_compared_fail(serving: pd.DataFrame, reason: str) -> None:
    model = FunctionModel(lambda rows: np.zeros(len(rows)))
    tables = {"training": table(TRAINING, identifier="id"), "serving": table(serving, identifier="id")}
    said = evidence(SkewGate(), inputs(tables=tables, predictor=model))
    assert said.outcome is Outcome.FAILED
    assert reason in said.reasons[0]


def freeze(frame: pd.DataFrame, model: Any = MODEL, **parameters: Any) -> Evidence:
    return evidence(
        DriftReferenceGate(), inputs(tables={"training": table(frame, identifier="id")}, predictor=model), **parameters
    )


def test_the_reference_in_the_evidence_is_the_one_that_monitoring_reads() -> None:
    said = freeze(TRAINING)
    assert said.outcome is Outcome.PASSED
    reference = DriftReference.model_validate(said.details["reference"])
    assert set(reference.columns) == {"income", "kind"}
    assert reference.columns["income"].stability_index(TRAINING["income"]) == 0
    assert reference.columns["income"].stability_index(TRAINING["income"] + 10) > 0.2
    assert reference.prediction is not None
    assert sum(reference.prediction.counts) == 400


def test_a_reference_of_too_few_rows_fails_and_at_the_boundary_it_does_not() -> None:
    assert freeze(TRAINING.iloc[:200]).outcome is Outcome.PASSED
    said = freeze(TRAINING.iloc[:199])
    assert said.reasons == ("it could not decide: 199 rows are too few; accepted are 200 and more",)


def test_a_reference_needs_numbers_that_are_finite_and_a_model_that_answers() -> None:
    assert (
        freeze(TRAINING.assign(income=np.inf), FunctionModel(lambda rows: np.ones(len(rows)))).outcome is Outcome.FAILED
    )
    assert freeze(TRAINING, BrokenModel()).outcome is Outcome.FAILED
