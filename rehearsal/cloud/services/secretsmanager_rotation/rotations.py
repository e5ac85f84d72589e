"""Carries rotations out: the four steps, each an invocation of the secret's function, and what a failure leaves.

Source: https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html
"""

from __future__ import annotations

import json
import logging
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from moto.core.exceptions import JsonRESTError
from moto.events.models import events_backends
from moto.secretsmanager.models import secretsmanager_backends

from rehearsal.cloud.services.lambda_ import Lambda
from rehearsal.cloud.services.lambda_.fleet import Throttled
from rehearsal.cloud.services.lambda_.service import NotPermitted
from rehearsal.cloud.services.secretsmanager_rotation import stages

if TYPE_CHECKING:
    from rehearsal.cloud.context import CloudContext

PRINCIPAL = "secretsmanager.amazonaws.com"
STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")
RETRY_AFTER_SECONDS = (2.0, 10.0)
"""A rotation is tried again as a whole; AWS does not say when."""
_LOOK_EVERY = 0.5
_log = logging.getLogger(__name__)


class StepFailed(RuntimeError):
    """A step of a rotation did not succeed."""


class Rotations:
    """The rotations of every secret; moto's records are touched in Secrets Manager's turn only."""

    def __init__(self, cloud: CloudContext) -> None:
        self._cloud = cloud
        self._closing = threading.Event()
        self._running: set[tuple[str, str]] = set()
        self._turns: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._keep_schedules, name="rotation-schedules", daemon=True)

    def start(self) -> None:
        """Begin to rotate by schedule."""
        self._thread.start()

    def close(self) -> None:
        """Begin no more steps."""
        self._closing.set()
        self._thread.join()

    def begin(self, secret: Any, token: str, steps: tuple[str, ...] = STEPS) -> None:
        """Rotate a secret whose pending version is `token` after what it is rotated for already.

        Nothing to do if that is this very version.
        """
        with self._lock:
            if (secret.arn, token) in self._running:
                return
            self._running.add((secret.arn, token))
            turn = self._turns.setdefault(secret.arn, threading.Lock())

        def rotate() -> None:
            with turn:
                self._rotate(secret, token, steps)

        threading.Thread(target=rotate, name=f"rotate-{secret.name}", daemon=True).start()

    def _rotate(self, secret: Any, token: str, steps: tuple[str, ...]) -> None:
        try:
            self._tell(secret, "RotationStarted" if steps == STEPS else "TestRotationStarted")
            for wait in (*RETRY_AFTER_SECONDS, None):
                try:
                    self._run(secret, token, steps)
                except (StepFailed, Throttled, NotPermitted, JsonRESTError) as failed:
                    _log.warning("rotation of %s: %s", secret.name, failed)
                    if wait is None or steps != STEPS or self._closing.wait(wait):
                        self._tell(secret, "RotationFailed" if steps == STEPS else "TestRotationFailed")
                        break
                else:
                    self._tell(secret, "RotationSucceeded" if steps == STEPS else "TestRotationSucceeded")
                    break
        finally:
            with self._cloud.turn("secretsmanager"):
                if steps != STEPS:
                    secret.versions.pop(token, None)
            with self._lock:
                self._running.discard((secret.arn, token))

    def _run(self, secret: Any, token: str, steps: tuple[str, ...]) -> None:
        function = self._cloud.service(Lambda)
        for step in steps:
            if self._closing.is_set():
                raise StepFailed("the cloud is stopping")
            event = {"Step": step, "SecretId": secret.arn, "ClientRequestToken": token}
            outcome = function.invoke_as_service(secret.rotation_lambda_arn, PRINCIPAL, secret.arn, event)
            if outcome.error is not None:
                raise StepFailed(f"{step}: {outcome.payload.decode(errors='replace')[:500]}")
        if steps != STEPS:
            return
        with self._cloud.turn("secretsmanager"):
            if stages.holder(secret, stages.CURRENT) != token:
                raise StepFailed("finishSecret did not move AWSCURRENT")
            secret.last_rotation_date = self._cloud.now().timestamp()
            stages.plan(secret, self._cloud.now())

    def _keep_schedules(self) -> None:
        while not self._closing.wait(_LOOK_EVERY):
            now = self._cloud.now()
            with self._cloud.turn("secretsmanager"):
                due = [secret for secret in _all_secrets() if _is_due(secret, now)]
                for secret in due:
                    token = stages.holder(secret, stages.PENDING)
                    if token is None or token == stages.holder(secret, stages.CURRENT):
                        token = str(uuid4())
                        stages.add_pending(secret, token, now)
                    # What fails is tried again in the next window.
                    stages.plan(secret, now)
                    self.begin(secret, token)

    def _tell(self, secret: Any, name: str) -> None:
        """Send the event that CloudTrail sends of a rotation.

        Source: https://docs.aws.amazon.com/secretsmanager/latest/userguide/cloudtrail_log_entries.html
        """
        parts = secret.arn.split(":")
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        detail = {
            "eventTime": now,
            "eventSource": PRINCIPAL,
            "eventName": name,
            "eventType": "AwsServiceEvent",
            "awsRegion": parts[3],
            "recipientAccountId": parts[4],
            "additionalEventData": {"SecretId": secret.arn},
        }
        event = {
            "Source": "aws.secretsmanager",
            "DetailType": "AWS Service Event via CloudTrail",
            "Detail": json.dumps(detail),
        }
        with self._cloud.turn("events"):
            events_backends[parts[4]][parts[3]].put_events([event])


def _all_secrets() -> list[Any]:
    found = []
    for _, _, backend in secretsmanager_backends.iter_backends():
        found += [secret for secret in list(dict.values(backend.secrets)) if hasattr(secret, "rotation_requested")]
    return found


def _is_due(secret: Any, now: datetime) -> bool:
    opens = getattr(secret, "rotation_window_opens", None)
    return bool(opens is not None and secret.rotation_enabled and not secret.is_deleted() and opens <= now)
