"""What is to be replicated, and the thread that does it, each a moment after it was noticed."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from rehearsal.cloud.services.s3_replication.configuration import Rule

DELAY_SECONDS = 0.5
"""How long a version waits at least, so that nobody takes replication for synchronous; S3 promises no time at all."""
_log = logging.getLogger(__name__)


class Change(StrEnum):
    """What happened in the source bucket."""

    VERSION = "version"
    DELETE_MARKER = "delete marker"
    METADATA = "metadata"


@dataclass(frozen=True, eq=False)
class Task:
    """One change of one version, and the rules by which it is replicated; `size` in bytes."""

    change: Change
    bucket_name: str
    key: str
    version_id: str
    size: int
    role_arn: str
    rules: Sequence[Rule]
    noticed_at: datetime
    due: float = field(default_factory=lambda: time.monotonic() + DELAY_SECONDS)


class Worker:
    """Carries tasks out in their order, on a thread of its own; what is left when it stops is not done."""

    def __init__(self, carry_out: Callable[[Task], None]) -> None:
        self._carry_out = carry_out
        self._tasks: deque[Task] = deque()
        self._changed = threading.Condition()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="s3-replication", daemon=True)

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
        """Have a task carried out when it is due."""
        with self._changed:
            self._tasks.append(task)
            self._changed.notify()

    def pending(self) -> Sequence[Task]:
        """Return the tasks that are not done."""
        with self._changed:
            return list(self._tasks)

    def _run(self) -> None:
        while True:
            task = self._next()
            if task is None:
                return
            try:
                self._carry_out(task)
            except Exception:
                _log.exception("replication of %s/%s failed", task.bucket_name, task.key)
            with self._changed:
                self._tasks.remove(task)

    def _next(self) -> Task | None:
        """Return the first task once it is due; None when the worker is to stop."""
        with self._changed:
            while not self._stopped:
                wait = self._tasks[0].due - time.monotonic() if self._tasks else None
                if wait is not None and wait <= 0:
                    return self._tasks[0]
                self._changed.wait(wait)
        return None
