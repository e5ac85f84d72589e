"""What is open of a request as a solver sees it: each condition key with whether it is there, and its value."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext
from itertools import pairwise
from typing import Final

import z3

from interlock.duties.evaluator.operators import OPERATORS, number
from interlock.duties.evaluator.policy import Condition, NotModelled
from interlock.duties.proof.formula import Unlike
from interlock.duties.proof.logic import Truth
from interlock.duties.proof.patterns import Text, any_text, readable, written

_FAMILY_OF_SORT: Final = {"String": "text", "Arn": "text", "Bool": "truth", "Numeric": "number", "Date": "date"}
MICROSECONDS: Final = 1_000_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_DIGITS: Final = 400
"""Of a number that a condition writes."""


@dataclass(frozen=True)
class Slot:
    """One value that a key may have; `value` is a text, or for numbers and dates a number, known or to be chosen."""

    present: Truth
    value: Text | z3.ArithRef


def microseconds(date: datetime) -> int:
    """Return how long after the beginning of 1970 a date is."""
    return (date - _EPOCH) // timedelta(microseconds=1)


class Context:
    """The keys that some open conditions ask for."""

    known: Final[dict[str, tuple[str, ...]]] = {}
    """Nothing: what is given has been settled before."""

    def __init__(self, asked: Iterable[Condition | Unlike]) -> None:
        """Raises NotModelled for a condition on a value that is free, where the solver has no such values."""
        self.rules: list[z3.BoolRef] = []
        self.readable: list[z3.BoolRef] = []
        """What makes an example easy to read, and need not be so."""
        self._slots: dict[str, tuple[Slot, ...]] = {}
        self._sorts: dict[str, str] = {}
        self._widths: dict[str, int] = {}
        self._digits: dict[str, int] = {}
        self._filled: set[str] = set()
        """Keys of which an empty value is as none, or of which AWS does not say what it is."""
        self._emptied: set[str] = set()
        for one in dict.fromkeys(asked):
            if isinstance(one, Condition):
                self._note(one)

    def _note(self, condition: Condition) -> None:
        key, operator = condition.key, OPERATORS[condition.operator]
        if condition.qualifier is not None:
            # One witness for each such condition is all that any of them can need.
            self._widths[key] = self._widths.get(key, 0) + 1
        if condition.qualifier is not None or operator.family == "Null":
            self._filled.add(key)
        if operator.family == "String" and any(value.written == "" for value in condition.values):
            self._emptied.add(key)
        if key in self._filled and key in self._emptied:
            raise NotModelled(f"{key}: the proof does not model an empty value beside Null, ForAllValues, ForAnyValue")
        if operator.family == "Null":
            return
        if (sort := _FAMILY_OF_SORT.get(operator.family)) is None:
            raise NotModelled(
                f"the proof does not model {condition} for a value that is free; "
                f"accepted are operators of the families {', '.join(_FAMILY_OF_SORT)} and Null"
            )
        if self._sorts.setdefault(key, sort) != sort:
            raise NotModelled(f"{key}: compared as {self._sorts[key]} and as {sort}; accepted is one of them")
        if sort == "number":
            self._note_digits(condition)

    def _note_digits(self, condition: Condition) -> None:
        for value in condition.values:
            exponent = number(value.written).adjusted(), int(number(value.written).as_tuple().exponent)
            if max(map(abs, exponent)) > _MOST_DIGITS:
                raise NotModelled(f"{condition}: accepted are numbers of at most {_MOST_DIGITS} digits")
            self._digits[condition.key] = max(self._digits.get(condition.key, 0), -exponent[1])

    def slots(self, key: str) -> tuple[Slot, ...]:
        """Return the values that a key may have; several only if a condition asks for several."""
        if key not in self._slots:
            self._slots[key] = self._made(key)
        return self._slots[key]

    def _made(self, key: str) -> tuple[Slot, ...]:
        sort, width = self._sorts.get(key, "text"), self._widths.get(key, 1)
        slots = []
        for place in range(width):
            present = z3.Bool(f"has {key} {place}")
            slots.append(Slot(present, self._variable(f"{key} {place}", key, sort)))
        # Values that are there come first, so that an example has one form.
        for first, second in pairwise(slots):
            assert not isinstance(first.present, bool)
            self.rules.append(z3.Implies(second.present, first.present))
        return tuple(slots)

    def _variable(self, name: str, key: str, sort: str) -> Text | z3.ArithRef:
        if sort == "number":
            # One digit more than any that is written: between two numbers there is always another.
            return z3.ToReal(z3.Int(name)) / 10 ** (self._digits.get(key, 0) + 1)
        if sort == "date":
            date = z3.Int(name)
            first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
            self.rules += [date >= microseconds(first), date <= microseconds(last)]
            whole = date % MICROSECONDS == 0
            self.readable += [date > microseconds(_EPOCH + timedelta(days=366)), whole]
            return z3.ToReal(date) / MICROSECONDS
        text = z3.String(name)
        if sort == "truth":
            self.rules.append(z3.Or(text == z3.StringVal("true"), text == z3.StringVal("false")))
        else:
            self.rules.append(z3.InRe(text, any_text(empty=key not in self._filled)))
            self.readable.append(z3.InRe(text, readable()))
        return text

    def example(self, model: z3.ModelRef) -> dict[str, tuple[str, ...]]:
        """Return the keys that a solver gave values."""
        found: dict[str, tuple[str, ...]] = {}
        for key, slots in self._slots.items():
            is_date = self._sorts.get(key) == "date"
            there = (slot.value for slot in slots if z3.is_true(_value(model, slot.present)))
            values = tuple(_shown(model, value, is_date) for value in there)
            if values:
                found[key] = tuple(dict.fromkeys(values))
        return found


def _value(model: z3.ModelRef, term: Truth) -> z3.BoolRef:
    if isinstance(term, bool):
        return z3.BoolVal(term)
    found: z3.BoolRef = model.eval(term, model_completion=True)
    return found


def _shown(model: z3.ModelRef, value: Text | z3.ArithRef, is_date: bool) -> str:
    if isinstance(value, str):
        return value
    found = model.eval(value, model_completion=True)
    if not isinstance(found, z3.RatNumRef):
        return written(found)
    if is_date:
        return (_EPOCH + timedelta(microseconds=int(found.as_fraction() * MICROSECONDS))).isoformat()
    with localcontext(prec=3 * _MOST_DIGITS):
        return f"{Decimal(found.numerator_as_long()) / Decimal(found.denominator_as_long()):f}"
