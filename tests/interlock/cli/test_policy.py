from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from interlock.aws.vault import S3VaultReader
from interlock.cli.main import app
from interlock.duties.duty import SigningDuty
from interlock.release.trust.published import read_policy, read_roots
from rehearsal.cloud.server import LocalCloud
from tests.interlock.cli.test_root import Ceremony, ceremony
from tests.interlock.release.policies import EXAMPLE, example_policy, varied

__all__ = ["ceremony"]


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


@pytest.fixture
def foundation(cloud: LocalCloud, vault_bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The outputs of a layer foundation in a file."""
    key = {"key_arn": "arn:aws:kms:eu-west-1:111122223333:key/1", "key_id": "1", "alias": "alias/1"}
    document: dict[str, Any] = {
        "region": cloud.context.region,
        "vault": {
            "bucket_name": vault_bucket, "bucket_arn": f"arn:aws:s3:::{vault_bucket}", "retention_days": 30,
            "staging_bucket_name": "staging", "staging_bucket_arn": "arn:aws:s3:::staging",
            "encryption_key_arn": key["key_arn"],
        },
        "signing_keys": {duty.value: key for duty in SigningDuty},
    }  # fmt: skip
    access = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    for name, value in {"AWS_ENDPOINT_URL": cloud.endpoint_url, **access}.items():
        monkeypatch.setenv(name, value)
    path = tmp_path / "foundation.json"
    path.write_text(json.dumps(document))
    return f"file:{path}"


def test_a_policy_is_checked_and_its_digest_told() -> None:
    code, said = run("policy", "check", str(EXAMPLE))
    assert (code, example_policy().digest in said) == (0, True)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a: [", "is no policy"),
        (varied("tiers.low.evidence.privacy.limts", {}), "did you mean limits?"),
        (varied("tiers.low.evidence.privacy", None), "privacy"),
    ],
)
def test_a_policy_that_cannot_be_used_is_bad_input(content: bytes, said: str, tmp_path: Path) -> None:
    file = tmp_path / "tiers.yaml"
    file.write_bytes(content)
    code, told = run("policy", "check", str(file))
    assert (code, said in told) == (2, True), told


def test_a_change_is_told_in_words(tmp_path: Path) -> None:
    file = tmp_path / "tiers.yaml"
    file.write_bytes(varied("tiers.high.evidence.fairness.limits.disparate_impact.at_least", 0.7))
    code, said = run("policy", "diff", str(EXAMPLE), str(file))
    assert code == 0
    assert "tiers.high.evidence.fairness.disparate_impact: ≥ 0.8 becomes ≥ 0.7 (looser)" in said


def test_root_and_policy_are_published_once_and_a_root_without_its_policy_is_not(
    ceremony: Ceremony, foundation: str, cloud: LocalCloud, vault_bucket: str, tmp_path: Path
) -> None:
    ceremony.done(
        "init", "--name", "acme", *ceremony.add("ann"), *ceremony.add("ben"), "--policy", f"tiers={EXAMPLE}"
    )  # fmt: skip
    publish = ("root", "publish", str(ceremony.root), "--stack", foundation)
    assert run(*publish)[0] == 1
    ceremony.sign("ann", "ben")
    code, said = run(*publish)
    assert (code, "received none" in said) == (2, True), said
    other = tmp_path / "other.yaml"
    other.write_bytes(varied("review_by", "2028-01-01"))
    code, said = run(*publish, "--policy", str(other))
    assert (code, "names as tiers" in said) == (2, True), said
    reader = S3VaultReader(cloud.client("s3"), vault_bucket)
    assert list(reader.versions("")) == []

    first = run(*publish, "--policy", str(EXAMPLE), "--output", "json")
    assert first[0] == 0, first[1]
    assert run(*publish, "--output", "json")[0] == 0
    assert run(*publish, "--policy", str(EXAMPLE), "--output", "json") == first
    assert read_roots(reader) == [(ceremony.root / "1.root.json").read_bytes()]
    assert read_policy(reader, example_policy().digest) == example_policy()
    assert len(list(reader.versions(""))) == 2
