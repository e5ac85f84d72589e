"""Formulas that conditions leave open, asked of a solver: each of them once."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Final

import z3

from interlock.duties.evaluator.policy import NotModelled
from interlock.duties.proof import logic
from interlock.duties.proof.conditions import holds
from interlock.duties.proof.context import Context
from interlock.duties.proof.formula import Every, Formula, Negated, Open, Some, Unlike, opened
from interlock.duties.proof.patterns import constant

TIMEOUT_MILLISECONDS: Final = 20_000


@functools.lru_cache(maxsize=1 << 15)
def solution(formula: Formula) -> Mapping[str, tuple[str, ...]] | None:
    """Return condition keys with values that a formula holds for, or None if there are none.

    What the solver cannot decide in time counts as NotModelled: nothing is proved by it.
    """
    context = Context(opened(formula))
    term = _asked(formula, context)
    solver = z3.Solver()
    # An interrupt ends the whole proof; by itself the solver would only give up on this question.
    solver.set("timeout", TIMEOUT_MILLISECONDS, "ctrl_c", False)
    solver.add(term, *context.rules)
    # An example that is easily read where there is one; that there is none is said of any value.
    answer = solver.check(*context.readable)
    if answer != z3.sat and context.readable:
        answer = solver.check()
    if answer == z3.unsat:
        return None
    if answer != z3.sat:
        raise NotModelled(f"the solver gave up ({solver.reason_unknown()})")
    return context.example(solver.model())


def _asked(formula: Formula, context: Context) -> logic.Truth:
    if isinstance(formula, Open):
        return _unlike(formula.what, context) if isinstance(formula.what, Unlike) else holds(formula.what, context)
    if isinstance(formula, Negated):
        return logic.negated(_asked(formula.of, context))
    join = {Every: logic.every, Some: logic.some}[type(formula)]
    return join(_asked(one, context) for one in formula.of)


def _unlike(what: Unlike, context: Context) -> logic.Truth:
    wanted = constant(what.value)
    return logic.every(
        logic.either(logic.negated(slot.present), slot.value != wanted) for slot in context.slots(what.key)
    )
