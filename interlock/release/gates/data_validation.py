"""The gate `data-validation`: the tables hold what the contract says that columns hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from interlock.release.evidence import Measure
from interlock.release.gates.contract import Contract, ContractColumn, Kind, read_contract
from interlock.release.gates.gate import OUR_VERSION, GateInputs, GateParameters, Measured, Needs, Table
from interlock.release.gates.measuring import measure, slice_of
from interlock.release.gates.text import plain

if TYPE_CHECKING:
    import pandas as pd


class ValidationParameters(GateParameters):
    document: str = "contract"
    tables: Annotated[tuple[str, ...], Field(min_length=1)] = ("training", "evaluation")
    """The first one is what others must not repeat rows of."""


@dataclass(frozen=True)
class Failure:
    """A check of a column that some cells do not meet. Their values are not told: they may be somebody's."""

    column: str
    check: str
    cells: int


class ValidationGate:
    name = "data-validation"
    version = OUR_VERSION
    Parameters = ValidationParameters

    def needs(self, parameters: ValidationParameters) -> Needs:
        return Needs(tables=parameters.tables, documents=(parameters.document,))

    def measure(self, inputs: GateInputs) -> Measured:
        parameters = inputs.parameters
        assert isinstance(parameters, ValidationParameters)
        contract = read_contract(inputs.document(parameters.document))
        measures: list[Measure] = []
        reasons: list[str] = []
        told: list[dict[str, Any]] = []
        for part in parameters.tables:
            table = inputs.table(part)
            failures = failures_of(table.frame, contract)
            measures += _measures(part, table, failures, contract)
            reasons += [f"{part}: {plain(one.column, 100)}: {one.check}: {one.cells} cells" for one in failures]
            told += [
                {"table": part, "column": plain(one.column, 100), "check": one.check, "cells": one.cells}
                for one in failures
            ]
        first, *rest = parameters.tables
        for part in rest:
            repeated = _repeated(inputs.table(first), inputs.table(part), contract)
            measures.append(
                measure("repeated_rows", repeated, count=len(inputs.table(part).frame), of=slice_of("table", part))
            )
        unchecked = ["what the values mean: a column in another unit within its range does not show"]
        return Measured(
            measures,
            reasons,
            unchecked,
            {"failures": told[:100]},
            unfit=[f"the table {part!r} has no rows" for part in parameters.tables if inputs.table(part).frame.empty],
            of_inputs=frozenset({"rows", "repeated_rows"}),
        )


def failures_of(frame: pd.DataFrame, contract: Contract) -> list[Failure]:
    """Return which checks of the contract's columns a table does not meet, by column."""
    import pandera.pandas as pandera

    schema = pandera.DataFrameSchema(
        {name: _column(column) for name, column in contract.columns.items()}, unique_column_names=True
    )
    try:
        schema.validate(frame, lazy=True)
    except pandera.errors.SchemaErrors as error:
        return list(_counted(error.failure_cases))
    return []


def _column(column: ContractColumn) -> Any:
    import pandera.pandas as pandera

    checks = [pandera.Check(_is_of(column.kind), name=f"is of the kind {column.kind}", ignore_na=True)]
    if column.minimum is not None:
        checks.append(_compared(f"is at least {column.minimum:g}", lambda values: values >= column.minimum))
    if column.maximum is not None:
        checks.append(_compared(f"is at most {column.maximum:g}", lambda values: values <= column.maximum))
    if column.values is not None and not column.others:
        allowed = [value for value in column.values if value is not None]
        checks.append(pandera.Check(lambda values: values.isin(allowed), name="is one of its values", ignore_na=True))
    return pandera.Column(None, checks=checks, nullable=column.missing)


def _is_of(kind: Kind) -> Any:
    def holds(values: pd.Series) -> Any:
        if kind is Kind.TEXT:
            return values.map(lambda one: isinstance(one, str))
        if kind is Kind.TRUTH:
            return values.isin([True, False])
        numbers = _numeric(values)
        finite = numbers.notna() & (numbers.abs() != float("inf"))
        return finite & (numbers % 1 == 0) if kind is Kind.WHOLE else finite

    return holds


def _compared(name: str, holds: Any) -> Any:
    import pandera.pandas as pandera

    # What is no number fails the check of its kind; here it would only fail a second time.
    def check(values: pd.Series) -> Any:
        numbers = _numeric(values)
        return holds(numbers) | numbers.isna()

    return pandera.Check(check, name=name, ignore_na=True)


def _numeric(values: pd.Series) -> Any:
    import pandas as pd

    # Text that reads like a number is none: the model would be given text.
    bare = values.map(lambda one: float("nan") if isinstance(one, str | bool) else one)
    return pd.to_numeric(bare, errors="coerce")


def _counted(cases: pd.DataFrame) -> Iterator[Failure]:
    names = {"not_nullable": "is not missing", "column_in_dataframe": "is there"}
    found: dict[tuple[str, str], int] = {}
    for context, column, check, case in cases[["schema_context", "column", "check", "failure_case"]].itertuples(
        index=False
    ):
        name = str(case if context == "DataFrameSchema" else column)
        key = (name, names.get(str(check), str(check)))
        found[key] = found.get(key, 0) + 1
    yield from (Failure(column, check, cells) for (column, check), cells in sorted(found.items()))


def _measures(part: str, table: Table, failures: list[Failure], contract: Contract) -> Iterator[Measure]:
    of = slice_of("table", part)
    strange = set(map(str, table.frame.columns)) - set(contract.columns) - table.aside
    yield measure("failed_checks", len(failures), count=len(table.frame), of=of)
    yield measure("failed_cells", sum(one.cells for one in failures), count=len(table.frame), of=of)
    yield measure("unknown_columns", len(strange), of=of)
    yield measure("rows", len(table.frame), of=of)


def _repeated(first: Table, other: Table, contract: Contract) -> int:
    """Return how many rows of the other table are in the first as well: by name, or else by all of their columns."""
    if first.identifier is not None and other.identifier is not None:
        known = set(first.frame[first.identifier])
        return int(other.frame[other.identifier].isin(known).sum())
    columns = [name for name in contract.columns if name in first.frame.columns and name in other.frame.columns]
    if not columns:
        return 0
    known = set(map(tuple, first.frame[columns].astype(str).to_numpy().tolist()))
    return sum(tuple(row) in known for row in other.frame[columns].astype(str).to_numpy().tolist())
