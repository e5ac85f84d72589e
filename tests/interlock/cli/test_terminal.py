from __future__ import annotations

import pytest

from interlock.cli.terminal import OutputFormat, Printer, rows


def test_a_table_in_a_pipe_has_one_line_a_row_and_no_blanks_at_its_end(capsys: pytest.CaptureFixture[str]) -> None:
    table = rows("gate", "measure")
    table.add_row("performance", "a long line " * 40)
    table.add_row("fairness", "short")
    Printer(OutputFormat.TEXT).text(["before"], table)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["before", "gate", "performance", "fairness"]
    assert lines == [line.rstrip() for line in lines]
