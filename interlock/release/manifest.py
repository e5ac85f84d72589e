"""The file manifest: every regular file of a release with its size and digest. Its own digest names the release."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from interlock.release.digests import HexDigest, canonical_json, sha256

_LARGEST_EXACT_INTEGER = 2**53 - 1
_READ_BYTES = 1024 * 1024
_LARGE_BYTES = 64 * 1024
"""Below, threads that hand each other the interpreter take longer than hashing does."""


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
    sizes, problems = _walk(folder)
    if problems:
        raise UnfitFolder(problems)
    if not sizes:
        raise UnfitFolder([f"{folder} holds no files"])
    below = f"{folder}{os.sep}"
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        described = pool.map(lambda task: [_describe(below, path) for path in task], _tasks(sizes))
        files = sorted((file for task in described for file in task), key=lambda file: file.path)
    return Manifest(files=tuple(files))


def _tasks(sizes: Mapping[str, int]) -> list[list[str]]:
    """Return the paths in tasks of one thread each: all small files together, the others alone, the largest first."""
    large = sorted((path for path, size in sizes.items() if size >= _LARGE_BYTES), key=lambda path: -sizes[path])
    small = [path for path, size in sizes.items() if size < _LARGE_BYTES]
    return [small, *([path] for path in large)]


def _walk(folder: Path) -> tuple[dict[str, int], list[str]]:
    sizes: dict[str, int] = {}
    problems: list[str] = []
    for path, found in _entries(folder, ""):
        problem = path_problem(path)
        if problem is not None:
            problems.append(f"{path!r} {problem}")
        elif stat.S_ISREG(found.st_mode):
            sizes[path] = found.st_size
        else:
            problems.append(f"{path!r} is {'a symbolic link' if stat.S_ISLNK(found.st_mode) else 'not a regular file'}")
    return sizes, sorted(problems)


def _entries(folder: Path, prefix: str) -> Iterator[tuple[str, os.stat_result]]:
    """Yield every path below `folder` that is not a folder itself, with what it is; links are never followed."""
    with os.scandir(folder) as found:
        for entry in found:
            found_as = entry.stat(follow_symlinks=False)
            path = f"{prefix}{entry.name}"
            if stat.S_ISDIR(found_as.st_mode):
                yield from _entries(Path(entry.path), f"{path}/")
            else:
                yield path, found_as


def _describe(below: str, path: str) -> ManifestFile:
    # Opened once and without following links, so that what is hashed is what was looked at. A Path for each of many
    # small files would take half as long as hashing them.
    descriptor = os.open(f"{below}{path}", os.O_RDONLY | os.O_NOFOLLOW)
    try:
        digest, size = _hashed(descriptor)
    finally:
        os.close(descriptor)
    # The path has been looked at on the way, and the rest is made here: checking it again takes as long as hashing.
    return ManifestFile.model_construct(path=path, size=size, sha256=digest)


def _hashed(descriptor: int) -> tuple[str, int]:
    """Return the SHA-256 of a file from where it stands, in hexadecimal digits, and how many bytes that was."""
    content = os.read(descriptor, _READ_BYTES)
    digest, size = hashlib.sha256(content), len(content)
    while content:
        content = os.read(descriptor, _READ_BYTES)
        digest.update(content)
        size += len(content)
    return digest.hexdigest(), size
