"""Keeps each load balancer's proxy running and configured, and its targets checked."""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from moto.elbv2.models import elbv2_backends

from rehearsal.cloud.network.topology import Interface, interfaces
from rehearsal.cloud.places import place_of, visited
from rehearsal.cloud.processes import Process, Program
from rehearsal.cloud.services.elbv2 import checker
from rehearsal.cloud.services.elbv2.configuration import (
    Certificates,
    TargetKey,
    check_of,
    describe,
    groups_of,
    registered,
)
from rehearsal.cloud.services.elbv2.health import Check, Health, Outcome, State, after, draining

if TYPE_CHECKING:
    from rehearsal.cloud.context import CloudContext

_log = logging.getLogger(__name__)
_ROOT = Path(__file__).resolve().parents[4]
_LOOK_EVERY = 0.2
"""Seconds between two looks at what was declared."""


@dataclass
class _Balancer:
    address: str
    directory: Path
    process: Process | None = None
    configuration: dict[str, Any] = field(default_factory=dict)
    version: int = 0

    @property
    def status(self) -> dict[str, Any]:
        """What the proxy last told of itself, empty before its first word."""
        try:
            return dict(json.loads((self.directory / "status.json").read_text()))
        except FileNotFoundError:
            return {}

    def is_done_with(self, target: str) -> bool:
        """Return whether the proxy works by the configuration last written, and waits for no answer of `target`."""
        status = self.status
        return status.get("version") == self.version and target not in status["in_flight"]

    def sends_to(self, key: TargetKey) -> bool:
        """Return whether the proxy listens, and a target is among those that it sends requests to."""
        group = self.configuration.get("target_groups", {}).get(key[0], {})
        return f"{key[1]}:{key[2]}" in group.get("usable", ()) and self.status.get("version") == self.version


class Balancers:
    """All load balancers and targets of one cloud, looked after by one thread; moto's records are what is declared."""

    def __init__(self, cloud: CloudContext) -> None:
        self._cloud = cloud
        self._balancers: dict[str, _Balancer] = {}
        self._health: dict[TargetKey, Health] = {}
        self._shown: dict[TargetKey, Health] = {}
        """Health as it is described: a target is healthy when requests come to it, not when its checks pass."""
        self._checking: set[TargetKey] = set()
        self._told: set[TargetKey] = set()
        """The draining targets that every proxy's configuration, if not yet the proxy, leaves out."""
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._checks = ThreadPoolExecutor(max_workers=8, thread_name_prefix="health-check")
        self._certificates = Certificates(cloud.directory / "elbv2" / "certificates")
        self._thread = threading.Thread(target=self._run, name="load-balancers", daemon=True)

    def start(self) -> None:
        """Begin to look after what is declared."""
        self._thread.start()

    def close(self) -> None:
        """Stop every proxy."""
        self._stopped.set()
        self._thread.join(30)
        self._checks.shutdown(wait=False, cancel_futures=True)
        for balancer in self._balancers.values():
            if balancer.process is not None:
                balancer.process.stop(5.0)

    def add(self, record: Any) -> None:
        """Give a new load balancer, moto's `record`, its address; in ELB's turn."""
        address = self._cloud.addresses.allocate(f"elbv2 {record.name}", "load-balancers")
        directory = self._cloud.directory / "elbv2" / record.arn.rpartition("/")[2]
        directory.mkdir(parents=True)
        record.dns_name = address
        self._cloud.network.protect(address, lambda: _interfaces(record))
        self._balancers[record.arn] = _Balancer(address, directory)

    def health(self, key: TargetKey) -> Health | None:
        """Return how a target stands, None if it is neither registered nor draining."""
        health = self._health.get(key)
        if health is None or not health.is_usable:
            return health
        shown = self._shown.get(key)
        return shown if shown and shown.state in {State.HEALTHY, State.UNHEALTHY} else Health()

    def passes(self, key: TargetKey) -> bool:
        """Return whether a target's checks pass: requests come to it already, or do in a moment."""
        health = self._health.get(key)
        return health is not None and health.is_usable

    def draining(self, group: str) -> list[TargetKey]:
        """Return a target group's targets that are being drained."""
        with self._lock:
            return [key for key, health in self._health.items() if key[0] == group and health.state is State.DRAINING]

    def deregister(self, group: Any, keys: Sequence[TargetKey]) -> None:
        """Begin to drain targets that have just been taken out of a target group."""
        with self._lock:
            for key in keys:
                if key in self._health:
                    self._begin_draining(key, group)

    def _run(self) -> None:
        while not self._stopped.wait(_LOOK_EVERY):
            try:
                self._look()
            except (OSError, RuntimeError, ValueError):
                _log.exception("load balancers")

    def _look(self) -> None:
        now = time.monotonic()
        with self._cloud.turn("elbv2"):
            backends = [backend for _, backend in visited(elbv2_backends)]
            groups = {arn: group for backend in backends for arn, group in backend.target_groups.items()}
            records = {arn: record for backend in backends for arn, record in backend.load_balancers.items()}
            wanted = {arn: record for arn, record in records.items() if arn in self._balancers}
            users: dict[str, list[_Balancer]] = {}
            for arn, record in wanted.items():
                for group in groups_of(record):
                    users.setdefault(group, []).append(self._balancers[arn])
            sources = {group: [balancer.address for balancer in using] for group, using in users.items()}
            self._follow_targets(groups, sources, now)
            leaving = {key for key, health in self._health.items() if health.state is State.DRAINING}
            gone = [arn for arn in self._balancers if arn not in wanted]
            plans = {
                arn: describe(
                    record,
                    self._balancers[arn].address,
                    groups,
                    self._health,
                    self._certificates,
                    partial(self._reach, self._balancers[arn].address),
                )
                for arn, record in wanted.items()
            }
        for arn in gone:
            self._remove(self._balancers.pop(arn))
        for arn, plan in plans.items():
            self._configure(self._balancers[arn], plan)
            self._report(wanted[arn], self._balancers[arn])
        self._told = leaving
        self._show(users)

    def _reach(self, source: str, address: str, port: int) -> str | None:
        problem = self._cloud.network.obstacle(source, address, port)
        return None if problem else f"{self._cloud.network.inside(address)}:{port}"

    def _follow_targets(self, groups: Any, sources: Mapping[str, list[str]], now: float) -> None:
        declared = {key: groups[key[0]] for group in groups.values() for key in registered(group)}
        with self._lock:
            for key in declared:
                known = self._health.get(key)
                if known is None or known.state is State.DRAINING:
                    self._health[key] = Health()
                self._follow_use(key, key[0] in sources)
            for key in [key for key in self._health if key not in declared]:
                if self._health[key].state is not State.DRAINING:
                    self._begin_draining(key, groups.get(key[0]))
                elif now >= self._health[key].drains_until or self._is_left(key):
                    del self._health[key]
            due = [
                (key, check_of(group, key[2]))
                for key, group in declared.items()
                if key[0] in sources and key not in self._checking and self._health[key].next_check <= now
            ]
            self._checking.update(key for key, _ in due)
        for key, check in due:
            self._checks.submit(self._check, key, check, sources[key[0]])

    def _show(self, users: Mapping[str, Sequence[_Balancer]]) -> None:
        with self._lock:
            for key, health in self._health.items():
                if not health.is_usable or all(balancer.sends_to(key) for balancer in users.get(key[0], ())):
                    self._shown[key] = health
            for key in self._shown.keys() - self._health.keys():
                del self._shown[key]

    def _follow_use(self, key: TargetKey, is_used: bool) -> None:
        health = self._health[key]
        if not is_used:
            description = "Target group is not configured to receive traffic from the load balancer"
            self._health[key] = Health(State.UNUSED, "Target.NotInUse", description)
        elif health.state is State.UNUSED:
            self._health[key] = Health()

    def _begin_draining(self, key: TargetKey, group: Any) -> None:
        health = self._health[key]
        if group is None or health.state is State.UNUSED:
            del self._health[key]
        elif health.state is not State.DRAINING:
            delay = float(group.attributes.get("deregistration_delay.timeout_seconds", 300))
            self._health[key] = draining(health, delay, time.monotonic())

    def _is_left(self, key: TargetKey) -> bool:
        """Return whether no proxy sends anything to a draining target any more, nor waits for an answer of it."""
        # A proxy may come late to its configuration on a busy machine; until it has, it sends.
        name = f"{key[0]} {key[1]}:{key[2]}"
        return key in self._told and all(one.is_done_with(name) for one in self._balancers.values())

    def _check(self, key: TargetKey, check: Check, sources: Sequence[str]) -> None:
        places = [self._reach(source, key[1], check.port) for source in sources]
        if all(places):
            outcome = checker.perform(check, self._cloud.network.inside(key[1]))
        else:
            outcome = Outcome(False, "Target.Timeout", "Request timed out")
        with self._lock:
            self._checking.discard(key)
            health = self._health.get(key)
            if health is not None and health.state not in {State.DRAINING, State.UNUSED}:
                self._health[key] = after(health, outcome, check, time.monotonic())

    def _configure(self, balancer: _Balancer, plan: dict[str, Any]) -> None:
        if balancer.process is not None and balancer.process.poll() is not None:
            _log.warning("the load balancer at %s ended; starting it again", balancer.address)
            balancer.process = None
        if plan == balancer.configuration and balancer.process is not None:
            return
        balancer.configuration, balancer.version = plan, balancer.version + 1
        file = balancer.directory / "configuration.json"
        draft = file.with_suffix(".draft")
        draft.write_text(json.dumps({**plan, "gate": self._cloud.network.gate, "version": balancer.version}))
        draft.replace(file)
        if balancer.process is None:
            # What the one before it told is not true of this one.
            (balancer.directory / "status.json").unlink(missing_ok=True)
            balancer.process = self._cloud.processes.start(self._program(balancer.directory))
        elif balancer.status:
            with suppress(ProcessLookupError):
                os.kill(balancer.process.pid, signal.SIGHUP)
        else:
            # It has not yet said a word and might not know what SIGHUP is for; it is told at the next look.
            balancer.configuration = {}

    def _report(self, record: Any, balancer: _Balancer) -> None:
        status = balancer.status
        state, reason = record.state, None
        if status.get("refused"):
            state, reason = "failed", "; ".join(status["refused"].values())
        elif status:
            state = "active"
        if state != record.state:
            with self._cloud.turn("elbv2"):
                record.state, record.state_reason = state, reason

    def _remove(self, balancer: _Balancer) -> None:
        if balancer.process is not None:
            balancer.process.stop(5.0)
        shutil.rmtree(balancer.directory, ignore_errors=True)
        self._cloud.network.release(balancer.address)
        self._cloud.addresses.release(balancer.address)

    @staticmethod
    def _program(directory: Path) -> Program:
        module = "rehearsal.cloud.load_balancer.proxy"
        arguments = [
            sys.executable,
            "-m",
            module,
            str(directory / "configuration.json"),
            str(directory / "status.json"),
        ]
        return Program(
            arguments, {"PYTHONPATH": str(_ROOT), "PATH": "/usr/bin:/bin"}, directory, directory / "proxy.log"
        )


def _interfaces(record: Any) -> tuple[Interface, ...]:
    is_public = record.scheme == "internet-facing"
    subnet_ids = [subnet.id for subnet in record.subnets]
    return interfaces(place_of(record.arn), subnet_ids, record.security_groups or (), has_public_address=is_public)
