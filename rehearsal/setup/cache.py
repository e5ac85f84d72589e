"""The user's cache folder: what is built once and used by every checkout and every run."""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rehearsal.setup.progress import Progress


def cache_folder() -> Path:
    """`$XDG_CACHE_HOME/interlock`, or `~/.cache/interlock`.

    Source: XDG Base Directory Specification; a relative XDG_CACHE_HOME is to be ignored.
    """
    named = Path(os.environ.get("XDG_CACHE_HOME", ""))
    base = named if named.is_absolute() else Path.home() / ".cache"
    return base / "interlock"


@contextmanager
def locked(name: str, progress: Progress) -> Iterator[None]:
    """Hold the cache's lock `name`; while another process has it, say which one is waited for.

    The kernel gives the lock back when its holder dies, so none is ever stale.
    """
    path = cache_folder() / "locks" / f"{name}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "another process"
            with progress.waiting(f"waiting for {holder}, which is preparing the same: {name}"):
                fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        file.truncate()
        file.write(f"process {os.getpid()} in {os.getcwd()}")
        file.flush()
        yield


def built_once(target: Path, progress: Progress, build: Callable[[Path], None]) -> Path:
    """Return `target`, built aside and renamed if it is not there; `build` gets the folder to fill."""
    if target.exists():
        return target
    with locked(target.name, progress):
        if not target.exists():
            aside = target.with_name(f"{target.name}.partial")
            remove(aside)
            aside.mkdir(parents=True)
            build(aside)
            aside.rename(target)
    return target


def remove(path: Path) -> None:
    """Remove a folder tree even where its folders are read-only, as Go's module cache makes them."""
    if not path.exists():
        return
    try:
        shutil.rmtree(path)
    except PermissionError:
        for folder, _, _ in os.walk(path):
            os.chmod(folder, 0o700)
        shutil.rmtree(path)
