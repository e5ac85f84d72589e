"""The report of a rehearsal: `rehearsal.json` for programs, `index.html` for people."""

from rehearsal.report.document import write_report

__all__ = ["write_report"]
