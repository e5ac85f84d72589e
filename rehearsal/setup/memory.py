"""A folder in memory for what a run writes and nobody reads after it: databases' files by the thousand, above all."""

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rehearsal.setup.cache import remove

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 (a folder of its own is made there, that only its owner may enter)
NEEDED = 12 << 30
"""Bytes. What all tests write and hold, with as much again for whatever else the machine does."""
_PREFIX = f"interlock-{os.getuid()}-"


@contextmanager
def memory_folder(place: Path = SHARED_MEMORY, needed: int = NEEDED) -> Iterator[Path | None]:
    """Make a folder for as long as the context lasts; None where `needed` bytes are not to be had.

    Folders whose owners were killed are removed first.
    """
    if not _has_room(place, needed):
        yield None
        return
    _clear(place)
    # Locked before it has its name: without a lock it would look like one whose owner is gone.
    draft = Path(tempfile.mkdtemp(prefix=".", dir=place))
    with _lock_of(draft).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        folder = draft.rename(place / f"{_PREFIX}{draft.name[1:]}")
        try:
            yield folder
        finally:
            remove(folder)


def _has_room(place: Path, needed: int) -> bool:
    try:
        about = os.statvfs(place)
        mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
        memory = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    except OSError:
        return False
    in_memory = any(kind == "tmpfs" and where == str(place) for _, where, kind, *_ in mounts)
    available = int(memory["MemAvailable"].split()[0]) << 10
    # Programs are started from there.
    runs_programs = not about.f_flag & os.ST_NOEXEC
    return in_memory and runs_programs and min(available, about.f_bavail * about.f_frsize) >= needed


def _clear(place: Path) -> None:
    for folder in place.glob(f"{_PREFIX}*"):
        # Two that clear at once may meet.
        with contextlib.suppress(OSError), _lock_of(folder).open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            remove(folder)


def _lock_of(folder: Path) -> Path:
    return folder / "lock"
