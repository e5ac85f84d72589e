"""Provider processes, one for each configuration and environment in use, shared by all who use that one."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import grpc

from rehearsal.engine.terraform.client import ProviderClient
from rehearsal.engine.terraform.process import ProviderProcess
from rehearsal.engine.terraform.schema import Schema
from rehearsal.engine.terraform.values import Value

_T = TypeVar("_T")

# An idle process is kept for a while, because the next operation mostly follows soon with the same configuration.
_IDLE_SECONDS = 120.0
_DYING_SECONDS = 2.0


class ProcessDiedError(Exception):
    """A provider process ended while a change was under way; what became of the change is not known."""


@dataclass
class _Shared:
    """One configured process, or the place of one; `users` are those who may call it, `busy` those who do."""

    environment: Mapping[str, str]
    config: Value
    lock: threading.Lock = field(default_factory=threading.Lock)
    process: ProviderProcess | None = None
    users: set[object] = field(default_factory=set)
    busy: list[object] = field(default_factory=list)
    idle_since: float = 0.0
    retired: bool = False


class Pool:
    """All provider processes of one binary."""

    def __init__(self, binary: Path, schema: Schema) -> None:
        self._binary = binary
        self._schema = schema
        self._lock = threading.Lock()
        self._shared: dict[str, _Shared] = {}
        self._closed = threading.Event()
        threading.Thread(target=self._reap, name="idle-providers", daemon=True).start()

    def lease(self, user: object, environment: Mapping[str, str], config: Value) -> Lease:
        """Return the right of `user` to call a provider of this configuration, until `release`."""
        key = json.dumps([sorted(environment.items()), config], sort_keys=True)
        with self._lock:
            shared = self._shared.get(key)
            if shared is not None and shared.retired:
                # Under another name it is still ended when its last user has gone.
                self._shared[f"{key} {id(shared)}"] = shared
                shared = None
            if shared is None:
                shared = self._shared[key] = _Shared(dict(environment), config)
            shared.users.add(user)
        return Lease(self, shared, user)

    def release(self, user: object) -> None:
        """Take back all leases of `user`."""
        with self._lock:
            for shared in self._shared.values():
                shared.users.discard(user)
                if not shared.users:
                    shared.idle_since = time.monotonic()

    def processes(self) -> list[int]:
        """Return the process ids of the providers that run."""
        with self._lock:
            found = [shared.process for shared in self._shared.values()]
        return [process.pid for process in found if process is not None and process.alive]

    def close(self) -> None:
        """End every process."""
        self._closed.set()
        with self._lock:
            everything = list(self._shared.values())
            self._shared.clear()
        for shared in everything:
            if shared.process is not None:
                shared.process.stop()

    def start(self, shared: _Shared) -> ProviderProcess:
        """Return the running, configured process of `shared`, started now if there is none."""
        with shared.lock:
            if shared.process is None or not shared.process.alive:
                process = ProviderProcess(self._binary, shared.environment)
                try:
                    ProviderClient(process.channel).configure(self._schema.block, shared.config)
                except BaseException:
                    process.stop()
                    raise
                shared.process = process
            return shared.process

    def _reap(self) -> None:
        while not self._closed.wait(_IDLE_SECONDS / 4):
            now = time.monotonic()
            with self._lock:
                idle = {
                    key: shared
                    for key, shared in self._shared.items()
                    if not shared.users and now - shared.idle_since > _IDLE_SECONDS
                }
                for key in idle:
                    del self._shared[key]
            for shared in idle.values():
                if shared.process is not None:
                    shared.process.stop()


class Lease:
    """One user's access to one configured provider."""

    def __init__(self, pool: Pool, shared: _Shared, user: object) -> None:
        self._pool = pool
        self._shared = shared
        self._user = user

    def ask(self, call: Callable[[ProviderClient], _T]) -> _T:
        """Return the answer to a call that changes nothing; it is repeated once when the provider dies over it."""
        with self._at_work():
            process = self._pool.start(self._shared)
            try:
                return call(ProviderClient(process.channel))
            except grpc.RpcError as problem:
                if not _has_died(process, problem):
                    raise
            return call(ProviderClient(self._pool.start(self._shared).channel))

    def change(self, call: Callable[[ProviderClient], _T]) -> _T:
        """Return the answer to a call that changes something; raises ProcessDiedError when the provider dies."""
        with self._at_work():
            process = self._pool.start(self._shared)
            try:
                return call(ProviderClient(process.channel))
            except grpc.RpcError as problem:
                if not _has_died(process, problem):
                    raise
                said = process.last_words()[-500:]
                raise ProcessDiedError(
                    "the Terraform provider ended during the change, which may have been made all the same: "
                    "pulumi refresh tells of an update or a deletion, what was to be created has to be looked for"
                    + (f"; its last words: {said}" if said else "")
                ) from problem

    def cancel(self) -> None:
        """Ask the provider to give up what this user has under way.

        A provider that was asked once gives up all, so it is asked only when nobody else's calls are in it, and then
        serves no later caller.
        """
        with self._pool._lock:
            shared = self._shared
            if shared.process is None or not shared.busy or any(user is not self._user for user in shared.busy):
                return
            shared.retired = True
        ProviderClient(shared.process.channel).stop()

    @contextmanager
    def _at_work(self) -> Iterator[None]:
        self._shared.busy.append(self._user)
        try:
            yield
        finally:
            self._shared.busy.remove(self._user)


def _has_died(process: ProviderProcess, problem: grpc.RpcError) -> bool:
    """Tell whether a call failed because the process ended, which the channel may notice a little earlier."""
    # UNKNOWN is what gRPC makes of a stream that is cut off in the middle of an answer.
    lost = problem.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNKNOWN)
    return lost and process.ends(_DYING_SECONDS)
