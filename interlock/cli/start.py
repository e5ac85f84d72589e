"""Where the `interlock` command begins: before what it is made of is imported, which takes longer than a moment."""

from __future__ import annotations

import importlib
import os
import signal
import sys
from types import FrameType


def main() -> None:
    """Run the command line; an interrupt before it has begun ends it as one later on does."""
    ordinary = signal.signal(signal.SIGINT, _interrupted)
    command = importlib.import_module("interlock.cli.main")
    signal.signal(signal.SIGINT, ordinary)
    command.main()


def _interrupted(_: int, __: FrameType | None) -> None:
    # Nothing has been begun that would have to be ended.
    os.write(sys.stderr.fileno(), b"interrupted: nothing was concluded\n")
    os._exit(130)
