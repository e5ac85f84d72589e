"""The gate `text-format`: answers have the form that whoever reads them counts on."""

from __future__ import annotations

import json
import re
import unicodedata
from enum import StrEnum
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from interlock.release.gates.answers.evaluation import AnswersParameters, answered_cases, recorded
from interlock.release.gates.gate import OUR_VERSION, GateInputs, Measured, Needs
from interlock.release.gates.measuring import share

_MOST_TOLD: Final = 100
_SPACES: Final = frozenset("\n\t\r")


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"no regular expression: {error}") from None
    return text


class Form(StrEnum):
    TEXT = "text"
    JSON = "json"


class TextFormatParameters(AnswersParameters):
    form: Form = Form.TEXT
    keys: tuple[str, ...] = ()
    """Of a JSON object: the keys that it has, and no other ones."""
    pattern: Annotated[str, AfterValidator(_pattern)] | None = None
    """A regular expression that the whole answer matches."""
    most_characters: Annotated[int, Field(ge=1, le=100_000)] = 10_000


class TextFormatGate:
    name = "text-format"
    version = OUR_VERSION
    Parameters = TextFormatParameters

    def needs(self, parameters: TextFormatParameters) -> Needs:
        return Needs(tables=(parameters.table,), predictor=True)

    def measure(self, inputs: GateInputs) -> Measured:
        parameters = inputs.parameters
        assert isinstance(parameters, TextFormatParameters)
        cases = answered_cases(inputs, parameters)
        problems = {row: what for row, one in enumerate(cases) if (what := problem_of(one.answer, parameters))}
        told = [{"row": row, "what": what} for row, what in list(problems.items())[:_MOST_TOLD]]
        measures = [share("well_formed", len(cases) - len(problems), len(cases))]
        return Measured(measures, unchecked=recorded(inputs), details={"problems": told})


def problem_of(answer: str, parameters: TextFormatParameters) -> str | None:
    """Return what is wrong with an answer's form, or None."""
    if not answer.strip():
        return "it is empty"
    if len(answer) > parameters.most_characters:
        return f"it has {len(answer)} characters; accepted are {parameters.most_characters}"
    if any(unicodedata.category(one) in ("Cc", "Cs", "Co") and one not in _SPACES for one in answer):
        return "it holds characters that steer a terminal or are none"
    if parameters.pattern is not None and not re.fullmatch(parameters.pattern, answer, re.DOTALL):
        return "it does not match the pattern"
    return _problem_of_json(answer, parameters.keys) if parameters.form is Form.JSON else None


def _problem_of_json(answer: str, keys: tuple[str, ...]) -> str | None:
    try:
        document = json.loads(answer)
    except (ValueError, RecursionError):
        return "it is no JSON"
    if keys and (not isinstance(document, dict) or set(document) != set(keys)):
        return "it is no JSON object of the expected keys"
    return None
