"""Writes a report: `rehearsal.json` for programs, `index.html` for people."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rehearsal.report.page import page

CERTIFICATE = ("certificate.html", "certificate.json")


def write_report(
    directory: Path, report: Mapping[str, Any], certificate: Path | None = None, kept: Path | None = None
) -> Path:
    """Write a report into `directory`, made if need be, and return the path of its page. Raises OSError.

    `certificate` is a folder with the proof's page and document, which become part of the report, as does everything
    in `kept`: pages and bundles that the report links to.
    """
    directory.mkdir(parents=True, exist_ok=True)
    for name in CERTIFICATE:
        # One of an earlier report would speak of other documents.
        (directory / name).unlink(missing_ok=True)
        if certificate is not None and (certificate / name).exists():
            shutil.copy(certificate / name, directory / name)
    for file in sorted(kept.iterdir()) if kept is not None and kept.is_dir() else ():
        shutil.copy(file, directory / file.name)
    text = json.dumps(report, indent=1, ensure_ascii=False)
    (directory / "rehearsal.json").write_text(text + "\n", encoding="utf-8")
    path = directory / "index.html"
    path.write_text(page(report), encoding="utf-8")
    return path
