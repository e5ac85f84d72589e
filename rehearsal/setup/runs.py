"""One folder a run in the cache, held by a lock for as long as anything of the run lives."""

import fcntl
import os
import time
from dataclasses import dataclass
from pathlib import Path

from rehearsal.setup.cache import cache_folder, remove

KEPT_LOGS = 3
"""So many ended runs leave their logs behind."""
LOG_SUFFIXES = (".log", ".json", ".html", ".txt")
VARIABLE = "INTERLOCK_RUN"


@dataclass(frozen=True)
class Run:
    """A run's folder; `lock` is the descriptor that holds its lock, to be handed to the warden."""

    folder: Path
    lock: int


def new_run() -> Run:
    """Make a folder for this process's run."""
    name = f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-{os.getpid()}"
    # Locked before it has its name: without a lock it would look like the folder of a run that has ended.
    draft = runs_folder() / f".{name}"
    draft.mkdir(parents=True, mode=0o700)
    lock = os.open(draft / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    return Run(draft.rename(runs_folder() / name), lock)


def runs_folder() -> Path:
    return cache_folder() / "runs"


def lives(folder: Path) -> bool:
    """Whether some process of the run still holds its lock."""
    try:
        lock = os.open(folder / "lock", os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


def clear_ended() -> None:
    """Reduce ended runs to their logs, and remove all but the newest few."""
    if not runs_folder().is_dir():
        return
    ended = sorted(folder for folder in runs_folder().glob("[!.]*") if not lives(folder))
    for folder in ended[:-KEPT_LOGS]:
        remove(folder)
    for folder in ended[-KEPT_LOGS:]:
        reduce_to_logs(folder)


def reduce_to_logs(folder: Path) -> None:
    """Remove a run's data, keep what tells why it failed."""
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_symlink() or (path.is_file() and path.suffix not in LOG_SUFFIXES):
            path.unlink(missing_ok=True)
        elif path.is_dir() and not any(path.iterdir()):
            path.rmdir()


def processes_of(folder: Path) -> list[int]:
    """The living processes that carry the run's name in their environment, this one left out."""
    mark = f"{VARIABLE}={folder}\0".encode()
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit() and int(entry) != os.getpid():
            try:
                environment = Path("/proc", entry, "environ").read_bytes()
            except OSError:
                continue
            if mark in environment + b"\0":
                found.append(int(entry))
    return found
