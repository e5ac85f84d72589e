"""The gate `contract-tests`: the model keeps what its contract promises."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Annotated, Any, Final

import numpy as np
from pydantic import Field

from interlock.monitoring.arrays import Floats
from interlock.release.gates.contract import Cell, Contract, Kind, OutputRange, read_contract, rows_of
from interlock.release.gates.contract_cases import SAME, Case, cases_of
from interlock.release.gates.gate import (
    OUR_VERSION,
    GateInputs,
    GateParameters,
    Measured,
    ModelFailed,
    Needs,
    NotMeasurable,
    Predictor,
    Table,
)
from interlock.release.gates.measuring import measure
from interlock.release.gates.predictions import as_scores
from interlock.release.gates.schema import schema_of
from interlock.release.gates.text import plain

MOST_TOLD: Final = 100
"""Cases that the details list, the failed ones first."""
SCHEMA_KINDS: Final[Mapping[Kind, frozenset[str]]] = {
    Kind.NUMBER: frozenset({"double", "float"}),
    Kind.WHOLE: frozenset({"integer", "long", "double", "float"}),
    Kind.TRUTH: frozenset({"boolean"}),
    Kind.TEXT: frozenset({"string"}),
}
"""MLflow's types that can hold what a contract calls a number, a whole number, a truth, a text."""


class ContractParameters(GateParameters):
    document: str = "contract"
    table: str = "evaluation"
    """Where it is given, rules are tried on some of its rows, too."""
    rows: Annotated[int, Field(ge=0, le=1000)] = 20


@dataclass(frozen=True)
class Verdict:
    """A case and what was wrong with it, if anything was."""

    group: str
    name: str
    wrong: str | None


class ContractGate:
    name = "contract-tests"
    version = OUR_VERSION
    Parameters = ContractParameters

    def needs(self, parameters: ContractParameters) -> Needs:
        return Needs(documents=(parameters.document,), optional=(parameters.table,), predictor=True)

    def measure(self, inputs: GateInputs) -> Measured:
        parameters = inputs.parameters
        assert isinstance(parameters, ContractParameters)
        contract = read_contract(inputs.document(parameters.document))
        others = _rows_from(inputs.tables.get(parameters.table), contract, parameters.rows, inputs.seed)
        verdicts = [*_of_schema(inputs, contract)]
        cases = sorted(cases_of(contract, others), key=lambda one: one.group)
        for _, together in groupby(cases, key=lambda one: one.group):
            verdicts += _tried(inputs.model(), contract, list(together))
        verdicts += _of_batches(inputs.model(), contract, [*contract.examples, *others])
        failed = [one for one in verdicts if one.wrong is not None]
        reasons = [f"{plain(one.name, 150)}: {one.wrong}" for one in failed]
        told = [*failed, *(one for one in verdicts if one.wrong is None)][:MOST_TOLD]
        return Measured(
            [measure("cases", len(verdicts)), measure("failed_cases", len(failed), count=len(verdicts))],
            reasons,
            unchecked=list(_unchecked(contract, others)),
            details={"cases": [_told(one) for one in told]},
        )


def _told(verdict: Verdict) -> dict[str, Any]:
    said = plain(verdict.wrong, 300) if verdict.wrong is not None else None
    return {"group": verdict.group, "name": plain(verdict.name, 150), "passed": said is None, "said": said}


def _of_schema(inputs: GateInputs, contract: Contract) -> Iterator[Verdict]:
    schema = schema_of(inputs.folder)
    if schema is None:
        yield Verdict("schema", "the model has a schema", "its file MLmodel names no columns")
        return
    kinds = {one.name: one for one in schema.inputs}
    for name in sorted({*kinds, *contract.columns}):
        if name not in contract.columns:
            yield Verdict("schema", name, "the model takes it and the contract does not name it")
        elif name not in kinds:
            yield Verdict("schema", name, "the contract names it and the model does not take it")
        else:
            fit = SCHEMA_KINDS[contract.columns[name].kind]
            kind = kinds[name].kind
            wrong = None if kind in fit else f"the model takes {plain(kind, 40)}; accepted: {', '.join(sorted(fit))}"
            yield Verdict("schema", name, wrong)


def _tried(model: Predictor, contract: Contract, cases: Sequence[Case]) -> Iterator[Verdict]:
    """Yield the verdicts of one group's cases, which are asked together; where that fails they all do."""
    try:
        answers = _asked(model, contract, [row for case in cases for row in case.rows])
    except (ModelFailed, NotMeasurable) as error:
        yield from (Verdict(case.group, case.name, f"no answer: {error}") for case in cases)
        return
    begin = 0
    for case in cases:
        end = begin + len(case.rows)
        yield Verdict(case.group, case.name, case.wrong(answers[begin:end]))
        begin = end


def _asked(model: Predictor, contract: Contract, rows: Sequence[Mapping[str, Cell]]) -> Floats:
    try:
        asked = rows_of(contract, rows)
    except (ValueError, TypeError, OverflowError) as error:
        raise NotMeasurable(f"a row of the contract is not of its columns' kinds: {error}") from error
    return as_scores(model.predict(asked), len(rows))


def _of_batches(model: Predictor, contract: Contract, rows: Sequence[Mapping[str, Cell]]) -> Iterator[Verdict]:
    """Yield whether an answer depends on the row alone: on no other row of its batch, and on no earlier call."""
    try:
        together = _asked(model, contract, rows)
        again = _asked(model, contract, rows)
        alone = _asked(model, contract, rows[:1])
        backwards = _asked(model, contract, rows[::-1])[::-1]
    except (ModelFailed, NotMeasurable) as error:
        yield Verdict("batches", "the same rows are answered again", f"no answer: {error}")
        return
    yield Verdict("batches", "the same rows are answered the same again", _apart(together, again))
    yield Verdict("batches", "a row is answered the same alone", _apart(together[:1], alone))
    yield Verdict("batches", "rows are answered the same in another order", _apart(together, backwards))


def _apart(one: Floats, other: Floats) -> str | None:
    most = float(np.abs(one - other).max())
    return None if most <= SAME else f"the answers differ by {most:.6g}"


def _rows_from(table: Table | None, contract: Contract, many: int, seed: int) -> list[Mapping[str, Cell]]:
    """Return some rows of a table as a contract's rows; none where the table has not all its columns."""
    if table is None or not set(contract.columns) <= set(table.frame.columns) or len(table.frame) == 0:
        return []
    random = np.random.Generator(np.random.PCG64(seed))
    drawn = np.sort(random.choice(len(table.frame), min(many, len(table.frame)), replace=False))
    frame = table.frame.iloc[drawn][list(contract.columns)].astype(object)
    listed: list[Mapping[str, Cell]] = frame.where(frame.notna(), None).to_dict("records")
    return listed


def _unchecked(contract: Contract, others: Sequence[Mapping[str, Cell]]) -> Iterator[str]:
    if not contract.rules:
        yield "the contract promises no business rules"
    if not others:
        yield "rules were tried on the contract's own examples alone"
    bare = [name for name, column in contract.columns.items() if column.kind in (Kind.NUMBER, Kind.WHOLE)]
    bare = [name for name in bare if contract.columns[name].minimum is None and contract.columns[name].maximum is None]
    if bare:
        yield f"{len(bare)} columns of numbers have neither minimum nor maximum, so no boundary of theirs was tried"
    if contract.output == OutputRange():
        yield "the contract says no range that answers lie in"
