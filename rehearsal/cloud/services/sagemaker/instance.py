"""One instance of a variant: a model server in its container, with its own copy of the model's data."""

from __future__ import annotations

import secrets
import shutil
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import urllib3

from rehearsal.cloud.containers import ContainerSpec, ImageNotFound
from rehearsal.cloud.log_streams import ShippedLog
from rehearsal.cloud.network.fabric import INTERNET_ONLY, Attachment
from rehearsal.cloud.places import Place
from rehearsal.cloud.services.sagemaker.artifacts import NoModelData, Source, fetch

if TYPE_CHECKING:
    from rehearsal.cloud.containers import Container
    from rehearsal.cloud.context import CloudContext

PORT = 8080
MODEL_DIRECTORY = "/opt/ml/model"
CHANNELS_DIRECTORY = "/opt/ml/additional-model-data-sources"
"""Each channel is a folder in it:
https://docs.aws.amazon.com/sagemaker/latest/dg/model-optimize-deploy.html"""
_PING_INTERVAL = 0.2
_STARTING_PING = urllib3.Timeout(2.0)
# SageMaker gives a container two seconds; a machine that rehearses a whole platform may starve a healthy one longer.
_PING = urllib3.Timeout(10.0)
_STOP_SECONDS = 10.0


class DoesNotStart(Exception):
    """An instance did not come into service; the message is the endpoint's FailureReason."""


@dataclass(frozen=True)
class Workload:
    """What every instance of one variant runs."""

    account_id: str
    region: str
    endpoint_name: str
    variant_name: str
    image: str
    environment: Mapping[str, str] = field(default_factory=dict)
    source: Source | None = None
    channels: Mapping[str, Source] = field(default_factory=dict)
    """Additional data, by the names of their channels."""
    attachment: Attachment = INTERNET_ONLY
    startup_timeout: float = 240.0
    """Seconds until the first healthy ping; 4 minutes unless the variant says otherwise."""


class Instance:
    """One model server; `healthy` says whether it may be sent invocations, `in_flight` how many it is answering."""

    def __init__(self, cloud: CloudContext, workload: Workload, directory: Path) -> None:
        self.instance_id = f"i-{secrets.token_hex(8)}"
        self.healthy = False
        self.in_flight = 0
        self.missed_pings = 0
        self._cloud = cloud
        self._workload = workload
        self._directory = directory / self.instance_id
        self._container: Container | None = None
        self._pool: urllib3.HTTPConnectionPool | None = None
        self._log: ShippedLog | None = None
        self._stopped = threading.Event()

    def start(self) -> None:
        """Fetch the data, start the container, wait until it answers pings. Raises DoesNotStart."""
        model = self._directory / "model"
        model.mkdir(parents=True, exist_ok=True)
        sources = {self._channels / name: one for name, one in self._workload.channels.items()}
        self._channels.mkdir(parents=True, exist_ok=True)
        if self._workload.source is not None:
            sources[model] = self._workload.source
        for folder, source in sources.items():
            try:
                fetch(source, folder, self._cloud, self._workload.region)
            except NoModelData as problem:
                raise DoesNotStart(str(problem)) from problem
        self._run()

    def restart(self) -> None:
        """Start the container again over the same data. Raises DoesNotStart."""
        self.healthy = False
        self._end()
        self._run()

    def stop(self) -> None:
        """Stop the container for good."""
        self.healthy = False
        self._stopped.set()
        self._end()
        # Only the logs are of use from here on; a model may be large.
        shutil.rmtree(self._directory / "model", ignore_errors=True)
        shutil.rmtree(self._channels, ignore_errors=True)

    @property
    def _channels(self) -> Path:
        return self._directory / "channels"

    @property
    def pid(self) -> int | None:
        """The process id of the container's entrypoint, None without a container."""
        container = self._container
        return None if container is None else container.pid

    def is_alive(self) -> bool:
        """Say whether the container's process runs."""
        return self._container is not None and self._container.poll() is None

    def ping(self, timeout: urllib3.Timeout = _PING) -> bool:
        """Say whether the model server answers a ping with 200."""
        if self._pool is None:
            return False
        try:
            return self._pool.request("GET", "/ping", timeout=timeout, retries=False).status == 200
        except urllib3.exceptions.HTTPError:
            return False

    def ship_log(self, finished: bool = False) -> None:
        """Put what the container has written since into the endpoint's log group, if there is one."""
        if self._log is not None:
            self._log.ship(finished=finished)

    def invoke(self, body: bytes, headers: Mapping[str, str], timeout: float) -> urllib3.BaseHTTPResponse:
        """Send one invocation and return the answer, read whole. Raises urllib3's HTTPError."""
        pool = self._pool
        if pool is None:
            raise urllib3.exceptions.HTTPError("the instance has no container")
        limit = urllib3.Timeout(connect=2.0, read=timeout)
        return pool.request("POST", "/invocations", body=body, headers=headers, timeout=limit, retries=False)

    def _run(self) -> None:
        workload = self._workload
        if self._stopped.is_set():
            raise DoesNotStart("The instance was stopped before its container started.")
        spec = ContainerSpec(
            image=workload.image,
            name=f"{workload.endpoint_name}-{workload.variant_name}-{self.instance_id}",
            directory=self._directory / "container",
            # SageMaker's `docker run image serve`; source: the page named in supervisor.py.
            command=["serve"],
            environment=workload.environment,
            region=workload.region,
            files={MODEL_DIRECTORY: self._directory / "model", CHANNELS_DIRECTORY: self._channels},
            attachment=workload.attachment,
        )
        try:
            container = self._cloud.containers.run(spec)
        except ImageNotFound as problem:
            raise DoesNotStart(f"Requested image {workload.image} not found.") from problem
        except (OSError, ValueError, RuntimeError) as problem:
            raise DoesNotStart(f"The container of production variant {workload.variant_name}: {problem}") from problem
        self._container = container
        if self._log is None:
            # https://docs.aws.amazon.com/sagemaker/latest/dg/logging-cloudwatch.html
            group = f"/aws/sagemaker/Endpoints/{workload.endpoint_name}"
            self._log = ShippedLog(
                self._cloud,
                Place(workload.account_id, workload.region),
                container.log,
                group,
                f"{workload.variant_name}/{self.instance_id}",
            )
        self._pool = urllib3.HTTPConnectionPool(container.address, PORT, maxsize=64, block=False)
        self._await_health(container)

    def _await_health(self, container: Container) -> None:
        deadline = time.monotonic() + self._workload.startup_timeout
        while time.monotonic() < deadline and container.poll() is None and not self._stopped.is_set():
            if self.ping(_STARTING_PING):
                self.missed_pings = 0
                self.healthy = True
                return
            self._stopped.wait(_PING_INTERVAL)
        # AWS starts a container that ends again until the time is up; here the same files end the same way each time.
        reason = (
            f"The primary container for production variant {self._workload.variant_name} did not pass the ping health "
            "check. Please check CloudWatch logs for this endpoint."
        )
        raise DoesNotStart(f"{reason} {last_line(container.log)}".strip())

    def _end(self) -> None:
        container, self._container = self._container, None
        if container is not None:
            container.stop(_STOP_SECONDS)
            self.ship_log(finished=True)
            self._cloud.containers.release(container)
        if self._pool is not None:
            self._pool.close()
            self._pool = None


def last_line(log: Path) -> str:
    """Return the last line that a container wrote, in parentheses, or nothing."""
    try:
        lines = log.read_text(errors="replace").strip().splitlines()
    except OSError:
        return ""
    return f"(it last wrote: {lines[-1][:300]})" if lines else ""
