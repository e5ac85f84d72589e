"""What people say of a release under their own keys: approval, rejection, withdrawal, revocation, retirement."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from interlock.release.digests import HexDigest, canonical_json, sha256
from interlock.release.request import Ticket
from interlock.release.signed_documents import VersionOne
from interlock.release.times import Moment

Reason = Annotated[str, Field(min_length=1, max_length=2000)]


class Spoken(BaseModel):
    """What every act tells: who speaks, and why. Of an objection that suffices, whatever its details are."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    person: str
    reason: str
    ticket: str


class _Act(Spoken):
    schema_version: VersionOne = 1
    person: Annotated[str, Field(min_length=1, max_length=64)]
    """The signer's source identity; believed only where the signing key is that person's in the trust root."""
    reason: Reason
    ticket: Ticket


class Approval(_Act):
    """The predicate of an approval: for one environment, of exactly this record, under exactly this policy and pin.

    The same bytes may be pinned for several tiers. Who agreed to one of them has not agreed to the others.
    """

    environment: Annotated[str, Field(min_length=1, max_length=40)]
    policy: HexDigest
    pin: HexDigest
    """The payload digest of the pin that was read: what was asked for, by whom."""
    tier: Annotated[str, Field(min_length=1, max_length=40)]
    """That pin's."""
    record: HexDigest
    """`record_digest` of what was read."""
    statements: tuple[HexDigest, ...] = Field(min_length=1)
    """The payload digests of the builder's statements that were read, sorted."""
    approved_at: Moment
    expires_at: Moment

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        if list(self.statements) != sorted(set(self.statements)):
            raise ValueError("the statements are sorted, each named once")
        if not self.approved_at < self.expires_at:
            raise ValueError("an approval expires after it was given")
        return self


class Rejection(_Act):
    """The predicate of a rejection: an objection that stands until the same person withdraws it."""

    rejected_at: Moment


class Withdrawal(_Act):
    """The predicate of a withdrawal: the same person takes back an approval or a rejection of theirs."""

    withdrawn: HexDigest
    """The payload digest of the statement that counts no more."""
    withdrawn_at: Moment


class Revocation(_Act):
    """The predicate of a revocation: for good, in every environment. One approver is enough."""

    revoked_at: Moment


class Retirement(_Act):
    """The predicate of a retirement: the release is no longer to be admitted, and nothing is wrong with it."""

    retired_at: Moment


def record_digest(subject_digest: str, policy: str, pin: str, statements: Iterable[str]) -> str:
    """Return the digest of what an approver read: the release, the policy, the pin, and the builder's statements."""
    document = {"release": subject_digest, "policy": policy, "pin": pin, "statements": sorted(set(statements))}
    return sha256(canonical_json(document)).hex()
