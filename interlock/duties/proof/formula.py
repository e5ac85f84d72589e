"""What decides a question, as far as it is known: conditions that are still open, joined by and, or and not.

Equal questions have equal formulas, so that a solver is asked once for all of them.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from interlock.duties.evaluator.policy import Condition


@dataclass(frozen=True)
class Unlike:
    """A condition key, in lower case, must not have a value; it may be missing."""

    key: str
    value: str


@dataclass(frozen=True, eq=False)
class Open:
    """Something that the request decides. There is one for all equal conditions: see `still_open`."""

    what: Condition | Unlike


@dataclass(frozen=True)
class Negated:
    of: Formula


@dataclass(frozen=True)
class Every:
    of: tuple[Formula, ...]


@dataclass(frozen=True)
class Some:
    of: tuple[Formula, ...]


Formula: TypeAlias = Open | Negated | Every | Some
Truth: TypeAlias = bool | Formula


@functools.lru_cache(maxsize=1 << 16)
def still_open(what: Condition | Unlike) -> Open:
    """Return the formula of one condition."""
    return Open(what)


def every(terms: Iterable[Truth]) -> Truth:
    """Return whether all hold; nothing holds of nothing to the contrary. Takes no more terms than it needs."""
    found: list[Formula] = []
    for term in terms:
        if term is False:
            return False
        if term is not True:
            found.append(term)
    if not found:
        return True
    return found[0] if len(found) == 1 else Every(tuple(dict.fromkeys(found)))


def some(terms: Iterable[Truth]) -> Truth:
    """Return whether any holds. Takes no more terms than it needs."""
    found: list[Formula] = []
    for term in terms:
        if term is True:
            return True
        if term is not False:
            found.append(term)
    if not found:
        return False
    return found[0] if len(found) == 1 else Some(tuple(dict.fromkeys(found)))


def negated(term: Truth) -> Truth:
    """Return whether it does not hold."""
    return not term if isinstance(term, bool) else Negated(term)


def opened(formula: Formula) -> Iterator[Condition | Unlike]:
    """Yield what is open in a formula, as often as it stands there."""
    if isinstance(formula, Open):
        yield formula.what
    elif isinstance(formula, Negated):
        yield from opened(formula.of)
    else:
        for one in formula.of:
            yield from opened(one)
