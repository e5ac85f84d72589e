"""Watches the instances in service: starts those again that ended or hang, and measures what they use."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable

from rehearsal.cloud.services.sagemaker.fleet import Fleet
from rehearsal.cloud.services.sagemaker.instance import DoesNotStart, Instance
from rehearsal.cloud.services.sagemaker.usage import Usage, usage, values

_LOOK_SECONDS = 0.25
# https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html: a ping every 5 seconds
_PING_SECONDS = 5.0
_LONGEST_PAUSE = 30.0
_MEASURE_SECONDS = 60.0
_log = logging.getLogger(__name__)

Measured = list[tuple[str, float, str]]


class Supervisor:
    """Looks at every fleet that `fleets` names: one thread for ended processes, one for pings and logs, one a revival.

    `record` is given what each instance used, every minute.
    """

    def __init__(self, fleets: Callable[[], Iterable[Fleet]], record: Callable[[Fleet, Measured], None]) -> None:
        self._fleets = fleets
        self._record = record
        self._used: dict[int, tuple[float, Usage]] = {}
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._watch, name="sagemaker-supervisor", daemon=True),
            threading.Thread(target=self._ping, name="sagemaker-pings", daemon=True),
        ]

    def start(self) -> None:
        """Begin to watch."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Watch no more and give up on instances that are being started again."""
        self._stopping.set()
        # The other thread may be waiting for a ping that never comes.
        if self._threads[0].is_alive():
            self._threads[0].join()

    def _watch(self) -> None:
        while not self._stopping.wait(_LOOK_SECONDS):
            for fleet in list(self._fleets()):
                self._start_again(fleet, fleet.ended())
            self._measure()

    def _ping(self) -> None:
        while not self._stopping.wait(_PING_SECONDS):
            for fleet in list(self._fleets()):
                self._start_again(fleet, fleet.silent())
                for instance in fleet.instances:
                    instance.ship_log()

    def _start_again(self, fleet: Fleet, instances: list[Instance]) -> None:
        for instance in instances:
            threading.Thread(target=self._revive, args=(fleet, instance), daemon=True).start()

    def _measure(self) -> None:
        now = time.monotonic()
        seen: dict[int, tuple[float, Usage]] = {}
        for fleet in list(self._fleets()):
            for instance in fleet.instances:
                used = None if instance.pid is None else usage(instance.pid)
                if instance.pid is None or used is None:
                    continue
                since, before = self._used.get(instance.pid, (now, used))
                due = now - since >= _MEASURE_SECONDS
                if due:
                    self._record(fleet, values(before, used, now - since))
                seen[instance.pid] = (now, used) if due else (since, before)
        self._used = seen

    def _revive(self, fleet: Fleet, instance: Instance) -> None:
        pause = 0.5
        while instance in fleet.instances and not self._stopping.is_set():
            try:
                _log.warning("instance %s of %s is started again", instance.instance_id, fleet.workload.variant_name)
                instance.restart()
            except DoesNotStart as problem:
                _log.warning("instance %s: %s", instance.instance_id, problem)
                self._stopping.wait(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
            else:
                break
        if instance not in fleet.instances or self._stopping.is_set():
            instance.stop()
