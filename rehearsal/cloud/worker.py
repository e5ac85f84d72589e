"""What AWS does a moment after it was asked: tasks on a thread beside the requests."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Task = TypeVar("Task")
_log = logging.getLogger(__name__)


class Worker(Generic[Task]):
    """Carries tasks out in their order, each `delay` seconds after it was given, on a thread of its own.

    What is left when it stops is not done.
    """

    def __init__(self, name: str, carry_out: Callable[[Task], None], delay: float) -> None:
        self._name = name
        self._carry_out = carry_out
        self._delay = delay
        self._tasks: deque[tuple[float, Task]] = deque()
        self._changed = threading.Condition()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the task under way."""
        with self._changed:
            self._stopped = True
            self._changed.notify()
        self._thread.join()

    def add(self, task: Task) -> None:
        """Have a task carried out once its delay is over."""
        with self._changed:
            self._tasks.append((time.monotonic() + self._delay, task))
            self._changed.notify()

    def pending(self) -> Sequence[Task]:
        """Return the tasks that are not done."""
        with self._changed:
            return [task for _, task in self._tasks]

    def _run(self) -> None:
        while True:
            task = self._next()
            if task is None:
                return
            try:
                self._carry_out(task)
            except Exception:
                _log.exception("%s failed: %s", self._name, task)
            with self._changed:
                self._tasks.popleft()

    def _next(self) -> Task | None:
        """Return the first task once it is due; None when the worker is to stop."""
        with self._changed:
            while not self._stopped:
                wait = self._tasks[0][0] - time.monotonic() if self._tasks else None
                if wait is not None and wait <= 0:
                    return self._tasks[0][1]
                self._changed.wait(wait)
        return None
