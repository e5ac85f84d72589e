"""The file manifest: every regular file of a release with its size and digest. Its own digest names the release."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from interlock.release.digests import HexDigest, canonical_json, sha256

_LARGEST_EXACT_INTEGER = 2**53 - 1


class UnfitFolder(ValueError):
    """A folder that no manifest can describe; `problems` names each file and what is wrong with it."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


class InvalidManifest(ValueError):
    """A document that is not a manifest in its one canonical form."""


def path_problem(path: str) -> str | None:
    """Return why `path` cannot name a file of a release, or None if it can."""
    if not path or path.startswith("/"):
        return "is not a relative path"
    if any(part in ("", ".", "..") for part in path.split("/")):
        return "has an empty part, '.' or '..' in it"
    if "\\" in path or not path.isprintable():
        return "has a backslash or an unprintable character in it"
    return None


def _fit_path(path: str) -> str:
    problem = path_problem(path)
    if problem is not None:
        raise ValueError(f"the path {path!r} {problem}")
    return path


class ManifestFile(BaseModel):
    """One file: its path below the release's folder (`/` between parts), its size in bytes, its SHA-256."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    path: Annotated[str, AfterValidator(_fit_path)]
    size: Annotated[int, Field(ge=0, le=_LARGEST_EXACT_INTEGER)]
    sha256: HexDigest


class Manifest(BaseModel):
    """All files of a release, sorted by path (by code point)."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    schema_version: Literal[1] = 1
    files: tuple[ManifestFile, ...]

    @model_validator(mode="after")
    def _is_sorted(self) -> Manifest:
        for before, after in pairwise(self.files):
            if before.path >= after.path:
                raise ValueError(f"the paths {before.path!r} and {after.path!r} are equal or out of order")
        if not self.files:
            raise ValueError("a release without files is none")
        return self

    @property
    def content(self) -> bytes:
        """The manifest's one form as bytes: its RFC 8785 JSON."""
        return canonical_json(self.model_dump(mode="json"))

    @property
    def subject_digest(self) -> str:
        """The SHA-256 of `content` in hexadecimal digits: the release's identity everywhere."""
        return sha256(self.content).hex()

    @property
    def total_size(self) -> int:
        """The size of all files together, in bytes."""
        return sum(file.size for file in self.files)


def parse_manifest(content: bytes) -> Manifest:
    """Return the manifest that `content` is, byte for byte.

    Raises InvalidManifest for anything else, a manifest in another than its canonical form included.
    """
    try:
        manifest = Manifest.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "document"
        raise InvalidManifest(f"{where}: {first['msg']}") from error
    if manifest.content != content:
        raise InvalidManifest("the document is not in canonical form (RFC 8785)")
    return manifest


def manifest_of(folder: Path) -> Manifest:
    """Return the manifest of all regular files below `folder`.

    Raises UnfitFolder, naming all offenders, if there is anything else than folders and regular files in it, a path
    that no release may hold, or no file at all.
    """
    paths, problems = _walk(folder)
    if problems:
        raise UnfitFolder(problems)
    if not paths:
        raise UnfitFolder([f"{folder} holds no files"])
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        files = tuple(pool.map(lambda path: _describe(folder, path), sorted(paths)))
    return Manifest(files=files)


def _walk(folder: Path) -> tuple[list[str], list[str]]:
    paths: list[str] = []
    problems: list[str] = []
    for path, mode in _entries(folder, ""):
        problem = path_problem(path)
        if problem is not None:
            problems.append(f"{path!r} {problem}")
        elif stat.S_ISREG(mode):
            paths.append(path)
        else:
            problems.append(f"{path!r} is {'a symbolic link' if stat.S_ISLNK(mode) else 'not a regular file'}")
    return paths, sorted(problems)


def _entries(folder: Path, prefix: str) -> Iterator[tuple[str, int]]:
    """Yield every path below `folder` that is not a folder itself, with its mode; links are never followed."""
    with os.scandir(folder) as found:
        for entry in found:
            mode = entry.stat(follow_symlinks=False).st_mode
            path = f"{prefix}{entry.name}"
            if stat.S_ISDIR(mode):
                yield from _entries(Path(entry.path), f"{path}/")
            else:
                yield path, mode


def _describe(folder: Path, path: str) -> ManifestFile:
    # Opened once and without following links, so that what is hashed is what was looked at.
    descriptor = os.open(folder / path, os.O_RDONLY | os.O_NOFOLLOW)
    with open(descriptor, "rb") as file:
        digest = hashlib.file_digest(file, "sha256")
        size = file.tell()
    return ManifestFile(path=path, size=size, sha256=digest.hexdigest())
