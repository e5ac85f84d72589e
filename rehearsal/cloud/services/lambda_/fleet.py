"""The execution environments of all functions: who gets an event, who waits, who is refused.

Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rehearsal.cloud.containers import ImageNotFound
from rehearsal.cloud.credentials import RoleCredentials, RoleNotFound
from rehearsal.cloud.dockerfile import DockerfileError
from rehearsal.cloud.log_streams import ensure_group
from rehearsal.cloud.services.cloudwatch import CloudWatch
from rehearsal.cloud.services.lambda_.environment import Environment
from rehearsal.cloud.services.lambda_.records import FunctionSpec, Outcome
from rehearsal.cloud.services.lambda_.runtime_api import Invocation

if TYPE_CHECKING:
    from rehearsal.cloud.context import CloudContext

NAMESPACE = "AWS/Lambda"
RETRY_AFTER_SECONDS = (60.0, 120.0)
"""Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html"""
_ACCOUNT_CONCURRENCY = 1000
_log = logging.getLogger(__name__)


class Throttled(RuntimeError):
    """No environment is left for an invocation; the message is the refusal's Reason."""


@dataclass(eq=False)
class _Pool:
    """The environments of one version of a function."""

    idle: list[Environment] = field(default_factory=list)
    busy: set[Environment] = field(default_factory=set)
    starting: int = 0
    is_retired: bool = False


class Fleet:
    """Environments by the function's ARN and version; safe for many threads."""

    def __init__(self, cloud: CloudContext, credentials: RoleCredentials) -> None:
        self._cloud = cloud
        self._credentials = credentials
        self._pools: dict[tuple[str, str], _Pool] = {}
        self._lock = threading.Lock()
        self._closing = threading.Event()

    def invoke(self, spec: FunctionSpec, invocation: Invocation, reserved: int | None) -> Outcome:
        """Run an invocation to its end. Raises Throttled, or what an environment cannot start with."""
        pool, environment = self._claim(spec, reserved)
        started = time.monotonic()
        try:
            if environment is None:
                environment = self._start(spec, pool)
            outcome = environment.invoke(invocation)
        except (ImageNotFound, DockerfileError, RoleNotFound, OSError, RuntimeError) as broken:
            _log.exception("function %s", spec.name)
            outcome = Outcome.failure(
                "Runtime.InvalidEntrypoint", f"RequestId: {invocation.request_id} Error: {broken}"
            )
        self._give_back(pool, environment, outcome)
        self._count(
            spec,
            {
                "Invocations": (1.0, "Count"),
                "Errors": (float(outcome.error is not None), "Count"),
                "Duration": ((time.monotonic() - started) * 1000, "Milliseconds"),
                "Throttles": (0.0, "Count"),
            },
        )
        return outcome

    def invoke_later(
        self, spec: FunctionSpec, make: Callable[[], Invocation], reserved: int | None, retries: int
    ) -> None:
        """Run an asynchronous invocation, again after each of the waits that Lambda makes while it fails."""
        threading.Thread(
            target=self._run_until_done, args=(spec, make, reserved, retries), name=f"event-{spec.name}", daemon=True
        ).start()

    def retire(self, arn: str) -> None:
        """Let no environment of the function take another event; those idle end now."""
        with self._lock:
            retired = [self._pools.pop(key) for key in list(self._pools) if key[0] == arn]
            ended = []
            for pool in retired:
                pool.is_retired = True
                ended += pool.idle
                pool.idle = []
        for environment in ended:
            environment.stop()

    def close(self) -> None:
        """End every environment."""
        self._closing.set()
        with self._lock:
            left = [one for pool in self._pools.values() for one in (*pool.idle, *pool.busy)]
            self._pools.clear()
        for environment in left:
            environment.stop()

    def throttle(self, spec: FunctionSpec) -> None:
        """Count an invocation that was refused."""
        self._count(spec, {"Throttles": (1.0, "Count")})

    def _claim(self, spec: FunctionSpec, reserved: int | None) -> tuple[_Pool, Environment | None]:
        """Take an idle environment, or the right to start one. Raises Throttled."""
        with self._lock:
            mine = sum(len(pool.busy) + pool.starting for key, pool in self._pools.items() if key[0] == spec.arn)
            everyone = sum(len(pool.busy) + pool.starting for pool in self._pools.values())
            if reserved is not None and mine >= reserved:
                raise Throttled("ReservedFunctionConcurrentInvocationLimitExceeded")
            if everyone >= _ACCOUNT_CONCURRENCY:
                raise Throttled("ConcurrentInvocationLimitExceeded")
            pool = self._pools.setdefault((spec.arn, spec.version), _Pool())
            while pool.idle:
                environment = pool.idle.pop()
                if environment.is_alive:
                    pool.busy.add(environment)
                    return pool, environment
            pool.starting += 1
            return pool, None

    def _start(self, spec: FunctionSpec, pool: _Pool) -> Environment:
        try:
            ensure_group(self._cloud, spec.place, spec.log_group)
            environment = Environment(self._cloud, self._credentials, spec)
        finally:
            with self._lock:
                pool.starting -= 1
        with self._lock:
            pool.busy.add(environment)
        return environment

    def _give_back(self, pool: _Pool, environment: Environment | None, outcome: Outcome) -> None:
        if environment is None:
            return
        with self._lock:
            pool.busy.discard(environment)
            is_kept = not (outcome.is_lost or pool.is_retired or self._closing.is_set())
            if is_kept:
                pool.idle.append(environment)
        if not is_kept:
            environment.stop()

    def _run_until_done(
        self, spec: FunctionSpec, make: Callable[[], Invocation], reserved: int | None, retries: int
    ) -> None:
        waits = [*RETRY_AFTER_SECONDS[:retries], None]
        for wait in waits:
            while True:
                try:
                    failed = self.invoke(spec, make(), reserved).error is not None
                    break
                except Throttled:
                    # A throttled event goes back into the queue and is no attempt.
                    self.throttle(spec)
                    if self._closing.wait(1.0):
                        return
            if not failed or wait is None or self._closing.wait(wait):
                return

    def _count(self, spec: FunctionSpec, values: Mapping[str, tuple[float, str]]) -> None:
        told = [(name, value, unit) for name, (value, unit) in values.items()]
        for dimensions in ((("FunctionName", spec.name),), ()):
            self._cloud.service(CloudWatch).record(spec.account_id, spec.region, NAMESPACE, dimensions, told)
