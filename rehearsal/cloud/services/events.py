"""EventBridge's rules on a schedule, which moto keeps and does not follow: here their functions are invoked in time."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import uuid4

from moto.core.exceptions import JsonRESTError
from moto.events.models import EventsBackend, events_backends

from rehearsal.cloud.errors import json_error
from rehearsal.cloud.service import Patches, Service, correction
from rehearsal.cloud.services.lambda_ import Lambda
from rehearsal.cloud.services.lambda_.service import NotPermitted

if TYPE_CHECKING:
    from rehearsal.cloud.context import CloudContext

PRINCIPAL = "events.amazonaws.com"
_GUIDE = "https://docs.aws.amazon.com/eventbridge/latest/userguide"
_RATE = re.compile(r"rate\(([1-9]\d*) (minute|hour|day)(s?)\)")
_LOOK_EVERY = 0.5
_log = logging.getLogger(__name__)


def period(expression: str) -> timedelta | None:
    """Return how long it is between two times of a rate, None for what is no rate.

    Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rate-expressions.html
    """
    match = _RATE.fullmatch(expression)
    if match is None or (match[1] == "1") == bool(match[3]):
        return None
    return timedelta(**{f"{match[2]}s": int(match[1])})


class Events(Service):
    """Rules with a rate, and the functions that are their targets."""

    name: ClassVar[str] = "events"

    def __init__(self, cloud: CloudContext) -> None:
        super().__init__(cloud)
        self._closing = threading.Event()
        self._next: dict[tuple[str, str], datetime] = {}
        self._thread = threading.Thread(target=self._keep_schedules, name="event-schedules", daemon=True)

    def start(self) -> None:
        """Begin to invoke by schedule."""
        self._thread.start()

    def stop(self) -> None:
        """Invoke nothing any more."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join()

    @correction("events.rates", f"{_GUIDE}/eb-rate-expressions.html")
    def _rates(self, patches: Patches) -> None:
        """A rate of 1 has its unit in the singular, every other one in the plural."""
        put: Any = None

        def put_rule(backend: EventsBackend, *arguments: Any, **named: Any) -> Any:
            expression = named.get("scheduled_expression") or ""
            if expression.startswith("rate") and period(expression) is None:
                raise json_error("ValidationException", "Parameter ScheduleExpression is not valid.")
            return put(backend, *arguments, **named)

        put = patches.replace(EventsBackend, "put_rule", put_rule)

    def scheduled(self) -> dict[str, datetime]:
        """Return by rule when it invokes its targets next."""
        return {arn: at for (arn, _), at in self._next.items()}

    def inventory(self) -> list[str]:
        """Return the rules."""
        return [rule.arn for rule in _rules()]

    def _keep_schedules(self) -> None:
        while not self._closing.wait(_LOOK_EVERY):
            with self.cloud.turn("events"):
                due = [(rule.arn, [dict(one) for one in rule.targets]) for rule in self._due(self.cloud.now())]
            for arn, targets in due:
                for target in targets:
                    self._invoke(arn, target)

    def _due(self, now: datetime) -> Iterator[Any]:
        known = set()
        for rule in _rules():
            every = period(rule.scheduled_expression or "")
            if every is None or rule.state != "ENABLED":
                continue
            # A rate counts from when its rule was made or changed.
            key = (rule.arn, rule.scheduled_expression)
            known.add(key)
            if key not in self._next:
                self._next[key] = now + every
            elif self._next[key] <= now:
                self._next[key] = now + every
                yield rule
        self._next = {key: at for key, at in self._next.items() if key in known}

    def _invoke(self, rule_arn: str, target: dict[str, Any]) -> None:
        """Hand an event to a function as EventBridge does, which does not wait for what comes of it."""
        arn = str(target.get("Arn", ""))
        if ":lambda:" not in arn:
            return
        parts = rule_arn.split(":")
        event = {
            "version": "0",
            "id": str(uuid4()),
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": parts[4],
            "time": f"{self.cloud.now():%Y-%m-%dT%H:%M:%SZ}",
            "region": parts[3],
            "resources": [rule_arn],
            "detail": {},
        }
        try:
            self.cloud.service(Lambda).send_as_service(arn, PRINCIPAL, rule_arn, event)
        except (NotPermitted, JsonRESTError) as refused:
            _log.warning("%s does not invoke %s: %s", rule_arn, arn, refused)


def _rules() -> list[Any]:
    return [
        rule
        for _, _, backend in events_backends.iter_backends()
        for bus in list(backend.event_buses.values())
        for rule in list(bus.rules.values())
    ]
