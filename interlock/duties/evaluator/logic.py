"""Three truth values: what a request and a policy do not tell is unknown, and never guessed."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum


class Truth(IntEnum):
    """Ordered, so that "and" is the least of several and "or" the greatest (Kleene's strong logic)."""

    NO = 0
    UNKNOWN = 1
    YES = 2

    @property
    def negated(self) -> Truth:
        return _NEGATED[self]


_NEGATED = {Truth.NO: Truth.YES, Truth.UNKNOWN: Truth.UNKNOWN, Truth.YES: Truth.NO}


def known(value: bool) -> Truth:
    """Return what is certain."""
    return Truth.YES if value else Truth.NO


def some(truths: Iterable[Truth]) -> Truth:
    """Return whether any holds; none of nothing does."""
    return max(truths, default=Truth.NO)


def every(truths: Iterable[Truth]) -> Truth:
    """Return whether all hold; all of nothing do."""
    return min(truths, default=Truth.YES)


def agreed(one: Truth, other: Truth) -> Truth:
    """Return what two readings of an undocumented case agree upon."""
    return one if one is other else Truth.UNKNOWN
