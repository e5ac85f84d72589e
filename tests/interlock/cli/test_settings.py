"""`interlock settings`: all that is wrong at once with exit code 2, and differences in words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from typer.testing import CliRunner

from interlock.cli.main import app
from tests.stacks.configurations import local, prod
from tests.stacks.test_settings import WRONG, WRONG_IN_PROD

ROOT = Path(__file__).resolve().parents[3]


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["settings", *arguments])


def written(directory: Path, config: dict[str, str], stack: str = "one-stack") -> str:
    file = directory / f"Pulumi.{stack}.yaml"
    file.write_text(yaml.safe_dump({"config": config}))
    return str(file)


KINDS = {what: (local(**changed), path) for what, (changed, path, _, _) in WRONG.items()} | {
    f"in prod, {what}": (prod(**changed), path) for what, (changed, path, _, _) in WRONG_IN_PROD.items()
}


@pytest.mark.parametrize("what", sorted(KINDS))
def test_each_kind_of_wrong_setting_ends_with_exit_code_2_and_its_path(what: str, tmp_path: Path) -> None:
    config, path = KINDS[what]
    result = run("check", written(tmp_path, config))
    assert result.exit_code == 2, result.output
    assert f"interlock:{path}: received " in result.output
    assert "; accepted: " in result.output
    assert "Traceback" not in result.output


def test_there_are_more_kinds_than_anyone_would_try() -> None:
    assert len(KINDS) >= 50


def test_all_that_is_wrong_is_one_document_for_programs(tmp_path: Path) -> None:
    config = local(vault={"retention_days": 7}, colour="red", recovery={"region": "eu-west-1"})
    result = run("check", written(tmp_path, config), "--output", "json")
    assert result.exit_code == 2
    document = json.loads(result.stdout)
    assert (document["outcome"], document["message"]) == ("bad input", "the settings of one-stack have 4 wrong values")
    assert {problem["path"] for problem in document["problems"]} == {
        "interlock:vault.retention_days", "interlock:colour", "interlock:recovery.region", "interlock:recovery.network",
    }  # fmt: skip


def test_right_settings_end_with_what_they_provision_where(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT / "docs")
    result = run("check", "prod")
    assert result.exit_code == 0, result.output
    assert (
        "prod: nothing wrong; environment prod, foundation and platform in eu-west-1 and eu-central-1" in result.output
    )


def test_without_a_name_every_stack_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    document = json.loads(run("check", "-o", "json").stdout)
    assert set(document["stacks"]) == {"local", "dev", "staging", "prod"}


@pytest.mark.parametrize("name", ["prd", "none.yaml", "stacks"])
def test_a_stack_that_there_is_not_is_bad_input(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    result = run("check", name)
    assert result.exit_code == 2
    assert "Traceback" not in result.output


def test_the_difference_of_two_environments_is_said_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    result = run("diff", "dev", "prod")
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert (
        "  tracking.database.multi_az: dev false, prod true — the database survives the loss of a zone only in prod"
        in lines
    )
    assert "tracking" in lines
    assert "recovery" in lines


def test_the_difference_is_data_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    document = json.loads(run("diff", "dev", "prod", "--output", "json").stdout)
    (found,) = [one for one in document["differences"] if one["path"] == "tracking.database.multi_az"]
    assert found["values"] == {"dev": False, "prod": True}
    assert found["section"] == "tracking"


def test_stacks_that_are_alike_are_said_to_be() -> None:
    file = str(ROOT / "stacks" / "Pulumi.prod.yaml")
    assert run("diff", file, file).output.strip().endswith("do not differ")


def test_wrong_settings_are_not_compared(tmp_path: Path) -> None:
    wrong, right = written(tmp_path, local(region="mars"), "wrong"), written(tmp_path, local(), "right")
    result = run("diff", wrong, right)
    assert result.exit_code == 2
    assert "wrong  interlock:region: received 'mars'" in result.output
