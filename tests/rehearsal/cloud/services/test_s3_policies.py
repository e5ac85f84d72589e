"""Bucket policies in the local cloud: denials hold, with their conditions, and what cannot be held is not stored."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from rehearsal.cloud.server import LocalCloud
from rehearsal.cloud.services.s3.operations import bucket_operation, object_operation
from tests.rehearsal.cloud.roles import trusting


@pytest.fixture
def s3(cloud: LocalCloud) -> Any:
    return cloud.client("s3")


@pytest.fixture
def bucket(cloud: LocalCloud, s3: Any) -> str:
    name = f"policy-{uuid4().hex[:12]}"
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": cloud.region})
    return name


def _deny(bucket: str, *actions: str, **more: Any) -> str:
    resources = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
    statement = {"Sid": "No", "Effect": "Deny", "Principal": "*", "Action": list(actions), "Resource": resources} | more
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.mark.corrects("s3.bucket-policy")
def test_a_denied_deletion_is_denied_in_its_own_words(cloud: LocalCloud, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"")
    s3.put_bucket_policy(Bucket=bucket, Policy=_deny(bucket, "s3:DeleteObject"))
    with pytest.raises(ClientError) as refused:
        s3.delete_object(Bucket=bucket, Key="k")
    assert refused.value.response["Error"] == {
        "Code": "AccessDenied",
        "Message": f"User: arn:aws:iam::{cloud.account_id}:user/administrator is not authorized to perform: "
        f's3:DeleteObject on resource: "arn:aws:s3:::{bucket}/k" with an explicit deny in a resource-based policy',
        "Resource": f"/{bucket}/k",
    }
    s3.get_object(Bucket=bucket, Key="k")


@pytest.mark.corrects("s3.bucket-policy")
def test_a_denial_holds_under_its_condition_alone(cloud: LocalCloud, s3: Any, bucket: str) -> None:
    condition = {"StringNotEquals": {"s3:x-amz-server-side-encryption": "aws:kms"}}
    s3.put_bucket_policy(Bucket=bucket, Policy=_deny(bucket, "s3:PutObject", Condition=condition))
    with pytest.raises(ClientError):
        s3.put_object(Bucket=bucket, Key="k", Body=b"")
    s3.put_object(Bucket=bucket, Key="k", Body=b"", ServerSideEncryption="aws:kms")


def test_the_endpoint_counts_as_secure_transport(cloud: LocalCloud, s3: Any, bucket: str) -> None:
    condition = {"Bool": {"aws:SecureTransport": "false"}}
    s3.put_bucket_policy(Bucket=bucket, Policy=_deny(bucket, "s3:*", Condition=condition))
    s3.put_object(Bucket=bucket, Key="k", Body=b"")


def test_a_denial_of_one_role_spares_the_others(cloud: LocalCloud, s3: Any, bucket: str) -> None:
    role = cloud.client("iam").create_role(
        RoleName=f"denied-{uuid4().hex[:8]}", AssumeRolePolicyDocument=trusting("123456789012")
    )["Role"]["Arn"]
    s3.put_object(Bucket=bucket, Key="k", Body=b"")
    s3.put_bucket_policy(Bucket=bucket, Policy=_deny(bucket, "s3:GetObject", Principal={"AWS": role}))
    s3.get_object(Bucket=bucket, Key="k")
    session = cloud.client("sts").assume_role(RoleArn=role, RoleSessionName="session")["Credentials"]
    denied = cloud.client(
        "s3",
        aws_access_key_id=session["AccessKeyId"],
        aws_secret_access_key=session["SecretAccessKey"],
        aws_session_token=session["SessionToken"],
    )
    with pytest.raises(ClientError):
        denied.get_object(Bucket=bucket, Key="k")


def test_reading_the_source_of_a_copy_takes_permission_too(cloud: LocalCloud, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"")
    s3.put_bucket_policy(Bucket=bucket, Policy=_deny(bucket, "s3:GetObject"))
    with pytest.raises(ClientError) as refused:
        s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "k"})
    assert "s3:GetObject" in refused.value.response["Error"]["Message"]


@pytest.mark.corrects("s3.access-logs")
def test_logs_go_where_a_policy_lets_them(cloud: LocalCloud, s3: Any, bucket: str) -> None:
    logging = {"LoggingEnabled": {"TargetBucket": bucket, "TargetPrefix": "log/"}}
    delivery = {
        "Effect": "Allow",
        "Principal": {"Service": ["logging.s3.amazonaws.com"]},
        "Action": ["s3:PutObject"],
        "Resource": [f"arn:aws:s3:::{bucket}/log/*"],
    }
    denial = json.loads(_deny(bucket, "s3:DeleteObject"))["Statement"]
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Statement": denial}))
    with pytest.raises(ClientError) as refused:
        s3.put_bucket_logging(Bucket=bucket, BucketLoggingStatus=logging)
    assert refused.value.response["Error"]["Code"] == "InvalidTargetBucketForLogging"
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Statement": [*denial, delivery]}))
    s3.put_bucket_logging(Bucket=bucket, BucketLoggingStatus=logging)
    assert s3.get_bucket_logging(Bucket=bucket)["LoggingEnabled"]["TargetPrefix"] == "log/"


@pytest.mark.corrects("s3.bucket-policy")
@pytest.mark.parametrize(
    "change",
    [
        {"Condition": {"StringResembles": {"aws:PrincipalArn": "x"}}},
        {"Condition": {"StringEquals": {"s3:phase-of-the-moon": "full"}}},
        {"Condition": {"NumericLessThan": {"s3:object-lock-remaining-retention-days": "many"}}},
        {"Effect": "Refuse"},
        {"Resource": "arn:aws:s3:::another-bucket/*"},
        {"Action": "kms:Sign"},
        {"Principal": "somebody"},
        {"Subject": "*"},
    ],
)
def test_a_policy_that_cannot_be_enforced_is_not_stored(
    cloud: LocalCloud, s3: Any, bucket: str, change: dict[str, Any]
) -> None:
    with pytest.raises(ClientError) as refused:
        s3.put_bucket_policy(Bucket=bucket, Policy=_deny(bucket, "s3:PutObject", **change))
    assert refused.value.response["Error"]["Code"] == "MalformedPolicy"
    with pytest.raises(ClientError):
        s3.get_bucket_policy(Bucket=bucket)


@pytest.mark.parametrize(
    ("method", "query", "headers", "permissions"),
    [
        ("PUT", {}, {}, ["s3:PutObject"]),
        ("PUT", {}, {"x-amz-object-lock-mode": "COMPLIANCE"}, ["s3:PutObject", "s3:PutObjectRetention"]),
        ("DELETE", {}, {}, ["s3:DeleteObject"]),
        ("DELETE", {"versionId": "v"}, {}, ["s3:DeleteObjectVersion"]),
        (
            "DELETE",
            {"versionId": "v"},
            {"x-amz-bypass-governance-retention": "true"},
            ["s3:DeleteObjectVersion", "s3:BypassGovernanceRetention"],
        ),
        ("GET", {"versionId": "v"}, {}, ["s3:GetObjectVersion"]),
        ("PUT", {"tagging": "", "versionId": "v"}, {}, ["s3:PutObjectVersionTagging"]),
        ("PUT", {"retention": "", "versionId": "v"}, {}, ["s3:PutObjectRetention"]),
        ("POST", {"uploadId": "u"}, {}, ["s3:PutObject"]),
        ("DELETE", {"uploadId": "u"}, {}, ["s3:AbortMultipartUpload"]),
    ],
)
def test_each_request_for_an_object_needs_what_aws_says(
    method: str, query: dict[str, str], headers: dict[str, str], permissions: list[str]
) -> None:
    assert list(object_operation(method, query, headers).permissions) == permissions


@pytest.mark.parametrize(
    ("method", "query", "permission"),
    [
        ("PUT", {"policy": ""}, "s3:PutBucketPolicy"),
        ("DELETE", {"policy": ""}, "s3:DeleteBucketPolicy"),
        ("DELETE", {"lifecycle": ""}, "s3:PutLifecycleConfiguration"),
        ("DELETE", {"encryption": ""}, "s3:PutEncryptionConfiguration"),
        ("PUT", {"versioning": ""}, "s3:PutBucketVersioning"),
        ("PUT", {"object-lock": ""}, "s3:PutBucketObjectLockConfiguration"),
        ("PUT", {"publicAccessBlock": ""}, "s3:PutBucketPublicAccessBlock"),
        ("GET", {"versions": ""}, "s3:ListBucketVersions"),
        ("GET", {"list-type": "2"}, "s3:ListBucket"),
        ("DELETE", {}, "s3:DeleteBucket"),
    ],
)
def test_each_request_for_a_bucket_needs_what_aws_says(method: str, query: dict[str, str], permission: str) -> None:
    assert bucket_operation(method, query).permissions == (permission,)
