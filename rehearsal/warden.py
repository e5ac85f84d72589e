"""Process ownership: whatever a command starts, however it detaches itself, ends with whoever asked for it.

Three processes. The *owner* asks. The *warden*, a child of the owner in a session of its own, adopts every orphan
below it (`PR_SET_CHILD_SUBREAPER`, so Linux only) and learns of its owner's death by the end of a pipe. The *command*
runs below the warden. If the warden is killed its children become the owner's, who ends them.
Source: prctl(2), PR_SET_CHILD_SUBREAPER.
"""

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import IO

PR_SET_CHILD_SUBREAPER = 36
GRACE_SECONDS = 15.0
"""How long a command may take to end what it started, once asked to."""
TERMINATE_SECONDS = 3.0
POLL_SECONDS = 0.05
KEPT = b"kept\n"


class Ward:
    """A command below a warden, seen by its owner."""

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        environment: Mapping[str, str] | None = None,
        directory: Path | None = None,
        output: IO[bytes] | int | None = None,
        held: Sequence[int] = (),
        grace: float = GRACE_SECONDS,
    ) -> None:
        """Start it; when it is asked to end, it has `grace` seconds for that.

        `held` are file descriptors (locks) that the warden keeps open as long as it lives.
        """
        self.grace = grace
        lifeline, self._lifeline = os.pipe()
        self._word, word = os.pipe()
        arguments = [sys.executable, "-I", "-S", __file__, str(lifeline), str(word), str(grace), *map(str, command)]
        self.process = subprocess.Popen(
            arguments,
            env=environment,
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=[lifeline, word, *held],
            start_new_session=True,
        )
        os.close(lifeline)
        os.close(word)

    def keep(self) -> None:
        """Let the command outlive this process."""
        self.process.send_signal(signal.SIGUSR1)

    def wait(self) -> int | None:
        """Block until the end, and return the exit code; None if the command's children are kept instead."""
        if os.read(self._word, len(KEPT)) == KEPT:
            return None
        return self.process.wait()

    def stop(self) -> None:
        """Ask the command to end, then make it; returns when nothing of it is left."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(self.grace + 15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for descriptor in (self._lifeline, self._word):
            with contextlib.suppress(OSError):
                os.close(descriptor)


def own(ward_of: Callable[[], Ward], interrupted: Callable[[], None]) -> int | None:
    """Run a ward to its end as its owner; the exit code, 128 + n after signal n, or None if its children are kept.

    `interrupted` is called when a signal asks this process to end; a second signal ends the ward at once.
    """
    adopt_orphans()
    received: list[int] = []
    ward: Ward | None = None

    def forward(number: int, _frame: FrameType | None) -> None:
        received.append(number)
        if len(received) == 1:
            interrupted()
        if ward is not None:
            ward.process.terminate()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, forward)
    ward = ward_of()
    if received:
        ward.process.terminate()
    code = ward.wait()
    if code is None:
        return None
    end_children(ward.grace)
    return 128 + received[0] if received else _exit_code(code)


def adopt_orphans() -> None:
    """Make this process the parent of every orphan below it. Raises OSError where the kernel cannot do that."""
    if not sys.platform.startswith("linux"):
        raise OSError(f"needs Linux to end every process it starts, and this is {sys.platform}")
    library = ctypes.CDLL(None, use_errno=True)
    if library.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER) failed")


def end_children(grace: float, at_once: Callable[[], bool] = lambda: False) -> None:
    """End everything below this process: its children are asked first, then all, then all are killed."""
    for number, which, seconds in (
        (signal.SIGTERM, children, grace),
        (signal.SIGTERM, descendants, TERMINATE_SECONDS),
    ):
        _signal(which(os.getpid()), number)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not at_once():
            reap()
            if nothing_below(os.getpid()):
                return
            time.sleep(POLL_SECONDS)
    while not nothing_below(os.getpid()):
        _signal(descendants(os.getpid()), signal.SIGKILL)
        time.sleep(POLL_SECONDS)
        reap()


def reap() -> dict[int, int]:
    """Collect the children that have ended: exit code by process id."""
    ended = {}
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                break
            ended[pid] = os.waitstatus_to_exitcode(status)
    return ended


def children(of: int) -> list[int]:
    """The living processes whose parent is `of`."""
    return [pid for pid, (parent, alive) in _processes().items() if parent == of and alive]


def descendants(of: int) -> list[int]:
    """The living processes below `of`, the nearest first, those below a zombie too."""
    processes = _processes()
    found: list[int] = []
    level = [of]
    while level:
        level = [pid for pid, (parent, _) in processes.items() if parent in level]
        found += level
    return [pid for pid in found if processes[pid][1]]


def nothing_below(of: int) -> bool:
    """Whether nothing lives below `of`.

    One look at /proc can miss a process that is being born or orphaned meanwhile, so it takes two that agree.
    """
    if descendants(of):
        return False
    time.sleep(POLL_SECONDS)
    return not descendants(of)


def _processes() -> dict[int, tuple[int, bool]]:
    """Parent, and whether it lives, by process id. Source: proc(5), /proc/pid/stat and /proc/pid/task.

    A process whose first thread has ended shows as a zombie while others of its threads, and their children, live.
    """
    processes = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError):
                state, parent = Path("/proc", entry, "stat").read_text(errors="replace").rpartition(")")[2].split()[:2]
                alive = state not in "ZX" or len(os.listdir(f"/proc/{entry}/task")) > 1
                processes[int(entry)] = (int(parent), alive)
    return processes


def _signal(pids: Sequence[int], number: int) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def _exit_code(code: int) -> int:
    return code if code >= 0 else 128 - code


class _Warden:
    """The warden process: waits for the command, its owner and signals, whichever comes first."""

    def __init__(self, lifeline: int, word: int, grace: float) -> None:
        self._grace = grace
        self._lifeline: int | None = lifeline
        self._word: int | None = word
        self._asked_to_end = False
        self._signals = 0
        self._kept = False
        self._wake_read, wake_write = os.pipe()
        os.set_blocking(wake_write, False)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._end)
        signal.signal(signal.SIGUSR1, self._keep)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def run(self, command: Sequence[str]) -> int:
        adopt_orphans()
        environment = {**os.environ, "INTERLOCK_WARDEN": str(os.getpid())}
        child = subprocess.Popen(command, env=environment, process_group=0)
        code: int | None = None
        while not self._asked_to_end:
            code = reap().get(child.pid, code)
            if code is not None and not self._kept:
                break
            if code is not None:
                self._tell_kept()
                if nothing_below(os.getpid()):
                    return 0
            self._wait()
        end_children(self._grace, at_once=lambda: self._signals > 1)
        return _exit_code(128 + signal.SIGTERM if code is None else code)

    def _wait(self) -> None:
        sources = [self._wake_read] if self._lifeline is None else [self._wake_read, self._lifeline]
        readable, _, _ = select.select(sources, [], [])
        if self._wake_read in readable:
            os.read(self._wake_read, 4096)
        if self._lifeline in readable and not self._kept:
            self._asked_to_end = True
        elif self._lifeline in readable:
            self._lifeline = None

    def _tell_kept(self) -> None:
        """Let the owner go, and its terminal with it."""
        if self._word is not None:
            with contextlib.suppress(BrokenPipeError):
                os.write(self._word, KEPT)
            os.close(self._word)
            self._word = None
            nowhere = os.open(os.devnull, os.O_RDWR)
            for descriptor in (0, 1, 2):
                os.dup2(nowhere, descriptor)

    def _end(self, *_: object) -> None:
        self._asked_to_end = True
        self._signals += 1

    def _keep(self, *_: object) -> None:
        self._kept = True


def keep_running() -> None:
    """Called below a warden: what is running when the command ends shall go on running."""
    os.kill(int(os.environ["INTERLOCK_WARDEN"]), signal.SIGUSR1)


if __name__ == "__main__":
    sys.exit(_Warden(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])).run(sys.argv[4:]))
