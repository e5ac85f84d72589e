"""Object ownership in the local cloud: access lists are refused unless a bucket asks for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from rehearsal.cloud.server import LocalCloud


@pytest.fixture
def s3(cloud: LocalCloud) -> Any:
    return cloud.client("s3")


def _bucket(cloud: LocalCloud, **options: Any) -> str:
    name = f"owned-{uuid4().hex[:12]}"
    location = {"LocationConstraint": cloud.region}
    cloud.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration=location, **options)
    return name


def _refused(call: Callable[[], Any]) -> None:
    with pytest.raises(ClientError) as refused:
        call()
    assert refused.value.response["Error"]["Code"] == "AccessControlListNotSupported"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


@pytest.mark.corrects("s3.object-ownership")
def test_a_new_bucket_belongs_to_its_owner_and_takes_no_access_lists(cloud: LocalCloud, s3: Any) -> None:
    bucket = _bucket(cloud)
    rules = s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"]
    assert rules == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    s3.put_object(Bucket=bucket, Key="one", Body=b"", ACL="bucket-owner-full-control")
    _refused(lambda: s3.put_object_acl(Bucket=bucket, Key="one", ACL="public-read"))
    _refused(lambda: s3.put_bucket_acl(Bucket=bucket, ACL="public-read"))
    _refused(lambda: s3.put_object(Bucket=bucket, Key="two", Body=b"", ACL="public-read"))
    _refused(lambda: s3.create_multipart_upload(Bucket=bucket, Key="two", ACL="public-read"))


def test_a_bucket_that_asks_for_access_lists_has_them(cloud: LocalCloud, s3: Any) -> None:
    bucket = _bucket(cloud, ObjectOwnership="ObjectWriter")
    s3.put_object(Bucket=bucket, Key="one", Body=b"")
    s3.put_object_acl(Bucket=bucket, Key="one", ACL="public-read")
    grants = s3.get_object_acl(Bucket=bucket, Key="one")["Grants"]
    assert "READ" in {grant["Permission"] for grant in grants}
