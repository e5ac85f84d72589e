"""The proof of one world: every claim checked, every counterexample replayed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from interlock.duties.proof import (
    administering,
    admitting,
    demanding,
    entering,
    entitling,
    fulfilling,
    guarding,
    holding,
    keeping,
    providing,
    reaching,
    restraining,
    staging,
    sufficing,
    working,
)
from interlock.duties.proof.closure import Closure
from interlock.duties.proof.property import OWNERS, Context, Property, Violation
from interlock.duties.proof.replay import replay
from interlock.duties.proof.scene import Scene
from interlock.duties.world import World

PROPERTIES: Final[tuple[Property, ...]] = (
    *reaching.PROPERTIES, *entering.PROPERTIES, *admitting.PROPERTIES, *keeping.PROPERTIES, *guarding.PROPERTIES,
    *restraining.PROPERTIES, *staging.PROPERTIES, *holding.PROPERTIES, *demanding.PROPERTIES, *working.PROPERTIES,
    *providing.PROPERTIES, *sufficing.PROPERTIES, *entitling.PROPERTIES,
    *administering.PROPERTIES, *fulfilling.PROPERTIES,
)  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """One claim, and what refutes it."""

    claim: Property
    violations: tuple[Violation, ...]

    @property
    def holds(self) -> bool:
        return not self.violations


def prove(world: World, properties: Sequence[Property] = PROPERTIES) -> tuple[Outcome, ...]:
    """Check each claim about a world.

    Raises PolicyError for a document that is none, NotModelled where one uses what the proof does not model, and
    Disagreement if the evaluator decides a counterexample otherwise.
    """
    scene = Scene(world)
    context = Context(scene, Closure(scene, OWNERS))
    return tuple(_outcome(one, context) for one in properties)


def _outcome(claim: Property, context: Context) -> Outcome:
    violations = tuple(claim.check(context))
    for violation in violations:
        replay(violation)
    return Outcome(claim, violations)
