"""Contexts that are likely to tell two sets of documents apart: tried before a solver is asked, which is slower by far.

A guess proves nothing by failing; whoever guesses asks the solver afterwards.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator
from typing import Final

from interlock.duties.evaluator.operators import OPERATORS
from interlock.duties.evaluator.policy import Condition, PolicyStatement
from interlock.duties.proof.facts import Known

Values = tuple[str, ...] | None
_OTHER: Final = ("x",)
_MOST_OF_A_KEY: Final = 4


def likely(statement: PolicyStatement, others: Iterable[PolicyStatement], fixed: Collection[str]) -> Iterator[Known]:
    """Yield contexts in which `statement` may apply, without and with what `others` ask for; `fixed` keys are left out.

    Every key that any of them asks for is in a context, as absent or with a value.
    """
    asked: dict[str, list[Values]] = {}
    for one in (statement, *others):
        for condition in one.condition:
            if condition.key not in fixed:
                asked.setdefault(condition.key, []).extend(_values(condition))
    absent: dict[str, Values] = dict.fromkeys(asked)
    for own in _satisfying(statement, fixed):
        yield {**absent, **own}
    first = next(_satisfying(statement, fixed))
    for key, values in asked.items():
        yield from ({**absent, **first, key: value} for value in dict.fromkeys((*values, _OTHER)))


def _satisfying(statement: PolicyStatement, fixed: Collection[str]) -> Iterator[dict[str, Values]]:
    free = [one for one in statement.condition if one.key not in fixed]
    choices = [_values(one)[:_MOST_OF_A_KEY] or [None] for one in free]
    for chosen in itertools.product(*choices):
        yield dict(zip((one.key for one in free), chosen, strict=True))


def _values(condition: Condition) -> list[Values]:
    if condition.operator == "Null":
        return [None if value.written.lower() == "true" else _OTHER for value in condition.values]
    written = [one.written.replace("*", "x").replace("?", "x") for one in condition.values if not one.variables]
    met: list[Values] = [(one,) for one in written]
    if condition.qualifier is not None:
        # One that is meant beside one that is not: of any and of all of them, another is true.
        met += [(one, *_OTHER) for one in written]
    return [None, _OTHER, *met] if OPERATORS[condition.operator].negated else met
