"""Holds a refusal back until the program has said all it has to say, so that all its mistakes are told at once.

The engine gives up at the first failed check, and its checks come one after the other; its steps, however, run side
by side. So a resource with mistakes passes the check and is refused in its step, and in a preview not before the
program has been quiet for a while.
"""

from __future__ import annotations

import threading
import time

QUIET_SECONDS = 3.0
_LONGEST_SECONDS = 30.0


class Deferral:
    """What the instances of one host know of how busy each engine is; an engine is named by its address."""

    def __init__(self, quiet: float = QUIET_SECONDS, longest: float = _LONGEST_SECONDS) -> None:
        self._quiet = quiet
        self._longest = longest
        self._last: dict[str, float] = {}
        self._closed = threading.Event()

    def heard(self, engine: str) -> None:
        """Note that the engine has just asked for something."""
        self._last[engine] = time.monotonic()

    def wait(self, engine: str) -> None:
        """Return when the engine has asked for nothing new for a while, or has gone on for too long."""
        longest = time.monotonic() + self._longest
        while True:
            # All who wait wake at the same moment: the first refusal makes the engine cancel what is under way.
            left = min(self._last.get(engine, 0) + self._quiet, longest) - time.monotonic()
            if left <= 0 or self._closed.wait(left):
                return

    def forget(self, engine: str) -> None:
        """Drop what is known of an engine that has gone."""
        self._last.pop(engine, None)

    def close(self) -> None:
        """Let everyone go who waits."""
        self._closed.set()
