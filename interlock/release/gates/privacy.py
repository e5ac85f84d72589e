"""The gate `privacy`: a release carries only the columns that it declares, and nothing that tells of a person.

Decides from the files alone, before they are kept anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Final

import yaml  # type: ignore[import-untyped]
from pydantic import Field

from interlock.release.gates.gate import OUR_VERSION, GateInputs, GateParameters, Measured, Needs, NotMeasurable
from interlock.release.gates.measuring import measure
from interlock.release.gates.personal.recognising import Recognised, Recognisers
from interlock.release.gates.personal.texts import NoText, header_of, text_of
from interlock.release.gates.schema import schema_of
from interlock.release.gates.text import plain

MOST_TOLD: Final = 200

ENTITIES: Final = (
    *("EMAIL_ADDRESS", "PHONE_NUMBER", "CREDIT_CARD", "IBAN_CODE", "CRYPTO", "MEDICAL_LICENSE"),
    *("US_SSN", "US_ITIN", "US_PASSPORT", "US_DRIVER_LICENSE", "UK_NHS", "UK_NINO", "ES_NIF", "ES_NIE"),
    *("IT_FISCAL_CODE", "FI_PERSONAL_IDENTITY_CODE", "SG_NRIC_FIN", "IN_AADHAAR", "AU_TFN", "AU_MEDICARE"),
)
"""Presidio's names of what is looked for unless the policy says otherwise."""

IDENTIFYING: Final = (
    *("first name", "last name", "full name", "surname", "maiden name", "email", "e mail", "phone", "telephone"),
    *("mobile number", "ssn", "social security", "passport", "iban", "credit card", "card number", "account number"),
    *("street", "home address", "postal address", "date of birth", "birth date", "birthdate", "dob", "ip address"),
    *("national id", "tax id", "driver license", "license plate", "username"),
)
"""Words in a column's name that say that it names a person."""

_WORDS: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")


class PrivacyParameters(GateParameters):
    columns: tuple[str, ...] | None = None
    """The columns that models of this tier may take; without it, those that the model's own signature declares."""
    accepted: tuple[str, ...] = ()
    """Columns whose names only look as if they named a person."""
    entities: tuple[str, ...] = ENTITIES
    least_score: Annotated[float, Field(ge=0, le=1)] = 0.4
    """Presidio's score from which something counts; without a language model nothing raises it by its context."""
    most_text: Annotated[int, Field(ge=1)] = 4_000_000
    """Characters in all files; more take too long to look through, and the gate fails."""


@dataclass
class _Found:
    people: list[tuple[str, Recognised]] = field(default_factory=list)
    unknown: list[tuple[str, str]] = field(default_factory=list)
    identifying: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)


class PrivacyGate:
    name = "privacy"
    version = OUR_VERSION
    Parameters = PrivacyParameters

    def needs(self, parameters: PrivacyParameters) -> Needs:  # noqa: ARG002 (every gate is asked so)
        return Needs()

    def measure(self, inputs: GateInputs) -> Measured:
        parameters = inputs.parameters
        assert isinstance(parameters, PrivacyParameters)
        found = _Found()
        _look_at_columns(inputs, parameters, found)
        _look_at_texts(inputs, parameters, found)
        for path, column in found.unknown:
            found.reasons.append(
                f"{plain(path, 200)} holds the column '{plain(column, 100)}', which is not on the list"
            )
        for column in found.identifying:
            found.reasons.append(f"the model takes '{plain(column, 100)}', whose name says that it names a person")
        measures = [
            measure("findings", len(found.people), count=len(inputs.manifest.files)),
            measure("unknown_columns", len(found.unknown)),
            measure("identifying_columns", len(found.identifying)),
        ]
        return Measured(measures, found.reasons, list(_unchecked(found)), {"findings": _told(found)})


def _look_at_columns(inputs: GateInputs, parameters: PrivacyParameters, found: _Found) -> None:
    declared = _declared(inputs)
    allowed = {*parameters.columns} if parameters.columns is not None else {*(declared or ())}
    found.unknown += [("MLmodel", one) for one in declared or () if one not in allowed]
    found.identifying += [one for one in declared or () if one not in parameters.accepted and names_a_person(one)]
    for file in inputs.manifest.files:
        try:
            header = header_of(inputs.folder, file.path)
        except NoText as error:
            found.reasons.append(f"{plain(file.path, 200)} could not be looked at: {error}")
            continue
        found.unknown += [(file.path, one) for one in header if one not in allowed]


def _declared(inputs: GateInputs) -> Sequence[str] | None:
    """Return the columns that the model declares, none if it takes text or tensors, None if there is no model.

    Raises NotMeasurable for a model that does not say what it takes.
    """
    path = inputs.folder / "MLmodel"
    if not path.is_file():
        return None
    schema = schema_of(inputs.folder)
    if schema is not None:
        return schema.names
    document = yaml.safe_load(path.read_bytes())
    signature = document.get("signature") if isinstance(document, dict) else None
    if not isinstance(signature, dict) or not signature.get("inputs"):
        raise NotMeasurable("the model has no signature, so nothing says which columns it may be given")
    return ()


def names_a_person(column: str) -> bool:
    """Say whether a column's name says that it names a person, however its words are put together."""
    words = f" {' '.join(_WORDS.findall(column)).lower()} "
    return any(f" {one} " in words for one in IDENTIFYING)


def _look_at_texts(inputs: GateInputs, parameters: PrivacyParameters, found: _Found) -> None:
    recognisers = Recognisers(parameters.entities)
    left = parameters.most_text
    for file in inputs.manifest.files:
        try:
            text = text_of(inputs.folder, file.path)
        except NoText as error:
            found.reasons.append(f"{plain(file.path, 200)} could not be looked at: {error}")
            continue
        if text is None:
            found.unread.append(file.path)
            continue
        left -= len(text)
        if left < 0:
            found.reasons.append(
                f"the files hold more text than can be looked through; accepted are {parameters.most_text:,} characters"
            )
            return
        found.people += [(file.path, one) for one in recognisers.recognise(text, parameters.least_score)]
        # A name is text as well, and is shown wherever the release is.
        found.people += [(file.path, one) for one in recognisers.recognise(file.path, parameters.least_score)]


def _unchecked(found: _Found) -> Iterator[str]:
    yield "names of people and places, which no pattern tells from other words"
    yield "what the weights remember of the rows that they were trained on"
    if found.unread:
        shown = ", ".join(plain(one, 60) for one in found.unread[:5])
        yield f"{len(found.unread)} files hold no text that can be read: {shown}"


def _told(found: _Found) -> list[dict[str, object]]:
    return [
        {"path": plain(path, 200), "line": one.line, "entity": one.entity, "score": str(one.score)}
        for path, one in found.people[:MOST_TOLD]
    ]
