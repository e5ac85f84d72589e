"""S3's objects in the local cloud: conditions, versions, checksums, encryption, signatures."""

from __future__ import annotations

import base64
import hashlib
import io
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from rehearsal.cloud.server import LocalCloud
from rehearsal.cloud.services.s3.crc import CRC32C, CRC64NVME, Crc


@pytest.fixture
def s3(cloud: LocalCloud) -> Any:
    return cloud.client("s3")


@pytest.fixture
def bucket(cloud: LocalCloud, s3: Any) -> str:
    name = f"objects-{uuid4().hex[:12]}"
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": cloud.region})
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name


def _error(call: Callable[[], Any]) -> tuple[str, int]:
    with pytest.raises(ClientError) as refused:
        call()
    response = refused.value.response
    return str(response["Error"]["Code"]), int(response["ResponseMetadata"]["HTTPStatusCode"])


def _upload_in_parts(s3: Any, bucket: str, key: str, **options: Any) -> Any:
    upload = s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
    part = s3.upload_part(Bucket=bucket, Key=key, UploadId=upload, PartNumber=1, Body=b"parts")
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    return s3.complete_multipart_upload(Bucket=bucket, Key=key, UploadId=upload, MultipartUpload=parts, **options)


WRITES: dict[str, Callable[..., Any]] = {
    "put": lambda s3, bucket, **condition: s3.put_object(Bucket=bucket, Key="k", Body=b"new", **condition),
    "copy": lambda s3, bucket, **condition: s3.copy_object(
        Bucket=bucket, Key="k", CopySource={"Bucket": bucket, "Key": "source"}, **condition
    ),
    "parts": lambda s3, bucket, **condition: _upload_in_parts(s3, bucket, "k", **condition),
}


@pytest.mark.corrects("s3.conditional-writes")
@pytest.mark.parametrize("way", ["copy", "parts"])
def test_a_conditional_write_does_not_overwrite(cloud: LocalCloud, s3: Any, bucket: str, way: str) -> None:
    s3.put_object(Bucket=bucket, Key="source", Body=b"source")
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"old")["ETag"]
    write = WRITES[way]
    assert _error(lambda: write(s3, bucket, IfNoneMatch="*")) == ("PreconditionFailed", 412)
    assert _error(lambda: write(s3, bucket, IfMatch='"0"')) == ("PreconditionFailed", 412)
    write(s3, bucket, IfMatch=etag)


@pytest.mark.corrects("s3.conditional-writes")
def test_a_condition_that_s3_does_not_know_is_not_ignored(cloud: LocalCloud, s3: Any, bucket: str) -> None:
    put = WRITES["put"]
    assert _error(lambda: put(s3, bucket, IfNoneMatch='"0"')) == ("NotImplemented", 501)


@pytest.mark.parametrize("way", WRITES)
def test_where_a_delete_marker_is_nothing_is_there(cloud: LocalCloud, s3: Any, bucket: str, way: str) -> None:
    s3.put_object(Bucket=bucket, Key="source", Body=b"source")
    s3.put_object(Bucket=bucket, Key="k", Body=b"old")
    s3.delete_object(Bucket=bucket, Key="k")
    assert _error(lambda: WRITES[way](s3, bucket, IfMatch='"0"'))[0] == "NoSuchKey"
    WRITES[way](s3, bucket, IfNoneMatch="*")


def test_of_many_writers_of_one_key_exactly_one_wins(cloud: LocalCloud, bucket: str) -> None:
    def write(number: int) -> bool:
        s3 = cloud.client("s3")
        try:
            s3.put_object(Bucket=bucket, Key="one", Body=str(number).encode(), IfNoneMatch="*")
        except ClientError as refused:
            if refused.response["Error"]["Code"] != "PreconditionFailed":
                raise
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(write, range(64))) == 1
    assert len(cloud.client("s3").list_object_versions(Bucket=bucket)["Versions"]) == 1


@pytest.mark.corrects("s3.version-listing")
def test_a_key_marker_alone_skips_that_key(cloud: LocalCloud, s3: Any, bucket: str) -> None:
    for key in ("a", "a", "a", "b"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"")
    assert [version["Key"] for version in s3.list_object_versions(Bucket=bucket, KeyMarker="a")["Versions"]] == ["b"]


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_pages_of_versions_are_whole_and_in_order(cloud: LocalCloud, s3: Any, bucket: str, size: int) -> None:
    for round_ in range(3):
        for key in ("a", "b/1", "b/2", "c"):
            s3.put_object(Bucket=bucket, Key=key, Body=str(round_).encode())
    s3.delete_object(Bucket=bucket, Key="a")
    whole = s3.list_object_versions(Bucket=bucket)
    pages = list(s3.get_paginator("list_object_versions").paginate(Bucket=bucket, PaginationConfig={"PageSize": size}))
    for kind, count in (("Versions", 12), ("DeleteMarkers", 1)):
        paged = [entry["VersionId"] for page in pages for entry in page.get(kind, [])]
        assert paged == [entry["VersionId"] for entry in whole[kind]]
        assert len(paged) == count
    assert [entry["IsLatest"] for entry in whole["Versions"]] == [False, False, False, *[True, False, False] * 3]
    assert all(len(page.get("Versions", [])) + len(page.get("DeleteMarkers", [])) <= size for page in pages)


def test_a_bucket_is_deleted_only_when_no_version_and_no_marker_is_left(
    cloud: LocalCloud, s3: Any, bucket: str
) -> None:
    version = s3.put_object(Bucket=bucket, Key="k", Body=b"")["VersionId"]
    marker = s3.delete_object(Bucket=bucket, Key="k")["VersionId"]
    s3.delete_object(Bucket=bucket, Key="k", VersionId=version)
    assert _error(lambda: s3.delete_bucket(Bucket=bucket)) == ("BucketNotEmpty", 409)
    assert f"arn:aws:s3:::{bucket}" in cloud.inventory()["s3"]
    s3.delete_object(Bucket=bucket, Key="k", VersionId=marker)
    s3.delete_bucket(Bucket=bucket)
    assert f"arn:aws:s3:::{bucket}" not in cloud.inventory()["s3"]


@pytest.mark.corrects("s3.delete-objects")
def test_deleting_what_was_never_there_leaves_a_marker(cloud: LocalCloud, s3: Any, bucket: str) -> None:
    assert s3.delete_object(Bucket=bucket, Key="never")["DeleteMarker"] is True
    deleted = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "nor & this"}]})["Deleted"]
    assert (deleted[0]["Key"], deleted[0]["DeleteMarker"]) == ("nor & this", True)


@pytest.mark.corrects("s3.suspended-versioning")
def test_a_put_while_versioning_is_suspended_keeps_the_versions(cloud: LocalCloud, s3: Any, bucket: str) -> None:
    kept = s3.put_object(Bucket=bucket, Key="k", Body=b"kept")["VersionId"]
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    for body in (b"first", b"second"):
        s3.put_object(Bucket=bucket, Key="k", Body=body)
    versions = [version["VersionId"] for version in s3.list_object_versions(Bucket=bucket)["Versions"]]
    assert versions == ["null", kept]
    assert s3.get_object(Bucket=bucket, Key="k", VersionId=kept)["Body"].read() == b"kept"


@pytest.mark.corrects("s3.encryption")
def test_everything_is_encrypted_by_default(cloud: LocalCloud, s3: Any, bucket: str) -> None:
    rules = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    assert s3.put_object(Bucket=bucket, Key="k", Body=b"")["ServerSideEncryption"] == "AES256"
    assert s3.head_object(Bucket=bucket, Key="k")["ServerSideEncryption"] == "AES256"


@pytest.mark.corrects("s3.encryption")
def test_a_disabled_key_neither_writes_nor_reads(cloud: LocalCloud, s3: Any, bucket: str) -> None:
    kms = cloud.client("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
    assert s3.put_object(Bucket=bucket, Key="k", Body=b"")["SSEKMSKeyId"] == key
    kms.disable_key(KeyId=key)
    assert _error(lambda: s3.put_object(Bucket=bucket, Key="k", Body=b""))[0] == "KMS.DisabledException"
    assert _error(lambda: s3.get_object(Bucket=bucket, Key="k"))[0] == "KMS.DisabledException"
    kms.enable_key(KeyId=key)
    s3.get_object(Bucket=bucket, Key="k")


@pytest.mark.corrects("s3.checksums")
def test_a_checksum_is_told_with_its_type(cloud: LocalCloud, s3: Any, bucket: str) -> None:
    sha = base64.b64encode(hashlib.sha256(b"body").digest()).decode()
    answer = s3.put_object(Bucket=bucket, Key="k", Body=b"body", ChecksumSHA256=sha)
    assert (answer["ChecksumSHA256"], answer["ChecksumType"]) == (sha, "FULL_OBJECT")
    told = s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert (told["ChecksumSHA256"], told["ChecksumType"]) == (sha, "FULL_OBJECT")


@pytest.mark.corrects("s3.checksums")
def test_a_wrong_checksum_stores_nothing(cloud: LocalCloud, s3: Any, bucket: str) -> None:
    wrong = base64.b64encode(bytes(32)).decode()
    put = lambda: s3.put_object(Bucket=bucket, Key="k", Body=b"body", ChecksumSHA256=wrong)  # noqa: E731
    assert _error(put) == ("BadDigest", 400)
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)


@pytest.mark.corrects("s3.checksums")
def test_an_upload_without_a_checksum_gets_one(cloud: LocalCloud, bucket: str) -> None:
    silent = cloud.client("s3", config=Config(request_checksum_calculation="when_required"))
    answer = silent.put_object(Bucket=bucket, Key="k", Body=b"123456789")
    assert base64.b64decode(answer["ChecksumCRC64NVME"]).hex() == "ae8b14860a799888"


@given(st.binary(max_size=300))
def test_a_checksum_in_lanes_is_the_checksum_byte_by_byte(data: bytes) -> None:
    crc32 = Crc(32, 0xEDB88320)
    assert crc32.digest(data) == zlib.crc32(data).to_bytes(4, "big")


def test_checksums_of_large_objects_are_right() -> None:
    large = bytes(range(256)) * 9001
    assert Crc(32, 0xEDB88320).digest(large) == zlib.crc32(large).to_bytes(4, "big")
    assert CRC64NVME.digest(b"123456789").hex() == "ae8b14860a799888"
    assert CRC32C.digest(b"123456789").hex() == "e3069283"


def test_100_megabytes_go_through_in_parts_and_come_back(cloud: LocalCloud, s3: Any, bucket: str) -> None:
    block = hashlib.sha256(b"block").digest() * 31250
    body = b"".join(bytes([number]) + block[1:] for number in range(100))
    transfer = cloud.client("s3")
    transfer.upload_fileobj(io.BytesIO(body), bucket, "large")
    fetched = io.BytesIO()
    transfer.download_fileobj(bucket, "large", fetched)
    assert hashlib.sha256(fetched.getvalue()).digest() == hashlib.sha256(body).digest()
    assert s3.head_object(Bucket=bucket, Key="large")["ETag"].endswith('-12"')


@pytest.mark.corrects("s3.unknown-subresources")
def test_what_is_not_provided_is_refused_and_does_nothing_else(cloud: LocalCloud, s3: Any, bucket: str) -> None:
    assert _error(lambda: s3.delete_bucket_metrics_configuration(Bucket=bucket, Id="one")) == ("NotImplemented", 501)
    s3.head_bucket(Bucket=bucket)
    assert s3.get_bucket_request_payment(Bucket=bucket)["Payer"] == "BucketOwner"
    s3.put_object(Bucket=bucket, Key="k", Body=b"body")
    assert _error(lambda: s3.get_object_torrent(Bucket=bucket, Key="k")) == ("NotImplemented", 501)


@pytest.mark.corrects("s3.malformed-xml")
def test_a_body_that_is_no_xml_is_malformed(cloud: LocalCloud, s3: Any, bucket: str) -> None:
    assert _error(lambda: s3.put_bucket_lifecycle_configuration(Bucket=bucket)) == ("MalformedXML", 400)


@pytest.mark.corrects("s3.missing-objects")
def test_what_is_not_there_has_no_tags(cloud: LocalCloud, s3: Any, bucket: str) -> None:
    assert _error(lambda: s3.delete_object_tagging(Bucket=bucket, Key="none")) == ("NoSuchKey", 404)


@pytest.mark.corrects("s3.unknown-upload")
def test_a_part_of_an_unknown_upload_is_refused(cloud: LocalCloud, s3: Any, bucket: str) -> None:
    part = {"Bucket": bucket, "Key": "k", "UploadId": "none", "PartNumber": 1}
    assert _error(lambda: s3.upload_part(**part, Body=b"")) == ("NoSuchUpload", 404)
