"""A model that breaks any promise of its contract fails, and the case that it broke is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from interlock.release.evidence import Evidence, Outcome
from interlock.release.gates.contract_tests import ContractGate
from interlock.release.gates.gate import ModelFailed
from tests.interlock.release.gates.given import FunctionModel, document, evidence, found, inputs, table

CONTRACT: dict[str, Any] = {
    "schema_version": 1,
    "columns": {
        "income": {"kind": "number", "minimum": 0, "maximum": 100, "missing": True},
        "children": {"kind": "whole", "minimum": 0, "maximum": 9},
        "owner": {"kind": "truth"},
        "town": {"kind": "text", "values": ["a", "b"], "others": True},
    },
    "examples": [{"income": 50, "children": 2, "owner": True, "town": "a"}],
    "output": {"minimum": 0, "maximum": 1},
    "rules": [
        {"rule": "monotonic", "name": "more income never hurts", "column": "income", "direction": "rising", "start": 0,
         "stop": 100},
        {"rule": "invariant", "name": "the town does not matter", "column": "town", "values": ["a", "b", "c"]},
        {"rule": "expected", "name": "the rich are likely", "row": {"income": 100}, "at_least": 0.9},
    ],
}  # fmt: skip


def honest(rows: pd.DataFrame) -> Any:
    return rows["income"].fillna(50).to_numpy() / 100


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    kinds = {"income": "double", "children": "long", "owner": "boolean", "town": "string"}
    return described(tmp_path, kinds)


def described(folder: Path, kinds: dict[str, str]) -> Path:
    columns = [{"name": name, "type": kind, "required": True} for name, kind in kinds.items()]
    (folder / "MLmodel").write_text(json.dumps({"signature": {"inputs": json.dumps(columns)}}))
    return folder


def ask(folder: Path, function: Any = honest, contract: dict[str, Any] = CONTRACT, **given: Any) -> Evidence:
    documents = {"contract": document(json.dumps(contract))}
    taken = inputs(folder, documents=documents, predictor=FunctionModel(function), **given)
    return evidence(ContractGate(), taken, {"failed_cases": {"at_most": 0}})


def test_a_model_that_keeps_its_contract_passes(folder: Path) -> None:
    said = ask(folder)
    assert (said.outcome, said.reasons) == (Outcome.PASSED, ())
    assert found(said, "cases").value == 19
    assert found(said, "failed_cases").value == 0
    assert len(said.details["cases"]) == 19


def test_an_answer_exactly_at_the_end_of_its_range_passes_and_one_beyond_fails(folder: Path) -> None:
    assert ask(folder).outcome is Outcome.PASSED
    said = ask(folder, lambda rows: honest(rows) + 0.01)
    assert "income at its maximum: answered 1.01, which is above 1" in said.reasons
    said = ask(folder, lambda rows: honest(rows) - 0.01)
    assert "income at its minimum: answered -0.01, which is below 0" in said.reasons


def refuses(rows: pd.DataFrame) -> Any:
    if rows["income"].isna().any():
        raise ModelFailed("ValueError: Input contains NaN")
    return honest(rows)


def knows_two_towns(rows: pd.DataFrame) -> Any:
    if not rows["town"].isin(["a", "b", "c"]).all():
        raise ModelFailed("KeyError: unknown town")
    return honest(rows)


CALLS = {"n": 0}


def remembers(rows: pd.DataFrame) -> Any:
    CALLS["n"] += 1
    return np.clip(honest(rows) - CALLS["n"] * 1e-6, 0, 1)


def looks_beside(rows: pd.DataFrame) -> Any:
    return np.clip(honest(rows) - 0.001 * len(rows), 0, 1)


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (refuses, "income is missing: no answer: ValueError: Input contains NaN"),
        (knows_two_towns, "town is new: no answer: KeyError: unknown town"),
        (lambda rows: 0.9 - honest(rows) * 0.1, "more income never hurts (row 0): income from 0 to 5.26316 moves"),
        (
            lambda rows: np.where(rows["town"] == "c", 0.1, honest(rows)),
            "the town does not matter (row 0): town alone moves the answer by 0.4",
        ),
        (lambda rows: honest(rows) * 0.89, "the rich are likely: answered 0.89, which is below 0.9"),
        (lambda rows: np.where(rows["children"] == 9, np.nan, 0.5), "children at its maximum: no answer: 1 of "),
        (remembers, "the same rows are answered the same again: the answers differ by 1e-06"),
        (looks_beside, "rows are answered"),
    ],
)
def test_each_broken_promise_is_named(folder: Path, function: Any, reason: str) -> None:
    first = {"income": 50, "children": 2, "owner": True, "town": "a"}
    contract = {**CONTRACT, "examples": [first, {**first, "income": 70}]}
    said = ask(folder, function, contract)
    assert said.outcome is Outcome.FAILED
    reasons = said.reasons if function is not looks_beside else tuple(
        one.replace("a row is answered the same alone", "rows are answered alone") for one in said.reasons
    )  # fmt: skip
    assert any(one.startswith(reason) for one in reasons), said.reasons


def test_whole_numbers_and_truths_reach_the_model_as_such(folder: Path) -> None:
    kinds: set[tuple[str, str, str]] = set()

    def look(rows: pd.DataFrame) -> Any:
        kinds.add((rows["income"].dtype.kind, rows["children"].dtype.kind, rows["owner"].dtype.kind))
        return honest(rows)

    ask(folder, look)
    assert kinds == {("f", "i", "b")}


def test_rules_are_tried_on_rows_of_real_data_too(folder: Path) -> None:
    frame = pd.DataFrame({"income": [10.0, None], "children": [1, 0], "owner": [True, False], "town": ["a", "z"]})
    said = ask(folder, tables={"evaluation": table(frame)})
    assert found(said, "cases").value == 23
    assert "rules were tried on the contract's own examples alone" not in said.unchecked
    spoilt = ask(
        folder,
        lambda rows: np.where((rows["children"] == 0) & (rows["town"] == "b"), 0.99, honest(rows)),
        tables={"evaluation": table(frame)},
    )
    assert any(one.startswith("the town does not matter (row ") for one in spoilt.reasons)


def test_the_contract_and_the_model_s_schema_agree(tmp_path: Path) -> None:
    said = ask(described(tmp_path, {"income": "string", "children": "long", "owner": "boolean", "race": "string"}))
    assert set(said.reasons) >= {
        "income: the model takes string; accepted: double, float",
        "town: the contract names it and the model does not take it",
        "race: the model takes it and the contract does not name it",
    }


def test_a_model_without_a_schema_breaks_every_contract(tmp_path: Path) -> None:
    assert ask(tmp_path).reasons[0] == "the model has a schema: its file MLmodel names no columns"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"columns": {}}, "columns"),
        ({"examples": [{"income": 5}]}, "example 0 has not the columns of the contract: children, owner, town"),
        (
            {"rules": [{"rule": "invariant", "name": "x", "column": "race", "values": [1, 2]}]},
            "names the column 'race'",
        ),
        ({"rules": [{"rule": "expected", "name": "x", "row": {}}]}, "accepted: at_least, at_most or both"),
        ({"rules": [{"rule": "magic", "name": "x"}]}, "magic"),
        ({"shape": 3}, "shape"),
    ],
)
def test_a_contract_that_cannot_be_read_fails_with_what_is_wrong(
    folder: Path, change: dict[str, Any], message: str
) -> None:
    said = ask(folder, contract={**CONTRACT, **change})
    assert said.outcome is Outcome.FAILED
    assert message in said.reasons[0]


def test_an_example_of_another_kind_than_its_column_fails(folder: Path) -> None:
    example = {**CONTRACT["examples"][0], "children": "two"}
    said = ask(folder, contract={**CONTRACT, "examples": [example]})
    assert any("a row of the contract is not of its columns' kinds" in one for one in said.reasons)


def test_a_release_without_a_contract_fails(folder: Path) -> None:
    said = evidence(ContractGate(), inputs(folder, predictor=FunctionModel(honest)))
    assert said.reasons == ("it was not given the document 'contract'",)
