"""What statements are about: the things that they name, or all but those."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Final

from interlock.duties.evaluator.policy import PolicyStatement, Template
from interlock.duties.proof.classes import Group
from interlock.duties.proof.facts import Facts
from interlock.duties.proof.patterns import Piece, has_wildcard, may_name, names, pieces, text_of, with_anything

_TARGETS: Final = "_targets"


class Targets:
    """The things that a statement names. Statements that name the same share one, and what it was asked."""

    def __init__(self, named: tuple[Template, ...]) -> None:
        fixed = [pieces(one, {}) for one in named if not one.variables and one.written != "*"]
        self._everything = any(one.written == "*" for one in named)
        self._exact = {text_of(one): one for one in fixed if not has_wildcard(one)}
        self._wild = tuple(one for one in fixed if has_wildcard(one))
        varying = tuple(one for one in named if one.variables)
        self._varying = tuple((one, with_anything(one)) for one in varying)
        self._answers: dict[str, bool | None] = {}
        self._groups: dict[str, Group] = {}

    def hold(self, thing: str, facts: Facts) -> bool | None:
        """Return whether all, or none, of what an ARN or a pattern stands for is named; None if that is open.

        Raises Unfilled for a variable whose value is not known, if it makes a difference.
        """
        if thing not in self._answers:
            self._answers[thing] = self._fixed(thing)
        found = self._answers[thing]
        if found is True or not self._varying:
            return found
        if is_pattern(thing):
            return None if found is None or any(may_name(one, thing) for one in self._filled(thing, facts)) else False
        return any(names(thing, one) for one in self._filled(thing, facts))

    def _filled(self, thing: str, facts: Facts) -> Iterator[tuple[Piece, ...]]:
        """Yield what may name a thing, with its variables filled in; of the others no value has to be known."""
        tells = may_name if is_pattern(thing) else _names_within
        return (pieces(one, facts.known) for one, loose in self._varying if tells(loose, thing))

    def _fixed(self, thing: str) -> bool | None:
        if self._everything:
            return True
        if is_pattern(thing):
            return None if any(may_name(one, thing) for one in (*self._wild, *self._exact.values())) else False
        return thing in self._exact or any(names(thing, one) for one in self._wild)

    def group(self, pattern: str, facts: Facts) -> Group:
        """Return what is named of what a pattern stands for."""
        if pattern not in self._groups:
            self._groups[pattern] = frozenset(
                one for one in (*self._exact.values(), *self._wild) if may_name(one, pattern)
            )
        if not self._varying:
            return self._groups[pattern]
        return self._groups[pattern] | set(self._filled(pattern, facts))


def _names_within(parts: tuple[Piece, ...], thing: str) -> bool:
    return names(thing, parts)


def is_pattern(thing: str) -> bool:
    """Return whether a question is about all that a pattern stands for, rather than about one thing."""
    return "*" in thing or "?" in thing


def targets(statement: PolicyStatement) -> Targets | None:
    """Return the things that a statement names, in Resource or in NotResource; None if it has neither."""
    if _TARGETS not in statement.__dict__:
        named = statement.resource or statement.not_resource
        statement.__dict__[_TARGETS] = _targets(named) if named else None
    found: Targets | None = statement.__dict__[_TARGETS]
    return found


@functools.lru_cache(maxsize=1 << 14)
def _targets(named: tuple[Template, ...]) -> Targets:
    return Targets(named)
