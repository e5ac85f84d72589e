"""The contract: what a model takes and answers, as the people who made it promise it in `contract.yaml` beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from interlock.release.gates.gate import Document
from interlock.release.gates.text import plain
from interlock.written_documents import InvalidDocument, read_document

if TYPE_CHECKING:
    import pandas as pd

Cell = float | int | bool | str | None
RuleName = Annotated[str, Field(min_length=1, max_length=120)]
Real = Annotated[float, Field(allow_inf_nan=False)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Kind(StrEnum):
    NUMBER = "number"
    WHOLE = "whole"
    TRUTH = "truth"
    TEXT = "text"


class ContractColumn(_Model):
    """What a column may hold."""

    kind: Kind
    minimum: Real | None = None
    maximum: Real | None = None
    values: Annotated[tuple[Cell, ...], Field(max_length=200)] | None = None
    """All values that there are; without it, any of the kind."""
    missing: bool = False
    """Whether it may be missing; the model then answers all the same."""
    others: bool = False
    """Whether the model answers to values beside `values`, too."""

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        if self.kind in (Kind.TRUTH, Kind.TEXT) and (self.minimum is not None or self.maximum is not None):
            raise ValueError("only a number has a minimum and a maximum")
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError("the minimum is above the maximum")
        return self


class OutputRange(_Model):
    """Between what every answer lies, both ends included."""

    minimum: Real | None = None
    maximum: Real | None = None


class MonotonicRule(_Model):
    """While one column grows and all others stay, the answer never falls (or never rises)."""

    rule: Literal["monotonic"]
    name: RuleName
    column: str
    direction: Literal["rising", "falling"]
    start: Real
    stop: Real
    steps: Annotated[int, Field(ge=2, le=200)] = 20


class InvariantRule(_Model):
    """Whatever of these values the column has, the answer is the same."""

    rule: Literal["invariant"]
    name: RuleName
    column: str
    values: Annotated[tuple[Cell, ...], Field(min_length=2, max_length=50)]


class ExpectedRule(_Model):
    """The answer to one row is known to lie between two numbers; columns that are left out are the first example's."""

    rule: Literal["expected"]
    name: RuleName
    row: Mapping[str, Cell]
    at_least: Real | None = None
    at_most: Real | None = None

    @model_validator(mode="after")
    def _expects_something(self) -> Self:
        if self.at_least is None and self.at_most is None:
            raise ValueError("accepted is at_least, at_most or both")
        return self


Rule = Annotated[MonotonicRule | InvariantRule | ExpectedRule, Field(discriminator="rule")]


class Contract(_Model):
    """The whole contract."""

    schema_version: Literal[1] = 1
    columns: Annotated[Mapping[str, ContractColumn], Field(min_length=1)]
    examples: Annotated[tuple[Mapping[str, Cell], ...], Field(min_length=1, max_length=50)]
    """Rows as they are asked; what is tried is one of them with something changed."""
    output: OutputRange = OutputRange()
    rules: Annotated[tuple[Rule, ...], Field(max_length=100)] = ()

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        for number, row in enumerate(self.examples):
            apart = sorted(set(row) ^ set(self.columns))
            if apart:
                raise ValueError(f"example {number} has not the columns of the contract: {', '.join(apart)}")
        for rule in self.rules:
            named = list(rule.row) if isinstance(rule, ExpectedRule) else [rule.column]
            strange = [name for name in named if name not in self.columns]
            if strange:
                raise ValueError(f"the rule {rule.name!r} names the column {strange[0]!r}, which the contract has not")
        names = [rule.name for rule in self.rules]
        if len(set(names)) != len(names):
            raise ValueError("two rules have the same name")
        return self


def read_contract(document: Document) -> Contract:
    """Return the contract in a document. Raises NotMeasurable with all that is wrong with it."""
    try:
        return read_document(document.content, Contract)
    except InvalidDocument as error:
        raise document.unfit(f"the contract cannot be read: {plain(str(error), 400)}") from error


def rows_of(contract: Contract, rows: Iterable[Mapping[str, Cell]]) -> pd.DataFrame:
    """Return rows as the model is asked them: the contract's columns in its order, each of its own type."""
    import pandas as pd

    listed = list(rows)
    return pd.DataFrame(
        {name: _typed(column, [row[name] for row in listed]) for name, column in contract.columns.items()}
    )


def _typed(column: ContractColumn, cells: Sequence[Cell]) -> Any:
    import pandas as pd

    absent = any(cell is None for cell in cells)
    if column.kind is Kind.TEXT or (column.kind is Kind.TRUTH and absent):
        return pd.Series(list(cells), dtype=object)
    if column.kind is Kind.TRUTH:
        return np.array(cells, dtype=np.bool_)
    # A column that may be missing is one of floats in every request, and not only where something is missing.
    whole = column.kind is Kind.WHOLE and not column.missing and not absent
    return np.array([np.nan if cell is None else cell for cell in cells], dtype=np.int64 if whole else np.float64)
