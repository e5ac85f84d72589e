"""How long it takes to say what a release's files are, beside what one would otherwise hash them with."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from rich.table import Table

from interlock.release.manifest import manifest_of
from policy.outside import outside_tools
from rehearsal.owner import CHECKOUT
from rehearsal.session import Session
from rehearsal.setup.memory import memory_folder
from rehearsal.setup.progress import Progress

NAME = "hashing"
QUESTION = "How long does the manifest of a release take: few large files, and 20,000 small ones?"
LOCK: Final = CHECKOUT / "policy/model_signing/requirements.lock"
ROUNDS: Final = 3
BASE: Final = "hashlib, one thread"
_MIB: Final = 1024 * 1024
_MODEL_SIGNING: Final = """
import sys, time
from model_signing import hashing
begun = time.perf_counter()
hashing.Config().hash(sys.argv[1])
print(time.perf_counter() - begun)
"""


def run(session: Session, report: Callable[[str], None]) -> Table:
    """Hash the same files in the page cache in turn with each, best of a few rounds."""
    del session
    tools = outside_tools("model-signing", LOCK, Progress())
    table = Table(title=QUESTION)
    for column in ("files", "hashed with", "seconds", "MiB/s", "times as fast as hashlib on one thread"):
        table.add_column(column)
    with memory_folder() as memory, TemporaryDirectory(prefix="interlock-hashing-", dir=memory) as scratch:
        for what, make in (("4 of 512 MiB", large), ("20,000 of 2 to 6 KiB", small)):
            folder = Path(scratch) / "release"
            size = make(folder)
            ways: dict[str, Callable[[Path], float]] = {
                BASE: partial(timed, one_thread),
                "sha256sum": partial(timed, sha256sum),
                "model-signing's hashing": partial(model_signing, tools),
                "interlock": partial(timed, manifest_of),
            }
            seconds = dict.fromkeys(ways, float("inf"))
            for number in range(ROUNDS):
                for name, way in ways.items():
                    report(f"{what}: {name}, round {number + 1} of {ROUNDS}")
                    seconds[name] = min(seconds[name], way(folder))
            for name, taken in seconds.items():
                ratio = seconds[BASE] / taken
                table.add_row(what, name, f"{taken:.2f}", f"{size / _MIB / taken:,.0f}", f"{ratio:.2f}")
            subprocess.run(["rm", "-rf", str(folder)], check=True)
    return table


def large(folder: Path) -> int:
    """Write four large files; return the bytes of all."""
    folder.mkdir()
    block = random.Random(0).randbytes(_MIB)
    for number in range(4):
        with (folder / f"{number}.safetensors").open("wb") as file:
            for turn in range(512):
                file.write(block[turn:] + block[:turn])
    return 4 * 512 * _MIB


def small(folder: Path) -> int:
    """Write twenty thousand small files; return the bytes of all."""
    draw, total = random.Random(0), 0
    for number in range(20_000):
        part = folder / f"{number // 500:03d}"
        part.mkdir(parents=True, exist_ok=True)
        content = draw.randbytes(2048 + number % 4096)
        (part / f"{number:05d}.bin").write_bytes(content)
        total += len(content)
    return total


def one_thread(folder: Path) -> list[tuple[str, str]]:
    """Hash every file with hashlib, one after the other."""
    found = []
    for directory, _, names in os.walk(folder):
        for name in sorted(names):
            path = os.path.join(directory, name)
            with open(path, "rb") as file:
                found.append((path, hashlib.file_digest(file, "sha256").hexdigest()))
    return found


def sha256sum(folder: Path) -> None:
    """Hash every file with coreutils."""
    find = subprocess.run(["find", str(folder), "-type", "f", "-print0"], check=True, capture_output=True)
    subprocess.run(["xargs", "-0", "sha256sum"], input=find.stdout, check=True, stdout=subprocess.DEVNULL)


def model_signing(tools: Path, folder: Path) -> float:
    """Return the seconds that OpenSSF's reference implementation takes for its hashes, without its start."""
    answer = subprocess.run([str(tools / "python"), "-c", _MODEL_SIGNING, str(folder)], check=True, capture_output=True)
    return float(answer.stdout)


def timed(way: Callable[[Path], object], folder: Path) -> float:
    """Return how many seconds `way` takes for `folder`."""
    begun = time.perf_counter()
    way(folder)
    return time.perf_counter() - begun
