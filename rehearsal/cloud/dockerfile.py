"""What a Dockerfile says about running its image: the instructions that `docker run` looks at, of the last stage.

Source of the format: https://docs.docker.com/reference/dockerfile/
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

import interlock

_LIBRARY = "library"
_SECONDS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_VARIABLE = re.compile(r"\$(?:\{(?P<braced>\w+)(?::-(?P<default>[^}]*))?\}|(?P<plain>\w+))")


class DockerfileError(ValueError):
    """A Dockerfile that cannot be understood; the message names the instruction."""


@dataclass(frozen=True)
class HealthCheck:
    """A health check as Docker and ECS know it; `command` is an argument list, times are in seconds."""

    command: tuple[str, ...]
    interval: float = 30.0
    timeout: float = 30.0
    start_period: float = 0.0
    retries: int = 3


@dataclass(frozen=True)
class Image:
    """What an image runs.

    `files` maps paths inside the container to the files they were copied from, `downloads` to the URLs they were
    fetched from.
    """

    entry_point: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    files: dict[str, Path] = field(default_factory=dict)
    downloads: dict[str, str] = field(default_factory=dict)
    working_directory: str = "/"
    user: str = "root"
    ports: tuple[int, ...] = ()
    stop_signal: str = "SIGTERM"
    health_check: HealthCheck | None = None


def read(path: Path) -> Image:
    """Return what the Dockerfile at `path` says; COPY sources are relative to its folder. Raises DockerfileError."""
    image = Image()
    arguments: dict[str, str] = {}
    for instruction, rest in _instructions(path.read_text()):
        if instruction == "FROM":
            image = Image()
        elif instruction == "ARG":
            name, _, value = rest.partition("=")
            arguments.setdefault(name.strip(), value.strip().strip("\"'"))
        elif handler := _HANDLERS.get(instruction):
            variables = {**arguments, **image.environment}
            try:
                image = handler(image, rest if instruction in _UNEXPANDED else _expand(rest, variables), path.parent)
            except (ValueError, IndexError, KeyError) as error:
                raise DockerfileError(f"{path}: {instruction} {rest}: {error}") from error
    return image


def _instructions(text: str) -> Sequence[tuple[str, str]]:
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\[ \t]*\n", " ", "\n".join(lines))
    words = [line.strip().partition(" ") for line in joined.splitlines() if line.strip()]
    return [(instruction.upper(), rest.strip()) for instruction, _, rest in words]


def _expand(text: str, variables: dict[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        name = match["braced"] or match["plain"]
        return variables.get(name) or match["default"] or ""

    return _VARIABLE.sub(value, text)


def _words(rest: str) -> tuple[str, ...]:
    """Return an argument list: the exec form as it is, the shell form as what Docker makes of it."""
    if rest.startswith("["):
        return tuple(str(word) for word in json.loads(rest))
    return ("/bin/sh", "-c", rest)


def _environment(image: Image, rest: str, _: Path) -> Image:
    words = shlex.split(rest)
    pairs = [word.partition("=")[::2] for word in words] if "=" in words[0] else [(words[0], " ".join(words[1:]))]
    return replace(image, environment={**image.environment, **dict(pairs)})


def _copy(image: Image, rest: str, folder: Path) -> Image:
    origin_name = re.search(r"(?:^|\s)--from=(\S+)", rest)
    if origin_name and origin_name[1] != _LIBRARY:
        return image
    if origin_name:
        # `interlock images push` gives the build the package under this name.
        folder = Path(interlock.__file__).resolve().parent
    rest = re.sub(r"--\w+(=\S+)?\s+", "", rest)
    *sources, target = json.loads(rest) if rest.startswith("[") else shlex.split(rest)
    place = PurePosixPath(image.working_directory, target)
    into_folder = target.endswith("/") or len(sources) > 1 or target in {".", ".."}
    copied: dict[str, Path] = {}
    fetched: dict[str, str] = {}
    for source in sources:
        if "://" in source:
            fetched[str(place / source.rpartition("/")[2] if into_folder else place)] = source
            continue
        origin = (folder / source).resolve()
        copied[str(place / origin.name if into_folder and not origin.is_dir() else place)] = origin
    return replace(image, files={**image.files, **copied}, downloads={**image.downloads, **fetched})


def _health(image: Image, rest: str, _: Path) -> Image:
    if rest.strip().upper() == "NONE":
        return replace(image, health_check=None)
    options, marker, command = rest.partition("CMD")
    if not marker:
        raise ValueError("neither CMD nor NONE")
    given = dict(option.removeprefix("--").split("=", 1) for option in options.split())
    check = HealthCheck(
        _words(command.strip()),
        seconds(given.get("interval", "30s")),
        seconds(given.get("timeout", "30s")),
        seconds(given.get("start-period", "0s")),
        int(given.get("retries", "3")),
    )
    return replace(image, health_check=check)


def seconds(duration: str) -> float:
    """Return a duration such as `1m30s` in seconds. Raises ValueError."""
    parts = re.findall(r"([\d.]+)(ns|us|ms|s|m|h)", duration)
    if "".join(number + unit for number, unit in parts) != duration:
        raise ValueError(f"{duration!r} is not a duration such as 30s or 1m30s")
    return sum(float(number) * _SECONDS[unit] for number, unit in parts)


def _working_directory(image: Image, rest: str, _: Path) -> Image:
    return replace(image, working_directory=str(PurePosixPath(image.working_directory, rest)))


def _ports(image: Image, rest: str, _: Path) -> Image:
    return replace(image, ports=(*image.ports, *(int(word.split("/")[0]) for word in rest.split())))


_UNEXPANDED = {"ENTRYPOINT", "CMD", "HEALTHCHECK"}
_HANDLERS: dict[str, Callable[[Image, str, Path], Image]] = {
    # A new ENTRYPOINT forgets the CMD that stood for another one.
    "ENTRYPOINT": lambda image, rest, _: replace(image, entry_point=_words(rest), command=()),
    "CMD": lambda image, rest, _: replace(image, command=_words(rest)),
    "ENV": _environment,
    "COPY": _copy,
    "ADD": _copy,
    "WORKDIR": _working_directory,
    "USER": lambda image, rest, _: replace(image, user=rest),
    "EXPOSE": _ports,
    "STOPSIGNAL": lambda image, rest, _: replace(image, stop_signal=rest),
    "HEALTHCHECK": _health,
}
