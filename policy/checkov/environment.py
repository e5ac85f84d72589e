"""Checkov itself."""

from __future__ import annotations

from pathlib import Path

from policy.outside import outside_tools
from rehearsal.setup.progress import Progress

LOCK = Path(__file__).with_name("requirements.lock")


def checkov(progress: Progress) -> Path:
    """Return the executable, installed first if it is not there. Raises SetupError."""
    return outside_tools("checkov", LOCK, progress) / "checkov"
