"""A stack of one's own to release on: vault, staging bucket, keys, and people who come under their names."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from interlock.aws.kms import fetch_public_key
from interlock.aws.vault import S3VaultReader, S3VaultWriter
from interlock.cli.main import app
from interlock.duties.duty import SigningDuty
from interlock.release.tiers import POLICY_NAME, parse_policy
from interlock.release.trust.document import KeyDuty
from interlock.release.trust.drafting import Change, NewKey, first_root
from interlock.release.trust.published import publish
from rehearsal.cloud.server import LocalCloud
from tests.interlock.conftest import new_vault
from tests.interlock.release.trust.people import DAY, new_key, signed
from tests.rehearsal.cloud.roles import granting, trusting


def new_staging(cloud: LocalCloud) -> str:
    """Make a staging bucket as the stack configures it: versioned, and locked by nothing."""
    s3, name = cloud.client("s3"), f"staging-{uuid.uuid4().hex[:12]}"
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name})
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name


def released_on(cloud: LocalCloud, manifest: Path, directory: Path) -> Path:
    """Write the manifest of the same stack with a vault, a staging bucket and keys of the test's own."""
    document = json.loads(manifest.read_text())
    vault, staging, kms = new_vault(cloud), new_staging(cloud), cloud.client("kms")
    document["vault"] |= {
        "bucket_name": vault, "bucket_arn": f"arn:aws:s3:::{vault}",
        "staging_bucket_name": staging, "staging_bucket_arn": f"arn:aws:s3:::{staging}",
    }  # fmt: skip
    for duty in SigningDuty:
        key = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]
        document["signing_keys"][duty.value] |= {"key_arn": key["Arn"], "key_id": key["KeyId"]}
    path = directory / "manifest.json"
    path.write_text(json.dumps(document))
    return path


@dataclass
class ReleaseShell:
    """Runs `interlock` as somebody who bears a name, on a stack whose manifest lies in a file."""

    cloud: LocalCloud
    manifest: Path
    role: str
    patch: Any
    sessions: dict[str, dict[str, str]] = field(default_factory=dict)

    @classmethod
    def on(cls, cloud: LocalCloud, manifest: Path, patch: Any) -> ReleaseShell:
        arn: str = cloud.client("iam").create_role(
            RoleName=f"duty-{uuid.uuid4().hex[:8]}", AssumeRolePolicyDocument=trusting("*")
        )["Role"]["Arn"]
        granting(cloud, arn, "*")
        patch.setenv("AWS_ENDPOINT_URL", cloud.endpoint_url)
        patch.setenv("COLUMNS", "200")
        return cls(cloud, manifest, arn, patch)

    @property
    def parts(self) -> Any:
        return json.loads(self.manifest.read_text())

    def act_as(self, person: str) -> None:
        """Be somebody from now on."""
        if person not in self.sessions:
            given = self.cloud.client("sts").assume_role(RoleArn=self.role, RoleSessionName=person)["Credentials"]
            self.sessions[person] = {
                "AWS_ACCESS_KEY_ID": given["AccessKeyId"],
                "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
                "AWS_SESSION_TOKEN": given["SessionToken"],
            }
        for name, value in self.sessions[person].items():
            self.patch.setenv(name, value)

    def run(self, person: str, *arguments: str) -> tuple[int, str]:
        """Run a command as somebody; return its exit code and all that it said."""
        self.act_as(person)
        result = CliRunner().invoke(app, [*arguments, "--stack", f"file:{self.manifest}"])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result.exit_code, result.output

    def json(self, person: str, *arguments: str) -> tuple[int, Any]:
        """Run a command as somebody; return its exit code and its document."""
        self.act_as(person)
        result = CliRunner().invoke(app, [*arguments, "--stack", f"file:{self.manifest}", "--output", "json"])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result.exit_code, json.loads(result.stdout)

    def keys(self, bucket: str) -> Sequence[str]:
        """Return every key of one of the stack's buckets, once for each of its versions."""
        pages = (
            self.cloud.client("s3").get_paginator("list_object_versions").paginate(Bucket=self.parts["vault"][bucket])
        )
        return [one["Key"] for page in pages for one in page.get("Versions", ())]


def governed(shell: ReleaseShell, policy: bytes) -> str:
    """Publish a trust root that believes the stack's builder and names a tiers policy; return its fingerprint."""
    parts, now = shell.parts, datetime.now(UTC)
    builder = fetch_public_key(shell.cloud.client("kms"), parts["signing_keys"]["builder"]["key_arn"])
    tiers = parse_policy(policy)
    keys = [new_key("ann"), new_key("ben"), NewKey(KeyDuty.BUILDER, None, builder)]
    change = Change(keys, policies={POLICY_NAME: tiers.digest})
    root = first_root("acme", change, now=now - timedelta(hours=1), life=90 * DAY, key_life=90 * DAY)
    s3, bucket = shell.cloud.client("s3"), parts["vault"]["bucket_name"]
    writer, reader = S3VaultWriter(s3, bucket), S3VaultReader(s3, bucket)
    publish([signed(root, ["ann", "ben"])], [tiers], writer=writer, reader=reader)
    return root.fingerprint
