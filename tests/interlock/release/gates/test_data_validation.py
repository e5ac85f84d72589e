"""Each cell that the contract does not allow is counted, by column and by check, and never told."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest

from interlock.release.evidence import Evidence, Outcome
from interlock.release.gates.data_validation import ValidationGate
from tests.interlock.release.gates.given import document, evidence, found, inputs, table

CONTRACT = {
    "columns": {
        "income": {"kind": "number", "minimum": 0, "maximum": 100, "missing": True},
        "children": {"kind": "whole", "minimum": 0},
        "owner": {"kind": "truth"},
        "town": {"kind": "text", "values": ["a", "b"]},
    },
    "examples": [{"income": 50, "children": 2, "owner": True, "town": "a"}],
}
TRAINING = pd.DataFrame(
    {
        "income": [0.0, 100.0, None, 30.0],
        "children": [0, 1, 2, 3],
        "owner": [True, False, True, False],
        "town": ["a", "b", "a", "b"],
        "label": [0, 1, 0, 1],
    }
)
EVALUATION = TRAINING.assign(children=[5, 6, 7, 8])


def ask(training: pd.DataFrame = TRAINING, evaluation: pd.DataFrame = EVALUATION, **named: Any) -> Evidence:
    tables = {
        part: table(one, target="label", **named) for part, one in (("training", training), ("evaluation", evaluation))
    }
    given = inputs(tables=tables, documents={"contract": document(json.dumps(CONTRACT))})
    return evidence(ValidationGate(), given, {"failed_checks": {"at_most": 0}})


def test_tables_that_hold_what_the_contract_says_pass_with_values_at_both_ends() -> None:
    said = ask()
    assert (said.outcome, said.reasons) == (Outcome.PASSED, ())
    assert found(said, "rows", "training").value == 4
    assert found(said, "repeated_rows", "evaluation").value == 0


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"income": [-0.001, 1, 2, 3]}, "income: is at least 0: 1 cells"),
        ({"income": [100.001, 101, 2, 3]}, "income: is at most 100: 2 cells"),
        ({"income": ["5", 1, 2, 3]}, "income: is of the kind number: 1 cells"),
        ({"income": [float("inf"), 1, 2, 3]}, "income: is of the kind number: 1 cells"),
        ({"children": [0.5, 1, 2, 3]}, "children: is of the kind whole: 1 cells"),
        ({"children": [None, 1, 2, 3]}, "children: is not missing: 1 cells"),
        ({"owner": ["yes", True, True, False]}, "owner: is of the kind truth: 1 cells"),
        ({"town": ["a", "b", "c", "C"]}, "town: is one of its values: 2 cells"),
        ({"town": ["a", "b", None, "a"]}, "town: is not missing: 1 cells"),
        ({"town": [1, "b", "a", "a"]}, "town: is of the kind text: 1 cells"),
    ],
)
def test_each_cell_that_is_not_allowed_fails_its_check(change: dict[str, Any], reason: str) -> None:
    said = ask(TRAINING.assign(**{name: pd.Series(cells, dtype=object) for name, cells in change.items()}))
    assert said.outcome is Outcome.FAILED
    assert f"training: {reason}" in said.reasons


def test_a_column_that_is_not_there_fails() -> None:
    assert "evaluation: town: is there: 1 cells" in ask(evaluation=EVALUATION.drop(columns="town")).reasons


def test_what_stands_in_a_cell_is_told_nowhere() -> None:
    said = ask(TRAINING.assign(town=["a", "Somebody's name", "b", "a"]))
    assert "Somebody" not in said.model_dump_json()
    assert said.details["failures"] == [
        {"table": "training", "column": "town", "check": "is one of its values", "cells": 1}
    ]  # fmt: skip


def test_columns_that_the_contract_does_not_name_are_counted() -> None:
    assert found(ask(TRAINING.assign(extra=1)), "unknown_columns", "training").value == 1


def test_rows_of_the_training_that_come_again_are_counted() -> None:
    again = pd.concat([EVALUATION, TRAINING.iloc[:1]])
    assert found(ask(evaluation=again), "repeated_rows", "evaluation").value == 1
    names = TRAINING.assign(id=[1, 2, 3, 4]), EVALUATION.assign(id=[4, 5, 6, 7])
    assert found(ask(*names, identifier="id"), "repeated_rows", "evaluation").value == 1


def test_a_table_without_rows_fails() -> None:
    assert "the table 'training' has no rows" in ask(TRAINING.iloc[:0]).reasons
