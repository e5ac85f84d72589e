"""Trails in the local cloud."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from rehearsal.cloud.accounts import AUDIT
from rehearsal.cloud.server import LocalCloud


def bucket_of_audit(cloud: LocalCloud, admitted: str) -> str:
    """Return a bucket of the audit account into which a trail of account `admitted` may write."""
    name = f"trail-{uuid4().hex}"
    s3 = cloud.client("s3", account="audit")
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": cloud.region})
    principal = {"Service": "cloudtrail.amazonaws.com"}
    arn = f"arn:aws:s3:::{name}"
    statements = [
        {"Effect": "Allow", "Principal": principal, "Action": "s3:GetBucketAcl", "Resource": arn},
        {
            "Effect": "Allow",
            "Principal": principal,
            "Action": "s3:PutObject",
            "Resource": f"{arn}/AWSLogs/{admitted}/*",
        },
    ]
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": statements}))
    return name


def test_a_trail_writes_into_another_accounts_bucket_that_admits_it(cloud: LocalCloud) -> None:
    trails = cloud.client("cloudtrail")
    name = f"trail-{uuid4().hex}"

    made = trails.create_trail(Name=name, S3BucketName=bucket_of_audit(cloud, cloud.account_id))

    assert made["TrailARN"] in cloud.inventory()["cloudtrail"]
    trails.delete_trail(Name=name)


@pytest.mark.corrects("cloudtrail.bucket-policy")
def test_a_bucket_that_does_not_admit_the_trail_is_refused(cloud: LocalCloud) -> None:
    trails = cloud.client("cloudtrail")

    with pytest.raises(ClientError, match="InsufficientS3BucketPolicyException"):
        trails.create_trail(Name=f"trail-{uuid4().hex}", S3BucketName=bucket_of_audit(cloud, AUDIT))
    with pytest.raises(ClientError, match="S3BucketDoesNotExistException"):
        trails.create_trail(Name=f"trail-{uuid4().hex}", S3BucketName=f"absent-{uuid4().hex}")
