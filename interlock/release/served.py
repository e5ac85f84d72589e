"""That a release has served: what the deployer signs once an endpoint answers with it, and not before."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from interlock.release.digests import HexDigest
from interlock.release.predicates import Predicate
from interlock.release.request import Environment
from interlock.release.signed_documents import VersionOne
from interlock.release.statement import Statement, statement_about

_Name = Annotated[str, Field(min_length=1, max_length=63)]


class Served(BaseModel):
    """The predicate: a variant in service got traffic with the release.

    It bears no time, so that to say it again is to write the same bytes; the ledger knows when it was said first.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: VersionOne = 1
    decision: HexDigest
    """The payload digest of the summary by which the release was admitted there."""
    environment: Environment
    endpoint: _Name
    variant: _Name


def served_statement(digest: str, served: Served) -> Statement:
    """Return the statement of `served` about the release `digest`, to be signed by the deployer."""
    return statement_about(digest, Predicate.SERVED, served.model_dump(mode="json"))
