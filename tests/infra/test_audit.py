"""What watches the accounts, applied to the local cloud."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from rehearsal.infra import Root
from rehearsal.session import Session


def test_a_second_plan_changes_nothing(audit: Root) -> None:
    assert audit.changes() is None


def test_a_destroy_refuses_what_has_been_seen_and_what_sees(audit: Root) -> None:
    # Terraform goes no further where something refuses: the bucket and the key that these stand on are not named.
    assert audit.held_against_a_destroy() >= {
        "module.audit.aws_s3_bucket_object_lock_configuration.trail",
        "module.workload.aws_cloudtrail.this",
        "module.evidence.aws_cloudtrail.this",
    }


@pytest.mark.parametrize("account", ["workload", "evidence"])
def test_each_watched_account_has_a_trail_a_recorder_and_an_analyzer_at_work(
    session: Session, audit: Root, account: str
) -> None:
    trails = session.client("cloudtrail", account)
    arn = f"arn:aws:cloudtrail:{session.cloud.region}:{session.cloud.accounts[account]}:trail/interlock-local"
    trail = trails.get_trail(Name=arn)["Trail"]
    assert arn in audit.outputs()["trail_arns"]
    assert trail["IsMultiRegionTrail"]
    assert trail["LogFileValidationEnabled"]
    assert trails.get_trail_status(Name=arn)["IsLogging"]
    selected = trails.get_event_selectors(TrailName=arn)["AdvancedEventSelectors"]
    assert "arn:aws:s3:::vault-bucket-0123abc/" in json.dumps(selected)

    recorders = session.client("config", account).describe_configuration_recorder_status()
    assert [one["recording"] for one in recorders["ConfigurationRecordersStatus"]] == [True]
    analyzers = session.client("accessanalyzer", account).list_analyzers()["analyzers"]
    assert [one["status"] for one in analyzers] == ["ACTIVE"]


def test_what_a_trail_wrote_cannot_be_removed_hidden_or_let_go_earlier(session: Session, audit: Root) -> None:
    s3 = session.client("s3", "audit")
    bucket = audit.outputs()["trail_bucket"]
    key = f"AWSLogs/{session.cloud.account_id}/CloudTrail/{session.cloud.region}/2026/11/21/one.json.gz"
    # Not under the bucket's key, which nobody but the trail uses.
    records = gzip.compress(b'{"Records": []}')
    written = s3.put_object(Bucket=bucket, Key=key, Body=records, ServerSideEncryption="AES256")
    version = written["VersionId"]
    locked = s3.get_object_retention(Bucket=bucket, Key=key, VersionId=version)["Retention"]
    assert locked["Mode"] == "COMPLIANCE"

    earlier = locked["RetainUntilDate"] - timedelta(days=1)
    retention = {"Mode": "COMPLIANCE", "RetainUntilDate": earlier}
    attempts: list[Callable[[], Any]] = [
        lambda: s3.delete_object(Bucket=bucket, Key=key),
        lambda: s3.delete_object(Bucket=bucket, Key=key, VersionId=version),
        lambda: s3.put_object_retention(Bucket=bucket, Key=key, VersionId=version, Retention=retention),
    ]
    for attempt in attempts:
        with pytest.raises(ClientError, match="AccessDenied"):
            attempt()
