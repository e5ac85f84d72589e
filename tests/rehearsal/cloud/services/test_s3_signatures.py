"""Presigned URLs and forms of S3: as they were signed, and no longer than that."""

from __future__ import annotations

import io
import json
import time
import urllib.error
import urllib.request
from typing import Any
from uuid import uuid4

import pytest
from botocore.config import Config

from rehearsal.cloud.server import LocalCloud


@pytest.fixture
def s3(cloud: LocalCloud) -> Any:
    return cloud.client("s3")


@pytest.fixture
def bucket(cloud: LocalCloud, s3: Any) -> str:
    name = f"objects-{uuid4().hex[:12]}"
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": cloud.region})
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name


def _status(url: str, **options: Any) -> int:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, **options)) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code


@pytest.mark.corrects("s3.signed-requests")
@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_a_presigned_url_opens_what_it_was_signed_for(cloud: LocalCloud, s3: Any, bucket: str, version: str) -> None:
    for key in ("mine", "other"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"body")
    signer = cloud.client("s3", config=Config(signature_version=version))
    url = signer.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "mine"}, ExpiresIn=60)
    assert _status(url) == 200
    assert _status(url.replace("/mine?", "/other?")) == 403
    assert _status(url, method="PUT", data=b"new") == 403
    assert _status(url.replace("ignature=", "ignature=A")) == 403


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_a_presigned_url_asks_the_region_that_it_is_for(cloud: LocalCloud, s3: Any, bucket: str, version: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"body")
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{bucket}/*",
        "Condition": {"StringNotEquals": {"aws:RequestedRegion": cloud.region}},
    }
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    here, elsewhere = (
        cloud.client("s3", config=Config(signature_version=version), region_name=region)
        for region in (cloud.region, "us-east-2")
    )

    asked = {"Bucket": bucket, "Key": "k"}

    assert _status(here.generate_presigned_url("get_object", Params=asked)) == 200
    # The older signature names no region, and is good for the bucket's.
    wanted = 403 if version == "s3v4" else 200
    assert _status(elsewhere.generate_presigned_url("get_object", Params=asked)) == wanted


@pytest.mark.corrects("s3.signed-requests")
@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_a_presigned_url_expires(cloud: LocalCloud, s3: Any, bucket: str, version: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"body")
    signer = cloud.client("s3", config=Config(signature_version=version))
    url = signer.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"}, ExpiresIn=1)
    time.sleep(2.1)
    assert _status(url) == 403


def _post(url: str, fields: dict[str, str], content: bytes) -> int:
    boundary = uuid4().hex
    body = io.BytesIO()
    for name, value in fields.items():
        body.write(f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode())
    body.write(f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'.encode())
    body.write(content + f"\r\n--{boundary}--\r\n".encode())
    return _status(
        url, data=body.getvalue(), headers={"Content-Type": f"multipart/form-data; boundary={boundary}"}, method="POST"
    )


@pytest.mark.corrects("s3.signed-requests")
@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_a_form_uploads_what_it_was_signed_for(cloud: LocalCloud, s3: Any, bucket: str, version: str) -> None:
    signer = cloud.client("s3", config=Config(signature_version=version))
    form = signer.generate_presigned_post(bucket, "mine", Conditions=[["content-length-range", 1, 100]])
    assert _post(form["url"], form["fields"], b"content") == 204
    assert s3.get_object(Bucket=bucket, Key="mine")["Body"].read() == b"content"
    assert _post(form["url"], form["fields"] | {"key": "other"}, b"content") == 403
    assert _post(form["url"], form["fields"], bytes(101)) == 400
    assert _post(form["url"], {"key": "mine"}, b"content") == 403
    expired = signer.generate_presigned_post(bucket, "mine", ExpiresIn=-10)
    assert _post(expired["url"], expired["fields"], b"content") == 403


def test_a_url_signed_by_nobody_known_is_refused(cloud: LocalCloud, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"body")
    stranger = cloud.client("s3", aws_access_key_id="AKIASTRANGER00000000", aws_secret_access_key="secret")
    assert _status(stranger.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"})) == 403
