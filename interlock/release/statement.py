"""In-toto Statements v1: what somebody claims of a release.

Format: https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from interlock.release.digests import HexDigest, canonical_json
from interlock.release.signed_documents import parse_document, read_as

PAYLOAD_TYPE = "application/vnd.in-toto+json"


class InvalidStatement(ValueError):
    """A document that is not an in-toto Statement v1 about exactly one SHA-256 digest each subject."""


class DigestSet(BaseModel):
    """The digests of one subject; of all algorithms that in-toto names we take SHA-256 alone."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    sha256: HexDigest


class Subject(BaseModel):
    """What a statement is about."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: str
    digest: DigestSet


class Statement(BaseModel):
    """A claim: `predicate`, of the kind `predicate_type`, holds of `subject`."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    type: Literal["https://in-toto.io/Statement/v1"] = Field(default="https://in-toto.io/Statement/v1", alias="_type")
    subject: tuple[Subject, ...] = Field(min_length=1)
    predicate_type: str = Field(alias="predicateType", min_length=1)
    predicate: dict[str, Any]

    @property
    def content(self) -> bytes:
        """The statement as bytes, in canonical JSON: what is signed."""
        return canonical_json(self.model_dump(mode="json", by_alias=True))

    def is_about(self, subject_digest: str) -> bool:
        """Say whether the release `subject_digest`, and nothing beside it, is what this statement is about."""
        return [subject.digest.sha256 for subject in self.subject] == [subject_digest]


def statement_about(subject_digest: str, predicate_type: str, predicate: dict[str, Any]) -> Statement:
    """Return the statement that `predicate` holds of the release `subject_digest` (64 hexadecimal digits)."""
    subject = Subject(name="release", digest=DigestSet(sha256=subject_digest))
    return Statement(subject=(subject,), predicate_type=predicate_type, predicate=predicate)


def parse_statement(content: bytes) -> Statement:
    """Return the statement in `content`. Raises InvalidStatement."""
    try:
        statement = read_as(Statement, parse_document(content))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "document"
        raise InvalidStatement(f"{where}: {first['msg']}") from error
    except ValueError as error:
        raise InvalidStatement(str(error)) from error
    if "type" not in statement.model_fields_set:
        raise InvalidStatement("_type: it is missing")
    return statement
