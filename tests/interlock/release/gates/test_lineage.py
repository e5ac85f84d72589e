"""Only sources on the tier's list count, and a URI that begins like one of them may still leave it."""

from __future__ import annotations

import pandas as pd
import pytest

from interlock.release.evidence import Evidence, Outcome
from interlock.release.gates.gate import Origin, Table
from interlock.release.gates.lineage import LineageGate, is_approved
from tests.interlock.release.gates.given import evidence, inputs, table

LIST = ("s3://approved/loans/", "https://data.example/table.csv")


def ask(*sources: str, approved: tuple[str, ...] = LIST, tables: dict[str, Table] | None = None) -> Evidence:
    given = inputs(origin=Origin(sources, {"loans": "ab" * 32}), approved_sources=approved, tables=tables or {})
    return evidence(LineageGate(), given, {"unapproved_sources": {"at_most": 0}})


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


def test_a_release_without_a_pinned_origin_fails() -> None:
    assert evidence(LineageGate(), inputs(approved_sources=LIST)).outcome is Outcome.FAILED
