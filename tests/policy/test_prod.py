"""What both layers register for prod, in the eyes of Checkov."""

from __future__ import annotations

import pytest

from policy.checkov.__main__ import main


def test_nothing_that_checkov_finds_in_prod_is_without_a_dated_reason(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["scripts/checkov"])
    code = main()
    assert code == 0, capsys.readouterr()
