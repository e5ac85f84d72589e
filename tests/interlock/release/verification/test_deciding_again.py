"""A deployer's decision once an earlier, equal one counts no more: its key is not believed, or it is dated back."""

from __future__ import annotations

import pytest

from interlock.release.acting import write_summary
from interlock.release.verification.readings import read
from interlock.release.verification.summary import summary_of
from tests.interlock.release.audit.world import ENVIRONMENT, SIGNERS, agreed
from tests.interlock.release.audit.world import HOUR as AN_HOUR
from tests.interlock.release.trust.people import NOW
from tests.interlock.release.verification.world import HOUR, KEYS, World, approved_world


@pytest.mark.parametrize("distrusted", [False, True])
def test_a_decision_is_written_anew_where_the_key_of_an_equal_one_is_no_longer_believed(distrusted: bool) -> None:
    world: World = approved_world()
    verdict = world.admit()
    world.decide(verdict)
    if distrusted:
        world.change_root(distrusted="deployer", since=NOW + 6 * HOUR)
    again = summary_of(
        world.digest, environment="prod", policy=world.policy.digest, tier=world.tier, inputs=verdict.rests_on,
        passed=True, now=NOW + 7 * HOUR, version="0.1.0",
    )  # fmt: skip
    readings = read(world.record(), world.trust(None).root)
    written = write_summary(
        world.digest, again, readings, writer=world.vault, reader=world.vault, signer=KEYS["stranger"]
    )
    assert written.anew is distrusted


@pytest.mark.parametrize("earlier", [0, 2])
def test_a_decision_is_written_anew_where_an_equal_one_is_dated_back(earlier: int) -> None:
    world = agreed()
    inputs = list(world.record().statements)
    world.decide(at=world.now - earlier * AN_HOUR)
    world.sequence()
    verdict = world.verdict()
    again = summary_of(
        world.digest, environment=ENVIRONMENT, policy=world.policy.digest, tier="high", inputs=inputs, passed=True,
        now=world.now, version="0.1.0",
    )  # fmt: skip
    written = write_summary(
        world.digest, again, read(world.record(), world.root), writer=world.vault, reader=world.vault,
        signer=SIGNERS["deployer"], verdict=verdict,
    )  # fmt: skip
    assert written.anew is (earlier > 0)
