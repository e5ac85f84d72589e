"""The vault in the local cloud: what it holds cannot be deleted, hidden, overwritten unseen or unlocked early."""

from __future__ import annotations

import io
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from botocore.httpsession import URLLib3Session

from interlock.duties.bucket_policy import vault_policy
from rehearsal.cloud.server import LocalCloud
from tests.rehearsal.cloud.roles import trusting

KEY = "releases/digest/manifest.json"
BODY = b"evidence"
DAYS = 30


@pytest.fixture
def s3(cloud: LocalCloud) -> Any:
    return cloud.client("s3")


@pytest.fixture
def vault(cloud: LocalCloud, s3: Any) -> str:
    """A vault as the component makes it, holding one object."""
    name = f"vault-{uuid4().hex[:12]}"
    s3.create_bucket(
        Bucket=name,
        ObjectLockEnabledForBucket=True,
        CreateBucketConfiguration={"LocationConstraint": cloud.region},
    )
    default = {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": DAYS}}
    s3.put_object_lock_configuration(
        Bucket=name, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": default}
    )
    administrators = [f"arn:aws:iam::{cloud.account_id}:user/administrator"]
    s3.put_bucket_policy(Bucket=name, Policy=vault_policy(f"arn:aws:s3:::{name}", DAYS, administrators))
    s3.put_object(Bucket=name, Key=KEY, Body=BODY, IfNoneMatch="*")
    return name


def _in(days: int) -> datetime:
    return datetime.now(UTC) + timedelta(days=days)


def _version(s3: Any, vault: str) -> str:
    return str(s3.head_object(Bucket=vault, Key=KEY)["VersionId"])


def _complete_upload(s3: Any, vault: str, **options: Any) -> None:
    upload = s3.create_multipart_upload(Bucket=vault, Key=KEY)["UploadId"]
    part = s3.upload_part(Bucket=vault, Key=KEY, UploadId=upload, PartNumber=1, Body=b"other")
    parts = {"Parts": [{"ETag": part["ETag"], "PartNumber": 1}]}
    s3.complete_multipart_upload(Bucket=vault, Key=KEY, UploadId=upload, MultipartUpload=parts, **options)


def _delete_in_a_batch(s3: Any, vault: str, **item: Any) -> None:
    answer = s3.delete_objects(
        Bucket=vault, Delete={"Objects": [{"Key": KEY, **item}], "Quiet": True}, BypassGovernanceRetention=True
    )
    if answer.get("Errors"):
        raise ClientError({"Error": answer["Errors"][0]}, "DeleteObjects")


def _retain(s3: Any, vault: str, **retention: Any) -> None:
    s3.put_object_retention(Bucket=vault, Key=KEY, Retention=retention, BypassGovernanceRetention=True)


Attack = Callable[[Any, str], Any]
ATTACKS: dict[str, Attack] = {
    "delete": lambda s3, vault: s3.delete_object(Bucket=vault, Key=KEY),
    "delete the version": lambda s3, vault: s3.delete_object(Bucket=vault, Key=KEY, VersionId=_version(s3, vault)),
    "delete the version with a bypass": lambda s3, vault: s3.delete_object(
        Bucket=vault, Key=KEY, VersionId=_version(s3, vault), BypassGovernanceRetention=True
    ),
    "delete in a batch": lambda s3, vault: _delete_in_a_batch(s3, vault),
    "delete the version in a batch": lambda s3, vault: _delete_in_a_batch(s3, vault, VersionId=_version(s3, vault)),
    "put": lambda s3, vault: s3.put_object(Bucket=vault, Key=KEY, Body=b"other"),
    "put if absent": lambda s3, vault: s3.put_object(Bucket=vault, Key=KEY, Body=b"other", IfNoneMatch="*"),
    "put if another": lambda s3, vault: s3.put_object(Bucket=vault, Key=KEY, Body=b"other", IfNoneMatch='"0"'),
    "put if the same": lambda s3, vault: s3.put_object(
        Bucket=vault, Key=KEY, Body=b"other", IfMatch=s3.head_object(Bucket=vault, Key=KEY)["ETag"]
    ),
    "copy onto itself": lambda s3, vault: s3.copy_object(
        Bucket=vault, Key=KEY, CopySource={"Bucket": vault, "Key": KEY}, MetadataDirective="REPLACE"
    ),
    "copy if absent": lambda s3, vault: s3.copy_object(
        Bucket=vault, Key=KEY, CopySource={"Bucket": vault, "Key": KEY}, MetadataDirective="REPLACE", IfNoneMatch="*"
    ),
    "upload in parts": lambda s3, vault: _complete_upload(s3, vault),
    "upload in parts if absent": lambda s3, vault: _complete_upload(s3, vault, IfNoneMatch="*"),
    "shorten": lambda s3, vault: _retain(s3, vault, Mode="COMPLIANCE", RetainUntilDate=_in(1)),
    "shorten by a minute": lambda s3, vault: _retain(
        s3,
        vault,
        Mode="COMPLIANCE",
        RetainUntilDate=s3.get_object_retention(Bucket=vault, Key=KEY)["Retention"]["RetainUntilDate"]
        - timedelta(minutes=1),
    ),
    "downgrade": lambda s3, vault: _retain(s3, vault, Mode="GOVERNANCE", RetainUntilDate=_in(400)),
    "unlock": lambda s3, vault: _retain(s3, vault),
    "suspend versioning": lambda s3, vault: s3.put_bucket_versioning(
        Bucket=vault, VersioningConfiguration={"Status": "Suspended"}
    ),
    "disable the lock": lambda s3, vault: s3.put_object_lock_configuration(
        Bucket=vault, ObjectLockConfiguration={"ObjectLockEnabled": "Disabled"}
    ),
    "expire by lifecycle": lambda s3, vault: s3.put_bucket_lifecycle_configuration(
        Bucket=vault,
        LifecycleConfiguration={
            "Rules": [{"ID": "all", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}]
        },
    ),
    "delete the policy": lambda s3, vault: s3.delete_bucket_policy(Bucket=vault),
    "delete the bucket": lambda s3, vault: s3.delete_bucket(Bucket=vault),
    "restore": lambda s3, vault: s3.restore_object(Bucket=vault, Key=KEY, RestoreRequest={"Days": 1}),
    "lock for less than the vault asks": lambda s3, vault: s3.put_object(
        Bucket=vault,
        Key="short",
        Body=b"",
        IfNoneMatch="*",
        ObjectLockMode="COMPLIANCE",
        ObjectLockRetainUntilDate=_in(DAYS - 1),
    ),
    "lock weakly": lambda s3, vault: s3.put_object(
        Bucket=vault,
        Key="weak",
        Body=b"",
        IfNoneMatch="*",
        ObjectLockMode="GOVERNANCE",
        ObjectLockRetainUntilDate=_in(DAYS + 1),
    ),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_call_harms_what_the_vault_holds(cloud: LocalCloud, s3: Any, vault: str, attack: str) -> None:
    before = s3.get_object_retention(Bucket=vault, Key=KEY)["Retention"]
    with pytest.raises(ClientError):
        ATTACKS[attack](s3, vault)

    assert s3.get_object(Bucket=vault, Key=KEY)["Body"].read() == BODY
    assert s3.get_object_retention(Bucket=vault, Key=KEY)["Retention"] == before
    listed = s3.list_object_versions(Bucket=vault)
    assert [version["Key"] for version in listed["Versions"]] == [KEY]
    assert "DeleteMarkers" not in listed


def test_a_lifted_legal_hold_leaves_the_retention(cloud: LocalCloud, s3: Any, vault: str) -> None:
    s3.put_object_legal_hold(Bucket=vault, Key=KEY, LegalHold={"Status": "ON"})
    s3.put_object_legal_hold(Bucket=vault, Key=KEY, LegalHold={"Status": "OFF"})
    assert s3.get_object_retention(Bucket=vault, Key=KEY)["Retention"]["Mode"] == "COMPLIANCE"
    with pytest.raises(ClientError):
        s3.delete_object(Bucket=vault, Key=KEY, VersionId=_version(s3, vault))


SMUGGLING = {
    "put a subresource that puts nothing": ("PUT", "{key}?attributes=1"),
    "put an upload without a part": ("PUT", "{key}?uploadId={upload}"),
    "delete a subresource that deletes nothing": ("DELETE", "{key}?torrent=1"),
    "delete a version by its permissions": ("DELETE", "{key}?acl=1&versionId={version}"),
    "delete the policy beside the cross-origin rules": ("DELETE", "?cors=1&policy=1"),
    "put a policy beside an acceleration": ("PUT", "?accelerate=1&policy=1"),
    "post a form beside the permissions": ("POST", "?acl=1"),
}


@pytest.mark.parametrize("attack", SMUGGLING)
@pytest.mark.corrects("s3.unknown-subresources")
def test_no_request_does_what_its_permission_is_not_for(cloud: LocalCloud, s3: Any, vault: str, attack: str) -> None:
    method, target = SMUGGLING[attack]
    upload, version = s3.create_multipart_upload(Bucket=vault, Key=KEY)["UploadId"], _version(s3, vault)
    query = target.format(key=f"/{KEY}", upload=upload, version=version)
    assert _signed(cloud, method, f"/{vault}{query}", b"other") in (400, 501)
    assert len(s3.list_object_versions(Bucket=vault)["Versions"]) == 1
    assert "DenyOverwriting" in s3.get_bucket_policy(Bucket=vault)["Policy"]


@pytest.mark.corrects("s3.bucket-policy")
def test_another_account_and_another_partition_are_refused(cloud: LocalCloud, s3: Any, vault: str) -> None:
    for attacker in (cloud.client("s3", account="audit"), cloud.client("s3", region_name="cn-north-1")):
        for attempt in (
            lambda client: client.put_object(Bucket=vault, Key=KEY, Body=b"other"),
            lambda client: client.delete_object(Bucket=vault, Key=KEY),
            lambda client: client.delete_object_tagging(Bucket=vault, Key=KEY),
        ):
            with pytest.raises(ClientError) as refused:
                attempt(attacker)  # type: ignore[no-untyped-call]
            assert refused.value.response["Error"]["Code"] == "AccessDenied"
    assert s3.get_object(Bucket=vault, Key=KEY)["Body"].read() == BODY


def _signed(cloud: LocalCloud, method: str, path: str, body: bytes) -> int:
    request = AWSRequest(method=method, url=cloud.endpoint_url + path, data=body)
    S3SigV4Auth(Credentials("test", "test"), "s3", cloud.region).add_auth(request)
    answer = URLLib3Session().send(request.prepare())
    return int(answer.status_code)


@pytest.mark.parametrize("extra", [{}, {"If-None-Match": "*"}])
def test_a_browsers_form_does_not_overwrite(cloud: LocalCloud, s3: Any, vault: str, extra: dict[str, str]) -> None:
    form = s3.generate_presigned_post(vault, KEY)
    boundary = uuid4().hex
    parts = [(name, value) for name, value in form["fields"].items()]
    body = io.BytesIO()
    for name, value in [*parts, ("file", "other")]:
        body.write(f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"'.encode())
        body.write((f'; filename="f"\r\n\r\n{value}\r\n' if name == "file" else f"\r\n\r\n{value}\r\n").encode())
    body.write(f"--{boundary}--\r\n".encode())
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}", **extra}
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(urllib.request.Request(form["url"], data=body.getvalue(), headers=headers))
    assert refused.value.code == 403
    assert s3.get_object(Bucket=vault, Key=KEY)["Body"].read() == BODY


def test_a_role_is_refused_like_the_administrator(cloud: LocalCloud, s3: Any, vault: str) -> None:
    role = cloud.client("iam").create_role(
        RoleName=f"attacker-{uuid4().hex[:8]}", AssumeRolePolicyDocument=trusting("123456789012")
    )["Role"]["Arn"]
    session = cloud.client("sts").assume_role(RoleArn=role, RoleSessionName="night")["Credentials"]
    attacker = cloud.client(
        "s3",
        aws_access_key_id=session["AccessKeyId"],
        aws_secret_access_key=session["SecretAccessKey"],
        aws_session_token=session["SessionToken"],
    )
    with pytest.raises(ClientError) as refused:
        attacker.delete_object(Bucket=vault, Key=KEY)
    assert "assumed-role/attacker" in refused.value.response["Error"]["Message"]
    with pytest.raises(ClientError):
        attacker.put_bucket_policy(Bucket=vault, Policy='{"Statement": []}')


def test_the_retention_can_be_prolonged(cloud: LocalCloud, s3: Any, vault: str) -> None:
    until = _in(2000).replace(microsecond=0)
    s3.put_object_retention(Bucket=vault, Key=KEY, Retention={"Mode": "COMPLIANCE", "RetainUntilDate": until})
    assert s3.get_object_retention(Bucket=vault, Key=KEY)["Retention"]["RetainUntilDate"] == until


def test_what_is_uploaded_in_parts_is_locked_like_the_rest(cloud: LocalCloud, s3: Any, vault: str) -> None:
    upload = s3.create_multipart_upload(Bucket=vault, Key="large")["UploadId"]
    sizes = [8_000_000, 8_000_000, 1]
    parts = [
        {
            "PartNumber": number,
            "ETag": s3.upload_part(
                Bucket=vault, Key="large", UploadId=upload, PartNumber=number, Body=bytes([number]) * size
            )["ETag"],
        }
        for number, size in enumerate(sizes, 1)
    ]
    s3.complete_multipart_upload(
        Bucket=vault, Key="large", UploadId=upload, MultipartUpload={"Parts": parts}, IfNoneMatch="*"
    )
    assert s3.head_object(Bucket=vault, Key="large")["ContentLength"] == sum(sizes)
    assert s3.get_object_retention(Bucket=vault, Key="large")["Retention"]["Mode"] == "COMPLIANCE"
    last = s3.get_object(Bucket=vault, Key="large", Range=f"bytes={sum(sizes) - 2}-")["Body"].read()
    assert last == bytes([2, 3])
