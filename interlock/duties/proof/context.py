"""What is open of a request as a solver sees it: each condition key with whether it is there, and its value."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import z3

from interlock.duties.evaluator.operators import OPERATORS
from interlock.duties.evaluator.policy import Condition, NotModelled
from interlock.duties.proof.formula import Unlike
from interlock.duties.proof.logic import Truth
from interlock.duties.proof.patterns import Text, printable

_FAMILY_OF_SORT: Final = {"String": "text", "Arn": "text", "Bool": "truth", "Numeric": "number", "Date": "date"}
_EARLIEST: Final = 1577836800
_LATEST: Final = 4102444800
"""From 2020 to 2100, in seconds since 1970."""


@dataclass(frozen=True)
class Slot:
    """One value that a key may have; `value` is a text, or for numbers and dates a number, known or to be chosen."""

    present: Truth
    value: Text | z3.ArithRef


class Context:
    """The keys that some open conditions ask for."""

    known: Final[dict[str, tuple[str, ...]]] = {}
    """Nothing: what is given has been settled before."""

    def __init__(self, asked: Iterable[Condition | Unlike]) -> None:
        """Raises NotModelled for a condition on a value that is free, where the solver has no such values."""
        self.rules: list[z3.BoolRef] = []
        self._slots: dict[str, tuple[Slot, ...]] = {}
        self._sorts: dict[str, str] = {}
        self._widths: dict[str, int] = {}
        for one in dict.fromkeys(asked):
            if isinstance(one, Condition):
                self._note(one)

    def _note(self, condition: Condition) -> None:
        key, operator = condition.key, OPERATORS[condition.operator]
        if condition.qualifier is not None:
            # One witness for each such condition is all that any of them can need.
            self._widths[key] = self._widths.get(key, 0) + 1
        if operator.family == "Null":
            return
        if (sort := _FAMILY_OF_SORT.get(operator.family)) is None:
            raise NotModelled(
                f"the proof does not model {condition} for a value that is free; "
                f"accepted are operators of the families {', '.join(_FAMILY_OF_SORT)} and Null"
            )
        if self._sorts.setdefault(key, sort) != sort:
            raise NotModelled(f"{key}: compared as {self._sorts[key]} and as {sort}; accepted is one of them")

    def slots(self, key: str) -> tuple[Slot, ...]:
        """Return the values that a key may have; several only if a condition asks for several."""
        if key not in self._slots:
            self._slots[key] = self._made(key)
        return self._slots[key]

    def _made(self, key: str) -> tuple[Slot, ...]:
        sort, width = self._sorts.get(key, "text"), self._widths.get(key, 1)
        slots = []
        for number in range(width):
            present = z3.Bool(f"has {key} {number}")
            slots.append(Slot(present, self._variable(f"{key} {number}", sort)))
        # Values that are there come first, so that an example has one form.
        for first, second in pairwise(slots):
            assert not isinstance(first.present, bool)
            self.rules.append(z3.Implies(second.present, first.present))
        return tuple(slots)

    def _variable(self, name: str, sort: str) -> Text | z3.ArithRef:
        if sort == "number":
            number = z3.Int(name)
            self.rules += [number >= -1_000_000_000, number <= 1_000_000_000]
            return z3.ToReal(number) / 100
        if sort == "date":
            date = z3.Int(name)
            self.rules += [date >= _EARLIEST, date <= _LATEST]
            return z3.ToReal(date)
        text = z3.String(name)
        if sort == "truth":
            self.rules.append(z3.Or(text == z3.StringVal("true"), text == z3.StringVal("false")))
        else:
            self.rules.append(z3.InRe(text, printable()))
        return text

    def example(self, model: z3.ModelRef) -> dict[str, tuple[str, ...]]:
        """Return the keys that a solver gave values."""
        found: dict[str, tuple[str, ...]] = {}
        for key, slots in self._slots.items():
            values = tuple(_shown(model, slot.value) for slot in slots if z3.is_true(_value(model, slot.present)))
            if values:
                found[key] = tuple(dict.fromkeys(values))
        return found


def _value(model: z3.ModelRef, term: Truth) -> z3.BoolRef:
    if isinstance(term, bool):
        return z3.BoolVal(term)
    found: z3.BoolRef = model.eval(term, model_completion=True)
    return found


def _shown(model: z3.ModelRef, value: Text | z3.ArithRef) -> str:
    if isinstance(value, str):
        return value
    found = model.eval(value, model_completion=True)
    if isinstance(found, z3.RatNumRef):
        whole, part = divmod(found.numerator_as_long(), found.denominator_as_long())
        return str(whole) if part == 0 else str(float(found.as_fraction()))
    return text_in(found)


def text_in(value: z3.ExprRef) -> str:
    """Return the text of a string constant."""
    assert isinstance(value, z3.SeqRef)
    return (
        str(value.as_string()).encode().decode("unicode_escape") if "\\u{" in value.as_string() else value.as_string()
    )
