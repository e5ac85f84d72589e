"""Runs an image of this repository as a local process: the same entrypoint, arguments and environment.

What a container isolates is translated: its network to an address of its own, its files to where they lie here.
"""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from rehearsal.cloud import dockerfile
from rehearsal.cloud.addresses import Addresses
from rehearsal.cloud.network.fabric import Attachment, Network
from rehearsal.cloud.processes import Process, Processes, Program

IMAGES = Path(__file__).resolve().parents[2] / "images"
_REFERENCE = re.compile(
    r"(?P<registry>\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com)/(?P<repository>[a-z0-9][a-z0-9._/-]*)"
    r"(?P<version>:[\w][\w.-]{0,127}|@sha256:[0-9a-f]{64}|)"
)
# What a name or path must not continue with for the text before it to have been the whole of it.
_END = r"(?![\w.-])"
_START = r"(?<![\w./-])"


class ImageNotFound(LookupError):
    """No folder of `images/` is what the reference names; the message says what was looked for."""


@dataclass(frozen=True)
class ContainerSpec:
    """What to run; `directory` is the container's own.

    `entry_point` and `command` replace the image's as `docker run` does, `environment` comes on top of the image's.
    `files` maps paths inside the container to paths here.
    """

    image: str
    name: str
    directory: Path
    entry_point: Sequence[str] | None = None
    command: Sequence[str] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, Path] = field(default_factory=dict)
    address: str | None = None
    """Where it listens; an address of its own if None. Containers of one ECS task share theirs."""
    region: str | None = None
    """Where its AWS clients look for what they are asked for; the cloud's home if None."""
    attachment: Attachment | None = None
    """Where its connections come from; from this machine, as the workstation's do, if None."""


class Container:
    """One running container."""

    def __init__(
        self,
        processes: Processes,
        process: Process,
        address: str,
        translation: Translation,
        network: Network | None = None,
    ) -> None:
        self.address = address
        self._network = network
        self._processes = processes
        self._process = process
        self._translation = translation
        self._program = process.program

    @property
    def pid(self) -> int:
        """Return the process id of the entrypoint."""
        return self._process.pid

    @property
    def log(self) -> Path:
        """Return the file with all that the container wrote to its outputs."""
        return self._process.log

    def poll(self) -> int | None:
        """Return the exit code as Docker gives it (128 + n for signal n), None while the entrypoint runs."""
        status = self._process.poll()
        return 128 - status if status is not None and status < 0 else status

    def wait(self, timeout: float) -> int | None:
        """Wait at most `timeout` seconds for the end and return what `poll` does."""
        self._process.wait(timeout)
        return self.poll()

    def stop(self, timeout: float = 30.0) -> int:
        """Stop as `docker stop` does: the stop signal, then after `timeout` seconds SIGKILL; return the exit code."""
        self._process.stop(timeout)
        if self._network is not None:
            self._network.detach(self.pid)
        code = self.poll()
        assert code is not None
        return code

    def check(self, command: Sequence[str], timeout: float) -> bool:
        """Run a health check's command inside the container and return whether it ended with 0 in time (seconds)."""
        program = replace(self._program, arguments=self._translation.check(command), log=Path(os.devnull))
        try:
            check = self._processes.start(program)
        except (OSError, RuntimeError):
            return False
        status = check.wait(timeout)
        check.kill()
        return status == 0


@dataclass(frozen=True)
class Translation:
    """The rule that turns what a container would see into what its process here must be given.

    A path of the image or of `files` becomes the path here; `0.0.0.0` the container's address; a first word
    `python` this interpreter.
    """

    address: str
    files: Mapping[str, Path]

    def text(self, text: str) -> str:
        """Translate paths and the wildcard address wherever they stand in `text`."""
        # Longest first, so that a file inside a mounted folder is not taken for the folder's.
        for inside in sorted(self.files, key=len, reverse=True):
            here = str(self.files[inside])
            text = re.sub(_START + re.escape(inside.rstrip("/")) + _END, lambda _, here=here: here, text)  # type: ignore[misc]
        return re.sub(rf"(?<![\w.])0\.0\.0\.0{_END}", self.address, text)

    def arguments(self, arguments: Sequence[str]) -> list[str]:
        """Translate a command."""
        first, *rest = arguments
        program = sys.executable if re.fullmatch(r"(/usr(/local)?/bin/)?python3?(\.\d+)?", first) else self.text(first)
        return [program, *(self.text(argument) for argument in rest)]

    def check(self, command: Sequence[str]) -> list[str]:
        """Translate a health check, for which `localhost` is the container itself."""
        own = rf"(?<![\w.])(localhost|127\.0\.0\.1){_END}"
        return [re.sub(own, self.address, argument) for argument in self.arguments(command)]


class Containers:
    """Runs the containers of one cloud."""

    def __init__(
        self,
        processes: Processes,
        addresses: Addresses,
        client_environment: Mapping[str, str] | None = None,
        images: Path = IMAGES,
    ) -> None:
        self._processes = processes
        self._addresses = addresses
        self.images = images
        """The folder of the images' folders."""
        self.client_environment: Mapping[str, str] = client_environment or {}
        """What every container gets on top; the cloud sets it once it listens."""
        self.downloads: dict[str, Path] = {}
        """What stands here for a file that an image fetched from a URL: this cloud's authority for AWS's, say."""
        self.network: Network | None = None
        """What containers are attached to."""

    def image(self, reference: str) -> dockerfile.Image:
        """Return what the image named by `reference` runs. Raises ImageNotFound, DockerfileError."""
        match = _REFERENCE.fullmatch(reference)
        if match is None:
            raise ImageNotFound(
                f"{reference}: not a reference <account>.dkr.ecr.<region>.amazonaws.com/<repository>[:tag|@digest]"
            )
        path = self.images / match["repository"].rpartition("/")[2] / "Dockerfile"
        if not match["repository"].startswith("interlock/") or not path.is_file():
            raise ImageNotFound(f"{reference}: not found")
        return dockerfile.read(path)

    def run(self, spec: ContainerSpec) -> Container:
        """Start the container. Raises ImageNotFound, DockerfileError, or OSError if its program cannot be executed."""
        image = self.image(spec.image)
        address = spec.address or self._addresses.allocate(spec.name)
        spec.directory.mkdir(parents=True, exist_ok=True)
        fetched = {inside: self.downloads[url] for inside, url in image.downloads.items() if url in self.downloads}
        translation = Translation(address, {**image.files, **fetched, **spec.files})
        entry_point = list(spec.entry_point) if spec.entry_point else list(image.entry_point)
        # As in Docker, another entrypoint does not get the image's command.
        command = spec.command if spec.command is not None else ([] if spec.entry_point else image.command)
        program = Program(
            arguments=translation.arguments([*entry_point, *command]),
            environment=self._environment(image, spec, translation),
            directory=spec.directory,
            log=spec.directory.with_suffix(".log"),
            stop_signal=signal.Signals[image.stop_signal],
        )
        try:
            process = self._start(program, spec.attachment)
        except BaseException:
            if spec.address is None:
                self._addresses.release(address)
            raise
        return Container(self._processes, process, address, translation, self.network)

    def _services(self, spec: ContainerSpec, address: str) -> dict[str, str]:
        """Return where the container's network has it find AWS's services, nothing without a network."""
        if self.network is None or spec.attachment is None:
            return {}
        return {"AWS_ENDPOINT_URL": self.network.services_url(address, spec.attachment)}

    def _start(self, program: Program, attachment: Attachment | None) -> Process:
        if self.network is None or attachment is None:
            return self._processes.start(program)
        with self.network.attaching() as attach:
            process = self._processes.start(program)
            attach(process.pid, attachment)
        return process

    def release(self, container: Container) -> None:
        """Give the address of a stopped container back, if it was allocated by `run`."""
        if self.network is not None:
            self.network.withdraw(container.address)
        self._addresses.release(container.address)

    def _environment(self, image: dockerfile.Image, spec: ContainerSpec, translation: Translation) -> dict[str, str]:
        declared = {**image.environment, **spec.environment}
        return {
            "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
            "HOME": str(spec.directory),
            "TMPDIR": str(spec.directory),
            "LANG": "C.UTF-8",
            **{name: translation.text(value) for name, value in declared.items() if name != "PATH"},
            **self.client_environment,
            **self._services(spec, translation.address),
            **({"AWS_REGION": spec.region, "AWS_DEFAULT_REGION": spec.region} if spec.region else {}),
        }
