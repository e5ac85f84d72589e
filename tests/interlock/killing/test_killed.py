"""Real processes, ended with SIGKILL at a write of theirs: running the command again completes what it was to do.

A death of three of the steps, taken by lot; `scripts/bench kills` goes through all of them.
"""

from __future__ import annotations

from pathlib import Path
from random import Random

from rehearsal.cloud.server import LocalCloud
from tests.interlock.killing.front import Death, fronted
from tests.interlock.killing.matrix import Killing
from tests.interlock.killing.plants import SAY_ANEW
from tests.interlock.killing.processes import processes
from tests.interlock.killing.world import STEPS, World

KILLED = ("pin", "approve", "revoke")


def test_a_step_that_was_killed_is_completed_by_running_it_again_and_nothing_is_doubled(
    cloud: LocalCloud, tmp_path: Path
) -> None:
    lot = Random(11)
    with fronted(cloud.endpoint_url) as front, processes() as commands:
        world = World(cloud, front, commands, tmp_path)
        for step in STEPS:
            killing = Killing(step, world)
            if step in KILLED:
                assert killing.wrong_after(lot.choice(killing.deaths())) == []
        planted = killing.wrong_after(Death(1, arrives=True), SAY_ANEW)
    assert any("lies there 3 times, not 2" in one for one in planted), planted
