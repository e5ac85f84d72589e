"""The layer `foundation` brought up, used and taken down, and settings that are refused."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import botocore.exceptions
import pytest

from rehearsal.session import Session
from tests.provisioned.projects import foundation_config, lay_out


class Project:
    """One stack of the program, in a project folder of its own."""

    def __init__(self, session: Session, directory: Path, config: Mapping[str, Any]) -> None:
        self.session = session
        self.stack = f"evidence-{uuid.uuid4().hex[:8]}"
        self.directory = lay_out(directory / "project", self.stack, config)
        self.pulumi("stack", "init", self.stack)

    def pulumi(self, *arguments: str, check: bool = True) -> Any:
        return self.session.pulumi(*arguments, directory=self.directory, check=check)

    def inventory(self) -> dict[str, list[str]]:
        """Return what lies in the cloud, service by service."""
        return {service: list(arns) for service, arns in self.session.ask("inventory").items()}

    def vault(self) -> str:
        outputs = self.pulumi("stack", "output", "--json").stdout
        name: str = json.loads(outputs)["foundation"]["vault"]["bucket_name"]
        return name


@pytest.fixture
def project(session: Session, tmp_path: Path) -> Project:
    return Project(session, tmp_path, foundation_config())


def added(before: Mapping[str, list[str]], after: Mapping[str, list[str]]) -> dict[str, set[str]]:
    found = {service: set(arns) - set(before.get(service, [])) for service, arns in after.items()}
    return {service: arns for service, arns in found.items() if arns}


def test_a_stack_with_an_empty_vault_destroys_to_nothing(project: Project) -> None:
    before = project.inventory()
    project.pulumi("up", "--yes", "--skip-preview")
    assert set(added(before, project.inventory())) == {"kms", "s3"}

    project.pulumi("destroy", "--yes", "--skip-preview")

    assert added(before, project.inventory()) == {}


def test_with_a_locked_object_exactly_the_vault_and_its_keys_remain_and_are_guarded(project: Project) -> None:
    before = project.inventory()
    project.pulumi("up", "--yes", "--skip-preview")
    vault = project.vault()
    s3 = project.session.client("s3")
    version = s3.put_object(Bucket=vault, Key="evidence.json", Body=b"{}", IfNoneMatch="*")["VersionId"]
    keys = added(before, project.inventory())["kms"]

    answer = project.pulumi("destroy", "--yes", "--skip-preview", check=False)

    assert answer.returncode != 0
    assert "BucketNotEmpty" in answer.stdout + answer.stderr
    assert added(before, project.inventory()) == {"s3": {f"arn:aws:s3:::{vault}"}, "kms": keys}
    assert len(keys) == 14
    refusals: list[Callable[[], object]] = [
        lambda: s3.delete_object(Bucket=vault, Key="evidence.json"),
        lambda: s3.delete_object(Bucket=vault, Key="evidence.json", VersionId=version),
        lambda: s3.put_object(Bucket=vault, Key="evidence.json", Body=b"other"),
        lambda: s3.delete_bucket_policy(Bucket=vault),
        lambda: s3.put_bucket_policy(Bucket=vault, Policy='{"Version": "2012-10-17", "Statement": []}'),
        lambda: s3.put_bucket_versioning(Bucket=vault, VersioningConfiguration={"Status": "Suspended"}),
    ]
    for refused in refusals:
        with pytest.raises(botocore.exceptions.ClientError, match="AccessDenied"):
            refused()
    known = project.pulumi("stack", "--show-urns").stdout
    assert known.count("aws:kms/key:Key ") == 7
    assert "vault-bucket" in known


def test_wrong_settings_are_all_said_in_plain_words_and_nothing_is_created(session: Session, tmp_path: Path) -> None:
    config = foundation_config()
    config["interlock:vault"] = {"retention_days": 7}
    config["interlock:colour"] = "red"
    config["interlock:network"] = {
        "cidr_block": "10.20.0.0/16",
        "subnets": {"eu-west-1a": "10.20.0.0/20", "eu-west-1b": "10.20.8.0/21"},
    }
    project = Project(session, tmp_path, config)
    before = project.inventory()

    answer = project.pulumi("up", "--yes", "--skip-preview", check=False)

    said = answer.stdout + answer.stderr
    assert answer.returncode != 0
    assert "settings: 3 wrong values" in said
    assert "interlock:vault.retention_days: received 7; accepted: a whole number from 30 to 36500 days" in said
    assert "interlock:colour: received 'red'; accepted: no such setting; there are environment" in said
    assert "10.20.0.0/20 overlaps 10.20.8.0/21" in said
    assert "Traceback" not in said
    assert added(before, project.inventory()) == {}
