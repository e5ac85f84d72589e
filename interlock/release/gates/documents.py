"""The gate `documents`: what people must have written about a release is there, dated, and says something."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from interlock.release.gates.gate import OUR_VERSION, Document, GateInputs, GateParameters, Measured, Needs
from interlock.release.gates.measuring import measure
from interlock.release.gates.text import plain
from interlock.release.gates.written.markdown import NoDocument, Written, read_markdown

_Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,59}$")]
_Heading = Annotated[str, Field(min_length=1, max_length=200)]


class RequiredDocument(BaseModel):
    """What one document must hold."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sections: tuple[_Heading, ...] = ()
    """Its headings, in whatever order and level, in capitals or not."""
    least_words: Annotated[int, Field(ge=1, le=10_000)] = 5
    """Below each of the headings, or in all if there are none; `TODO` and the like are no words."""
    newest_days: Annotated[int, Field(ge=1, le=3650)] = 365
    """How old it may be by its own date."""


MODEL_CARD = RequiredDocument(sections=("Intended use", "Training data", "Evaluation", "Limitations", "Owner"))


class DocumentsParameters(GateParameters):
    required: Mapping[_Name, RequiredDocument] = Field(default_factory=lambda: {"model_card": MODEL_CARD})
    """By name: lying in the release as `<name>.md`, or else given as the document of that name."""


class DocumentsGate:
    name = "documents"
    version = OUR_VERSION
    Parameters = DocumentsParameters

    def needs(self, parameters: DocumentsParameters) -> Needs:
        return Needs(optional=tuple(parameters.required))

    def measure(self, inputs: GateInputs) -> Measured:
        parameters = inputs.parameters
        assert isinstance(parameters, DocumentsParameters)
        own = _own(inputs)
        problems = {name: list(_problems(inputs, name, rule)) for name, rule in parameters.required.items()}
        measures = [
            measure("required_documents", len(problems)),
            measure("missing_documents", sum(bool(found) for found in problems.values())),
        ]
        told = {name: [f"{name} {what}" for what in found] for name, found in problems.items()}
        return Measured(
            measures,
            reasons=[one for name, found in told.items() if name in own for one in found],
            # Another one can be given; only what lies in the release is the release's.
            unfit=[one for name, found in told.items() if name not in own for one in found],
            unchecked=["whether what the documents say is true"],
            details={"documents": sorted(problems)},
        )


def _own(inputs: GateInputs) -> frozenset[str]:
    """Return the names of the documents that lie in the release."""
    return frozenset(one.path.removesuffix(".md") for one in inputs.manifest.files if one.path.endswith(".md"))


def _problems(inputs: GateInputs, name: str, rule: RequiredDocument) -> Iterator[str]:
    content = _content(inputs, name)
    if content is None:
        yield f"is missing: it is neither given as a document nor in the release as {name}.md"
        return
    try:
        written = read_markdown(content)
    except NoDocument as error:
        yield f"cannot be read: {plain(str(error), 200)}"
        return
    yield from _problems_of(written, rule, inputs)


def _content(inputs: GateInputs, name: str) -> bytes | None:
    if name in _own(inputs):
        return (inputs.folder / f"{name}.md").read_bytes()
    given: Document | None = inputs.documents.get(name)
    return given.content if given is not None else None


def _problems_of(written: Written, rule: RequiredDocument, inputs: GateInputs) -> Iterator[str]:
    today = inputs.now.date()
    if written.day is None:
        yield "has no date (a line such as `Date: 2026-11-22`, or `date:` between lines of ---)"
    elif written.day > today:
        yield f"is of {written.day}, which is yet to come"
    elif today - written.day > timedelta(days=rule.newest_days):
        yield f"is of {written.day}, {(today - written.day).days} days old; accepted are {rule.newest_days}"
    if written.words < rule.least_words:
        yield f"says nothing: {written.words} words; accepted are {rule.least_words} or more"
    for heading in rule.sections:
        words = written.sections.get(" ".join(heading.lower().split()))
        if words is None:
            yield f"has no section '{heading}'"
        elif words < rule.least_words:
            yield f"says nothing under '{heading}': {words} words; accepted are {rule.least_words} or more"
