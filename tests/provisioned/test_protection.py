"""Evidence in prod outlives mistakes: a destroy, and edits of the program that would lose what holds it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from interlock.failures import Refusal
from interlock.teardown import destroy
from rehearsal.session import Session
from tests.provisioned.projects import Project, added, config_of

PLATFORM = ("network", "tracking", "endpoints", "runner", "budget")

EDITED = """
import pulumi
import pulumi_aws as aws

original = aws.s3.Bucket.__init__


def edited(self, name, *args, **options):
    if name == "vault-bucket":
        {edit}
    original(self, name, *args, **options)


aws.s3.Bucket.__init__ = edited
"""
EDITS = {
    "renamed": 'name = "vault-store"',
    "moved": 'options["opts"] = pulumi.ResourceOptions.merge(options["opts"], pulumi.ResourceOptions(parent=None));'
    ' options["opts"].parent = None',
}


@pytest.fixture(scope="module")
def standing(session: Session, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The foundation of prod, in two regions and accounts, as its settings in the repository have it."""
    left_out = {f"interlock:{name}" for name in PLATFORM}
    config = {key: value for key, value in config_of("prod").items() if key not in left_out}
    made = Project(session, tmp_path_factory.mktemp("prod") / "project", config | {"interlock:layers": ["foundation"]})
    made.pulumi("up", "--yes", "--skip-preview")
    return made


def refused(standing: Project, before: Mapping[str, list[str]], *arguments: str) -> str:
    """Run an operation that must be refused and have changed nothing; return what it said."""
    answer = standing.pulumi(*arguments, "--yes", check=False)
    assert answer.returncode != 0
    after = standing.inventory()
    assert added(before, after) == {}
    assert added(after, before) == {}
    said: str = answer.stdout + answer.stderr
    return said


def test_a_destroy_of_prod_changes_nothing_before_the_protection_is_lifted(standing: Project) -> None:
    for options in ([], ["--skip-preview"]):
        said = refused(standing, standing.inventory(), "destroy", *options)
        assert "protect" in said


def test_a_destruction_of_prod_by_the_command_is_refused_before_it_has_begun(
    standing: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in standing.session.environment.items():
        monkeypatch.setenv(name, value)
    before = standing.inventory()
    with pytest.raises(Refusal) as said:
        destroy(standing.stack, now=datetime.now(UTC), directory=standing.directory)
    assert any("vault-bucket" in reason for reason in said.value.reasons)
    assert added(before, standing.inventory()) == added(standing.inventory(), before) == {}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS.keys())
def test_an_edit_that_would_replace_the_vault_is_stopped(standing: Project, edit: str) -> None:
    program = standing.directory / "stacks" / "__main__.py"
    whole = program.read_text()
    program.write_text(EDITED.format(edit=edit) + whole)
    try:
        said = refused(standing, standing.inventory(), "up")
    finally:
        program.write_text(whole)
    assert "vault-bucket" in said
    assert "protect" in said


def test_a_key_that_is_declared_no_more_stays(standing: Project) -> None:
    file = Path(standing.directory / "stacks" / f"Pulumi.{standing.stack}.yaml")
    whole = file.read_text()
    settings: dict[str, Any] = yaml.safe_load(whole)
    gone = settings["config"]["interlock:approvers"].pop()
    duties = settings["config"]["interlock:duties"]
    duties["people"] = [person for person in duties["people"] if person["name"] != gone["name"]]
    file.write_text(yaml.safe_dump(settings))
    try:
        said = refused(standing, standing.inventory(), "up")
    finally:
        file.write_text(whole)
    assert gone["name"] in said
    assert "protect" in said
