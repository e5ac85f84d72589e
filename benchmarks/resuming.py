"""A pin of 5 GB that is killed in the middle, twice: what the next run sends again, and how long it takes."""

from __future__ import annotations

import json
import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Final
from unittest.mock import patch

from rich.table import Table

from interlock.aws.uploading import PART_BYTES
from rehearsal.cloud.server import LocalCloud
from rehearsal.session import Session
from tests.interlock.killing.front import Death, fronted
from tests.interlock.killing.processes import processes
from tests.interlock.killing.world import World

NAME = "resuming"
QUESTION = "What does a pin of 5 GB that was killed in the middle send again when it is run again?"
FILES: Final = int(os.environ.get("INTERLOCK_BENCH_RESUMED_FILES", "10"))
FILE_BYTES: Final = 512 << 20
PARTS: Final = FILES * FILE_BYTES // PART_BYTES
_PIECE: Final = 1 << 20
_SECONDS: Final = 3600


class PiecedFile:
    """A file of which equal pieces are kept once, so that many copies of the same bytes have room."""

    _kept: Final[dict[bytes, bytes]] = {}

    def __init__(self, *_: object) -> None:
        self._pieces: list[bytes] = []
        self._place = 0

    def seek(self, place: int) -> None:
        self._place = place // _PIECE

    def truncate(self) -> None:
        del self._pieces[self._place :]

    def write(self, content: bytes) -> None:
        for start in range(0, len(content), _PIECE):
            piece = bytes(content[start : start + _PIECE])
            self._pieces.append(self._kept.setdefault(sha256(piece).digest(), piece))

    def read(self, size: int = -1) -> bytes:
        end = None if size < 0 else self._place + max(1, size // _PIECE)
        pieces = self._pieces[self._place : end]
        self._place += len(pieces)
        return b"".join(pieces)

    def close(self) -> None:
        self._pieces.clear()


def run(session: Session, report: Callable[[str], None]) -> Table:
    """Pin the same folder unbroken, and with two deaths: as it is staged, and as it is locked."""
    del session
    table = Table(title=f"{QUESTION} ({FILES} files of {FILE_BYTES >> 20} MiB, {PARTS} parts)")
    for column in ("run", "ended", "parts staged", "parts locked", "parts sent before", "seconds"):
        table.add_column(column, justify="left" if column == "run" else "right")
    with _world() as world:
        report(f"submit {FILES} files of {FILE_BYTES >> 20} MiB")
        asked = world.perform("submit")
        _require(asked.code == 0, asked.said)
        before = world.state()
        unbroken = _pinned(world, table, "unbroken", None, report)
        parts = _part_numbers(unbroken)
        staging, locking = parts[PARTS // 2], parts[PARTS + PARTS // 2]
        before.put_back()
        first = _pinned(world, table, "killed in the middle of staging", staging, report)
        second = _pinned(
            world, table, "run again, killed in the middle of locking", locking - len(first), report, first
        )
        _pinned(world, table, "run again", None, report, [*first, *second])
    return table


def _pinned(
    world: World,
    table: Table,
    what: str,
    number: int | None,
    report: Callable[[str], None],
    sent: Sequence[str] = (),
) -> list[str]:
    """Pin, to a death at the `number`th write if there is one, and return the parts that were sent."""
    report(what)
    begun = time.monotonic()
    done = world.perform("pin", None if number is None else Death(number, arrives=False))
    expected = 0 if number is None else -signal.SIGKILL
    _require(done.code == expected, done.said)
    parts = [one for one in world.front.writes if "partNumber=" in one]
    table.add_row(
        what,
        "whole" if number is None else "SIGKILL",
        str(sum(f"/{world.staging}/" in one for one in parts)),
        str(sum(f"/{world.vault}/" in one for one in parts)),
        str(len({_part(one) for one in parts} & {_part(one) for one in sent})),
        f"{time.monotonic() - begun:.0f}",
    )
    return world.front.writes


def _part_numbers(writes: Sequence[str]) -> list[int]:
    """Return which of the writes, from 1 on, are parts."""
    return [number for number, one in enumerate(writes, start=1) if "partNumber=" in one]


def _part(write: str) -> tuple[str, str]:
    """Return key and number of a part; the upload's id differs from one upload of a key to another."""
    path, _, query = write.partition("?")
    return path, next((one for one in query.split("&") if one.startswith("partNumber=")), "")


@contextmanager
def _world() -> Iterator[World]:
    with (
        tempfile.TemporaryDirectory(prefix="interlock-resuming-") as directory,
        patch("moto.s3.models.tempfile.SpooledTemporaryFile", PiecedFile),
        LocalCloud(Path(directory) / "cloud") as cloud,
        fronted(cloud.endpoint_url) as front,
        processes() as commands,
    ):
        commands.seconds = _SECONDS
        place = Path(directory) / "world"
        place.mkdir()
        world = World(cloud, front, commands, place)
        for number in range(FILES):
            _write_weights(world.folder / f"weights-{number}.safetensors", number)
        yield world


def _write_weights(file: Path, number: int) -> None:
    """Write a file of zeros with a mark in each part, which takes no room on disk."""
    head = json.dumps({"weights": {"dtype": "U8", "shape": [0], "data_offsets": [0, 0]}}).encode()
    for _ in range(2):
        # The head says how long the rest is, and so how long it is itself.
        size = FILE_BYTES - 8 - len(head)
        head = json.dumps({"weights": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}).encode()
    with file.open("wb") as opened:
        opened.write(len(head).to_bytes(8, "little") + head)
        for part in range(1, FILE_BYTES // PART_BYTES):
            opened.seek(part * PART_BYTES)
            opened.write(f"{number} {part}".encode())
        opened.truncate(FILE_BYTES)


def _require(holds: bool, said: str) -> None:
    if not holds:
        raise RuntimeError(f"the command did not end as it should: {said[-1000:]}")
