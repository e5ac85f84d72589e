"""What images are made from and do not hold: base images and downloads, each by its digest. Pure.

A lock file has one a line, `<reference> sha256:<64 hexadecimal digits>`; a reference is what a Dockerfile writes after
FROM, or the address that it ADDs. A line that begins with # says something to readers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

LOCK_FILE: Final = "bases.lock"
"""Beside the folders of the images."""

HEAD: Final = (
    "# What the images here are made from, as it was when `interlock images resolve` looked.\n"
    "# Nothing is published whose base or download has no line; review a changed line as you review code.\n"
)
_LINE: Final = re.compile(r"(?P<reference>\S+) sha256:(?P<digest>[0-9a-f]{64})")
_FROM: Final = re.compile(r"FROM\s+(?:--\S+\s+)*(?P<image>\S+)(?:\s+AS\s+(?P<stage>\S+))?", re.IGNORECASE)
_ADD: Final = re.compile(r"ADD\s+(?P<options>(?:--\S+\s+)*)(?P<address>https?://\S+)\s+\S+", re.IGNORECASE)
_LIBRARY: Final = re.compile(r"^COPY\s+--from=library\s", re.MULTILINE)
_CHECKSUM: Final = re.compile(r"--checksum=sha256:\$\{(?P<argument>[A-Z][A-Z0-9_]*)\}(\s|$)")


class UnfitLock(ValueError):
    """A lock file or a Dockerfile that cannot be gone by; the text says which line."""


@dataclass(frozen=True)
class Needs:
    """What a Dockerfile takes from elsewhere."""

    bases: Sequence[str]
    """References of images, without those that name their digest."""
    downloads: Mapping[str, str]
    """By address: the build argument that its checksum is compared with."""
    library: bool = False
    """Whether it copies from the package interlock, which it calls `library`."""


def needs_of(dockerfile: str) -> Needs:
    """Return what `dockerfile` needs digests of. Raises UnfitLock for a download that is not compared with any."""
    bases: list[str] = []
    stages: set[str] = {"scratch"}
    downloads: dict[str, str] = {}
    for line in dockerfile.replace("\\\n", " ").splitlines():
        if found := _FROM.match(line.strip()):
            if found["image"] not in stages and "@sha256:" not in found["image"] and found["image"] not in bases:
                bases.append(found["image"])
            stages.add(found["stage"] or "scratch")
        elif found := _ADD.match(line.strip()):
            checksum = _CHECKSUM.search(found["options"])
            if checksum is None:
                raise UnfitLock(f"ADD {found['address']}: accepted is --checksum=sha256:${{NAME}} with an ARG NAME")
            downloads[found["address"]] = checksum["argument"]
    return Needs(bases, downloads, _LIBRARY.search(dockerfile) is not None)


def read_lock(text: str) -> dict[str, str]:
    """Return digests (64 hexadecimal digits) by reference. Raises UnfitLock."""
    known: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        found = _LINE.fullmatch(line.strip())
        if found is None:
            raise UnfitLock(f"line {number}: received {line!r}; accepted is <reference> sha256:<64 hexadecimal digits>")
        if found["reference"] in known:
            raise UnfitLock(f"line {number}: {found['reference']} is there already")
        known[found["reference"]] = found["digest"]
    return known


def written_lock(known: Mapping[str, str]) -> str:
    """Return the text of a lock file."""
    return HEAD + "".join(f"{reference} sha256:{digest}\n" for reference, digest in sorted(known.items()))
