"""Every seeded mistake in the documents that will be deployed is caught, with a request that the evaluator replays.

All of them are tried by benchmarks/; here one of each kind, and a few more.
"""

from __future__ import annotations

import random
from collections import defaultdict

import pytest

from interlock.duties.duty_world import duty_world
from interlock.duties.evaluator.decision import decide
from interlock.duties.proof import entitling
from interlock.duties.proof.closure import Closure
from interlock.duties.proof.property import OWNERS, Context, Violation
from interlock.duties.proof.prove import PROPERTIES
from interlock.duties.proof.scene import Scene
from interlock.duties.world import World
from tests.interlock.duties.landscapes import LAND, PEOPLE
from tests.interlock.duties.proof.mutations import Mutation, mutations

MORE = 16
SEED = 20261122


@pytest.fixture(scope="module")
def world() -> World:
    return duty_world(LAND, PEOPLE)


def some_of_each(world: World) -> list[Mutation]:
    kinds: dict[str, list[Mutation]] = defaultdict(list)
    for one in mutations(world):
        kinds[one.kind].append(one)
    draw = random.Random(SEED)
    first = [draw.choice(ones) for ones in kinds.values()]
    rest = [one for ones in kinds.values() for one in ones if one not in first]
    return first + draw.sample(rest, MORE)


def first_refuted(world: World) -> tuple[Violation, ...]:
    """Return what refutes the first claim that does not hold; those that answer soonest are asked first."""
    scene = Scene(world)
    context = Context(scene, Closure(scene, OWNERS))
    found = (tuple(claim.check(context)) for claim in (*entitling.PROPERTIES, *PROPERTIES))
    return next((violations for violations in found if violations), ())


def test_there_are_at_least_a_thousand_mutations_of_forty_kinds(world: World) -> None:
    every = list(mutations(world))
    assert len(every) >= 1000
    assert len({one.kind for one in every}) >= 40
    assert len({(one.kind, one.name) for one in every}) == len(every)


def test_every_mutation_is_caught_with_requests_that_the_evaluator_decides_alike(world: World) -> None:
    for mutation in some_of_each(world):
        refuted = first_refuted(mutation.world)
        assert refuted, f"not caught: {mutation.kind}: {mutation.name}"
        shown = 0
        for violation in refuted:
            for call in violation.calls:
                assert decide(call.request(), call.question.layers).allowed
                shown += 1
            if violation.denied is not None:
                assert not decide(violation.denied.request, violation.denied.layers).allowed
                shown += 1
        assert shown, f"without a request: {mutation.kind}: {mutation.name}"
