"""Choosing what to import, and telling what an update would do to it; the whole is run in tests/provisioned."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from interlock.adoption import changes_of, chosen, known_as
from interlock.cli.adopting import read_identifiers
from interlock.cli.main import app
from interlock.failures import BadInput

CREATED: list[dict[str, Any]] = [
    {"type": "pulumi:providers:aws", "name": "aws", "inputs": {}},
    {"type": "pulumi:providers:aws", "name": "aws-recovery", "inputs": {}},
    {"type": "interlock:storage:ArtifactStore", "name": "artifacts", "component": True},
    {"type": "interlock:storage:PrivateBucket", "name": "artifacts-store", "parent": "artifacts", "component": True},
    {
        "type": "aws:s3/bucket:Bucket", "name": "artifacts-store-bucket", "id": "<PLACEHOLDER>",
        "parent": "artifacts-store", "provider": "aws",
    },
    {"type": "aws:ec2/vpc:Vpc", "name": "network-vpc", "id": "<PLACEHOLDER>", "provider": "aws"},
]  # fmt: skip


def test_what_is_chosen_comes_with_its_id_its_parents_and_its_provider_and_nothing_else() -> None:
    entries = chosen(CREATED, {"artifacts-store-bucket": "hand-made"})
    assert [one["name"] for one in entries] == ["aws", "artifacts", "artifacts-store", "artifacts-store-bucket"]
    assert [one.get("id") for one in entries] == [None, None, None, "hand-made"]


def test_unknown_names_are_all_told_with_the_nearest_known_one() -> None:
    with pytest.raises(BadInput) as refused:
        chosen(CREATED, {"artifact-store-bucket": "x", "artifacts": "y", "zzz": "z"})
    reasons = "\n".join(refused.value.reasons)
    assert "received 'artifact-store-bucket'; did you mean 'artifacts-store-bucket'?" in reasons
    assert "received 'artifacts'" in reasons
    assert "received 'zzz'; accepted is a resource's name" in reasons


def step(name: str, operation: str, *paths: str, custom: bool = True) -> dict[str, Any]:
    return {
        "urn": f"urn:pulumi:s::p::t::{name}", "op": operation, "newState": {"custom": custom},
        "detailedDiff": {path: {"kind": "update"} for path in paths},
    }  # fmt: skip


def test_changes_are_those_of_the_adopted_resources_alone() -> None:
    steps = [step("vpc", "update", "tags"), step("bucket", "same"), step("other", "replace"), step("vpc", "replace")]
    found = changes_of(steps, ["vpc", "bucket"])
    assert [(one.name, one.operation, one.paths) for one in found] == [
        ("vpc", "update", ("tags",)),
        ("vpc", "replace", ()),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "accepted is a mapping"),
        ("- a\n- b\n", "received list"),
        ("vpc: 12\n", "vpc: received 12"),
        ("vpc: [\n", "neither YAML nor JSON"),
    ],
)
def test_a_wrong_file_is_bad_input(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "ids.yaml"
    file.write_text(text)
    with pytest.raises(BadInput) as refused:
        read_identifiers(file)
    assert said in str(refused.value)
    answer = CliRunner().invoke(app, ["stack", "adopt", str(file), "--stack", "pulumi:any"])
    assert answer.exit_code == 2


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="No such file"):
        read_identifiers(tmp_path / "none.yaml")


def test_what_was_imported_by_the_names_of_two_resources_is_known_again() -> None:
    association = ["rtbassoc-01", "subnet-01", "rtb-01"]
    assert known_as("subnet-01/rtb-01", association)
    assert known_as("rtbassoc-01", association)
    assert not known_as("subnet-01/rtb-02", association)
    assert not known_as("subnet-02", association)
