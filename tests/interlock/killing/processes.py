"""`interlock` commands as processes, forked of one that has loaded what they need."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SECONDS = 120
_REPOSITORY = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Ended:
    """What became of a command: its exit code, negative for the signal that killed it, and all that it said."""

    code: int
    said: str


class Processes:
    """Runs one command at a time."""

    def __init__(self, server: subprocess.Popen[str]) -> None:
        self._server = server
        self.seconds = SECONDS
        """How long a command may take."""
        self.running: int | None = None
        """The process id of the command that runs now."""

    def run(
        self, arguments: Sequence[str], environment: Mapping[str, str], said: Path, plant: str | None = None
    ) -> Ended:
        """Run a command to its end. `plant` is `module:function` that spoils something in the process before."""
        asked = {"arguments": [*arguments], "environment": dict(environment), "said": str(said), "plant": plant}
        assert self._server.stdin is not None
        self._server.stdin.write(json.dumps(asked) + "\n")
        self._server.stdin.flush()
        self.running = self._read()
        assert self.running is not None
        late = threading.Timer(self.seconds, os.kill, (self.running, signal.SIGTERM))
        late.start()
        try:
            code = os.waitstatus_to_exitcode(int(self._read()))
        finally:
            late.cancel()
            self.running = None
        assert code != -signal.SIGTERM, f"it took more than {self.seconds} s: {said.read_text()}"
        return Ended(code, said.read_text())

    def _read(self) -> Any:
        assert self._server.stdout is not None
        line = self._server.stdout.readline()
        assert line, "the server of commands has ended"
        return json.loads(line)


@contextlib.contextmanager
def processes() -> Iterator[Processes]:
    """Have a server of commands until the block ends; it ends with whoever started it in any case."""
    command = [sys.executable, "-m", "tests.interlock.killing.forking"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=_REPOSITORY) as server:
        made = Processes(server)
        assert made._read() == "ready"
        yield made
        assert server.stdin is not None
        server.stdin.close()
