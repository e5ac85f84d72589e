"""Looks at all alarms again and again and moves them between their states."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from datetime import datetime

from moto.cloudwatch.models import Alarm, CloudWatchBackend, cloudwatch_backends

from rehearsal.cloud.services.cloudwatch.alarms.evaluation import Verdict, judge, judge_composite
from rehearsal.cloud.services.cloudwatch.alarms.history import History, notify
from rehearsal.cloud.services.cloudwatch.store import MetricStore

# AWS looks once a minute, every ten seconds for short periods.
_LOOK_SECONDS = 2.0
_log = logging.getLogger(__name__)


class Watch:
    """Evaluates the alarms of every account and region in a thread of its own, while it is `enabled`."""

    def __init__(self, store: Callable[[str, str], MetricStore], now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now
        self._histories: dict[tuple[str, str], History] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="cloudwatch-alarms", daemon=True)
        self._lock = threading.RLock()
        self.enabled = False

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def history(self, backend: CloudWatchBackend) -> History:
        """Return the history of one account's alarms in one region."""
        return self._histories.setdefault((backend.account_id, backend.region_name), History())

    def look(self) -> None:
        """Evaluate every alarm once, composite ones after those that they name may have changed."""
        for account_id, regions in list(cloudwatch_backends.items()):
            for region in list(regions):
                backend = cloudwatch_backends[account_id][region]
                alarms = list(backend.alarms.values())
                for alarm in alarms:
                    if alarm.rule is None:
                        self._judge(backend, alarm)
                for alarm in alarms:
                    if alarm.rule is not None:
                        states = {one.name: one.state_value for one in alarms}
                        self.move(backend, alarm, judge_composite(alarm, states, self._now()))

    def move(self, backend: CloudWatchBackend, alarm: Alarm, verdict: Verdict | None) -> None:
        """Put an alarm into a state; if it is another one, note it and carry out the actions."""
        with self._lock:
            if verdict is None or verdict.state == alarm.state_value:
                return
            before, now = alarm.state_value, self._now()
            alarm.update_state(verdict.reason, json.dumps(verdict.data), verdict.state)
            history = self.history(backend)
            summary = f"Alarm updated from {before} to {verdict.state}"
            states = {
                "oldState": {"stateValue": before},
                "newState": {"stateValue": verdict.state, "stateReason": verdict.reason},
            }
            history.add(alarm, now, "StateUpdate", summary, {"version": "1.0", **states})
            if alarm.actions_enabled:
                for action, done in notify(alarm, backend.account_id, backend.region_name, before, now):
                    said = f"{'Successfully executed' if done else 'Failed to execute'} action {action}"
                    history.add(alarm, now, "Action", said, {"actionState": "Succeeded" if done else "Failed"})

    def _judge(self, backend: CloudWatchBackend, alarm: Alarm) -> None:
        try:
            store = self._store(backend.account_id, backend.region_name)
            self.move(backend, alarm, judge(store, alarm, self._now()))
        except Exception:
            # One alarm that cannot be evaluated must not keep the others from it.
            _log.exception("alarm %s", alarm.name)

    def _run(self) -> None:
        while not self._stopping.wait(_LOOK_SECONDS):
            if self.enabled:
                self.look()
