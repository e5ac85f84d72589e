"""Checkov over the Terraform modules."""

from __future__ import annotations

import datetime
import shutil
from pathlib import Path

import pytest

from policy.checkov.environment import checkov
from policy.checkov.findings import ScanError
from policy.checkov.infra import INFRA, scan_infra, verdict_on
from rehearsal.setup.progress import Progress


@pytest.fixture(scope="module")
def executable() -> Path:
    return checkov(Progress())


def test_everything_that_is_found_in_the_modules_has_a_reason(executable: Path) -> None:
    found = scan_infra(executable, INFRA)

    verdict = verdict_on(found, datetime.datetime.now(datetime.UTC).date())

    assert (verdict.unexplained, verdict.expired, verdict.unused) == ((), (), ())
    assert found.passed > 50


def test_a_module_that_leaves_a_bucket_open_is_found(executable: Path, tmp_path: Path) -> None:
    shutil.copytree(INFRA / "bootstrap", tmp_path / "bootstrap")
    state = tmp_path / "bootstrap" / "state.tf"
    state.write_text(state.read_text().replace("block_public_policy     = true", "block_public_policy     = false"))

    found = scan_infra(executable, tmp_path)

    assert "CKV_AWS_54" in {one.check for one in found.findings}


def test_a_folder_without_resources_is_not_taken_for_a_clean_one(executable: Path, tmp_path: Path) -> None:
    with pytest.raises(ScanError):
        scan_infra(executable, tmp_path)
