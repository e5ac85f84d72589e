from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from interlock.aws.kms import KmsSigner
from interlock.aws.vault import S3StagingWriter, S3VaultReader, S3VaultWriter, locked_objects
from interlock.failures import OutsideFailure
from interlock.release.digests import sha256
from interlock.release.pinning import ModelSource, pin
from interlock.release.vault import Overwritten
from interlock.release.verification.stored import verify_release
from rehearsal.cloud.server import LocalCloud
from rehearsal.story.pinning import answer_to, attempts

SMALLEST_PART = 5 * 1024**2
"""Of an upload in parts all but the last hold as much."""


def hexdigest(content: bytes) -> str:
    return sha256(content).hex()


def test_what_is_written_is_read_back_by_version_and_is_locked(cloud: LocalCloud, vault_bucket: str) -> None:
    s3 = cloud.client("s3")
    stored = S3VaultWriter(s3, vault_bucket).put("a/b", b"content", hexdigest(b"content"))
    reader = S3VaultReader(s3, vault_bucket)
    assert reader.read("a/b", stored.version_id) == b"content"
    lock = reader.lock("a/b", stored.version_id)
    assert lock is not None
    assert lock.mode == "COMPLIANCE"
    assert lock.until > datetime.now(UTC) + timedelta(days=29)


def test_writing_the_same_bytes_again_gives_the_same_version(
    cloud: LocalCloud, vault_bucket: str, tmp_path: Path
) -> None:
    writer = S3VaultWriter(cloud.client("s3"), vault_bucket)
    file = tmp_path / "file"
    file.write_bytes(b"content")
    first = writer.put("key", file, hexdigest(b"content"))
    assert writer.put("key", b"content", hexdigest(b"content")) == first
    assert len(list(S3VaultReader(cloud.client("s3"), vault_bucket).versions("key"))) == 1


def test_other_bytes_under_a_key_are_refused_and_leave_it_as_it_was(cloud: LocalCloud, vault_bucket: str) -> None:
    s3 = cloud.client("s3")
    writer = S3VaultWriter(s3, vault_bucket)
    writer.put("key", b"first", hexdigest(b"first"))
    with pytest.raises(Overwritten, match="already"):
        writer.put("key", b"second", hexdigest(b"second"))
    assert s3.get_object(Bucket=vault_bucket, Key="key")["Body"].read() == b"first"


def test_bytes_that_change_on_the_way_are_not_stored(cloud: LocalCloud, vault_bucket: str) -> None:
    s3 = cloud.client("s3")
    with pytest.raises(OutsideFailure):
        S3VaultWriter(s3, vault_bucket).put("key", b"changed", hexdigest(b"content"))
    assert list(S3VaultReader(s3, vault_bucket).versions("key")) == []


def test_of_many_writers_of_one_key_all_get_the_one_version(cloud: LocalCloud, vault_bucket: str) -> None:
    def write(_: int) -> str:
        return S3VaultWriter(cloud.client("s3"), vault_bucket).put("key", b"same", hexdigest(b"same")).version_id

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(write, range(16)))) == 1


def test_a_release_pinned_with_a_kms_key_verifies_and_withstands_every_attack(
    cloud: LocalCloud, vault_bucket: str, tmp_path: Path
) -> None:
    s3, kms = cloud.client("s3"), cloud.client("kms")
    key = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    (tmp_path / "MLmodel").write_text("flavors: {}\n")
    (tmp_path / "ünïcode name.bin").write_bytes(b"\0" * 70_000)
    signer, reader = KmsSigner(kms, key), S3VaultReader(s3, vault_bucket)
    pinned = pin(
        tmp_path,
        ModelSource("mlflow", "credit", "1", "m-0", "r"),
        writer=S3VaultWriter(s3, vault_bucket),
        reader=reader,
        signer=signer,
    )
    for what, attempt in attempts(s3, vault_bucket, pinned.files[0]).items():
        assert answer_to(what, attempt)
    assert verify_release(pinned.digest, reader, {"builder": signer.public_key()}).reasons == ()


def test_locked_objects_are_listed_with_the_end_of_their_lock(cloud: LocalCloud, vault_bucket: str) -> None:
    s3, now = cloud.client("s3"), datetime.now(UTC)
    assert locked_objects(s3, vault_bucket, now) == []
    S3VaultWriter(s3, vault_bucket).put("b", b"", hexdigest(b""))
    S3VaultWriter(s3, vault_bucket).put("a", b"", hexdigest(b""))
    found = locked_objects(s3, vault_bucket, now)
    assert [one.key for one in found] == ["a", "b"]
    assert locked_objects(s3, vault_bucket, found[0].lock.until + timedelta(days=1)) == []


def test_a_bucket_that_is_gone_holds_nothing_locked(cloud: LocalCloud) -> None:
    assert locked_objects(cloud.client("s3"), "interlock-no-such-bucket", datetime.now(UTC)) == []


def test_a_file_of_several_parts_is_taken_up_where_it_was_broken_off(
    cloud: LocalCloud, vault_bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3, file = cloud.client("s3"), tmp_path / "large"
    content = b"".join(bytes([number]) * SMALLEST_PART for number in range(3)) + b"end"
    file.write_bytes(content)
    sent: list[int] = []
    upload = s3.upload_part

    def counted(**arguments: Any) -> Any:
        if len(sent) == 2:
            raise EndpointConnectionError(endpoint_url="s3")
        sent.append(arguments["PartNumber"])
        return upload(**arguments)

    monkeypatch.setattr(s3, "upload_part", counted)
    writer = S3VaultWriter(s3, vault_bucket, part_bytes=SMALLEST_PART)
    with pytest.raises(OutsideFailure):
        writer.put("large", file, hexdigest(content))
    assert list(S3VaultReader(s3, vault_bucket).versions("large")) == []
    sent.clear()
    stored = writer.put("large", file, hexdigest(content))
    assert (sent, stored.size) == ([3, 4], len(content))
    assert writer.put("large", file, hexdigest(content)) == stored
    assert sent == [3, 4]
    lock = S3VaultReader(s3, vault_bucket).lock("large", stored.version_id)
    assert lock is not None
    assert lock.mode == "COMPLIANCE"


def test_parts_of_other_bytes_are_not_taken_up(cloud: LocalCloud, vault_bucket: str, tmp_path: Path) -> None:
    s3, file = cloud.client("s3"), tmp_path / "large"
    content = b"a" * SMALLEST_PART + b"end"
    file.write_bytes(content)
    begun = s3.create_multipart_upload(Bucket=vault_bucket, Key="large")["UploadId"]
    s3.upload_part(Bucket=vault_bucket, Key="large", UploadId=begun, PartNumber=1, Body=b"b" * SMALLEST_PART)
    stored = S3VaultWriter(s3, vault_bucket, part_bytes=SMALLEST_PART).put("large", file, hexdigest(content))
    assert stored.sha256 == hexdigest(content)


def test_other_bytes_of_several_parts_under_a_key_are_refused(
    cloud: LocalCloud, vault_bucket: str, tmp_path: Path
) -> None:
    s3, file = cloud.client("s3"), tmp_path / "large"
    file.write_bytes(b"a" * (SMALLEST_PART + 1))
    S3VaultWriter(s3, vault_bucket).put("large", b"small", hexdigest(b"small"))
    with pytest.raises(Overwritten, match="already"):
        S3VaultWriter(s3, vault_bucket, part_bytes=SMALLEST_PART).put("large", file, hexdigest(file.read_bytes()))


@pytest.mark.parametrize("size", [7, SMALLEST_PART + 1])
def test_what_is_staged_again_is_a_newer_version_of_the_same_bytes(
    cloud: LocalCloud, vault_bucket: str, tmp_path: Path, size: int
) -> None:
    s3, file, staging = cloud.client("s3"), tmp_path / "file", f"staging-{vault_bucket}"
    s3.create_bucket(Bucket=staging, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_bucket_versioning(Bucket=staging, VersioningConfiguration={"Status": "Enabled"})
    file.write_bytes(b"a" * size)
    writer = S3StagingWriter(s3, staging, part_bytes=SMALLEST_PART)
    first = writer.put("key", file, hexdigest(file.read_bytes()))
    again = writer.put_again("key", file, hexdigest(file.read_bytes()))
    assert (again.sha256, again.size) == (first.sha256, size)
    newest = [one.version_id for one in S3VaultReader(s3, staging).versions("key") if one.is_latest]
    assert newest == [again.version_id] != [first.version_id]


def test_nothing_is_written_again_in_the_vault(cloud: LocalCloud, vault_bucket: str) -> None:
    writer = S3StagingWriter(cloud.client("s3"), vault_bucket)
    writer.put("key", b"content", hexdigest(b"content"))
    with pytest.raises(OutsideFailure, match="AccessDenied"):
        writer.put_again("key", b"content", hexdigest(b"content"))


def test_an_object_comes_onto_a_disk_as_a_new_file_alone(cloud: LocalCloud, vault_bucket: str, tmp_path: Path) -> None:
    s3 = cloud.client("s3")
    stored = S3VaultWriter(s3, vault_bucket).put("a", b"content", hexdigest(b"content"))
    reader = S3VaultReader(s3, vault_bucket)
    reader.download("a", stored.version_id, tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == b"content"
    with pytest.raises(FileExistsError):
        reader.download("a", stored.version_id, tmp_path / "a")
