"""The processes of a local cloud: started in sessions of their own, watched, and stopped whole."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from rehearsal.cloud import keeper, privileges

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Program:
    """What to start: `environment` is all the process gets, `log` receives both of its outputs, appended."""

    arguments: Sequence[str]
    environment: Mapping[str, str]
    directory: Path
    log: Path
    stop_signal: signal.Signals = signal.SIGTERM
    unprivileged: bool = False
    """Started by root, run as `nobody` all the same: some servers refuse to run as root."""


class Process:
    """One process and all that it started."""

    def __init__(self, program: Program, popen: subprocess.Popen[bytes], gone: Callable[[Process], None]) -> None:
        self.program = program
        self.log = program.log
        self.pid = popen.pid
        self._popen = popen
        self._exited = threading.Event()
        self._stopping = threading.Lock()
        threading.Thread(target=self._watch, args=(gone,), name=f"watch-{popen.pid}", daemon=True).start()

    def poll(self) -> int | None:
        """Return the exit status as `subprocess` gives it (negative: the signal that ended it), None while alive."""
        return self._popen.returncode if self._exited.is_set() else None

    def wait(self, timeout: float) -> int | None:
        """Wait for the exit, at most `timeout` seconds, and return what `poll` does."""
        self._exited.wait(timeout)
        return self.poll()

    def stop(self, timeout: float = 10.0) -> int:
        """Ask the process to end, wait `timeout` seconds, kill what is left of its tree; return the exit status."""
        with self._stopping:
            members = self._tree()
            if self.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self.pid, self.program.stop_signal)
                self._exited.wait(timeout)
            self._kill(members)
            self._exited.wait()
            return int(self._popen.returncode)

    def kill(self) -> None:
        """Kill the process and its tree at once."""
        self._kill(self._tree())
        self._exited.wait()

    def leftovers(self) -> set[int]:
        """Return the ids of what still runs of the process's tree."""
        return self._tree()

    def _tree(self) -> set[int]:
        exited = self._exited.is_set()
        members = keeper.tree([self.pid])
        # A number is given again only when neither a process nor a session bears it: then nothing of ours is left.
        return set() if exited and self.pid in members else members

    def _kill(self, known: set[int]) -> None:
        deadline = time.monotonic() + 5.0
        # A process may fork between the look and the kill, hence the repetition; orphans keep the session's id.
        while left := self._tree() | (known - {self.pid}) & keeper.tree(known):
            keeper.signal_all(left, signal.SIGKILL)
            if time.monotonic() > deadline:
                raise TimeoutError(f"processes {sorted(left)} survive SIGKILL")
            time.sleep(0.01)

    def _watch(self, gone: Callable[[Process], None]) -> None:
        self._popen.wait()
        self._exited.set()
        gone(self)


class Processes:
    """Starts the processes of one cloud and ends them all with it, even when the cloud is killed outright."""

    def __init__(self) -> None:
        # PR_SET_PDEATHSIG fires when the *thread* that forked ends, so one thread that lives as long as the cloud
        # does all the forking.
        self._spawner = ThreadPoolExecutor(max_workers=1, thread_name_prefix="spawner")
        self._alive: dict[int, Process] = {}
        self._lock = threading.Lock()
        self._closed = False
        self._keeper = subprocess.Popen(
            [sys.executable, "-I", "-S", keeper.__file__], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
        )

    def start(self, program: Program) -> Process:
        """Start `program` in a session of its own.

        Raises OSError if it cannot be executed, RuntimeError once `close` was called.
        """
        return self._spawner.submit(self._start, program).result()

    def alive(self) -> list[Process]:
        """Return the processes that run."""
        with self._lock:
            return list(self._alive.values())

    def close(self) -> None:
        """Stop every process, all at the same time, and start no more."""
        with self._lock:
            self._closed = True
            alive = list(self._alive.values())
        stoppers = [threading.Thread(target=process.stop, args=(5.0,)) for process in alive]
        for stopper in stoppers:
            stopper.start()
        for stopper in stoppers:
            stopper.join()
        self._spawner.shutdown()
        assert self._keeper.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._keeper.stdin.close()
        self._keeper.wait()

    def _start(self, program: Program) -> Process:
        with self._lock:
            if self._closed:
                raise RuntimeError("the cloud is stopping and starts no more processes")
        program.directory.mkdir(parents=True, exist_ok=True)
        program.log.parent.mkdir(parents=True, exist_ok=True)
        with program.log.open("ab") as log:
            try:
                popen = self._fork(program, log)
            except subprocess.SubprocessError as refused:
                # What happens between fork and exec reaches us without its cause.
                raise OSError(f"{program.arguments[0]}: this machine lets no process be prepared as asked") from refused
        with self._lock:
            self._tell_keeper(f"+{popen.pid}")
            process = self._alive[popen.pid] = Process(program, popen, self._forget)
        return process

    @staticmethod
    def _fork(program: Program, log: IO[bytes]) -> subprocess.Popen[bytes]:
        parent = os.getpid()
        return subprocess.Popen(
            program.arguments,
            env=dict(program.environment),
            cwd=program.directory,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=lambda: _prepare(parent, program.unprivileged),
        )

    def _forget(self, process: Process) -> None:
        with self._lock:
            self._alive.pop(process.pid, None)
            # What a dead process left running stays the keeper's until somebody stops it.
            if not process.leftovers():
                self._tell_keeper(f"-{process.pid}")

    def _tell_keeper(self, line: str) -> None:
        assert self._keeper.stdin is not None
        with contextlib.suppress(BrokenPipeError, ValueError):
            self._keeper.stdin.write(f"{line}\n".encode())
            self._keeper.stdin.flush()


def _prepare(parent: int, unprivileged: bool) -> None:
    if unprivileged:
        privileges.drop()
    # After the drop: a change of credentials takes this setting back.
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
