from __future__ import annotations

import hashlib
import json
import textwrap
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from typer.testing import CliRunner

from interlock.aws.vault import S3VaultWriter
from interlock.cli.main import app
from interlock.teardown import Teardown, destroy
from rehearsal.session import Session

PROGRAM = """
    import pulumi
    import pulumi_aws as aws
    from components.signing_keys import SigningKeys
    from components.vault import Vault

    account = aws.get_caller_identity_output().account_id
    administrator = account.apply(lambda number: [f"arn:aws:iam::{number}:user/administrator"])
    keys = SigningKeys("keys", {
        "account_id": account, "region": aws.get_region_output().region, "administrators": administrator,
        "alias_prefix": pulumi.get_stack(), "deletion_window_days": 7,
    })
    vault = Vault(
        "vault",
        {"encryption_key_arn": keys.evidence_key_arn, "administrators": [], "staging_force_destroy": True},
        pulumi.ResourceOptions(depends_on=[keys]),
    )
    aws.sqs.Queue("beside")
    pulumi.export("bucket", vault.bucket_name)
    pulumi.export("staging", vault.staging_bucket_name)
    pulumi.export("keys", keys.keys)
"""


@dataclass
class Provisioned:
    """A small stack with a vault, and how to destroy it."""

    name: str
    project: Path
    session: Session

    def output(self, name: str) -> str:
        return self.session.pulumi("stack", "output", name, "--stack", self.name, directory=self.project).stdout.strip()

    def destroy(self) -> Teardown:
        return destroy(self.name, now=datetime.now(UTC), directory=self.project)

    def bucket_is_there(self, name: str) -> bool:
        try:
            self.session.client("s3").head_bucket(Bucket=name)
        except ClientError:
            return False
        return True


@pytest.fixture(scope="module")
def stacks(session: Session, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Provisioned]]:
    """Two stacks of one program, provisioned side by side because the provider waits a minute for each."""
    project = Path(tmp_path_factory.mktemp("teardown"))
    (project / "Pulumi.yaml").write_text("name: teardown\nruntime: python\n")
    (project / "__main__.py").write_text(textwrap.dedent(PROGRAM))

    def up(name: str) -> Provisioned:
        session.pulumi("stack", "init", name, directory=project)
        session.pulumi("up", "--yes", "--skip-preview", "--stack", name, directory=project)
        return Provisioned(name, project, session)

    with pytest.MonkeyPatch.context() as patch:
        for name, value in session.environment.items():
            patch.setenv(name, value)
        patch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[2]))
        patch.chdir(project)
        with ThreadPoolExecutor() as pool:
            names = ("empty", "locked")
            yield dict(zip(names, pool.map(up, names), strict=True))


def test_a_stack_whose_vault_is_empty_is_destroyed_to_nothing(stacks: dict[str, Provisioned]) -> None:
    stack = stacks["empty"]
    bucket = stack.output("bucket")
    assert stack.bucket_is_there(bucket)
    result = stack.destroy()
    assert (result.locked, result.remaining, result.bucket_names) == ((), (), (bucket,))
    assert not stack.bucket_is_there(bucket)
    assert stack.destroy().remaining == ()


def test_with_locked_objects_exactly_the_vault_and_its_keys_remain(stacks: dict[str, Provisioned]) -> None:
    stack = stacks["locked"]
    bucket, staging = stack.output("bucket"), stack.output("staging")
    s3, kms = stack.session.client("s3"), stack.session.client("kms")
    body = b"evidence"
    S3VaultWriter(s3, bucket).put("releases/one", body, hashlib.sha256(body).hexdigest())
    s3.put_object(Bucket=staging, Key="waiting", Body=b"")

    result = stack.destroy()

    assert [(one.key, one.lock.until > datetime.now(UTC)) for one in result.locked] == [("releases/one", True)]
    assert {one.kind.split("/")[0] for one in result.remaining} == {"aws:s3", "aws:kms"}
    assert bucket in {one.identifier for one in result.remaining}
    assert stack.bucket_is_there(bucket)
    assert not stack.bucket_is_there(staging)
    assert s3.get_object(Bucket=bucket, Key="releases/one")["Body"].read() == body
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.delete_object(Bucket=bucket, Key="releases/one")
    keys = {one.identifier for one in result.remaining if one.kind == "aws:kms/key:Key"}
    assert {kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] for key in keys} == {"Enabled"}

    again = CliRunner().invoke(app, ["stack", "destroy", "--yes", "--stack", "pulumi:locked", "--output", "json"])
    document = json.loads(again.stdout)
    assert (again.exit_code, document["outcome"]) == (1, "refused")
    assert [one["key"] for one in document["locked"]] == ["releases/one"]
    assert [one["urn"] for one in document["remaining"]] == [one.urn for one in result.remaining]
    assert f"remains  aws:s3/bucket:Bucket  {bucket}" in document["reasons"]
