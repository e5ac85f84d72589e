"""One execution environment: a process of the function's image, and what Lambda does around it.

Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from moto.ec2.models import ec2_backends

from rehearsal.cloud.containers import Container, ContainerSpec
from rehearsal.cloud.credentials import RoleCredentials
from rehearsal.cloud.log_streams import ShippedLog
from rehearsal.cloud.network.fabric import INTERNET_ONLY, Attachment
from rehearsal.cloud.network.topology import interfaces
from rehearsal.cloud.places import Place
from rehearsal.cloud.services.lambda_ import records
from rehearsal.cloud.services.lambda_.records import FunctionSpec, Outcome
from rehearsal.cloud.services.lambda_.runtime_api import Invocation, RuntimeApi

if TYPE_CHECKING:
    from rehearsal.cloud.context import CloudContext

_LOOK_EVERY = 0.02
_INIT_SECONDS = 10.0


@dataclass(eq=False)
class Environment:
    """Serves one invocation at a time; made with its process, which `stop` ends. Raises what `Containers.run` does."""

    cloud: CloudContext
    credentials: RoleCredentials
    spec: FunctionSpec
    id: str = field(default_factory=lambda: uuid4().hex, init=False)

    def __post_init__(self) -> None:
        self._api = RuntimeApi()
        self._directory = self.cloud.directory / "lambda" / self.spec.name / self.id
        self._stream = records.stream_name(self.cloud.now(), self.spec.version, self.id)
        self._log = ShippedLog(
            self.cloud, self.spec.place, self._directory.with_suffix(".log"), self.spec.log_group, self._stream
        )
        self._init_milliseconds: float | None = None
        self._interface: str | None = None
        self._stopping = threading.Lock()
        self._is_stopped = False
        self._address = self.cloud.addresses.allocate(f"lambda {self.spec.name}")
        try:
            self._attach_interface()
            self._container = self._run()
        except BaseException:
            self._release()
            raise

    @property
    def pid(self) -> int:
        """Return the id of the function's process."""
        return self._container.pid

    @property
    def is_alive(self) -> bool:
        """Return whether the process can take another event."""
        return self._container.poll() is None

    def invoke(self, invocation: Invocation) -> Outcome:
        """Have the function handle an event, and return how that ended."""
        begun = self._initialise(invocation.request_id)
        offset = self._log_size()
        self._write(f"START RequestId: {invocation.request_id} Version: {self.spec.version}")
        started = time.monotonic()
        if begun is None:
            invocation.deadline = time.time() + self.spec.timeout
            self._api.offer(invocation)
            begun = self._await(invocation, started + self.spec.timeout)
        outcome = begun
        milliseconds = (time.monotonic() - started) * 1000
        if outcome.is_lost:
            self._write(f"{outcome.payload.decode(errors='replace')}")
        self._write(f"END RequestId: {invocation.request_id}")
        self._write(
            records.report(
                invocation.request_id, milliseconds, self.spec.memory_mb, self._memory()[1], self._init_milliseconds
            )
        )
        self._init_milliseconds = None
        self._log.ship(finished=True)
        return Outcome(outcome.payload, outcome.error, self._logged_since(offset), outcome.is_lost)

    def stop(self) -> None:
        """End the process and give back what it had."""
        with self._stopping:
            if self._is_stopped:
                return
            self._is_stopped = True
        self._container.stop(2.0)
        self._log.ship(finished=True)
        self._release()

    def _run(self) -> Container:
        spec = self.spec
        function = f"arn:aws:lambda:{spec.region}:{spec.account_id}:function:{spec.name}"
        identity = self.credentials.assume(spec.role_arn, spec.name, **{"lambda:sourcefunctionarn": function})
        return self.cloud.containers.run(
            ContainerSpec(
                image=spec.image,
                name=f"lambda {spec.name}",
                directory=self._directory,
                entry_point=list(spec.entry_point) or None,
                command=list(spec.command) or None,
                environment={
                    **spec.environment,
                    "AWS_ACCESS_KEY_ID": identity["aws_access_key_id"],
                    "AWS_SECRET_ACCESS_KEY": identity["aws_secret_access_key"],
                    "AWS_SESSION_TOKEN": identity["aws_session_token"],
                    "AWS_LAMBDA_RUNTIME_API": self._api.address,
                    "AWS_LAMBDA_FUNCTION_NAME": spec.name,
                    "AWS_LAMBDA_FUNCTION_VERSION": spec.version,
                    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(spec.memory_mb),
                    "AWS_LAMBDA_LOG_GROUP_NAME": spec.log_group,
                    "AWS_LAMBDA_LOG_STREAM_NAME": self._stream,
                    "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
                    "TZ": ":UTC",
                },
                address=self._address,
                region=spec.region,
                attachment=self._attachment(),
            )
        )

    def _attachment(self) -> Attachment:
        spec = self.spec
        if not spec.subnet_ids:
            return INTERNET_ONLY
        places = interfaces(Place(spec.account_id, spec.region), spec.subnet_ids[:1], spec.security_group_ids)
        return Attachment(places, self._address)

    def _initialise(self, request_id: str) -> Outcome | None:
        """Wait until the runtime asks for its first event; return an outcome if it never does."""
        if self._api.asked.is_set():
            return None
        started = time.monotonic()
        # Lambda begins an initialisation that takes too long once more, on the time of the first invocation.
        deadline = started + _INIT_SECONDS + self.spec.timeout
        while not self._api.asked.wait(_LOOK_EVERY):
            if self._api.init_error is not None:
                return self._api.init_error
            code = self._container.poll()
            if code is not None:
                return self._api.init_error or records.exited(request_id, code)
            if time.monotonic() > deadline:
                return records.timed_out(request_id, self.spec.timeout)
        self._init_milliseconds = (time.monotonic() - started) * 1000
        return None

    def _await(self, invocation: Invocation, deadline: float) -> Outcome:
        while not invocation.done.wait(_LOOK_EVERY):
            code = self._container.poll()
            if code is not None and not invocation.done.is_set():
                invocation.finish(records.exited(invocation.request_id, code))
            elif time.monotonic() > deadline:
                invocation.finish(records.timed_out(invocation.request_id, self.spec.timeout))
            elif self._memory()[0] > self.spec.memory_mb:
                invocation.finish(records.exited(invocation.request_id, 137))
        assert invocation.outcome is not None
        return invocation.outcome

    def _memory(self) -> tuple[int, int]:
        """Return how many MB the process holds and held at most."""
        found = {"VmRSS": 0, "VmHWM": 0}
        try:
            for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
                name, _, value = line.partition(":")
                if name in found:
                    found[name] = int(value.split()[0]) // 1024
        except (OSError, IndexError):
            return 0, 0
        return found["VmRSS"], found["VmHWM"]

    def _write(self, line: str) -> None:
        with self._log.file.open("ab") as file:
            file.write(f"{line}\n".encode())

    def _log_size(self) -> int:
        return self._log.file.stat().st_size if self._log.file.exists() else 0

    def _logged_since(self, offset: int) -> bytes:
        with self._log.file.open("rb") as file:
            file.seek(offset)
            return file.read()

    def _attach_interface(self) -> None:
        if not self.spec.subnet_ids:
            return
        with self.cloud.turn("ec2"):
            backend = ec2_backends[self.spec.account_id][self.spec.region]
            interface = backend.create_network_interface(
                backend.get_subnet(self.spec.subnet_ids[0]),
                self._address,
                group_ids=list(self.spec.security_group_ids),
                description=f"AWS Lambda VPC ENI-{self.spec.name}-{self.id[:8]}",
            )
            interface.status = "in-use"
            self._interface = interface.id

    def _release(self) -> None:
        self._api.close()
        if self._interface is not None:
            with self.cloud.turn("ec2"):
                ec2_backends[self.spec.account_id][self.spec.region].enis.pop(self._interface, None)
        self.cloud.network.withdraw(self._address)
        self.cloud.addresses.release(self._address)
