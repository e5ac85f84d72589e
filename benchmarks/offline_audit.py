"""How long verify.py takes over a bundle whose log has many entries."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rich.table import Table

from interlock.ledger.leaf import Leaf, LeafKind
from interlock.release.audit import verify
from interlock.release.digests import sha256
from rehearsal.session import Session
from tests.interlock.release.audit.world import World, released

NAME = "offline-audit"
QUESTION = "how long does verify.py take over a bundle whose log has 100 to 100,000 entries (aim: 10,000 in 5 s)?"
SIZES = (100, 1_000, 10_000, 100_000)


def run(session: Session, report: Callable[[str], None]) -> Table:
    """Return the seconds of whole runs of the program, beside hashing the same entries and nothing else."""
    del session
    table = Table(title="verify.py, whole process, one thread")
    for column in ("entries", "bundle", "verify.py", "hashing the entries alone", "ratio"):
        table.add_column(column, justify="right")
    with tempfile.TemporaryDirectory(prefix="interlock-bench-") as scratch:
        for size in SIZES:
            report(f"{size} entries")
            world = _world(size)
            bundle = Path(scratch) / f"{size}.zip"
            bundle.write_bytes(world.archive())
            started = time.monotonic()
            command = [sys.executable, "-I", "-S", verify.__file__, str(bundle), "--root", world.root.fingerprint]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            seconds = time.monotonic() - started
            assert done.returncode == 0, done.stdout + done.stderr
            bare = _hashing(world)
            row = (f"{size:,}", f"{bundle.stat().st_size / 1e6:.1f} MB", f"{seconds:.2f} s", f"{bare:.3f} s")
            table.add_row(*row, f"{seconds / bare:.0f}")
    return table


def _world(size: int) -> World:
    """An admitted release in a log of at least `size` entries, most of them about others."""
    world = released()
    entries = [_entry(number, world) for number in range(size - world.edge.size)]
    world.append(entries)
    return world


def _entry(number: int, world: World) -> bytes:
    name = sha256(str(number).encode()).hex()
    return Leaf(
        kind=LeafKind.STATEMENT,
        key=f"releases/{name}/statements/{name}.dsse.json",
        version_id=f"version-{number}",
        sha256=name,
        payload=name,
        predicate_type="urn:interlock:predicate:evidence:v1",
        subject=name,
        recorded_at=world.now,
    ).content


def _hashing(world: World) -> float:
    contents = [one for key, [(_, one)] in world.vault.objects.items() if "/tile/entries/" in key]
    started = time.monotonic()
    for content in contents:
        verify.leaf_hash(content)
    return max(time.monotonic() - started, 1e-6)
