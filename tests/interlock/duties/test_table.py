"""The page for the security team says what the data says."""

from __future__ import annotations

from pathlib import Path

from interlock.duties.duty import Role
from interlock.duties.table import markdown

PAGE = Path(__file__).resolve().parents[3] / "docs" / "duties.md"


def test_the_page_has_the_table_as_it_is() -> None:
    assert markdown() in PAGE.read_text()


def test_the_table_has_a_line_for_every_role() -> None:
    lines = [line.split(" | ")[0].removeprefix("| ") for line in markdown().splitlines()[2:]]
    assert sorted(lines) == sorted(role.value for role in Role)
