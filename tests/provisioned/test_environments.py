"""The settings of dev, staging and prod, previewed as they are in the repository."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rehearsal.session import Session
from tests.provisioned.projects import config_of, lay_out

STATEFUL = (
    "aws:kms/key:Key", "aws:kms/replicaKey:ReplicaKey", "aws:s3/bucket:Bucket", "aws:rds/instance:Instance",
    "aws:dynamodb/table:Table", "aws:ecr/repository:Repository",
)  # fmt: skip
"""What holds what cannot be made again."""


VAULTS = ("::vault-bucket", "::vault-recovery-bucket")


def previewed(session: Session, environment: str, directory: Path) -> list[dict[str, Any]]:
    """Return the resources that a preview of an environment would register, as the engine has them."""
    lay_out(directory, environment, config_of(environment))
    session.pulumi("stack", "init", environment, directory=directory)
    try:
        answer = session.pulumi("preview", "--json", directory=directory)
    finally:
        session.pulumi("stack", "rm", environment, "--yes", "--force", directory=directory)
    steps: list[dict[str, Any]] = json.loads(answer.stdout)["steps"]
    return [step["newState"] for step in steps]


@pytest.mark.parametrize(("environment", "regions"), [("dev", 1), ("staging", 2), ("prod", 2)])
def test_an_environment_previews_as_it_is(session: Session, tmp_path: Path, environment: str, regions: int) -> None:
    resources = previewed(session, environment, tmp_path)
    vaults = [one for one in resources if one["type"] == "aws:s3/bucket:Bucket" and one["urn"].endswith(VAULTS)]
    assert len(vaults) == regions
    held = {one["type"] for one in resources if one["type"] in STATEFUL}
    assert held == set(STATEFUL) - ({"aws:kms/replicaKey:ReplicaKey"} if regions == 1 else set())
    unprotected = [one["urn"] for one in resources if one["type"] in STATEFUL and not one.get("protect")]
    assert (unprotected == []) is (environment != "dev")
