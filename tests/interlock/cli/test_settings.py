"""`interlock settings`: all that is wrong at once with exit code 2, and differences in words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from typer.testing import CliRunner

from components.validation import ArgumentError
from interlock.cli.main import app
from policy.recording.monitor import record
from stacks.program import provision
from tests.stacks.configurations import local, prod
from tests.stacks.test_contradictions import APART, APART_IN_PROD
from tests.stacks.test_prod_settings import WRONG_IN_PROD
from tests.stacks.test_settings import WRONG

ROOT = Path(__file__).resolve().parents[3]


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["settings", *arguments])


def written(directory: Path, config: dict[str, str], stack: str = "one-stack") -> str:
    file = directory / f"Pulumi.{stack}.yaml"
    file.write_text(yaml.safe_dump({"config": config}))
    return str(file)


KINDS = {what: (local(**changed), path) for what, (changed, path, _, _) in {**WRONG, **APART}.items()} | {
    f"in prod, {what}": (prod(**changed), path)
    for what, (changed, path, _, _) in {**WRONG_IN_PROD, **APART_IN_PROD}.items()
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


MANY: dict[str, Any] = {
    "environment": "prod",
    "account_id": "12345",
    "region": "mars",
    "role_arn": "arn:aws:iam::123456789012:user/a",
    "layers": ["foundation", "platform", "cellar"],
    "disposable": "true",
    "colour": "red",
    "tags": {"owner": "", "tier": "top", "data_class": "restricted", "cost_center": "4714"},
    "accounts": {"evidence": {"account_id": "123"}},
    "recovery": ...,
    "administrators": ["arn:aws:s3:::bucket"],
    "approvers": [{"name": "ana", "source_identity": "aws:ana"}, {"name": "ana", "source_identity": "ben"}],
    "signers": {"cook": ["arn:aws:iam::123456789012:role/cook"]},
    "vault": {"retention_days": 7},
    "log_retention_days": "31",
    "network": {"cidr_block": "8.8.0.0/16", "subnets": {"eu-west-1a": "10.70.0.0/20"}},
    "tracking": {
        "domain": "no_domain",
        "certificate_arn": "certificate",
        "image": "nginx:latest",
        "size": "huge",
        "task_count": 0,
        "database": {
            "instance_class": "ml.m5.large",
            "storage_gib": {"min": 200, "max": 100},
            "multi_az": "perhaps",
            "backup_retention_days": 0,
        },
    },
    "runner": {},
    "budget": {"monthly_usd": -1},
    "endpoints": [
        {
            "name": "credit",
            "image": "nginx",
            "instance_type": "m5.large",
            "instances": {"min": 3, "max": 2},
            "p99_latency_limit_ms": "fast",
        }
    ],
}
WRONG_PATHS = {
    "account_id", "region", "role_arn", "layers[2]", "disposable", "colour", "tags.owner", "tags.tier",
    "tags.cost_center", "tags.cost_centre", "accounts.evidence.account_id", "recovery", "administrators", "approvers",
    "approvers[0].source_identity", "signers.cook", "signers", "vault.retention_days", "log_retention_days",
    "network.cidr_block", "network.subnets", "tracking.domain", "tracking.certificate_arn", "tracking.image",
    "tracking.size", "tracking.task_count", "tracking.database.instance_class",
    "tracking.database.storage_gib.max", "tracking.database.multi_az", "tracking.database.backup_retention_days",
    "runner.image", "budget.monthly_usd", "endpoints[0].image", "endpoints[0].instance_type",
    "endpoints[0].instances.max", "endpoints[0].p99_latency_limit_ms",
}  # fmt: skip


def test_many_kinds_of_mistakes_in_one_file_are_all_told_at_once(tmp_path: Path) -> None:
    result = run("check", written(tmp_path, prod(**MANY)))
    assert result.exit_code == 2
    told = {line.strip().partition(": ")[0] for line in result.output.splitlines() if ": received " in line}
    assert told == {f"interlock:{path}" for path in WRONG_PATHS}
    assert "Traceback" not in result.output


def test_a_run_of_the_program_tells_them_as_the_check_does(tmp_path: Path) -> None:
    checked = run("check", written(tmp_path, prod(**MANY)))
    with pytest.raises(ArgumentError) as caught:
        record(lambda: provision(prod(**MANY)), preview=True, stack="one-stack")
    assert str(caught.value).splitlines()[1:] == checked.output.splitlines()[1:]


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
    assert set(document["stacks"]) == {"local", "local-foundation", "dev", "staging", "prod"}


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


def shared(directory: Path, **images: dict[str, Any]) -> dict[str, str]:
    """Write a prod stack for each of `images`, all in one evidence account; return their files by stack."""
    publishers = {"publishers": ["arn:aws:iam::123456789012:role/builder"]}
    return {stack: written(directory, prod(images={**publishers, **chosen}), stack) for stack, chosen in images.items()}


AT_ODDS: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "an owner that does not know of it": ({"replicated_by": "two"}, {}, "images.replicated_by: received 'two'"),
    "one that does not know of its owner": ({"replicates": ["two"]}, {}, "images.replicates: received 'two'"),
    "itself": ({"replicated_by": "one"}, {}, "images.replicated_by: received 'one'"),
    "itself among others": ({"replicates": ["one"]}, {}, "images.replicates: received 'one'"),
}


@pytest.mark.parametrize("what", AT_ODDS)
def test_what_two_stacks_say_of_one_registry_is_compared_where_both_files_are(what: str, tmp_path: Path) -> None:
    one, two, told = AT_ODDS[what]
    result = run("check", shared(tmp_path, one=one, two=two)["one"])
    assert result.exit_code == 2, result.output
    assert f"interlock:{told}; accepted: " in result.output


def test_stacks_that_agree_on_their_registry_are_right_and_so_is_one_whose_owner_is_not_there(tmp_path: Path) -> None:
    files = shared(tmp_path, one={"replicated_by": "two"}, two={"replicates": ["one"]}, three={"replicated_by": "far"})
    assert [run("check", file).exit_code for file in files.values()] == [0, 0, 0]


def test_an_owner_of_another_region_copies_nothing_of_this_one(tmp_path: Path) -> None:
    file = shared(tmp_path, one={"replicated_by": "two"}, two={"replicates": ["one"]})["one"]
    other = yaml.safe_load(Path(file).with_name("Pulumi.two.yaml").read_text())["config"]
    recovery = json.loads(other["interlock:recovery"])
    subnets = {
        zone.replace("eu-central-1", "eu-north-1"): block for zone, block in recovery["network"]["subnets"].items()
    }
    moved = {"region": "eu-north-1", "network": {**recovery["network"], "subnets": subnets}}
    written(tmp_path, {**other, "interlock:recovery": json.dumps(moved)}, "two")
    result = run("check", file)
    assert result.exit_code == 2, result.output
    assert "two copies those of account 210987654321 from eu-west-1 to eu-north-1" in result.output
