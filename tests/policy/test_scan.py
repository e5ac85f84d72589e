"""Checkov itself, over plans of ours."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from policy.checkov.environment import checkov
from policy.checkov.findings import ScanError, read_report, scan
from policy.checkov.plan import terraform_plan
from rehearsal.engine.aws.catalogue import Types
from rehearsal.engine.aws.descriptions import Descriptions
from rehearsal.engine.terraform.catalogue import Catalogue
from rehearsal.setup.progress import Progress
from rehearsal.setup.tools import Tools
from tests.policy.test_plan import BLOCK, BUCKET, declared

CLOSED = {"blockPublicAcls": True, "blockPublicPolicy": True, "ignorePublicAcls": True, "restrictPublicBuckets": True}
CONNECTED = "CKV2_AWS_6"
"""Checkov's check that every bucket has a public access block; it follows references."""


@pytest.fixture(scope="module")
def types(tools: Tools) -> Types:
    schemas = tools.cache / "schemas"
    return Types(Catalogue(tools.provider, schemas), Descriptions(schemas))


@pytest.fixture(scope="module")
def executable() -> Path:
    return checkov(Progress())


def test_findings_are_found_and_resources_are_connected(types: Types, executable: Path, tmp_path: Path) -> None:
    closed, open_ = declared(BUCKET, "closed", {}), declared(BUCKET, "open", {})
    block = declared(BLOCK, "closed-block", {"bucket": "closed-0123", **CLOSED}, bucket=[closed.urn])
    key = declared("aws:kms/key:Key", "key", {"enableKeyRotation": False})
    database = declared(
        "aws:rds/instance:Instance", "database", {"publiclyAccessible": True, "storageEncrypted": False}
    )

    found = scan(executable, terraform_plan([closed, open_, block, key, database], types), tmp_path)

    failed = {(one.check, one.resource) for one in found.findings}
    assert (CONNECTED, "aws_s3_bucket.open") in failed
    assert (CONNECTED, "aws_s3_bucket.closed") not in failed
    assert {
        ("CKV_AWS_7", "aws_kms_key.key"),
        ("CKV_AWS_16", "aws_db_instance.database"),
        ("CKV_AWS_17", "aws_db_instance.database"),
    } <= failed
    assert found.passed > 0


def report(**changed: Any) -> str:
    failed = [{"check_id": "CKV_AWS_7", "resource": "aws_kms_key.key", "check_name": "Rotation", "guideline": None}]
    given = {"results": {"failed_checks": failed}, "summary": {"resource_count": 1, "parsing_errors": 0, "passed": 3}}
    return json.dumps({**given, **changed})


def test_a_report_is_read() -> None:
    found = read_report(report(), ["aws_kms_key.key"])
    assert [(one.check, one.resource) for one in found.findings] == [("CKV_AWS_7", "aws_kms_key.key")]
    assert found.passed == 3


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("no JSON", ["aws_kms_key.key"]),
        ("[]", ["aws_kms_key.key"]),
        (json.dumps({"passed": 0, "failed": 0}), ["aws_kms_key.key"]),
        (report(summary={"resource_count": 1, "parsing_errors": 1}), ["aws_kms_key.key"]),
        (report(), ["aws_kms_key.key", "aws_kms_key.overlooked"]),
    ],
)
def test_a_scan_that_saw_less_than_the_plan_is_no_scan(text: str, addresses: list[str]) -> None:
    with pytest.raises(ScanError):
        read_report(text, addresses)
