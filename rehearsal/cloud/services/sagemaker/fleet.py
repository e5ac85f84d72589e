"""The instances of one variant: as many model servers as it declares, up to what one machine bears."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from rehearsal.cloud.services.sagemaker.instance import DoesNotStart, Instance, Workload

if TYPE_CHECKING:
    from rehearsal.cloud.context import CloudContext

MOST_INSTANCES = 2
"""Model servers that run for one variant; a larger declared count is kept, answered and counted with, not run."""

_PINGS_MISSED = 6
_DRAIN_SECONDS = 60.0


class Fleet:
    """Starts, scales, watches and stops the instances of one variant, and picks one for each invocation."""

    def __init__(self, cloud: CloudContext, workload: Workload, directory: Path) -> None:
        self.workload = workload
        self._cloud = cloud
        self._directory = directory
        self._instances: tuple[Instance, ...] = ()
        self._lock = threading.Lock()
        self._stopped = False

    @property
    def instances(self) -> tuple[Instance, ...]:
        """The instances that run."""
        return self._instances

    @property
    def stopped(self) -> bool:
        """Whether these instances were stopped for good."""
        return self._stopped

    def scale(self, declared: int) -> None:
        """Run as many instances as `declared` and this machine allow. Raises DoesNotStart, and then nothing changed."""
        wanted = min(declared, MOST_INSTANCES)
        missing = wanted - len(self._instances)
        if missing > 0:
            self._grow([Instance(self._cloud, self.workload, self._directory) for _ in range(missing)])
        else:
            with self._lock:
                surplus, self._instances = self._instances[wanted:], self._instances[:wanted]
            for instance in surplus:
                _drain(instance)
                instance.stop()

    def choose(self) -> Instance | None:
        """Return the healthy instance with the least to do, its place in the queue taken; None if none is healthy."""
        with self._lock:
            healthy = [instance for instance in self._instances if instance.healthy]
            if not healthy:
                return None
            chosen = min(healthy, key=lambda instance: instance.in_flight)
            chosen.in_flight += 1
            return chosen

    def done(self, instance: Instance) -> None:
        """Give the place in the queue back that `choose` took."""
        with self._lock:
            instance.in_flight -= 1

    def ended(self) -> list[Instance]:
        """Return the instances whose process has ended, taken out of service."""
        return self._out_of_service(lambda instance: not instance.is_alive())

    def silent(self) -> list[Instance]:
        """Ping every instance and return those that have missed too many pings in a row, taken out of service."""

        def silent(instance: Instance) -> bool:
            instance.missed_pings = 0 if instance.ping() else instance.missed_pings + 1
            return instance.missed_pings >= _PINGS_MISSED

        return self._out_of_service(silent)

    def stop(self, drain: bool = False) -> None:
        """Stop every instance, with `drain` once it has answered what it was asked."""
        # Under the lock that `choose` takes: whoever chose before is counted in flight, nobody chooses after.
        with self._lock:
            self._stopped = True
            instances, self._instances = self._instances, ()
        if instances:
            with ThreadPoolExecutor(len(instances)) as stoppers:
                if drain:
                    list(stoppers.map(_drain, instances))
                list(stoppers.map(Instance.stop, instances))

    def _out_of_service(self, broken: Callable[[Instance], bool]) -> list[Instance]:
        found = [instance for instance in self._instances if instance.healthy and broken(instance)]
        with self._lock:
            # Whichever look finds an instance broken first has it started again, and only that one.
            taken = [instance for instance in found if instance.healthy]
            for instance in taken:
                instance.healthy = False
        return taken

    def _grow(self, added: list[Instance]) -> None:
        before = self._instances
        # Listed before they are started, so that `stop` reaches an instance that is still starting.
        self._instances = (*before, *added)
        try:
            with ThreadPoolExecutor(len(added)) as starters:
                list(starters.map(Instance.start, added))
            if self._stopped:
                raise DoesNotStart("The endpoint was stopped while its instances started.")
        except DoesNotStart:
            self._instances = tuple(instance for instance in self._instances if instance not in added)
            for instance in added:
                instance.stop()
            raise


def _drain(instance: Instance) -> None:
    deadline = time.monotonic() + _DRAIN_SECONDS
    while instance.in_flight and time.monotonic() < deadline:
        time.sleep(0.02)
