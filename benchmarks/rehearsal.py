"""Where the seconds and the memory of a rehearsal go, and how much of bringing the stack up is the provider's wait.

AWS's control plane is asked twice a second what it says of everything that takes its time. From the moment it says
`available` until the engine goes on, nobody works: the Terraform provider sleeps before it asks, and wants to be told
three times.
"""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil
from rich.columns import Columns
from rich.table import Table

from rehearsal.layers import FOUNDATION, PLATFORM, read_events
from rehearsal.session import Session

NAME = "rehearsal"
LAYERS: Final = (FOUNDATION, PLATFORM)
QUESTION = "Which seconds of bringing the stack up are the provider's own waits, and how much memory does it take?"
_EVERY_SECONDS: Final = 0.5
_MIB: Final = 1024**2
_SHOWN: Final = 12

READY: Final[Mapping[str, tuple[str, str, str, str, str]]] = {
    "aws:rds/instance:Instance": ("rds", "describe_db_instances", "DBInstances", "DBInstanceStatus", "available"),
    "aws:lb/loadBalancer:LoadBalancer": ("elbv2", "describe_load_balancers", "LoadBalancers", "State.Code", "active"),
    "aws:ec2/vpcEndpoint:VpcEndpoint": ("ec2", "describe_vpc_endpoints", "VpcEndpoints", "State", "available"),
    "aws:sagemaker/endpoint:Endpoint": (
        "sagemaker", "list_endpoints", "Endpoints", "EndpointStatus", "InService",
    ),
}  # fmt: skip
"""By resource type: service, operation, list, status and the status of what is ready."""


@dataclass(frozen=True)
class Wait:
    """How long one type took from the first start to the last end, and when the control plane called all ready."""

    kind: str
    count: int
    seconds: float
    ready: float | None


class Watcher:
    """Notes when the control plane first called everything of a type ready, in seconds since the epoch."""

    def __init__(self, session: Session, regions: tuple[str, ...]) -> None:
        self._clients = {
            (kind, region): session.client(READY[kind][0], region=region) for kind in READY for region in regions
        }
        self._seen: dict[str, set[str]] = {kind: set() for kind in READY}
        self.ready: dict[str, float] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Watcher:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(_EVERY_SECONDS):
            for (kind, _), client in self._clients.items():
                _, operation, listed, status, wanted = READY[kind]
                for one in getattr(client, operation)()[listed]:
                    name = str(sorted(value for key, value in one.items() if key.endswith(("Arn", "Id"))))
                    if _at(one, status) == wanted and name not in self._seen[kind]:
                        self._seen[kind].add(name)
                        self.ready[kind] = time.time()


def _at(item: Any, path: str) -> Any:
    for part in path.split("."):
        item = item.get(part, {})
    return item


def run(session: Session, report: Callable[[str], None]) -> Columns:
    """Bring stack local and its foundation up and down once, and return the tables."""
    memory = [("the cloud and the engine, idle", *_memory(session))]
    for stack in LAYERS:
        session.select_stack(stack)
    session.provide_certificate(
        session.pulumi("config", "get", "--path", "tracking.domain", "--stack", PLATFORM).stdout.strip()
    )
    steps: list[tuple[str, float]] = []
    logs = [session.directory / f"up-{stack}-events.jsonl" for stack in LAYERS]

    def timed(name: str, stack: str, *arguments: str) -> None:
        start = time.monotonic()
        done = subprocess.run(
            ["pulumi", *arguments, "--non-interactive", "--stack", stack],
            cwd=session.tools.checkout, env={**session.environment, "PULUMI_DEBUG_COMMANDS": "true"},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode != 0:
            raise RuntimeError(
                f"pulumi {name} of {stack} ended {done.returncode}:\n{(done.stdout + done.stderr)[-3000:]}"
            )
        steps.append((f"{name}: {stack}", time.monotonic() - start))
        report(f"{name}, {stack}: {steps[-1][1]:.0f} s")

    with Watcher(session, tuple(session.cloud.regions)) as watcher:
        for stack, log in zip(LAYERS, logs, strict=True):
            timed("up", stack, "up", "--yes", "--skip-preview", "--event-log", str(log))
    memory.append(("with the stack up", *_memory(session)))
    for stack in LAYERS:
        timed("preview without changes", stack, "preview", "--expect-no-changes")
        timed("refresh without changes", stack, "refresh", "--yes", "--skip-preview", "--expect-no-changes")
    for stack in reversed(LAYERS):
        timed("destroy", stack, "destroy", "--yes", "--skip-preview")
    return Columns([_steps(steps), _waits(list(waits(logs, watcher.ready))), _memories(memory)])


def waits(logs: Sequence[Path], ready: Mapping[str, float]) -> Iterator[Wait]:
    """Yield what took longest in the engine's event logs, type by type, longest first."""
    by_kind: dict[str, list[dict[str, Any]]] = {}
    for one in (event for log in logs for event in read_events(log)):
        if one["seconds"] is not None:
            by_kind.setdefault(one["type"], []).append(one)
    spans = []
    for kind, ones in by_kind.items():
        start = min(one["start"] for one in ones)
        end = max(one["start"] + one["seconds"] for one in ones)
        known = ready.get(kind)
        spans.append(Wait(kind, len(ones), end - start, None if known is None else max(0.0, known - start)))
    yield from sorted(spans, key=lambda span: -span.seconds)[:_SHOWN]


def _memory(session: Session) -> tuple[float, float]:
    """Return the MiB that the session's processes hold to themselves, and the largest one's share."""
    sizes = []
    for process in psutil.process_iter(["environ"]):
        environment = process.info["environ"] or {}
        if str(session.directory) in " ".join([*environment.values(), *_command(process)]):
            try:
                sizes.append(process.memory_full_info().uss / _MIB)
            except psutil.Error:
                continue
    return sum(sizes), max(sizes, default=0.0)


def _command(process: psutil.Process) -> list[str]:
    try:
        return [str(word) for word in process.cmdline()]
    except psutil.Error:
        return []


def _steps(steps: list[tuple[str, float]]) -> Table:
    made = Table(title="Seconds of each step")
    made.add_column("step")
    made.add_column("seconds", justify="right")
    for name, seconds in steps:
        made.add_row(name, f"{seconds:.0f}")
    return made


def _waits(found: list[Wait]) -> Table:
    made = Table(title="What bringing it up waited for")
    for heading in ("type", "resources", "seconds", "ready after", "provider's wait"):
        made.add_column(heading, justify="left" if heading == "type" else "right")
    for one in found:
        ready = "" if one.ready is None else f"{one.ready:.0f}"
        wait = "" if one.ready is None else f"{one.seconds - one.ready:.0f}"
        made.add_row(one.kind, str(one.count), f"{one.seconds:.0f}", ready, wait)
    return made


def _memories(memory: list[tuple[str, float, float]]) -> Table:
    made = Table(title="MiB held by the session's processes")
    for heading in ("when", "all", "the largest"):
        made.add_column(heading, justify="left" if heading == "when" else "right")
    for name, total, largest in memory:
        made.add_row(name, f"{total:.0f}", f"{largest:.0f}")
    return made
