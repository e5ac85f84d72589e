"""Both judges say the same of records made by chance: the library of the vault, the program of its bundle."""

from __future__ import annotations

import pytest

from tests.interlock.release.audit.small_worlds import small_world
from tests.interlock.release.audit.tampering.case import library_codes, library_verdict, program_codes

SEEDS = range(9)
"""Some of these hold; the others are refused for all sorts of reasons."""

DECIDED_SEEDS = (9, 11, 12, 13, 15, 17)
"""Of records that go on in the one log that they began in."""


@pytest.mark.parametrize("seed", SEEDS)
def test_both_judges_say_the_same_of_a_record_made_by_chance(seed: int) -> None:
    world = small_world(seed)
    library = library_codes(world, world.root.fingerprint)
    program = program_codes(world, world.root.fingerprint)
    assert bool(library) == bool(program)
    assert of_the_ledger(library) == of_the_ledger(program)
    # Where a log does not hold, the library dates nothing any more, and the program tells what the other logs have.
    assert library == program or of_the_ledger(library)


@pytest.mark.parametrize("seed", DECIDED_SEEDS)
def test_a_decision_holds_offline_if_the_library_would_have_admitted_the_release_then(seed: int) -> None:
    world = small_world(seed)
    library = library_codes(world, world.root.fingerprint)
    decision = world.decide()
    world.sequence()
    assert bool(program_codes(world, world.root.fingerprint)) == bool(library)
    told = [one for one in library_verdict(world, world.root.fingerprint).notes if one.where == decision]
    assert bool(told) == bool(library), "and so does the library say of it from then on"


def of_the_ledger(codes: set[str]) -> set[str]:
    return {code for code in codes if code.startswith(("ledger-", "root-"))}
