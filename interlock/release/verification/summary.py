"""The verdict as a signed statement: a SLSA verification summary.

Format: https://slsa.dev/spec/v1.1/verification_summary
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from interlock.release.digests import HexDigest
from interlock.release.predicates import Predicate
from interlock.release.record import RecordedStatement
from interlock.release.statement import Statement, statement_about
from interlock.release.times import Moment

_RESOURCE: Final = re.compile(r"interlock:(?P<digest>[0-9a-f]{64})/(?P<environment>[a-z][a-z0-9-]{0,39})")
VERIFIER: Final = "urn:interlock:verifier"
_POLICY: Final = "urn:interlock:policy:tiers"
_TIER: Final = "INTERLOCK_TIER_"
_UNEVALUATED: Final = "SLSA_BUILD_LEVEL_UNEVALUATED"
"""Our tiers say nothing of SLSA's own levels."""


class VerificationResult(StrEnum):
    PASSED = "PASSED"
    FAILED = "FAILED"


class _Model(BaseModel):
    # A reader of the format ignores fields that it does not know (in-toto's monotonic principle).
    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)


class Digest(_Model):
    sha256: HexDigest


class Verifier(_Model):
    id: str
    version: dict[str, str] = Field(default_factory=dict)


class Descriptor(_Model):
    """A file: its URI and its digest."""

    uri: str
    digest: Digest


class Summary(_Model):
    """The predicate of a verification summary."""

    verifier: Verifier
    time_verified: Annotated[Moment, Field(alias="timeVerified")]
    resource_uri: Annotated[str, Field(alias="resourceUri")]
    policy: Descriptor
    input_attestations: Annotated[tuple[Descriptor, ...], Field(alias="inputAttestations")] = ()
    """The envelopes that the verdict rests on: their keys in the vault, and the SHA-256 of their bytes."""
    result: Annotated[VerificationResult, Field(alias="verificationResult")]
    levels: Annotated[tuple[str, ...], Field(alias="verifiedLevels")]
    version: Annotated[Literal["1.0", "1.1"], Field(alias="slsaVersion")] = "1.1"

    @property
    def environment(self) -> str | None:
        """The environment that the release was verified for; None if the resource is no release of ours."""
        match = _RESOURCE.fullmatch(self.resource_uri)
        return match["environment"] if match else None

    def admits(self, digest: str, environment: str) -> bool:
        """Say whether it let the release `digest` into `environment`."""
        return self.result is VerificationResult.PASSED and self.resource_uri == resource_of(digest, environment)

    def is_under(self, policy: str, tier: str) -> bool:
        """Say whether it was reached under the policy with this digest and the tier."""
        return self.policy.digest.sha256 == policy and f"{_TIER}{tier.upper()}" in self.levels

    @property
    def envelopes(self) -> frozenset[str]:
        """The SHA-256 of the envelopes that it rests on."""
        return frozenset(one.digest.sha256 for one in self.input_attestations)


def resource_of(digest: str, environment: str) -> str:
    """Return how a summary names a release in an environment."""
    return f"interlock:{digest}/{environment}"


def summary_of(
    digest: str,
    *,
    environment: str,
    policy: str,
    tier: str,
    inputs: Sequence[RecordedStatement],
    passed: bool,
    now: datetime,
    version: str,
) -> Summary:
    """Return the summary of a verdict on the release `digest` under a policy (its digest), resting on `inputs`."""
    result = VerificationResult.PASSED if passed else VerificationResult.FAILED
    return Summary(
        verifier=Verifier(id=VERIFIER, version={"interlock": version}),
        time_verified=now,
        resource_uri=resource_of(digest, environment),
        policy=Descriptor(uri=_POLICY, digest=Digest(sha256=policy)),
        input_attestations=tuple(
            Descriptor(uri=one.key, digest=Digest(sha256=one.sha256)) for one in sorted(inputs, key=lambda one: one.key)
        ),
        result=result,
        levels=(_UNEVALUATED, f"{_TIER}{tier.upper()}") if passed else ("FAILED",),
    )


def summary_statement(digest: str, summary: Summary) -> Statement:
    """Return the statement of `summary` about the release `digest`, to be signed by whoever verified."""
    return statement_about(digest, Predicate.VERIFICATION, summary.model_dump(mode="json", by_alias=True))
