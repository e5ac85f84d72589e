"""Every death of every step of a release, submit, pin, check, approve and revoke, killed at each of their writes.

The tests do one of three of the steps, taken by lot.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rich.table import Table

from rehearsal.cloud.server import LocalCloud
from rehearsal.session import Session
from tests.interlock.killing.front import fronted
from tests.interlock.killing.matrix import Killing
from tests.interlock.killing.plants import PLANTS
from tests.interlock.killing.processes import processes
from tests.interlock.killing.world import STEPS, World

NAME = "kills"
QUESTION = (
    "after which of all deaths by SIGKILL, before and after each write, does running the command again not complete it?"
)


def run(session: Session, report: Callable[[str], None]) -> Table:
    """Return, by step, its writes, its deaths, what was wrong after them, and whether planted mistakes were caught."""
    del session
    table = Table(title=QUESTION)
    for column in ("step", "writes", "deaths", "wrong", "run again unbroken", "planted mistakes caught", "seconds"):
        table.add_column(column, justify="left" if column == "step" else "right")
    with (
        tempfile.TemporaryDirectory(prefix="interlock-kills-") as directory,
        LocalCloud(Path(directory) / "cloud") as cloud,
        fronted(cloud.endpoint_url) as front,
        processes() as commands,
    ):
        place = Path(directory) / "world"
        place.mkdir()
        world = World(cloud, front, commands, place, files=4)
        for step in STEPS:
            table.add_row(step, *_swept(Killing(step, world), report))
    return table


def _swept(killing: Killing, report: Callable[[str], None]) -> tuple[str, ...]:
    begun, deaths = time.monotonic(), killing.deaths()
    again = killing.wrong_again()
    report(f"{killing.name}: {len(deaths)} deaths")
    found = [killing.wrong_after(death) for death in deaths]
    plants = PLANTS.get(killing.name, ())
    caught = [any(killing.wrong_after(death, plant) for death in deaths) for plant in plants]
    for line in (*again, *(line for wrong in found for line in wrong)):
        report(line)
    for plant, was_caught in zip(plants, caught, strict=True):
        report(f"{killing.name}: {plant} was {'caught' if was_caught else 'NOT CAUGHT'}")
    return (
        str(len(killing.writes)),
        str(len(deaths)),
        str(sum(bool(wrong) for wrong in found)),
        "changes nothing" if not again else "CHANGES SOMETHING",
        f"{sum(caught)} of {len(caught)}",
        f"{time.monotonic() - begun:.0f}",
    )
