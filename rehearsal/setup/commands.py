"""Runs another program for set-up: its output goes to a log, its last line to the progress."""

import collections
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from rehearsal.setup.errors import SetupError
from rehearsal.setup.progress import Activity

TAIL_LINES = 15


def run(
    arguments: Sequence[str | Path],
    activity: Activity,
    directory: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Run to the end; the newest line of output becomes the activity's detail.

    Raises SetupError with the end of the output if it does not exit 0.
    """
    last: collections.deque[str] = collections.deque(maxlen=TAIL_LINES)
    child = subprocess.Popen(
        [str(argument) for argument in arguments],
        cwd=directory,
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    assert child.stdout is not None
    for line in child.stdout:
        if line.strip():
            last.append(line.rstrip())
            activity.detail = line.strip()[:60]
    if child.wait() != 0:
        command = " ".join(str(argument) for argument in arguments)
        output = "\n".join(f"    {line}" for line in last)
        raise SetupError(f"{activity.what} failed (exit code {child.returncode}).\n  command: {command}\n{output}")


def output_of(arguments: Sequence[str | Path], environment: Mapping[str, str] | None = None) -> str | None:
    """Standard output of a short command, or None if it is missing, fails or does not end within 20 s."""
    try:
        answer = subprocess.run(
            [str(argument) for argument in arguments],
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=20,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()
