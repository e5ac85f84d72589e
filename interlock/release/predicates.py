"""Every kind of statement in a release's record: what it is called, who signs it, and where in the vault it lies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from interlock.release.trust.document import KeyDuty
from interlock.release.vault import RELEASES as RELEASES

APPROVALS: Final = "approvals/"
DECISIONS: Final = "decisions/"
FINDINGS: Final = "findings/"


class Predicate(StrEnum):
    """The types of predicates; those of others' making bear their makers' URIs."""

    PIN = "urn:interlock:predicate:pin:v1"
    EVIDENCE = "urn:interlock:predicate:evidence:v1"
    PROVENANCE = "https://slsa.dev/provenance/v1"
    BILL_OF_MATERIALS = "https://cyclonedx.org/bom"
    TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1"
    APPROVAL = "urn:interlock:predicate:approval:v1"
    REJECTION = "urn:interlock:predicate:rejection:v1"
    WITHDRAWAL = "urn:interlock:predicate:withdrawal:v1"
    REVOCATION = "urn:interlock:predicate:revocation:v1"
    RETIREMENT = "urn:interlock:predicate:retirement:v1"
    VERIFICATION = "https://slsa.dev/verification_summary/v1"
    SERVED = "urn:interlock:predicate:served:v1"
    FINDING = "urn:interlock:predicate:finding:v1"


@dataclass(frozen=True)
class Place:
    """Who may sign a kind of statement, and under which prefix of the vault it lies."""

    duty: KeyDuty
    prefix: str


PLACES: Final[Mapping[Predicate, Place]] = {
    Predicate.PIN: Place(KeyDuty.BUILDER, RELEASES),
    Predicate.EVIDENCE: Place(KeyDuty.BUILDER, RELEASES),
    Predicate.PROVENANCE: Place(KeyDuty.BUILDER, RELEASES),
    Predicate.BILL_OF_MATERIALS: Place(KeyDuty.BUILDER, RELEASES),
    Predicate.TEST_RESULT: Place(KeyDuty.BUILDER, RELEASES),
    Predicate.APPROVAL: Place(KeyDuty.APPROVER, APPROVALS),
    Predicate.REJECTION: Place(KeyDuty.APPROVER, APPROVALS),
    Predicate.WITHDRAWAL: Place(KeyDuty.APPROVER, APPROVALS),
    Predicate.REVOCATION: Place(KeyDuty.APPROVER, APPROVALS),
    Predicate.RETIREMENT: Place(KeyDuty.APPROVER, APPROVALS),
    Predicate.VERIFICATION: Place(KeyDuty.DEPLOYER, DECISIONS),
    Predicate.SERVED: Place(KeyDuty.DEPLOYER, DECISIONS),
    Predicate.FINDING: Place(KeyDuty.OBSERVER, FINDINGS),
}
"""A statement signed by another duty's key, or lying elsewhere, counts for nothing."""
