"""Only sources on the tier's list count, and a URI that begins like one of them may still leave it."""

from __future__ import annotations

import pandas as pd
import pytest

from interlock.release.evidence import Evidence, Outcome
from interlock.release.gates.gate import GateInputs, Origin, Table
from interlock.release.gates.lineage import LineageGate, is_approved
from interlock.release.gates.running import prepare_gate
from tests.interlock.release.gates.given import NOW, evidence, found, inputs, table, terms

LIST = ("s3://approved/loans/", "https://data.example/table.csv")


def given(*sources: str, approved: tuple[str, ...] = LIST, tables: dict[str, Table] | None = None) -> GateInputs:
    return inputs(origin=Origin(sources, {"loans": "ab" * 32}), approved_sources=approved, tables=tables or {})


def ask(*sources: str, approved: tuple[str, ...] = LIST, tables: dict[str, Table] | None = None) -> Evidence:
    taken = given(*sources, approved=approved, tables=tables)
    return evidence(LineageGate(), taken, {"unapproved_sources": {"at_most": 0}})


def test_sources_on_the_list_pass() -> None:
    assert ask("s3://approved/loans/2026/train.csv", "https://data.example/table.csv").outcome is Outcome.PASSED


def test_a_source_that_is_not_on_the_list_fails_and_is_named() -> None:
    said = ask("s3://approved/loans/train.csv", "s3://elsewhere/\x1b[31m.csv")
    assert said.outcome is Outcome.FAILED
    assert "the source 's3://elsewhere/\\x1b[31m.csv' is not on the tier's list" in said.reasons


@pytest.mark.parametrize(
    "source",
    [
        "s3://approved/loans/../secret.csv",
        "s3://approved/loans/./a",
        "s3://approved/loans/..",
        "s3://approved/loans/%2e%2e/secret.csv",
        "s3://approved/loans//etc",
        "s3://approved/loans/a?version=2",
        "s3://approved/loans/a#b",
        "s3://approved/loans/a\\..\\b",
        "s3://approved/loans/a\nb",
        "s3://approved/loans/",
        "s3://approved/loans",
        "s3://approved/loansharks/a",
        "S3://APPROVED/loans/a",
        "https://data.example/table.csv.bak",
        "https://data.example/table.csv/x",
        "",
    ],
)
def test_a_uri_that_only_begins_like_an_approved_one_is_not_approved(source: str) -> None:
    assert is_approved(source, LIST) is (source in LIST)


def test_no_source_at_all_and_an_empty_list_fail() -> None:
    assert ask().outcome is Outcome.FAILED
    assert ask("s3://approved/loans/a", approved=()).outcome is Outcome.FAILED


def test_a_training_table_that_is_no_pinned_snapshot_is_told() -> None:
    said = ask("s3://approved/loans/a", tables={"training": table(pd.DataFrame({"a": [1]}))})
    assert any("none of the snapshots" in one for one in said.unchecked)
    assert said.outcome is Outcome.PASSED


@pytest.mark.parametrize(("part", "unknown"), [("training", 1), ("evaluation", 1), ("out_of_fold", 1), ("serving", 0)])
def test_a_policy_may_demand_that_tables_are_snapshots_of_the_pin(part: str, unknown: int) -> None:
    pinned = Table(pd.DataFrame({"a": [1]}), "ab" * 32)
    tables = {"training": pinned, part: table(pd.DataFrame({"a": [2]}))}
    limits = {"unknown_tables": {"at_most": 0}}
    prepared = prepare_gate(LineageGate(), given("s3://approved/loans/a", tables=tables), terms(limits))
    answer = prepared.answer(lambda: NOW)
    assert found(answer.evidence, "unknown_tables").value == unknown
    assert (answer.evidence.outcome is Outcome.PASSED, answer.unfit is None) == (unknown == 0, unknown == 0)


def test_a_release_without_a_pinned_origin_fails() -> None:
    assert evidence(LineageGate(), inputs(approved_sources=LIST)).outcome is Outcome.FAILED
