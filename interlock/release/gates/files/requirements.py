"""What a model asks to be installed: requirements.txt and conda.yaml, of which only exact versions are believed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from interlock.written_documents import InvalidDocument, read_yaml


@dataclass(frozen=True)
class Pinned:
    """A distribution in one version."""

    name: str
    """In its normalized form (PEP 503)."""
    version: str


@dataclass(frozen=True)
class Requirements:
    """What a release asks for: what is pinned, and each line that pins nothing or asks for something else."""

    pinned: tuple[Pinned, ...]
    unpinned: tuple[str, ...]
    strange: tuple[str, ...]
    """Options, addresses and paths: what pip would fetch from elsewhere or build."""


def requirements_of(folder: Path) -> Requirements:
    """Return what the files of a release ask for; each distribution once, as the files agree on it."""
    pinned: dict[str, Pinned] = {}
    unpinned: list[str] = []
    strange: list[str] = []
    for line in _lines(folder, strange):
        if line.startswith(("-", ".", "/")) or "://" in line:
            strange.append(line)
            continue
        try:
            wanted = Requirement(line)
        except InvalidRequirement:
            strange.append(line)
            continue
        version = _exact(wanted)
        name = canonicalize_name(wanted.name)
        if wanted.url:
            strange.append(line)
        elif version is None:
            unpinned.append(line)
        elif name in pinned and pinned[name].version != version:
            strange.append(f"{line}, beside {name}=={pinned[name].version}")
        else:
            pinned[name] = Pinned(name, version)
    # Whoever names a distribution twice, once exactly, asks for that version.
    loose = [one for one in dict.fromkeys(unpinned) if canonicalize_name(Requirement(one).name) not in pinned]
    return Requirements(tuple(pinned[one] for one in sorted(pinned)), tuple(loose), tuple(dict.fromkeys(strange)))


def _exact(wanted: Requirement) -> str | None:
    versions = [one.version for one in wanted.specifier if one.operator in ("==", "===") and "*" not in one.version]
    return versions[0] if len(versions) == 1 and len(list(wanted.specifier)) == 1 else None


def _lines(folder: Path, strange: list[str]) -> Iterator[str]:
    path = folder / "requirements.txt"
    if path.is_file():
        yield from _of_text(path.read_bytes(), strange)
    conda = folder / "conda.yaml"
    if conda.is_file():
        try:
            document = read_yaml(conda.read_bytes())
        except InvalidDocument as error:
            strange.append(f"conda.yaml cannot be read: {error}")
            return
        yield from _of_conda(document, strange)


def _of_text(content: bytes, strange: list[str]) -> Iterator[str]:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        strange.append("requirements.txt is no UTF-8")
        return
    for line in text.replace("\\\n", " ").splitlines():
        # A hash says the same as the version, more strictly; what is signed is the version.
        wanted = line.partition(" #")[0].partition(" --hash=")[0].strip()
        if wanted and not wanted.startswith("#"):
            yield wanted


def _of_conda(document: Mapping[str, Any], strange: list[str]) -> Iterator[str]:
    listed = document.get("dependencies")
    for one in listed if isinstance(listed, list) else []:
        if isinstance(one, dict) and set(one) == {"pip"} and isinstance(one["pip"], list):
            for line in one["pip"]:
                # MLflow's own conda.yaml may name the other file.
                if str(line).strip() != "-r requirements.txt":
                    yield str(line).strip()
        elif not isinstance(one, str) or not _is_interpreter(one):
            strange.append(f"conda.yaml asks conda for {one}")


def _is_interpreter(line: str) -> bool:
    return line.replace("=", "<").partition("<")[0].strip() in ("python", "pip")
