"""Zip archives, which several model formats are, read by their directory and without unpacking to disk."""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from interlock.release.manifest import path_problem

LARGEST_ENTRY: Final = 2 * 1024**3
LARGEST_RATIO: Final = 200
"""Of what unpacking makes of a byte; weights that people train compress to a third at best."""
MOST_ENTRIES: Final = 10_000
_ENCRYPTED: Final = 0x1
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def problems_of(path: Path) -> Iterator[str]:
    """Yield what makes the archive unsafe to unpack: a bomb, a link, a path outwards, a lock."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, OverflowError) as error:
        yield f"is no readable archive ({type(error).__name__})"
        return
    if len(entries) > MOST_ENTRIES:
        yield f"holds {len(entries):,} entries; accepted are {MOST_ENTRIES:,}"
        return
    packed = sum(one.compress_size for one in entries)
    unpacked = sum(one.file_size for one in entries)
    if unpacked > LARGEST_RATIO * max(packed, 1) or packed > path.stat().st_size:
        yield f"unpacks from {packed:,} bytes to {unpacked:,}; accepted is {LARGEST_RATIO} times as much"
    names = [one.filename for one in entries]
    if len(set(names)) != len(names):
        yield "holds two entries of one name"
    for one in entries:
        yield from (f"holds the entry {one.filename!r}, which {what}" for what in _problems_of_entry(one))


def _problems_of_entry(entry: zipfile.ZipInfo) -> Iterator[str]:
    outwards = path_problem(entry.filename.rstrip("/"))
    if outwards is not None:
        yield outwards
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        yield "is a link or a device"
    if entry.flag_bits & _ENCRYPTED:
        yield "is encrypted, so that nobody can look at it"
    if entry.compress_type not in _METHODS:
        yield f"is packed by method {entry.compress_type}; accepted are stored and deflated"
    if entry.file_size > LARGEST_ENTRY:
        yield f"is {entry.file_size:,} bytes; accepted are {LARGEST_ENTRY:,}"


def contents(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield each entry's name and bytes, at most as many as its directory says. Raises ValueError if there are more."""
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            if entry.is_dir():
                continue
            with archive.open(entry) as file:
                content = file.read(entry.file_size + 1)
            if len(content) != entry.file_size:
                raise ValueError(f"the entry {entry.filename!r} is not as long as the archive says")
            yield entry.filename, content
