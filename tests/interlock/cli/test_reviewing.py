from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from interlock.cli import reviewing
from interlock.cli.main import app
from interlock.failures import OutsideFailure


def review(file: Path) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["stack", "review", "--stack", "pulumi:prod", "--markdown", str(file)])
    return result.exit_code, result.output


def test_a_comment_that_cannot_be_written_is_told_before_anything_is_previewed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(_: str) -> Any:
        raise AssertionError("previewed first")

    monkeypatch.setattr(reviewing, "document_of_stack", never)
    code, said = review(tmp_path / "nowhere" / "review.md")
    assert (code, "cannot be written" in said) == (2, True)


def test_the_comment_says_so_of_a_preview_that_failed_and_of_one_that_was_interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: str) -> Any:
        assert "it did not come to its end" in (tmp_path / "review.md").read_text()
        raise OutsideFailure("the preview of prod failed", reasons=["the bucket is gone"])

    monkeypatch.setattr(reviewing, "document_of_stack", fails)
    assert review(tmp_path / "review.md")[0] == 3
    comment = (tmp_path / "review.md").read_text()
    assert "**Refused.** The preview does not pass." in comment
    assert "the bucket is gone" in comment
