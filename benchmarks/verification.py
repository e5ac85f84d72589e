"""How long it takes to verify 5 GB before they are loaded, beside reading and copying them."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from rich.table import Table

from interlock.release.vault import files_prefix
from interlock.serving.taking_in import PrivateCopy
from rehearsal.session import Session
from rehearsal.setup.memory import memory_folder
from tests.interlock.release.verification.world import admitted_world

NAME = "verification"
QUESTION = "What does a serving container pay for loading exactly the bytes that were approved, 5 GB of them?"
FILES: Final = 10
FILE_MIB: Final = 512
NEEDED: Final = 2 * FILES * FILE_MIB + 2048
"""MiB of memory: the files, a copy of them, and something beside."""
_MIB: Final = 1024 * 1024


def run(session: Session, report: Callable[[str], None]) -> Table:
    """Read, hash, copy, and take in the same files in turn; and verify a whole record without its files' bytes."""
    del session
    table = Table(title=QUESTION)
    for column in ("what", "seconds", "MiB/s", "times as long as reading"):
        table.add_column(column)
    with memory_folder(needed=NEEDED * _MIB) as memory, TemporaryDirectory(dir=memory) as scratch:
        model = Path(scratch) / "model"
        write(model)
        reading = float("nan")
        for what, way in (
            ("read, one thread", read),
            ("read and hash, one thread", read_and_hash),
            ("cp -r", copy),
            ("take in: copy and hash each byte, from the copy on nothing else is read", take_in),
        ):
            report(what)
            private = Path(scratch) / "private"
            begun = time.perf_counter()
            way(model, private)
            taken = time.perf_counter() - begun
            reading = taken if what.startswith("read,") else reading
            table.add_row(what, f"{taken:.2f}", f"{FILES * FILE_MIB / taken:,.0f}", f"{taken / reading:.2f}")
            subprocess.run(["rm", "-rf", str(private)], check=True)
    world = admitted_world()
    begun = time.perf_counter()
    verdict = world.load()
    taken = time.perf_counter() - begun
    if not verdict.verifies:
        raise RuntimeError(f"the benchmark's own release does not verify: {verdict.reasons}")
    table.add_row("root, policy, evidence, approvals and signatures of a release", f"{taken:.3f}", "", "")
    return table


def write(folder: Path) -> None:
    """Write the files of a model, of random bytes."""
    folder.mkdir()
    block = random.Random(0).randbytes(_MIB)
    for number in range(FILES):
        with (folder / f"{number}.safetensors").open("wb") as file:
            for turn in range(FILE_MIB):
                file.write(block[turn:] + block[:turn])


def read(model: Path, private: Path) -> None:
    """Read every byte and do nothing with it."""
    del private
    for path in sorted(model.iterdir()):
        with path.open("rb", buffering=0) as file:
            while file.read(_MIB):
                pass


def read_and_hash(model: Path, private: Path) -> None:
    """Hash every file, one after the other."""
    del private
    for path in sorted(model.iterdir()):
        with path.open("rb") as file:
            hashlib.file_digest(file, "sha256")


def copy(model: Path, private: Path) -> None:
    """Copy the files and look at nothing."""
    subprocess.run(["cp", "-r", str(model), str(private)], check=True)


def take_in(model: Path, private: Path) -> None:
    """Copy as a serving container does."""
    os.mkdir(private, 0o700)
    copied = PrivateCopy(private)
    if copied.take(files_prefix("0" * 64), model) or len(copied.stored) != FILES:
        raise RuntimeError("not every file was taken in")
