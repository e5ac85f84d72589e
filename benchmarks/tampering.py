"""All of the tampering matrix, before both judges: the tests do a seeded tenth of it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable

from rich.table import Table

from rehearsal.session import Session
from tests.interlock.release.audit.tampering import cases
from tests.interlock.release.audit.tampering.bundles import bundle_cases
from tests.interlock.release.audit.tampering.case import bases, library_codes, program_codes
from tests.interlock.release.audit.world import judged

NAME = "tampering"
QUESTION = (
    "which of all generated ways of tampering does interlock verify, or verify.py, not refuse for its own reason?"
)


def run(session: Session, report: Callable[[str], None]) -> Table:
    """Return how many cases of each sort were refused, and by which judge."""
    del session
    worlds, tried, refused = bases(), Counter[str](), Counter[tuple[str, str]]()
    started = time.monotonic()
    for case in cases(worlds):
        world, sort = worlds[case.base].copy(), case.name.split(":")[0].split(" ")[0]
        fingerprint = world.root.fingerprint
        case.tamper(world)
        tried[sort] += 1
        for judge, wanted, found in (
            ("interlock verify", case.library, library_codes(world, fingerprint)),
            ("verify.py", case.program, program_codes(world, fingerprint)),
        ):
            refused[sort, judge] += wanted <= found
            if not wanted <= found:
                report(f"{judge} misses {case.name}: {sorted(wanted)}, said {sorted(found)}")
    for name, files, codes in bundle_cases(worlds["released"].bundle()):
        tried["bundle"] += 1
        found = judged(files, worlds["released"].root.fingerprint)
        refused["bundle", "verify.py"] += bool(found & codes)
        if not found & codes:
            report(f"verify.py misses {name}: said {sorted(found)}")
    table = Table(title=f"tampering: {tried.total()} cases in {time.monotonic() - started:.0f} s")
    for column in ("what", "cases", "refused by interlock verify", "refused by verify.py"):
        table.add_column(column, justify="left" if column == "what" else "right")
    for sort, count in sorted(tried.items()):
        library = "–" if sort == "bundle" else str(refused[sort, "interlock verify"])
        table.add_row(sort, str(count), library, str(refused[sort, "verify.py"]))
    return table
