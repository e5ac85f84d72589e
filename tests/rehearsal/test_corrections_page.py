from __future__ import annotations

from pathlib import Path

from rehearsal.corrections import declared, with_table

PAGE = Path(__file__).resolve().parents[2] / "docs" / "rehearsal.md"


def test_the_page_lists_every_correction_and_no_other() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == with_table(page), "run: python -m rehearsal.corrections docs/rehearsal.md"


def test_every_correction_says_what_aws_does_and_where_aws_says_so() -> None:
    corrections = declared()
    assert len(corrections) > 50
    assert [one.name for one in corrections if not one.what.endswith(".")] == []
    assert [one.name for one in corrections if not one.source.startswith("https://docs.aws.amazon.com/")] == []
