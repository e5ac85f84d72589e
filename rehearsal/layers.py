"""Stack local's two layers, each a stack of its own, and their updates as they run."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import yaml  # type: ignore[import-untyped]

from rehearsal.cloud.accounts import organization_role

FOUNDATION = "local-foundation"
PLATFORM = "local"
ONCE_WRITTEN = {"PULUMI_SKIP_CHECKPOINTS": "true"}
"""Has the engine write the state at an update's end, and not after each resource, which takes most of its processor
time. What a killed update has made is then in no state; here its whole cloud is gone with it."""
SETTLES_SLOWLY = ("**::*-staging-lifecycle",)
"""What the provider watches for a minute once S3 has it, and nothing of a platform stands on."""

AFTER_THE_CEREMONY = ("**::ledger-*",)
"""The ledger's functions and what is there for them alone: their image has the trust root's fingerprint in it, which is
there once people have signed the root."""


class UpdateError(Exception):
    """An update failed: `code` is what the engine ended with, the text what it said."""

    def __init__(self, stack: str, code: int, said: str, log: Path) -> None:
        super().__init__(f"pulumi up of {stack} ended with {code}\n{said}")
        self.code = code
        self.said = said
        self.log = log


class Engine(Protocol):
    """What an update needs of a session."""

    directory: Path

    @property
    def environment(self) -> dict[str, str]: ...


class Update:
    """A `pulumi up` that has begun."""

    def __init__(
        self,
        engine: Engine,
        stack: str,
        project: Path,
        *,
        but: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        options: Sequence[str] = (),
    ) -> None:
        """`but` are patterns of the URNs that are left for another update; the environment is the engine's or given."""
        logs, name = engine.directory / "logs", f"up-{stack}-{time.time_ns()}"
        self.stack = stack
        self.events = logs / f"{name}.jsonl"
        self.output = logs / f"{name}.log"
        excluded = [word for pattern in but for word in ("--exclude", pattern)]
        command = ["pulumi", "up", "--yes", "--skip-preview", "--non-interactive", "--color", "never"]
        with self.output.open("wb") as sink:
            self._process = subprocess.Popen(
                [*command, "--stack", stack, "--event-log", str(self.events), *excluded, *options],
                cwd=project,
                env={**(environment or engine.environment), **ONCE_WRITTEN, "PULUMI_DEBUG_COMMANDS": "true"},
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
            )

    def finish(self) -> list[dict[str, Any]]:
        """Wait for the end, and return the resources as `read_events` does. Raises UpdateError."""
        code = self._process.wait()
        if code != 0:
            raise UpdateError(self.stack, code, _diagnostics(self.output), self.output)
        return read_events(self.events)

    def waiting_for(self) -> list[str]:
        """Return the kinds of what is being made now, without repetition."""
        kinds = {one["type"].rpartition(":")[2] for one in read_events(self.events) if one["seconds"] is None}
        return sorted(name for name in kinds if not name[:1].islower())


def bring_up(engine: Engine, checkout: Path) -> None:
    """Bring the foundation up, and then the platform beside what settles slowly, all as the accounts' administrators.

    Raises UpdateError.
    """
    settings = checkout / "stacks" / f"Pulumi.{FOUNDATION}.yaml"
    document = yaml.load(settings.read_bytes(), yaml.CSafeLoader)
    copy = engine.directory / settings.name
    copy.write_text(yaml.safe_dump({**document, "config": administered(document["config"])}))
    entered = ("--config-file", str(copy))
    Update(engine, FOUNDATION, checkout, but=SETTLES_SLOWLY, options=entered).finish()
    updates = [Update(engine, FOUNDATION, checkout, options=entered), Update(engine, PLATFORM, checkout)]
    for update in updates:
        update.finish()


def administered(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a stack's settings with the way into the evidence account that its administrators have."""
    accounts = config["interlock:accounts"]
    account_id = accounts["evidence"]["account_id"]
    evidence = {"account_id": account_id, "role_arn": organization_role(account_id)}
    return {**config, "interlock:accounts": {**accounts, "evidence": evidence}}


def read_events(log: Path) -> list[dict[str, Any]]:
    """Return the custom resources in an engine's event log: type, name, op, start (Unix time), seconds or None."""
    found: dict[str, dict[str, Any]] = {}
    for event in _events(log):
        for kind in ("resourcePreEvent", "resOutputsEvent", "resOpFailedEvent"):
            metadata = event.get(kind, {}).get("metadata")
            if metadata is None or not _counts(metadata):
                continue
            one = found.setdefault(
                metadata["urn"],
                {
                    "type": metadata["type"],
                    "name": metadata["urn"].rpartition("::")[2],
                    "op": metadata["op"],
                    "start": event["timestamp"],
                    "seconds": None,
                },
            )
            if kind != "resourcePreEvent":
                one["seconds"] = event["timestamp"] - one["start"]
    return list(found.values())


def as_one_stack(stacks: Path) -> dict[str, Any]:
    """Return the settings of stack local and of its foundation in `stacks` as those of one stack with both layers.

    Whoever looks at both at once is an administrator of the accounts.
    """
    foundation, platform = (
        yaml.load((stacks / f"Pulumi.{stack}.yaml").read_bytes(), yaml.CSafeLoader)["config"]
        for stack in (FOUNDATION, PLATFORM)
    )
    duties = {key: value for key, value in foundation["interlock:duties"].items() if key != "platform_stack"}
    platform.pop("interlock:foundation_stack")
    both = {
        **foundation,
        **platform,
        "interlock:administrators": foundation["interlock:administrators"],
        "interlock:duties": duties,
        "interlock:layers": ["foundation", "platform"],
    }
    return administered(both)


def _events(log: Path) -> list[dict[str, Any]]:
    found = []
    for line in log.read_text().splitlines() if log.exists() else ():
        try:
            found.append(json.loads(line))
        except ValueError:
            continue  # the last line may be half written
    return found


def _counts(metadata: Mapping[str, Any]) -> bool:
    state = metadata.get("new") or metadata.get("old") or {}
    return bool(state.get("custom")) and not str(metadata["type"]).startswith("pulumi:providers")


def _diagnostics(output: Path, lines: int = 40) -> str:
    """Return what the engine says at the end of an update that failed, or its last lines where it says nothing."""
    text = output.read_text(errors="replace")
    _, found, diagnostics = text.rpartition("Diagnostics:\n")
    return (diagnostics if found else "\n".join(text.splitlines()[-lines:])).strip()
