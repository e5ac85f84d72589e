"""Tools of others that judge what we make: each locked, in a virtual environment of its own in the user's cache."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

from rehearsal.setup.cache import cache_folder, locked, remove
from rehearsal.setup.packages import install_locked
from rehearsal.setup.progress import Progress


def outside_tools(name: str, lock: Path, progress: Progress) -> Path:
    """Return the folder of the executables that the file `lock` installs, installed first. Raises SetupError."""
    key = hashlib.sha256(lock.read_bytes() + sys.version.encode()).hexdigest()[:12]
    target = cache_folder() / f"{name}-{key}"
    # A virtual environment holds its own path, so it is built in place; the mark is what says that it is whole.
    mark = target / "complete"
    if not mark.exists():
        with locked(target.name, progress):
            if not mark.exists():
                remove(target)
                with progress.waiting(f"installing {name} in an environment of its own") as activity:
                    install_locked(lock, target, activity, progress)
                mark.touch()
    return target / "bin"
