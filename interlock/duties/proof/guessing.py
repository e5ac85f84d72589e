"""Contexts that are likely to tell two sets of documents apart: tried before a solver is asked, which is slower by far.

A guess proves nothing by failing; whoever guesses asks the solver afterwards.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final

from interlock.duties.evaluator.operators import NULL, OPERATORS
from interlock.duties.evaluator.policy import Condition, PolicyStatement
from interlock.duties.proof.facts import Known

Values = tuple[str, ...] | None
_OTHERS: Final[Mapping[str, tuple[str, ...]]] = {
    "Binary": ("eA==",),
    "Bool": ("true", "false"),
    "Date": ("1971-01-01T00:00:00Z", "2999-01-01T00:00:00Z"),
    "IpAddress": ("192.0.2.1",),
    "Numeric": ("0", "1000000000"),
}
"""By family of operators: values that are likely to be none of those meant."""
_ANY_OTHER: Final = ("x",)
COMPARED: Final = frozenset({"Date", "Numeric"})
_MOST_OF_A_KEY: Final = 4


def likely(statement: PolicyStatement, others: Iterable[PolicyStatement], fixed: Collection[str]) -> Iterator[Known]:
    """Yield contexts in which `statement` may apply, without and with what `others` ask for; `fixed` keys are left out.

    Every key that any of them asks for is in a context, as absent or with a value.
    """
    conditions = [one for each in (statement, *others) for one in each.condition if one.key not in fixed]
    families = {one.key: OPERATORS[one.operator].family for one in conditions if one.operator != NULL}
    unlike = {one.key: _OTHERS.get(families.get(one.key, ""), _ANY_OTHER) for one in conditions}
    asked: dict[str, list[Values]] = {}
    for one in conditions:
        asked.setdefault(one.key, []).extend(_values(one, unlike[one.key]))
    absent: dict[str, Values] = dict.fromkeys(asked)
    for own in _satisfying(statement, fixed, unlike):
        yield {**absent, **own}
    first = next(_satisfying(statement, fixed, unlike))
    for key, values in asked.items():
        other: list[Values] = [(one,) for one in unlike[key]]
        yield from ({**absent, **first, key: value} for value in dict.fromkeys((*values, *other)))


def _satisfying(
    statement: PolicyStatement, fixed: Collection[str], unlike: Mapping[str, tuple[str, ...]]
) -> Iterator[dict[str, Values]]:
    free = [one for one in statement.condition if one.key not in fixed]
    choices = [_values(one, unlike[one.key])[:_MOST_OF_A_KEY] or [None] for one in free]
    for chosen in itertools.product(*choices):
        yield dict(zip((one.key for one in free), chosen, strict=True))


def _values(condition: Condition, unlike: tuple[str, ...]) -> list[Values]:
    other = unlike[:1]
    if condition.operator == NULL:
        return [None if value.written.lower() == "true" else other for value in condition.values]
    written = [one.written.replace("*", "x").replace("?", "x") for one in condition.values if not one.variables]
    met: list[Values] = [(one,) for one in written]
    if condition.qualifier is not None:
        # One that is meant beside one that is not: of any and of all of them, another is true.
        met += [(one, *other) for one in written]
    if OPERATORS[condition.operator].family in COMPARED:
        # Before and after what is written as well.
        met += [(one,) for one in unlike]
    return [None, other, *met] if OPERATORS[condition.operator].negated else met
