"""The stack manifest: read strictly, and found through files, parameters and Pulumi."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from interlock.duties.duty import SigningDuty
from interlock.failures import NotPermitted
from interlock.manifest import ManifestError, read_manifest
from interlock.stack import ProvisionedStack, StackNotFoundError
from rehearsal.cloud.server import LocalCloud
from tests.interlock.manifests import manifest_document, manifest_document_of_version_1


def changed(path: str, value: Any) -> dict[str, Any]:
    """Return a manifest with the value at a dotted path replaced, or removed when it is `...`."""
    document = manifest_document()
    part: Any = document
    *parents, last = path.split(".")
    for name in parents:
        part = part[name]
    if value is ...:
        del part[last]
    else:
        part[last] = value
    return document


def test_a_manifest_reads_back_as_it_was_written() -> None:
    manifest = read_manifest(manifest_document())
    assert read_manifest(json.loads(manifest.to_json())) == manifest
    assert manifest.signing_keys[SigningDuty.BUILDER].alias == "alias/interlock-test-builder"


def test_equal_manifests_are_equal_bytes_whatever_the_order_of_their_keys() -> None:
    document = manifest_document()
    turned = dict(reversed(list(document.items())))
    assert read_manifest(document).to_json() == read_manifest(turned).to_json()


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("colour", "red", "colour: Extra inputs are not permitted"),
        ("vault.colour", "red", "vault.colour: Extra inputs"),
        ("vault.bucket_name", ..., "vault.bucket_name: Field required"),
        ("vault.retention_days", 0, "vault.retention_days: Input should be greater than or equal to 1 .received 0."),
        ("signing_keys.witness", ..., "no signing key for witness"),
        ("account_id", "12", "account_id: String should match pattern"),
        (
            "endpoints.credit.serving_template.min_instance_count",
            "many",
            "endpoints.credit.serving_template.min_instance",
        ),
        ("schema_version", 3, "schema_version: 3 is not known; this version of interlock reads 1, 2"),
        ("schema_version", ..., "schema_version: None is not known"),
    ],
)
def test_what_is_wrong_with_a_manifest_is_named(path: str, value: Any, words: str) -> None:
    with pytest.raises(ManifestError, match=words):
        read_manifest(changed(path, value))


def test_a_manifest_of_the_first_version_is_read_as_one_of_a_single_account_and_region() -> None:
    manifest = read_manifest(manifest_document_of_version_1())
    assert manifest == read_manifest(manifest_document())
    assert {manifest.accounts.workload, manifest.accounts.evidence, manifest.accounts.audit} == {manifest.account_id}
    assert manifest.recovery is None
    assert json.loads(manifest.to_json())["schema_version"] == 2


@pytest.mark.parametrize("field", ["accounts", "recovery", "images", "runner"])
def test_a_manifest_of_the_first_version_knows_no_field_of_the_second(field: str) -> None:
    with pytest.raises(ManifestError, match=rf"{field} \(of schema version 2\): Extra inputs are not permitted"):
        read_manifest({**manifest_document_of_version_1(), field: {}})


def test_a_manifest_of_the_first_version_is_held_to_its_own_fields() -> None:
    with pytest.raises(ManifestError, match=r"region: Field required"):
        read_manifest({key: one for key, one in manifest_document_of_version_1().items() if key != "region"})


def test_what_is_no_object_is_no_manifest() -> None:
    with pytest.raises(ManifestError, match="is a JSON object, not list"):
        read_manifest([])


def test_a_manifest_is_loaded_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "manifest.json"
    file.write_text(json.dumps(manifest_document()))
    stack = ProvisionedStack.load(f"file:{file}")
    assert stack.manifest.stack == "test"
    assert stack.source == f"file:{file}"


@pytest.mark.parametrize("source", ["", "local", "pulumi:", "https://example.com/manifest", ":x"])
def test_a_source_of_another_form_is_refused_with_the_forms_there_are(source: str) -> None:
    with pytest.raises(ValueError, match=r"give pulumi:<stack>, ssm:<parameter>, s3://<bucket>/<key> or file:<path>"):
        ProvisionedStack.load(source)


class Bucket:
    """S3 with one object, which only those may read who are let in."""

    def __init__(self, content: bytes, *, denied: bool = False) -> None:
        self._content, self._denied = content, denied

    def client(self, service: str) -> Bucket:
        assert service == "s3"
        return self

    def get_object(self, **asked: str) -> dict[str, Any]:
        if self._denied:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "not authorized"}}, "GetObject")
        assert asked == {"Bucket": "staging", "Key": "stacks/test/manifest.json"}
        return {"Body": io.BytesIO(self._content)}


def test_a_manifest_is_loaded_from_where_it_lies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boto3, "Session", lambda: Bucket(json.dumps(manifest_document()).encode()))
    assert ProvisionedStack.load("s3://staging/stacks/test/manifest.json").manifest.stack == "test"
    with pytest.raises(ManifestError, match=r"accepted is s3://<bucket>/stacks/<stack>/manifest\.json"):
        ProvisionedStack.load("s3:staging")


def test_whoever_may_not_read_a_manifest_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boto3, "Session", lambda: Bucket(b"", denied=True))
    with pytest.raises(NotPermitted, match="AWS refused to read the stack's manifest at s3://staging") as refused:
        ProvisionedStack.load("s3://staging/stacks/test/manifest.json")
    assert refused.value.exit_code == 1


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StackNotFoundError, match="No such file"):
        ProvisionedStack.load(f"file:{tmp_path / 'none.json'}")


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe"])
def test_a_file_without_json_is_no_manifest(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "manifest.json"
    file.write_bytes(content)
    with pytest.raises(ManifestError):
        ProvisionedStack.load(f"file:{file}")


def test_without_pulumi_on_path_it_is_said_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StackNotFoundError, match="there is no `pulumi` on PATH"):
        ProvisionedStack.load("pulumi:local")


def test_what_pulumi_answers_to_a_wrong_name_is_passed_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pulumi = tmp_path / "pulumi"
    pulumi.write_text("#!/bin/sh\necho \"error: no stack named 'moon' found\" >&2\nexit 255\n")
    pulumi.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StackNotFoundError, match="pulumi:moon: error: no stack named 'moon' found"):
        ProvisionedStack.load("pulumi:moon")


@pytest.fixture
def stored(cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """A manifest in a bucket, and the pointer to it that a parameter should hold."""
    for name, value in {
        "AWS_ENDPOINT_URL": cloud.endpoint_url,
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }.items():
        monkeypatch.setenv(name, value)
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="manifests", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_bucket_versioning(Bucket="manifests", VersioningConfiguration={"Status": "Enabled"})
    content = json.dumps(manifest_document()).encode()
    answer = s3.put_object(Bucket="manifests", Key="m.json", Body=content)
    yield {
        "uri": "s3://manifests/m.json",
        "version_id": answer["VersionId"],
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    for version in s3.list_object_versions(Bucket="manifests").get("Versions", []):
        s3.delete_object(Bucket="manifests", Key="m.json", VersionId=version["VersionId"])
    s3.delete_bucket(Bucket="manifests")


def point(value: Any) -> None:
    text = value if isinstance(value, str) else json.dumps(value)
    boto3.client("ssm").put_parameter(Name="/interlock/test/manifest", Type="String", Value=text, Overwrite=True)


def test_a_manifest_is_found_through_its_parameter_by_version(stored: dict[str, str]) -> None:
    boto3.client("s3").put_object(Bucket="manifests", Key="m.json", Body=b"something later")
    point(stored)
    assert ProvisionedStack.load("ssm:/interlock/test/manifest").manifest.stack == "test"


def test_bytes_other_than_the_parameter_says_are_refused(stored: dict[str, str]) -> None:
    point({**stored, "sha256": "0" * 64})
    with pytest.raises(ManifestError, match=r"has SHA-256 [0-9a-f]{64}, the parameter says 0000"):
        ProvisionedStack.load("ssm:/interlock/test/manifest")


@pytest.mark.parametrize("value", ["plain text", "[]", '{"uri": "s3://manifests/m.json"}', '{"uri": 1}'])
def test_a_parameter_that_holds_no_pointer_is_refused(stored: dict[str, str], value: str) -> None:
    point(value)
    with pytest.raises(ManifestError, match="not a pointer"):
        ProvisionedStack.load("ssm:/interlock/test/manifest")


def test_a_parameter_that_is_not_there_is_named(stored: dict[str, str]) -> None:
    with pytest.raises(StackNotFoundError, match=r"ssm:/interlock/none/manifest: .*ParameterNotFound"):
        ProvisionedStack.load("ssm:/interlock/none/manifest")
