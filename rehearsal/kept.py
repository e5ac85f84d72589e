"""The rehearsal that was kept: where it is noted, how a shell gets onto it, how it ends."""

import contextlib
import json
import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from rehearsal.setup.cache import remove
from rehearsal.setup.environment import checkout_folder
from rehearsal.setup.runs import lives, processes_of

END_SECONDS = 45.0


@dataclass(frozen=True)
class Kept:
    """A kept rehearsal of one checkout: its run folder, its warden, and the variables of a shell on it."""

    run: Path
    warden: int
    additions: dict[str, str]
    path: list[str]


def note(checkout: Path, kept: Kept) -> None:
    """Write down that a rehearsal is kept."""
    document = {"run": str(kept.run), "warden": kept.warden, "additions": kept.additions, "path": kept.path}
    file = _file(checkout)
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(".draft")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(document, indent=2))
    draft.replace(file)


def find(checkout: Path) -> Kept | None:
    """The kept rehearsal, if one is noted and lives."""
    kept = _noted(checkout)
    return kept if kept and lives(kept.run) else None


def end(checkout: Path) -> int:
    """End the kept rehearsal and whatever is left of one; returns how many processes would not end."""
    kept = _noted(checkout)
    if kept is None:
        return 0
    if lives(kept.run):
        with contextlib.suppress(ProcessLookupError):
            os.kill(kept.warden, signal.SIGTERM)
        deadline = time.monotonic() + END_SECONDS
        while lives(kept.run) and time.monotonic() < deadline:
            time.sleep(0.1)
    left = _end_stragglers(kept.run)
    if not left:
        remove(kept.run)
        socket = Path(kept.additions.get("INTERLOCK_ENGINE_SOCKET", kept.run / "none"))
        if not socket.is_relative_to(kept.run):
            # Where the run folder's path is too long for a socket, the session makes another folder for it.
            remove(socket.parent)
        _file(checkout).unlink(missing_ok=True)
    return left


def _end_stragglers(run: Path) -> int:
    """Kill what carries the run's name: it is there only if the warden itself was killed."""
    deadline = time.monotonic() + 10
    while (left := processes_of(run)) and time.monotonic() < deadline:
        for pid in left:
            print(f"ending process {pid}, left over from {run.name}", file=sys.stderr)
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.2)
    return len(left)


def _noted(checkout: Path) -> Kept | None:
    try:
        document = json.loads(_file(checkout).read_text())
        return Kept(Path(document["run"]), document["warden"], document["additions"], document["path"])
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError):
        return None


def _file(checkout: Path) -> Path:
    return checkout_folder(checkout) / "kept.json"
