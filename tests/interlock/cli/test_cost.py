from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from interlock.cli.main import app
from tests.interlock.cost.previews import database, endpoint, keys, preview, step
from tests.interlock.cost.tables import table_document


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "preview.json"
    path.write_text(json.dumps(preview(*keys(2), database(), step("aws:redshift/cluster:Cluster", "warehouse", {}))))
    return path


def run(*arguments: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["cost", *map(str, arguments)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def document(*arguments: str | Path) -> Any:
    code, text = run(*arguments, "--output", "json")
    assert code == 0, text
    return json.loads(text)


def test_a_person_reads_total_shares_dearest_lines_gaps_assumptions_and_date(saved: Path) -> None:
    code, text = run("--preview", saved)
    assert code == 0
    assert "prod costs about" in text
    for words in ("eu-west-1", "what costs most", "db.m7g.large in one zone", "not priced, and not in the total",
                  "warehouse", "assumed, a month", "backup_ratio", "prices as of 2026-06-30"):  # fmt: skip
        assert words in text, words


def test_the_document_says_the_same_to_a_program(saved: Path) -> None:
    found = document("--preview", saved)
    assert float(found["usd_a_month"]) == pytest.approx(
        sum(float(one["usd_a_month"]) for one in found["lines"]), abs=0.1
    )
    assert [one["resource"] for one in found["not_priced"]] == ["warehouse"]
    assert found["dominant"][0]["resource"] == "database"
    assert found["lines"][0]["page"].startswith("https://aws.amazon.com/")


def test_own_prices_and_assumptions_are_taken(saved: Path, tmp_path: Path) -> None:
    prices, usage = tmp_path / "prices.json", tmp_path / "usage.yaml"
    prices.write_text(json.dumps(table_document({("kms.key", "each"): 100}), default=str))
    usage.write_text("key: {requests: 0}\n")
    found = document("--preview", saved, "--prices", prices, "--usage", usage)
    assert {one["usd_a_month"] for one in found["lines"] if one["resource"] == "key-0"} == {"100.00", "0.00"}
    assert found["prices_as_of"] == ["2026-06-01", "2026-06-30"]


def test_two_previews_are_compared(saved: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    other.write_text(json.dumps(preview(*keys(2), database(), *endpoint(1))))
    found = document("--preview", saved, "--compare", f"file:{other}")
    more = float(found["second"]["usd_a_month"]) - float(found["first"]["usd_a_month"])
    assert float(found["more_usd_a_month"]) == pytest.approx(more, abs=0.01)
    code, text = run("--preview", saved, "--compare", f"file:{other}")
    assert code == 0
    assert f"{more:.2f} US dollars a month more than prod" in text


def test_old_prices_are_warned_of(saved: Path, tmp_path: Path) -> None:
    prices = tmp_path / "old.json"
    prices.write_text(json.dumps(table_document({("kms.key", "each"): 1}, as_of="2020-01-01"), default=str))
    _, text = run("--preview", saved, "--prices", prices)
    assert "warning: the prices of 2020-01-01 are" in text


BAD: dict[str, tuple[list[str], str]] = {
    "no such preview": (["--preview", "{}/nowhere.json"], "nowhere.json: No such file"),
    "no JSON": (["--preview", "{}/text"], "holds no JSON"),
    "no preview": (["--preview", "{}/empty"], "a document without steps"),
    "no prices": (["--preview", "{}/preview.json", "--prices", "{}/empty"], "schema_version: received nothing"),
    "wrong use": (["--preview", "{}/preview.json", "--usage", "{}/wrong"], "did you mean gib?"),
    "not a stack": (["--stack", "ssm:/interlock"], "accepted is pulumi:<stack>"),
    "not a stack to compare with": (["--preview", "{}/preview.json", "--compare", "ssm:/x"], "pulumi:<stack>"),
}


@pytest.mark.parametrize("case", sorted(BAD))
def test_a_users_mistake_gets_one_message_and_exit_code_2(case: str, saved: Path) -> None:
    (saved.parent / "text").write_text("steps\x00")
    (saved.parent / "empty").write_text("{}")
    (saved.parent / "wrong").write_text("bucket: {gibs: 3}")
    arguments, words = BAD[case]
    code, text = run(*(one.replace("{}", str(saved.parent)) for one in arguments))
    assert code == 2, text
    assert words in text
