"""Says on standard error what is being waited for, and for how long."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

QUIET_SECONDS = 10.0
"""A log gets a line this often while something is waited for; a terminal's last line changes every second."""


class Activity:
    """One thing that is being waited for; `detail` is the newest word about it."""

    def __init__(self, what: str, started: float) -> None:
        self.what = what
        self.started = started
        self.detail = ""


class Progress:
    """The activities under way; several may run at once."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._live = self._stream.isatty()
        self._active: list[Activity] = []
        self._lock = threading.Lock()
        self._shown_live = False

    def say(self, line: str) -> None:
        with self._lock:
            self._write(line)

    @contextmanager
    def waiting(self, what: str) -> Iterator[Activity]:
        """Announce `what`, repeat it while it lasts, and say how long it took."""
        activity = Activity(what, time.monotonic())
        with self._lock:
            self._active.append(activity)
            self._write(f"  … {what}")
        done = threading.Event()
        threading.Thread(target=self._repeat, args=(activity, done), daemon=True).start()
        ended = "failed after"
        try:
            yield activity
            ended = "done in"
        finally:
            done.set()
            with self._lock:
                self._active.remove(activity)
                self._write(f"  {'✓' if ended == 'done in' else '✗'} {what}: {ended} {_seconds(activity)}")

    def _repeat(self, activity: Activity, done: threading.Event) -> None:
        while not done.wait(1.0 if self._live else QUIET_SECONDS):
            with self._lock:
                if activity not in self._active:
                    return
                if self._live:
                    self._write_live()
                else:
                    self._write(f"    {_line(activity)}")

    def _write(self, line: str) -> None:
        clear = "\r\x1b[K" if self._shown_live else ""
        self._shown_live = False
        self._put(f"{clear}{line}\n")

    def _write_live(self) -> None:
        self._shown_live = True
        self._put("\r\x1b[K    " + " · ".join(_line(activity) for activity in self._active)[:110])

    def _put(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except (BrokenPipeError, ValueError):
            # Nobody reads any more; the work itself can still end well.
            self._live = False


def _seconds(activity: Activity) -> str:
    return f"{time.monotonic() - activity.started:.0f} s"


def _line(activity: Activity) -> str:
    detail = f": {activity.detail}" if activity.detail else ""
    return f"{activity.what}, {_seconds(activity)}{detail}"
