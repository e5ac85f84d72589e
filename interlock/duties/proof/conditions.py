"""When a condition holds, for values that are known or free.

Source: IAM User Guide, "IAM JSON policy elements: Condition operators" and "Multivalued context keys".
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final, Protocol

import z3

from interlock.duties.evaluator.operators import OPERATORS, READERS, date, number, truth
from interlock.duties.evaluator.policy import Condition, NotModelled, Qualifier, Template
from interlock.duties.proof.context import MICROSECONDS, Slot, microseconds
from interlock.duties.proof.logic import Truth, both, either, every, negated, some
from interlock.duties.proof.patterns import constant, matches, pieces, same_ignoring_case, text_of

_COMPARISONS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "Equals": lambda a, b: a == b,
    "LessThan": lambda a, b: a < b,
    "LessThanEquals": lambda a, b: a <= b,
    "GreaterThan": lambda a, b: a > b,
    "GreaterThanEquals": lambda a, b: a >= b,
}


class Values(Protocol):
    """What a condition is asked of."""

    @property
    def known(self) -> dict[str, tuple[str, ...]]: ...

    def slots(self, key: str) -> tuple[Slot, ...]: ...


def holds(condition: Condition, context: Values) -> Truth:
    """Return whether one condition holds. Raises NotModelled.

    A key that is missing fails a positive operator and satisfies a negated one, ForAllValues and IfExists.
    """
    slots = context.slots(condition.key)
    present = some(slot.present for slot in slots)
    if condition.operator == "Null":
        return some(negated(present) if value.written.lower() == "true" else present for value in condition.values)
    operator = OPERATORS[condition.operator]

    def hit(slot: Slot) -> Truth:
        found = some(_atom(operator.base, slot, value, context) for value in condition.values)
        return negated(found) if operator.negated else found

    if condition.qualifier is Qualifier.ALL:
        found = every(either(negated(slot.present), hit(slot)) for slot in slots)
        return found if not condition.if_exists else either(negated(present), found)
    if condition.qualifier is Qualifier.ANY:
        if condition.if_exists and present is not True:
            raise NotModelled(f"{condition}: AWS does not say what a missing key is to ForAnyValue with IfExists")
        return some(both(slot.present, hit(slot)) for slot in slots)
    if len(slots) > 1:
        raise NotModelled(f"{condition}: the key has several values; accepted are ForAllValues and ForAnyValue")
    met = some(both(slot.present, hit(slot)) for slot in slots)
    return either(negated(present), met) if condition.if_exists or operator.negated else met


def _atom(base: str, slot: Slot, template: Template, context: Values) -> Truth:
    family = OPERATORS[base].family
    if family in ("Numeric", "Date"):
        return _compared(base.removeprefix(family), slot, template, number if family == "Numeric" else date)
    value = slot.value
    if isinstance(value, z3.ArithRef):
        raise NotModelled(f"{base}: compares a number as a text")
    if family == "Bool":
        if not isinstance(value, str):
            return value == constant(template.written.lower())
        return bool(_as_given(truth, value) == truth(template.written))
    if family in READERS:
        return _read(family, value, template)
    parts = pieces(template, context.known)
    if base == "StringEquals":
        plain = text_of(parts)
        return value == plain if isinstance(value, str) else value == constant(plain)
    if base == "StringEqualsIgnoreCase":
        return same_ignoring_case(value, text_of(parts))
    return matches(value, parts, arn=family == "Arn")


def _read(family: str, value: str | z3.SeqRef, template: Template) -> Truth:
    if not isinstance(value, str):
        raise NotModelled(f"the proof does not model {family} for a value that is free")
    read, _ = READERS[family]
    actual, wanted = _as_given(read, value), read(template.written)
    return bool(actual.subnet_of(wanted)) if family == "IpAddress" else bool(actual == wanted)


def _as_given(read: Callable[[str], Any], value: str) -> Any:
    """Return a value that a request is known to have. Raises NotModelled for one that its operator cannot read."""
    try:
        return read(value)
    except ValueError as error:
        raise NotModelled(f"a condition is asked of a value that it does not take: {error}") from error


def _compared(how: str, slot: Slot, template: Template, read: Callable[[str], Any]) -> Truth:
    compare = _COMPARISONS[how]
    wanted = read(template.written)
    if isinstance(slot.value, str):
        return bool(compare(_as_given(read, slot.value), wanted))
    exact = Fraction(wanted) if isinstance(wanted, Decimal) else Fraction(microseconds(wanted), MICROSECONDS)
    found: Truth = compare(slot.value, z3.Q(exact.numerator, exact.denominator))
    return found
