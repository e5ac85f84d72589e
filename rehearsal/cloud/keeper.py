"""The keeper: a small process that outlives a cloud killed outright, only to end what that cloud had started.

The kernel kills a cloud's direct children with it (PR_SET_PDEATHSIG), but not their children. The keeper reads
`+PID` and `-PID` lines from its standard input; when the input ends it kills every process tree still listed.
Standard library only: it is started with `python -I -S` and must be small.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterable
from pathlib import Path


def tree(roots: Iterable[int]) -> set[int]:
    """Return the ids of the living processes among `roots`, of their descendants and of their sessions' members."""
    parents: dict[int, int] = {}
    sessions: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, ValueError, IndexError):
                # The command's name may itself hold spaces and parentheses; the numbers follow the last one.
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                if fields[0] != "Z":
                    parents[int(entry.name)], sessions[int(entry.name)] = int(fields[1]), int(fields[3])
    members = set(roots)
    while True:
        found = {pid for pid, parent in parents.items() if parent in members or sessions[pid] in members} - members
        if not found:
            return members & parents.keys()
        members |= found


def signal_all(pids: Iterable[int], number: int) -> None:
    """Send a signal to each process that still exists."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def main() -> None:
    """Keep the list that the standard input dictates; kill what is left of it when the input ends."""
    os.setsid()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    kept: set[int] = set()
    for line in sys.stdin:
        (kept.add if line[0] == "+" else kept.discard)(int(line[1:]))
    if kept:
        # The roots are dead already (PR_SET_PDEATHSIG); their sessions still name what they left.
        signal_all(tree(kept) - {os.getpid()}, signal.SIGKILL)


if __name__ == "__main__":
    main()
