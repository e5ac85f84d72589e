"""Findings: what an observer saw of a release outside of the vault, and what had changed since somebody last looked."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from interlock.release.digests import HexDigest, canonical_json, sha256
from interlock.release.pin_statement import Source
from interlock.release.signed_documents import VersionOne
from interlock.release.times import Moment

LONGEST_FACT: Final = 500
MOST_OF_A_KIND: Final = 100
"""How many tags or aliases are told one by one."""


class Fact(StrEnum):
    """What can be seen of a pinned version; of what has a name of its own, that follows after a space."""

    NAME = "name"
    """Of the registered model."""
    VERSION = "version"
    """Its number; empty where it is gone."""
    CREATED = "created"
    """When the registry made the version, in ms since 1970."""
    LOGGED_MODEL = "logged-model"
    RUN = "run"
    STATUS = "status"
    DESCRIPTION = "description"
    TAG = "tag"
    ALIAS = "alias"
    """The number of the version that an alias of the registered model points to."""
    MODEL_DESCRIPTION = "model-description"
    MODEL_TAG = "model-tag"
    FILES = "files"
    """The subject digest of what the version's files are now; empty where they are gone."""


class ChangeKind(StrEnum):
    """What happened to a pinned version."""

    FILES_OVERWRITTEN = "files-overwritten"
    FILES_GONE = "files-gone"
    FILES_RESTORED = "files-restored"
    VERSION_DELETED = "version-deleted"
    VERSION_RECREATED = "version-recreated"
    VERSION_EDITED = "version-edited"
    MODEL_RENAMED = "model-renamed"
    MODEL_EDITED = "model-edited"
    ALIAS_MOVED = "alias-moved"


CONTRADICTIONS: Final = frozenset(
    {
        ChangeKind.FILES_OVERWRITTEN,
        ChangeKind.FILES_GONE,
        ChangeKind.VERSION_DELETED,
        ChangeKind.VERSION_RECREATED,
        ChangeKind.MODEL_RENAMED,
    }
)
"""After these the registry no longer shows what was released."""


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Change(_Model):
    """One thing that is not as it was."""

    kind: ChangeKind
    what: Annotated[str, Field(max_length=LONGEST_FACT)]
    """The fact that changed."""
    before: str
    after: str
    details: tuple[str, ...] = ()
    """Of files: which ones, a sentence each."""


class Finding(_Model):
    """The predicate of a finding about the version of a registry that a release was pinned from."""

    schema_version: VersionOne = 1
    source: Source
    changes: tuple[Change, ...]
    """Empty in the first finding of a version that is as it was pinned: what later ones are compared with."""
    facts: Mapping[str, str]
    """All that was seen, by fact."""
    previous: HexDigest | Literal[""]
    """The payload digest of the finding that this one follows."""
    observed_at: Moment

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        if self.previous and not self.changes:
            raise ValueError("a finding that follows another names what changed")
        return self

    @property
    def contradicts(self) -> bool:
        """Whether the registry showed something else than what was released."""
        return any(one.kind in CONTRADICTIONS for one in self.changes)


def told(text: str) -> str:
    """Return a text as a finding holds it: a long one by its beginning, its length and its digest."""
    if len(text) <= LONGEST_FACT:
        return text
    tail = f"… ({len(text)} characters, SHA-256 {sha256(text.encode('utf-8', 'surrogatepass')).hex()})"
    return text[: LONGEST_FACT - len(tail)] + tail


def named_facts(fact: Fact, values: Mapping[str, str]) -> dict[str, str]:
    """Return facts by name; of more than MOST_OF_A_KIND the last ones together, by their digest."""
    names = sorted(values)
    found = {told(f"{fact} {name}"): told(values[name]) for name in names[:MOST_OF_A_KIND]}
    rest: dict[str, Any] = {name: values[name] for name in names[MOST_OF_A_KIND:]}
    if rest:
        found[f"{fact}, {len(rest)} more"] = sha256(canonical_json(rest)).hex()
    return found
