"""The evaluation set of what answers with text: what it is asked, what it answers, and how many of them are well."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from interlock.release.gates.answers.judge import Case
from interlock.release.gates.gate import GateInputs, GateParameters, NotMeasurable, Table, UnfitInputs
from interlock.release.gates.predictions import model_rows


class AnswersParameters(GateParameters):
    table: str = "evaluation"
    question: str = "question"
    """The column of what is asked; of a model with several inputs, the one that a judge is shown."""
    context: str | None = None
    """The column of what it may answer from, where there is one."""
    reference: str | None = None
    least_answers: int = Field(default=30, ge=1)
    """Fewer answers say nothing, and the gate fails."""


def answered_cases(inputs: GateInputs, parameters: AnswersParameters) -> list[Case]:
    """Return the evaluation set with the release's answers.

    A model is asked; of a prompt or a plain folder the table holds the answers, in its column `prediction`, made
    elsewhere. Raises UnfitInputs for a table without what is needed, NotMeasurable, ModelFailed.
    """
    table = inputs.table(parameters.table)
    if len(table.frame) < parameters.least_answers:
        raise UnfitInputs(f"the table has {len(table.frame)} rows; accepted are {parameters.least_answers} or more")
    answers = _answers(inputs, table, parameters)
    questions = _texts(table, parameters.question)
    empty = [""] * len(questions)
    contexts = _texts(table, parameters.context) if parameters.context else empty
    references = _texts(table, parameters.reference) if parameters.reference else empty
    return [Case(*one) for one in zip(questions, answers, contexts, references, strict=True)]


def recorded(inputs: GateInputs) -> list[str]:
    """Return what there is to say of answers that nobody here saw being made."""
    if (inputs.folder / "MLmodel").is_file():
        return []
    return ["the answers were made elsewhere; nothing here shows that this release made them"]


def _answers(inputs: GateInputs, table: Table, parameters: AnswersParameters) -> Sequence[str]:
    if not (inputs.folder / "MLmodel").is_file():
        if table.prediction is None:
            raise UnfitInputs("the release is no model that can be asked, and the table names no column of answers")
        return _texts(table, table.prediction)
    rows = model_rows(inputs, table)
    # The good answer is not for whoever is asked.
    rows = rows.drop(columns=[one for one in (parameters.reference,) if one in rows.columns])
    answers = list(inputs.model().predict(rows))
    if not all(isinstance(one, str) for one in answers):
        raise NotMeasurable("the model answered with numbers; accepted is text")
    return answers


def _texts(table: Table, name: str) -> list[str]:
    if name not in table.frame.columns:
        raise UnfitInputs(f"the table has no column {name!r}")
    values = list(table.frame[name])
    strange = next((number for number, one in enumerate(values) if not isinstance(one, str)), None)
    if strange is not None:
        raise UnfitInputs(f"the column {name!r} holds no text in row {strange}")
    return values
