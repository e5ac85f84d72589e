"""The layer `foundation` brought up, used and taken down, and settings that are refused."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import botocore.exceptions
import pytest

from rehearsal.session import Session
from tests.provisioned.projects import Project, added, foundation_config


def up_and_down(project: Project, use: Callable[[Project], None]) -> Any:
    """Bring a stack up, use it and have plain Pulumi destroy it; return what the destruction answered."""
    project.pulumi("up", "--yes", "--skip-preview")
    use(project)
    return project.pulumi("destroy", "--yes", "--skip-preview", check=False)


def test_an_empty_vault_goes_and_one_with_a_locked_object_stays_guarded_with_its_keys(
    session: Session, tmp_path: Path
) -> None:
    empty, locked = (Project(session, tmp_path / name, foundation_config()) for name in ("empty", "locked"))
    before = empty.inventory()
    s3 = session.client("s3")
    left: dict[str, Any] = {}

    def put(project: Project) -> None:
        left.update(project.foundation())
        s3.put_object(Bucket=left["vault"]["bucket_name"], Key="evidence.json", Body=b"{}", IfNoneMatch="*")

    # Side by side, because the provider waits a minute for each.
    with ThreadPoolExecutor() as pool:
        gone, stayed = pool.map(up_and_down, (empty, locked), (lambda _: None, put))

    assert gone.returncode == 0, gone.stdout + gone.stderr
    assert stayed.returncode != 0
    assert "BucketNotEmpty" in stayed.stdout + stayed.stderr
    vault = left["vault"]
    kms = f"arn:aws:kms:{session.cloud.region}:{session.cloud.account_id}"
    assert added(before, empty.inventory()) == {
        "s3": {vault["bucket_arn"]},
        "kms": {
            *(key["key_arn"] for key in left["signing_keys"].values()),
            *(f"{kms}:{key['alias']}" for key in left["signing_keys"].values()),
            vault["encryption_key_arn"],
            f"{kms}:alias/interlock-{locked.stack}-evidence",
        },
    }
    refusals: list[Callable[[], object]] = [
        lambda: s3.delete_object(Bucket=vault["bucket_name"], Key="evidence.json"),
        lambda: s3.put_object(Bucket=vault["bucket_name"], Key="evidence.json", Body=b"other"),
        lambda: s3.delete_bucket_policy(Bucket=vault["bucket_name"]),
    ]
    for refused in refusals:
        with pytest.raises(botocore.exceptions.ClientError, match="AccessDenied"):
            refused()
    known = locked.pulumi("stack", "--show-urns").stdout
    assert (known.count("aws:kms/key:Key "), known.count("aws:s3/bucket:Bucket ")) == (7, 1)


def test_wrong_settings_are_all_said_in_plain_words_and_nothing_is_created(session: Session, tmp_path: Path) -> None:
    config = foundation_config()
    config["interlock:vault"] = {"retention_days": 7}
    config["interlock:colour"] = "red"
    config["interlock:network"] = {
        "cidr_block": "10.20.0.0/16",
        "subnets": {"eu-west-1a": "10.20.0.0/20", "eu-west-1b": "10.20.8.0/21"},
    }
    project = Project(session, tmp_path / "project", config)
    before = project.inventory()

    answer = project.pulumi("up", "--yes", "--skip-preview", check=False)

    said = answer.stdout + answer.stderr
    assert answer.returncode != 0
    assert "settings: 3 wrong values" in said
    assert "interlock:vault.retention_days: received 7; accepted: a whole number from 30 to 7305 days" in said
    assert "interlock:colour: received 'red'; accepted: no such setting; there are environment" in said
    assert "10.20.0.0/20 overlaps 10.20.8.0/21" in said
    assert "Traceback" not in said
    assert added(before, project.inventory()) == {}
