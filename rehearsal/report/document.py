"""Writes a report: `rehearsal.json` for programs, `index.html` for people."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rehearsal.report.page import page


def write_report(directory: Path, report: Mapping[str, Any]) -> Path:
    """Write a report into `directory`, made if need be, and return the path of its page. Raises OSError."""
    directory.mkdir(parents=True, exist_ok=True)
    text = json.dumps(report, indent=1, ensure_ascii=False)
    (directory / "rehearsal.json").write_text(text + "\n", encoding="utf-8")
    path = directory / "index.html"
    path.write_text(page(report), encoding="utf-8")
    return path
