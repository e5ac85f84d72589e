"""A seeded tenth of all tampering; `scripts/bench tampering` does all of it."""

from __future__ import annotations

import random

import pytest

from tests.interlock.release.audit.tampering import cases
from tests.interlock.release.audit.tampering.bundles import bundle_cases
from tests.interlock.release.audit.tampering.case import PROMOTED, Case, bases, library_codes, program_codes
from tests.interlock.release.audit.world import judged

BASES = bases()
SEED = 20261102
ALL = cases(BASES)
SOME = random.Random(SEED).sample(ALL, len(ALL) // 10)
BUNDLES = list(bundle_cases(BASES["released"].bundle()))


@pytest.mark.parametrize("base", ["released", PROMOTED])
def test_what_nobody_tampered_with_is_admitted_by_both(base: str) -> None:
    world = BASES[base]
    assert library_codes(world.copy(), world.root.fingerprint) == set()
    assert program_codes(world.copy(), world.root.fingerprint) == set()


@pytest.mark.parametrize("case", SOME, ids=str)
def test_tampering_is_refused_by_the_library_and_by_the_program_with_its_own_reason(case: Case) -> None:
    world = BASES[case.base].copy()
    fingerprint = world.root.fingerprint
    case.tamper(world)
    assert case.library <= library_codes(world, fingerprint)
    assert case.program <= program_codes(world, fingerprint)


@pytest.mark.parametrize("number", random.Random(SEED).sample(range(len(BUNDLES)), len(BUNDLES) // 10))
def test_a_bundle_that_was_tampered_with_is_refused(number: int) -> None:
    name, files, codes = BUNDLES[number]
    assert judged(files, BASES["released"].root.fingerprint) & codes, name


def test_the_matrix_has_not_shrunk() -> None:
    assert len(ALL) >= 235
    assert len(BUNDLES) >= 180
    assert len({case.name for case in ALL}) == len(ALL)
    assert len(set().union(*(case.library for case in ALL))) >= 35
