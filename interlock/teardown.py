"""Takes a stack down: everything, or everything but what the vault's locks keep."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import boto3

from interlock.aws.sweep import Swept, sweep
from interlock.aws.vault import LockedObject, locked_objects
from interlock.failures import OutsideFailure, Refusal

BUCKET_TYPE = "aws:s3/bucket:Bucket"
VAULT_TYPE = "interlock:storage:Vault"
_STACK_TYPE = "pulumi:pulumi:Stack"
_DELETION = re.compile(r"aws:\S+ (?P<name>\S+) (?P<state>deleting|deleted|\*\*deleting failed\*\*)")
_PROVIDER_PREFIX = "pulumi:providers:"


@dataclass(frozen=True)
class Resource:
    """A resource in a stack's state; `identifier` is the provider's, for example a bucket's name."""

    urn: str
    kind: str
    identifier: str
    custom: bool
    parent: str
    region: str = ""
    protected: bool = False


@dataclass(frozen=True)
class Teardown:
    """What a destruction left: objects that are locked, and the resources that stay because of them."""

    bucket_names: tuple[str, ...]
    locked: tuple[LockedObject, ...]
    remaining: tuple[Resource, ...]
    swept: Swept

    @property
    def deletable_from(self) -> datetime | None:
        """When the last lock ends (UTC) and the rest can be destroyed; None if nothing is locked."""
        return max((one.lock.until for one in self.locked), default=None)


def kept_for_locks(resources: Sequence[Resource]) -> list[str]:
    """Return the URNs of the vault's bucket and of its guards; the engine adds the keys that these depend on."""
    vaults = {resource.urn for resource in resources if resource.kind == VAULT_TYPE}
    return [resource.urn for resource in resources if resource.custom and resource.parent in vaults]


def demand_unprotected(pulumi_stack: str, resources: Sequence[Resource]) -> None:
    """Raise Refusal, naming what is protected: the engine finds it only when all that stands on it is gone."""
    protected = [one for one in resources if one.protected and one.custom]
    if protected:
        raise Refusal(
            f"{pulumi_stack} is not destroyed: {len(protected)} of its resources are protected",
            reasons=[f"protected  {one.kind}  {one.urn.rpartition('::')[2]}" for one in protected],
            next_step=f"if all of it shall go, lift the protection first: "
            f"pulumi state unprotect --all --stack {pulumi_stack}",
        )


def destroy(
    pulumi_stack: str,
    *,
    now: datetime,
    session: boto3.Session | None = None,
    directory: Path | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Teardown:
    """Destroy a stack and sweep what the controller made for it.

    Where the vault holds locked objects, it stays, with what guards it and its keys. What there is comes from the
    engine's state and not from the stack's outputs, so that a destruction that broke off can be run again. Raises
    Refusal, before anything is gone, if something is protected; OutsideFailure.
    """
    session = session or boto3.Session()
    stack = _PulumiStack(pulumi_stack, directory)
    before = stack.resources()
    demand_unprotected(pulumi_stack, before)
    kept = kept_for_locks(before)
    buckets = [one for one in before if one.kind == BUCKET_TYPE and one.urn in kept]
    locked = tuple(
        found
        for bucket in buckets
        for found in locked_objects(session.client("s3", region_name=bucket.region or None), bucket.identifier, now)
    )
    stack.destroy(kept if locked else [], progress)
    progress("sweep what the controller made")
    swept = _sweep(session, pulumi_stack.rpartition("/")[2], {one.region for one in before if one.region})
    remaining = [one for one in stack.resources() if one.custom and not one.kind.startswith(_PROVIDER_PREFIX)]
    if remaining and not locked:
        raise OutsideFailure(
            f"{pulumi_stack} is not empty after its destruction", reasons=[one.urn for one in remaining]
        )
    return Teardown(tuple(bucket.identifier for bucket in buckets), locked, tuple(remaining), swept)


def _sweep(session: boto3.Session, stack: str, regions: set[str]) -> Swept:
    """Sweep the regions of the stack; of one that is gone already, the region that the caller works in."""
    known = regions or ({session.region_name} if session.region_name else set())
    swept = [sweep(session.client("sagemaker", region_name=region), stack) for region in sorted(known)]
    return Swept(
        tuple(name for one in swept for name in one.deleted), tuple(name for one in swept for name in one.in_use)
    )


class Waiting:
    """What a destruction waits for, told from the engine's lines such as `-  aws:kms:Key keys-log deleting (0s)`."""

    def __init__(self) -> None:
        self._deleting: dict[str, None] = {}

    def after(self, line: str) -> str:
        """Return what to say once the engine has printed `line`: the resources under way, or the line itself."""
        found = _DELETION.search(line)
        if found and found["state"] == "deleting":
            self._deleting[found["name"]] = None
        elif found:
            self._deleting.pop(found["name"], None)
        return f"waiting for {', '.join(self._deleting)}" if self._deleting else line.strip()


class _PulumiStack:
    """The engine's command, for one stack of the project in `directory` (the working directory if none is given)."""

    def __init__(self, name: str, directory: Path | None) -> None:
        self._name = name
        self._directory = directory

    def resources(self) -> list[Resource]:
        answer = self._run(["stack", "export"])
        try:
            found: list[Any] = json.loads(answer.stdout)["deployment"].get("resources") or []
        except (ValueError, KeyError, AttributeError) as error:
            raise OutsideFailure(f"pulumi exported no state of {self._name}: {error}") from error
        return [
            Resource(
                urn=one["urn"],
                kind=one["type"],
                identifier=one.get("id", ""),
                custom=bool(one.get("custom")),
                parent=one.get("parent", ""),
                region=str((one.get("outputs") or {}).get("region") or ""),
                protected=bool(one.get("protect")),
            )
            for one in found
            if one["type"] != _STACK_TYPE
        ]

    def destroy(self, excluded: Sequence[str], progress: Callable[[str], None]) -> None:
        options = [option for urn in excluded for option in ("--exclude", urn)]
        command = ["pulumi", "destroy", "--yes", "--skip-preview", "--non-interactive", "--stack", self._name, *options]
        tail: list[str] = []
        waiting = Waiting()
        try:
            with subprocess.Popen(
                command, cwd=self._directory, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            ) as process:
                assert process.stdout is not None
                for line in process.stdout:
                    tail = [*tail[-40:], line.rstrip()]
                    progress(waiting.after(line))
        except FileNotFoundError as error:
            raise OutsideFailure("there is no `pulumi` on PATH to destroy the stack with") from error
        if process.returncode != 0:
            raise OutsideFailure(
                f"pulumi did not destroy {self._name}",
                reasons=[line for line in tail if line],
                next_step="run the command again: what is gone stays gone",
            )

    def _run(self, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
        command = ["pulumi", *arguments, "--non-interactive", "--stack", self._name]
        try:
            answer = subprocess.run(command, cwd=self._directory, capture_output=True, text=True, check=False)
        except FileNotFoundError as error:
            raise OutsideFailure(f"there is no `pulumi` on PATH to ask about {self._name}") from error
        if answer.returncode != 0:
            raise OutsideFailure(f"pulumi said of {self._name}: {' '.join(answer.stderr.split()) or 'nothing'}")
        return answer
