"""Object Lock in the local cloud, apart from any policy."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from rehearsal.cloud.server import LocalCloud
from rehearsal.cloud.services.s3.errors import S3Error
from rehearsal.cloud.services.s3.locks import Retention, check_change, parse_date, show_date

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MODES = st.sampled_from(["GOVERNANCE", "COMPLIANCE"])
RETENTIONS = st.builds(Retention, MODES, st.integers(-400, 4000).map(lambda days: NOW + timedelta(days=days)))


@pytest.fixture
def s3(cloud: LocalCloud) -> Any:
    return cloud.client("s3")


@pytest.fixture
def bucket(cloud: LocalCloud, s3: Any) -> str:
    name = f"lock-{uuid4().hex[:12]}"
    s3.create_bucket(
        Bucket=name, ObjectLockEnabledForBucket=True, CreateBucketConfiguration={"LocationConstraint": cloud.region}
    )
    return name


@pytest.fixture
def plain(cloud: LocalCloud, s3: Any) -> str:
    name = f"plain-{uuid4().hex[:12]}"
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": cloud.region})
    return name


def _in(**duration: float) -> datetime:
    return datetime.now(UTC) + timedelta(**duration)


def _default(s3: Any, bucket: str, **retention: Any) -> None:
    s3.put_object_lock_configuration(
        Bucket=bucket,
        ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": retention}},
    )


def _code(call: Callable[[], Any]) -> str:
    with pytest.raises(ClientError) as refused:
        call()
    return str(refused.value.response["Error"]["Code"])


@given(held=RETENTIONS, asked=st.none() | RETENTIONS, bypass=st.booleans())
def test_a_compliance_lock_is_never_weakened(held: Retention, asked: Retention | None, bypass: bool) -> None:
    allowed = True
    try:
        check_change(held, asked, NOW, bypass=bypass)
    except S3Error:
        allowed = False
    stronger = (
        asked is not None and asked.until >= held.until and (asked.mode, held.mode) != ("GOVERNANCE", "COMPLIANCE")
    )
    if not held.holds_at(NOW) or stronger:
        assert allowed
    else:
        assert allowed == (held.mode == "GOVERNANCE" and bypass)


@given(st.datetimes(datetime(2000, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)))
def test_a_lock_s_date_survives_being_written(moment: datetime) -> None:
    to_the_millisecond = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    assert parse_date(show_date(moment)) == to_the_millisecond


@pytest.mark.corrects("s3.object-retention")
def test_a_compliance_lock_cannot_be_shortened(cloud: LocalCloud, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"", ObjectLockMode="COMPLIANCE", ObjectLockRetainUntilDate=_in(days=10))
    shorter = {"Mode": "COMPLIANCE", "RetainUntilDate": _in(days=9)}
    assert _code(lambda: s3.put_object_retention(Bucket=bucket, Key="k", Retention=shorter)) == "AccessDenied"


@pytest.mark.corrects("s3.object-retention")
def test_a_compliance_lock_cannot_become_a_governance_lock(cloud: LocalCloud, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"", ObjectLockMode="COMPLIANCE", ObjectLockRetainUntilDate=_in(days=10))
    weaker = {"Mode": "GOVERNANCE", "RetainUntilDate": _in(days=90)}
    assert (
        _code(lambda: s3.put_object_retention(Bucket=bucket, Key="k", Retention=weaker, BypassGovernanceRetention=True))
        == "AccessDenied"
    )


def test_a_governance_lock_gives_way_to_a_bypass_alone(cloud: LocalCloud, s3: Any, bucket: str) -> None:
    version = s3.put_object(
        Bucket=bucket, Key="k", Body=b"", ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=_in(days=10)
    )["VersionId"]
    assert _code(lambda: s3.delete_object(Bucket=bucket, Key="k", VersionId=version)) == "AccessDenied"
    assert (
        _code(lambda: s3.delete_object(Bucket=bucket, Key="k", VersionId=version, BypassGovernanceRetention=False))
        == "AccessDenied"
    )
    s3.delete_object(Bucket=bucket, Key="k", VersionId=version, BypassGovernanceRetention=True)
    assert "Versions" not in s3.list_object_versions(Bucket=bucket)


def test_a_lock_ends_at_its_date(cloud: LocalCloud, s3: Any, bucket: str) -> None:
    version = s3.put_object(
        Bucket=bucket, Key="k", Body=b"", ObjectLockMode="COMPLIANCE", ObjectLockRetainUntilDate=_in(seconds=1.5)
    )["VersionId"]
    assert _code(lambda: s3.delete_object(Bucket=bucket, Key="k", VersionId=version)) == "AccessDenied"
    end = s3.get_object_retention(Bucket=bucket, Key="k")["Retention"]["RetainUntilDate"]
    while datetime.now(UTC) <= end:
        pass
    s3.delete_object(Bucket=bucket, Key="k", VersionId=version)


@pytest.mark.corrects("s3.object-retention")
def test_an_object_without_a_lock_says_so(cloud: LocalCloud, s3: Any, bucket: str, plain: str) -> None:
    for name, code in ((bucket, "NoSuchObjectLockConfiguration"), (plain, "InvalidRequest")):
        s3.put_object(Bucket=name, Key="k", Body=b"")
        assert _code(partial(s3.get_object_retention, Bucket=name, Key="k")) == code
        assert _code(partial(s3.get_object_legal_hold, Bucket=name, Key="k")) == code


@pytest.mark.corrects("s3.object-retention")
@pytest.mark.parametrize(
    ("retention", "code"),
    [
        ({"Mode": "COMPLIANCE", "RetainUntilDate": datetime(2020, 1, 1, tzinfo=UTC)}, "InvalidArgument"),
        ({"Mode": "FOREVER", "RetainUntilDate": datetime(2120, 1, 1, tzinfo=UTC)}, "MalformedXML"),
        ({"Mode": "COMPLIANCE"}, "MalformedXML"),
    ],
)
def test_a_retention_that_makes_no_sense_is_refused(
    cloud: LocalCloud, s3: Any, bucket: str, retention: Any, code: str
) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"")
    assert _code(lambda: s3.put_object_retention(Bucket=bucket, Key="k", Retention=retention)) == code


@pytest.mark.corrects("s3.object-lock-uploads")
@pytest.mark.parametrize(
    "lock",
    [
        {"ObjectLockMode": "COMPLIANCE"},
        {"ObjectLockMode": "COMPLIANCE", "ObjectLockRetainUntilDate": datetime(2020, 1, 1, tzinfo=UTC)},
        {"ObjectLockMode": "FOREVER", "ObjectLockRetainUntilDate": datetime(2120, 1, 1, tzinfo=UTC)},
    ],
)
def test_an_upload_with_half_a_lock_or_a_past_one_is_refused(
    cloud: LocalCloud, s3: Any, bucket: str, lock: Any
) -> None:
    assert _code(lambda: s3.put_object(Bucket=bucket, Key="k", Body=b"", **lock)) == "InvalidArgument"


@pytest.mark.corrects("s3.object-retention")
def test_a_missing_version_cannot_be_locked(cloud: LocalCloud, s3: Any, bucket: str) -> None:
    retention = {"Mode": "COMPLIANCE", "RetainUntilDate": _in(days=1)}
    assert _code(lambda: s3.put_object_retention(Bucket=bucket, Key="none", Retention=retention)) == "NoSuchKey"


@pytest.mark.corrects("s3.object-lock-configuration")
def test_versioning_under_a_lock_cannot_be_suspended(cloud: LocalCloud, s3: Any, bucket: str) -> None:
    suspended = {"Status": "Suspended"}
    assert (
        _code(lambda: s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration=suspended))
        == "InvalidBucketState"
    )
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"


@pytest.mark.corrects("s3.object-lock-configuration")
def test_a_lock_can_be_turned_on_for_a_bucket_that_holds_objects(cloud: LocalCloud, s3: Any, plain: str) -> None:
    assert _code(lambda: _default(s3, plain, Mode="COMPLIANCE", Days=1)) == "InvalidBucketState"
    s3.put_bucket_versioning(Bucket=plain, VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket=plain, Key="k", Body=b"")
    _default(s3, plain, Mode="COMPLIANCE", Years=1)
    rule = s3.get_object_lock_configuration(Bucket=plain)["ObjectLockConfiguration"]["Rule"]
    assert rule == {"DefaultRetention": {"Mode": "COMPLIANCE", "Years": 1}}


def test_a_lock_cannot_be_turned_off(cloud: LocalCloud, s3: Any, bucket: str) -> None:
    off = {"ObjectLockEnabled": "Disabled"}
    assert _code(lambda: s3.put_object_lock_configuration(Bucket=bucket, ObjectLockConfiguration=off)) == "MalformedXML"


@pytest.mark.corrects("s3.object-lock-uploads")
@pytest.mark.parametrize("way", ["put with a legal hold", "copy", "parts", "parts with a lock of their own"])
def test_every_way_of_uploading_gets_a_lock(cloud: LocalCloud, s3: Any, bucket: str, way: str) -> None:
    s3.put_object(Bucket=bucket, Key="source", Body=b"x")
    _default(s3, bucket, Mode="COMPLIANCE", Days=3)
    if way == "put with a legal hold":
        s3.put_object(Bucket=bucket, Key="k", Body=b"", ObjectLockLegalHoldStatus="ON")
    elif way == "copy":
        s3.copy_object(Bucket=bucket, Key="k", CopySource={"Bucket": bucket, "Key": "source"})
    else:
        own = {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": _in(days=9)} if "own" in way else {}
        upload = s3.create_multipart_upload(Bucket=bucket, Key="k", **own)["UploadId"]
        part = s3.upload_part(Bucket=bucket, Key="k", UploadId=upload, PartNumber=1, Body=b"x")
        parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
        s3.complete_multipart_upload(Bucket=bucket, Key="k", UploadId=upload, MultipartUpload=parts)
    retention = s3.get_object_retention(Bucket=bucket, Key="k")["Retention"]
    mode, days = ("GOVERNANCE", 9) if "own" in way else ("COMPLIANCE", 3)
    assert retention["Mode"] == mode
    assert abs(retention["RetainUntilDate"] - _in(days=days)) < timedelta(minutes=1)


@pytest.mark.corrects("s3.object-lock-uploads")
def test_an_upload_whose_digest_is_wrong_is_refused(cloud: LocalCloud, s3: Any, bucket: str) -> None:
    wrong = base64.b64encode(bytes(16)).decode()
    assert _code(lambda: s3.put_object(Bucket=bucket, Key="k", Body=b"x", ContentMD5=wrong)) == "BadDigest"


def test_a_legal_hold_stops_deletion_until_it_is_lifted(cloud: LocalCloud, s3: Any, bucket: str) -> None:
    version = s3.put_object(Bucket=bucket, Key="k", Body=b"", ObjectLockLegalHoldStatus="ON")["VersionId"]
    bypass = {"BypassGovernanceRetention": True}
    assert _code(lambda: s3.delete_object(Bucket=bucket, Key="k", VersionId=version, **bypass)) == "AccessDenied"
    s3.put_object_legal_hold(Bucket=bucket, Key="k", VersionId=version, LegalHold={"Status": "OFF"})
    s3.delete_object(Bucket=bucket, Key="k", VersionId=version)
