"""Ends a process whose parent has died: an engine that is killed cannot end its plugins."""

import os
import time
from collections.abc import Callable

POLL_SECONDS = 1.0


def end_with_parent(leave: Callable[[], None], started_by: int | None = None) -> None:
    """Block until the parent is gone, then call `leave`.

    By polling, because the kernel's parent-death signal fires already when the *thread* that forked ends, and the
    engine forks from short-lived threads.
    """
    parent = os.getppid() if started_by is None else started_by
    while os.getppid() == parent:
        time.sleep(POLL_SECONDS)
    leave()
