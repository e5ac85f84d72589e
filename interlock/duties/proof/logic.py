"""Truth that is known at once, or that a solver has to find: Python's Booleans and z3's, mixed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import z3

Truth: TypeAlias = bool | z3.BoolRef


def both(*terms: Truth) -> Truth:
    """Return whether all hold."""
    return every(terms)


def every(terms: Iterable[Truth]) -> Truth:
    """Return whether all hold; nothing holds of nothing to the contrary."""
    open_terms: list[z3.BoolRef] = []
    for term in terms:
        if isinstance(term, bool):
            if not term:
                return False
        else:
            open_terms.append(term)
    return _joined(z3.And, open_terms, empty=True)


def either(*terms: Truth) -> Truth:
    """Return whether any holds."""
    return some(terms)


def some(terms: Iterable[Truth]) -> Truth:
    """Return whether any holds."""
    open_terms: list[z3.BoolRef] = []
    for term in terms:
        if isinstance(term, bool):
            if term:
                return True
        else:
            open_terms.append(term)
    return _joined(z3.Or, open_terms, empty=False)


def negated(term: Truth) -> Truth:
    """Return whether it does not hold."""
    return not term if isinstance(term, bool) else z3.Not(term)


def _joined(join: Callable[..., Any], terms: list[z3.BoolRef], *, empty: bool) -> Truth:
    if not terms:
        return empty
    if len(terms) == 1:
        return terms[0]
    joined: z3.BoolRef = join(*terms)
    return joined
