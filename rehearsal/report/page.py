"""`index.html`."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any


def page(report: Mapping[str, Any]) -> str:
    """Return the report as one HTML page that needs nothing else."""
    rows = "".join(f"<li>{escape(step['name'])}: {escape(step['summary'])}</li>" for step in report["steps"])
    return f"<!doctype html><title>Rehearsal</title><ul>{rows}</ul>"
