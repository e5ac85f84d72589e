"""Checkov itself: locked, in a virtual environment of its own in the user's cache."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

from rehearsal.setup.cache import cache_folder, locked, remove
from rehearsal.setup.packages import install_locked
from rehearsal.setup.progress import Progress

LOCK = Path(__file__).with_name("requirements.lock")


def checkov(progress: Progress) -> Path:
    """Return the executable, installed first if it is not there. Raises SetupError."""
    key = hashlib.sha256(LOCK.read_bytes() + sys.version.encode()).hexdigest()[:12]
    target = cache_folder() / f"checkov-{key}"
    # A virtual environment holds its own path, so it is built in place; the mark is what says that it is whole.
    mark = target / "complete"
    if not mark.exists():
        with locked(target.name, progress):
            if not mark.exists():
                remove(target)
                with progress.waiting("installing Checkov in an environment of its own") as activity:
                    install_locked(LOCK, target, activity, progress)
                mark.touch()
    return target / "bin" / "checkov"
