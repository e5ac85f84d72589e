"""Runs one task: its network, secrets, containers, health checks and logs, from PROVISIONING to STOPPED.

Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-lifecycle-explanation.html
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from moto.ec2.models import ec2_backends

from rehearsal.cloud.containers import Container
from rehearsal.cloud.log_streams import ShippedLog
from rehearsal.cloud.network.fabric import Attachment
from rehearsal.cloud.network.topology import interfaces
from rehearsal.cloud.services.ecs.health import Checked, CheckSettings, settings_of
from rehearsal.cloud.services.ecs.launching import Launcher, TaskFailed
from rehearsal.cloud.services.ecs.records import ContainerRecord, TaskRecord
from rehearsal.cloud.services.ecs.targets import LoadBalancers, TargetRegistry

if TYPE_CHECKING:
    from rehearsal.cloud.context import CloudContext

_log = logging.getLogger(__name__)
_LOOK_EVERY = 0.2
_STOP_SECONDS = 30.0
_DEPENDENCY_SECONDS = 600.0


@dataclass
class _Running:
    record: ContainerRecord
    container: Container
    log: ShippedLog | None
    settings: CheckSettings | None
    health: Checked
    due: float
    checking: threading.Thread | None = None


@dataclass(eq=False)
class TaskRun:
    """One task's life on a thread of its own. `task` is the record that the control plane shows."""

    cloud: CloudContext
    launcher: Launcher
    targets: TargetRegistry
    task: TaskRecord
    load_balancers: LoadBalancers = ()
    _stop: threading.Event = field(default_factory=threading.Event, init=False)
    _hurry: bool = field(default=False, init=False)
    _granted: dict[str, str] = field(default_factory=dict, init=False)
    _running: list[_Running] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._live, name=f"task-{self.task.id[:8]}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, code: str, reason: str, *, hurry: bool = False) -> None:
        """Have the task stopped, unless it stops already; in ECS's turn. The first reason given stands.

        In a `hurry` it does not wait for its load balancers to drain it.
        """
        self._hurry = self._hurry or hurry
        if self.task.stop_code is None:
            self.task.stop_code, self.task.stopped_reason = code, reason
            self.task.stopping_at = self.cloud.now()
        self.task.desired_status = "STOPPED"
        self._stop.set()

    def join(self, timeout: float) -> None:
        """Wait for the task's end, at most `timeout` seconds."""
        if self._thread.is_alive():
            self._thread.join(timeout)

    def _live(self) -> None:
        try:
            self._begin()
            while not self._stop.wait(_LOOK_EVERY) and self._look():
                pass
        except TaskFailed as failed:
            self._fail(str(failed))
        except Exception as failed:
            _log.exception("task %s", self.task.id)
            self._fail(f"The local cloud failed: {type(failed).__name__}: {failed}")
        self._end()

    def _fail(self, reason: str) -> None:
        with self.cloud.turn("ecs"):
            self.stop("TaskFailedToStart", reason)

    def _begin(self) -> None:
        self._attach_interface()
        self._mark("PENDING")
        self._granted = self.launcher.grant(self.task)
        for record in self._in_order():
            if self._stop.is_set():
                return
            self._await_dependencies(record)
            self._start_container(record)
        self._mark("ACTIVATING")
        self.targets.register(self.task.place, self.load_balancers, self.task.address)
        self._mark("RUNNING")

    def _start_container(self, record: ContainerRecord) -> None:
        self._open_doors(record)
        container, log = self.launcher.run(self.task, record.definition, self._granted)
        settings = settings_of(record.definition.get("healthCheck"))
        now = time.monotonic()
        due = now + settings.interval if settings else 0.0
        self._running.append(_Running(record, container, log, settings, Checked(started=now), due))
        with self.cloud.turn("ecs"):
            record.status = "RUNNING"

    def _in_order(self) -> list[ContainerRecord]:
        """Return the containers so that each comes after those it depends on."""
        ordered: list[ContainerRecord] = []
        waiting = list(self.task.containers)
        while waiting:
            done = {record.name for record in ordered}
            ready = [record for record in waiting if {one["containerName"] for one in _dependencies(record)} <= done]
            if not ready:
                raise TaskFailed("CannotStartContainerError: the containers' dependencies form a cycle")
            ordered += ready
            waiting = [record for record in waiting if record not in ready]
        return ordered

    def _await_dependencies(self, record: ContainerRecord) -> None:
        deadline = time.monotonic() + float(record.definition.get("startTimeout") or _DEPENDENCY_SECONDS)
        for dependency in _dependencies(record):
            other = next(one for one in self._running if one.record.name == dependency["containerName"])
            while not self._stop.is_set() and not _is_met(dependency["condition"], other):
                if time.monotonic() > deadline or not self._look_at(other):
                    raise TaskFailed(
                        f"container {record.name}: dependency {other.record.name} was never {dependency['condition']}"
                    )
                time.sleep(_LOOK_EVERY)

    def _look(self) -> bool:
        """Look at every container; return whether the task goes on."""
        going = [self._look_at(running) for running in self._running]
        if all(going):
            return True
        with self.cloud.turn("ecs"):
            self.stop("EssentialContainerExited", "Essential container in task exited")
        return False

    def _look_at(self, running: _Running) -> bool:
        """Return whether the task can go on as far as this container is concerned."""
        record, code = running.record, running.container.poll()
        if running.log is not None:
            running.log.ship(finished=code is not None)
        if code is not None:
            with self.cloud.turn("ecs"):
                record.status, record.exit_code = "STOPPED", code
            return not record.is_essential
        if running.settings is not None and time.monotonic() >= running.due and not _is_alive(running.checking):
            running.due = time.monotonic() + running.settings.interval
            running.checking = threading.Thread(target=self._check, args=(running, running.settings), daemon=True)
            running.checking.start()
        return True

    def _check(self, running: _Running, settings: CheckSettings) -> None:
        passed = running.container.check(settings.command, settings.timeout)
        running.health = running.health.after(passed, settings, time.monotonic())
        with self.cloud.turn("ecs"):
            running.record.health = running.health.status

    def _end(self) -> None:
        self._mark("DEACTIVATING")
        self.targets.deregister(self.task.place, self.load_balancers, self.task.address)
        while self._is_draining() and not self._hurry:
            time.sleep(_LOOK_EVERY)
        self._mark("STOPPING")
        stoppers = [threading.Thread(target=self._stop_container, args=(running,)) for running in self._running]
        for stopper in stoppers:
            stopper.start()
        for stopper in stoppers:
            stopper.join()
        self._mark("DEPROVISIONING")
        self.launcher.revoke(self._granted)
        self._detach_interface()
        self._mark("STOPPED")

    def _is_draining(self) -> bool:
        is_serving = any(running.container.poll() is None for running in self._running)
        states = self.targets.states(self.task.place, self.load_balancers, self.task.address)
        return is_serving and any(state == "draining" for _, state, _ in states)

    def _stop_container(self, running: _Running) -> None:
        timeout = float(running.record.definition.get("stopTimeout") or _STOP_SECONDS)
        code = running.container.stop(2.0 if self._hurry else timeout)
        if running.log is not None:
            running.log.ship(finished=True)
        with self.cloud.turn("ecs"):
            running.record.status, running.record.exit_code = "STOPPED", code

    def _mark(self, status: str) -> None:
        with self.cloud.turn("ecs"):
            self.task.last_status = status
            if status == "RUNNING":
                self.task.started_at, self.task.in_service_since = self.cloud.now(), time.monotonic()
            if status == "STOPPED":
                self.task.stopped_at = self.cloud.now()
                for container in self.task.containers:
                    container.status = "STOPPED"

    def _attach_interface(self) -> None:
        network = (self.task.request.get("networkConfiguration") or {}).get("awsvpcConfiguration")
        if not network:
            return
        with self.cloud.turn("ec2"):
            backend = self.task.place.backend(ec2_backends)
            subnet = backend.get_subnet(network["subnets"][0])
            interface = backend.create_network_interface(
                subnet,
                self.task.address,
                group_ids=list(network.get("securityGroups") or []),
                description=self.task.arn,
            )
            interface.status = "in-use"
        with self.cloud.turn("ecs"):
            self.task.interface = {
                "subnetId": subnet.id,
                "networkInterfaceId": interface.id,
                "macAddress": interface.mac_address,
                "privateDnsName": getattr(interface, "private_dns_name", None) or "",
                "privateIPv4Address": self.task.address,
            }
        places = interfaces(
            self.task.place,
            [subnet.id],
            network.get("securityGroups") or (),
            has_public_address=network.get("assignPublicIp") == "ENABLED",
        )
        self.task.attachment = Attachment(places, self.task.address)
        inside = self.cloud.addresses.allocate(f"inside of {self.task.group}")
        self.cloud.network.protect(self.task.address, lambda: places, inside=inside)

    def _open_doors(self, record: ContainerRecord) -> None:
        if self.task.attachment is None:
            return
        for mapping in record.definition.get("portMappings") or []:
            try:
                self.cloud.network.open_door(self.task.address, int(mapping["containerPort"]))
            except OSError as refused:
                raise TaskFailed(f"CannotStartContainerError: port {mapping['containerPort']}: {refused}") from refused

    def _detach_interface(self) -> None:
        inside = self.cloud.network.inside(self.task.address)
        self.cloud.network.withdraw(inside)
        self.cloud.network.release(self.task.address)
        for address in {inside, self.task.address}:
            self.cloud.addresses.release(address)
        if self.task.interface:
            with self.cloud.turn("ec2"):
                backend = self.task.place.backend(ec2_backends)
                backend.enis.pop(self.task.interface["networkInterfaceId"], None)


def _dependencies(record: ContainerRecord) -> list[Mapping[str, str]]:
    return list(record.definition.get("dependsOn") or [])


def _is_met(condition: str, other: _Running) -> bool:
    code = other.container.poll()
    return {
        "START": True,
        "HEALTHY": other.record.health == "HEALTHY",
        "COMPLETE": code is not None,
        "SUCCESS": code == 0,
    }[condition]


def _is_alive(thread: threading.Thread | None) -> bool:
    return thread is not None and thread.is_alive()
