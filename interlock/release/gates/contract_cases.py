"""The cases that follow from a contract: rows to ask, and what their answers must be like."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from interlock.monitoring.arrays import Floats
from interlock.release.gates.contract import (
    Cell,
    Contract,
    ContractColumn,
    InvariantRule,
    Kind,
    MonotonicRule,
    OutputRange,
)

SAME: Final = 1e-9
"""How far two answers may lie apart and be the same: sums are taken in another order in another batch."""
UNHEARD: Final = "a value that nobody has heard of"

Row = Mapping[str, Cell]


@dataclass(frozen=True)
class Case:
    """Rows to ask together. `wrong` looks at the answers, shaped (rows,), and says what is wrong, or nothing."""

    group: str
    name: str
    rows: Sequence[Row]
    wrong: Callable[[Floats], str | None]


def cases_of(contract: Contract, others: Sequence[Row]) -> Iterator[Case]:
    """Yield all cases; rules are tried on the examples and on `others`, rows of real data."""
    inside = _within(contract.output)
    example = contract.examples[0]
    for number, row in enumerate(contract.examples):
        yield Case("examples", f"example {number}", [row], inside)
    for name, column in contract.columns.items():
        for where, value in _boundaries(column):
            yield Case("boundaries", f"{name} at its {where}", [{**example, name: value}], inside)
        if column.missing:
            yield Case("missing values", f"{name} is missing", [{**example, name: None}], inside)
        for value in column.values or ():
            yield Case("values", f"{name} is {value}", [{**example, name: value}], inside)
        if column.others and column.kind is Kind.TEXT:
            yield Case("values", f"{name} is new", [{**example, name: UNHEARD}], inside)
    if all(column.missing for column in contract.columns.values()):
        yield Case("missing values", "everything is missing", [dict.fromkeys(contract.columns)], inside)
    bases = [*contract.examples, *others]
    for rule in contract.rules:
        if isinstance(rule, MonotonicRule):
            yield from _monotonic(rule, bases, contract.columns[rule.column])
        elif isinstance(rule, InvariantRule):
            yield from _invariant(rule, bases)
        else:
            expected = OutputRange(minimum=rule.at_least, maximum=rule.at_most)
            yield Case("rules", rule.name, [{**example, **rule.row}], _within(expected))


def _boundaries(column: ContractColumn) -> Iterator[tuple[str, Cell]]:
    for where, value in (("minimum", column.minimum), ("maximum", column.maximum)):
        if value is not None:
            yield where, round(value) if column.kind is Kind.WHOLE else value


def _within(output: OutputRange) -> Callable[[Floats], str | None]:
    def wrong(answers: Floats) -> str | None:
        for answer in answers:
            if output.minimum is not None and answer < output.minimum:
                return f"answered {answer:.6g}, which is below {output.minimum:g}"
            if output.maximum is not None and answer > output.maximum:
                return f"answered {answer:.6g}, which is above {output.maximum:g}"
        return None

    return wrong


def _monotonic(rule: MonotonicRule, bases: Sequence[Row], column: ContractColumn) -> Iterator[Case]:
    places = np.linspace(rule.start, rule.stop, rule.steps)
    values = sorted({round(one) if column.kind is Kind.WHOLE else float(one) for one in places})
    sign = 1 if rule.direction == "rising" else -1

    def wrong(answers: Floats) -> str | None:
        steps = sign * np.diff(answers)
        worst = int(np.argmin(steps))
        if steps[worst] >= -SAME:
            return None
        where = f"from {values[worst]:g} to {values[worst + 1]:g}"
        return f"{rule.column} {where} moves the answer by {sign * steps[worst]:.6g}"

    for number, base in enumerate(bases):
        yield Case("rules", _numbered(rule.name, number), [{**base, rule.column: value} for value in values], wrong)


def _invariant(rule: InvariantRule, bases: Sequence[Row]) -> Iterator[Case]:
    def wrong(answers: Floats) -> str | None:
        apart = float(np.ptp(answers))
        return None if apart <= SAME else f"{rule.column} alone moves the answer by {apart:.6g}"

    for number, base in enumerate(bases):
        yield Case("rules", _numbered(rule.name, number), [{**base, rule.column: one} for one in rule.values], wrong)


def _numbered(name: str, number: int) -> str:
    return f"{name} (row {number})"
