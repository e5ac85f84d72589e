"""The creator's request for release. It is authenticated by where it lies: only the person whose source identity
names a prefix of the staging bucket can write under that prefix.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from interlock.release.digests import HexDigest, canonical_json, is_hex_digest, sha256
from interlock.release.signed_documents import VersionOne
from interlock.release.times import Moment

SUBMISSIONS: Final = "submissions/"
"""Of the staging bucket: `submissions/<source identity>/<the request's identifier>.json`."""
SUBMISSIONS_DAYS: Final = 30
"""For how long after it was written a request, or what was staged with it, waits to be pinned."""

Ticket = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9]{1,9}-[1-9][0-9]{0,9}$")]
"""A change ticket, such as CHG-1234."""


ENVIRONMENT: Final = r"^[a-z][a-z0-9-]{0,39}$"
Environment = Annotated[str, StringConstraints(pattern=ENVIRONMENT)]


class Tier(StrEnum):
    """How much harm a wrong answer can do; it selects evidence, approvers and rollout."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class SubjectKind(StrEnum):
    """What is asked to be released."""

    MODEL = "model"
    """A model version of MLflow's registry, of any flavour."""
    PROMPT = "prompt"
    """A prompt version of MLflow's prompt registry."""
    FOLDER = "folder"
    """A plain folder of files, staged by the submitter."""


class Produces(StrEnum):
    """What the subject answers with, which decides what can be measured of it."""

    DECISIONS = "decisions"
    """Numbers or classes, from a table's rows."""
    TEXT = "text"
    """Text that it generates; a prompt does always."""


class ReleaseRequest(BaseModel):
    """What a creator asks for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: VersionOne = 1
    kind: SubjectKind
    name: Annotated[str, Field(min_length=1, max_length=250)]
    version: Annotated[str, Field(min_length=1, max_length=64)]
    """Of a model or a prompt: the number. Of a folder: the subject digest of what was staged."""
    logged_model_id: Annotated[str, Field(max_length=100)] = ""
    """Of a model: what the version stood for when it was submitted. A name can be given to other bytes, this cannot."""
    subject_digest: HexDigest | None = None
    """The release's digest of the bytes that the submitter asks for; None where the version is that digest, and in
    requests that are older than this."""
    produces: Produces = Produces.DECISIONS
    tier: Tier
    environment: Environment
    """Where it is to serve in the end."""
    ticket: Ticket
    emergency: bool = False
    """Asks for the tier's emergency path."""
    reason: Annotated[str, Field(max_length=2000)] = ""
    submitted_at: Moment

    @property
    def content(self) -> bytes:
        """The request in canonical JSON."""
        return canonical_json(self._document())

    @property
    def identifier(self) -> str:
        """The submission's id: the SHA-256 of all that is asked for, whenever it is, in hexadecimal digits.

        Who asks for the same once more has asked once.
        """
        asked = {name: said for name, said in self._document().items() if name != "submitted_at"}
        return sha256(canonical_json(asked)).hex()

    def _document(self) -> dict[str, Any]:
        # What is not there is not written, so that the digests of older requests stay what they are.
        return self.model_dump(mode="json", exclude={"subject_digest"} if self.subject_digest is None else None)


def submission_key(source_identity: str, request: ReleaseRequest) -> str:
    """Return where in the staging bucket a person's request lies."""
    return f"{SUBMISSIONS}{source_identity}/{request.identifier}.json"


def submitter_of(key: str) -> str:
    """Return the source identity of whoever alone could write `key`. Raises ValueError for a key of another form."""
    parts = key.split("/")
    if len(parts) != 3 or f"{parts[0]}/" != SUBMISSIONS or not parts[1] or not is_hex_digest(parts[2][:-5]):
        raise ValueError(f"received {key!r}; accepted is {SUBMISSIONS}<source identity>/<identifier>.json")
    return parts[1]
