"""What is known of a request, and what conditions come to by that alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Final

from interlock.duties.evaluator.policy import Condition, Escaped, Template, Variable
from interlock.duties.proof.conditions import holds
from interlock.duties.proof.context import Slot
from interlock.duties.proof.formula import Truth, every, still_open
from interlock.duties.proof.patterns import value_of

Known = Mapping[str, tuple[str, ...] | None]
"""Condition keys in lower case whose values are given; None for a key that the request surely lacks."""
_ANSWERS: Final = "_answers"
_VARIES: Final = "_varies"


class Facts:
    """The condition keys of a request that are given; whatever else a condition asks for is open."""

    def __init__(self, given: Known) -> None:
        self.given = given

    @cached_property
    def known(self) -> dict[str, tuple[str, ...]]:
        """The keys that have values."""
        return {key: values for key, values in self.given.items() if values is not None}

    def slots(self, key: str) -> tuple[Slot, ...]:
        """Return the values of a key that is given."""
        return tuple(Slot(True, value) for value in self.given[key] or ())

    def met(self, conditions: Iterable[Condition]) -> Truth:
        """Return whether all conditions hold. Raises NotModelled."""
        return every(self._met(one) for one in conditions)

    def _met(self, condition: Condition) -> Truth:
        varies = _varies(condition)
        if condition.key not in self.given:
            return still_open(self._filled(condition) if varies else condition)
        if varies:
            return bool(holds(condition, self))
        # A condition is asked of the same few values many times; what it was answered lies with it.
        answers: dict[tuple[str, ...] | None, bool] = condition.__dict__.setdefault(_ANSWERS, {})
        values = self.given[condition.key]
        found = answers.get(values)
        if found is None:
            found = answers[values] = bool(holds(condition, self))
        return found

    def _filled(self, condition: Condition) -> Condition:
        return replace(condition, values=tuple(self._without_variables(one) for one in condition.values))

    def _without_variables(self, template: Template) -> Template:
        values = (
            Escaped(value_of(part, template, self.known)) if isinstance(part, Variable) else part
            for part in template.parts
        )
        return Template(template.written, tuple(values))


def _varies(condition: Condition) -> bool:
    found: bool | None = condition.__dict__.get(_VARIES)
    if found is None:
        found = condition.__dict__[_VARIES] = any(value.variables for value in condition.values)
    return found
