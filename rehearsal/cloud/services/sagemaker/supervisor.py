"""Watches the instances in service and starts those again that ended or hang."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable

from rehearsal.cloud.services.sagemaker.fleet import Fleet
from rehearsal.cloud.services.sagemaker.instance import DoesNotStart, Instance

_LOOK_SECONDS = 0.25
# https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html: a ping every 5 seconds
_PING_SECONDS = 5.0
_LONGEST_PAUSE = 30.0
_log = logging.getLogger(__name__)


class Supervisor:
    """One thread that looks at every fleet that `fleets` names, and one thread for each instance started again."""

    def __init__(self, fleets: Callable[[], Iterable[Fleet]]) -> None:
        self._fleets = fleets
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="sagemaker-supervisor", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """Watch no more and give up on instances that are being started again."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _watch(self) -> None:
        next_ping = time.monotonic() + _PING_SECONDS
        while not self._stopping.wait(_LOOK_SECONDS):
            ping = time.monotonic() >= next_ping
            if ping:
                next_ping = time.monotonic() + _PING_SECONDS
            for fleet in list(self._fleets()):
                for instance in fleet.check(ping):
                    threading.Thread(target=self._revive, args=(fleet, instance), daemon=True).start()

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
