"""Why a release does not verify: one code for each kind of fault, so that programs can tell them apart."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ReasonCode(StrEnum):
    """The kinds of faults. A code, once given, keeps its meaning: bundles of many years name them."""

    NOTHING_STORED = "nothing-stored"

    OBJECT_ADDED = "object-added"
    OBJECT_MISSING = "object-missing"
    OBJECT_OVERWRITTEN = "object-overwritten"
    OBJECT_HIDDEN = "object-hidden"
    """A delete marker lies above it."""
    OBJECT_ALTERED = "object-altered"
    """Its bytes are not those that were signed for."""
    NOT_A_REGULAR_FILE = "not-a-regular-file"
    NOT_LOCKED = "not-locked"
    LOCK_TOO_WEAK = "lock-too-weak"
    """Locked, in a mode that some can lift."""
    LOCK_TOO_SHORT = "lock-too-short"

    MANIFEST_MISSING = "manifest-missing"
    MANIFEST_MALFORMED = "manifest-malformed"
    MANIFEST_OF_ANOTHER_RELEASE = "manifest-of-another-release"

    STATEMENT_MALFORMED = "statement-malformed"
    STATEMENT_ALTERED = "statement-altered"
    """Its payload is neither what its name says nor what its signature was made over."""
    STATEMENT_MISNAMED = "statement-misnamed"
    """It lies under a name that is not its payload's digest."""
    STATEMENT_MISPLACED = "statement-misplaced"
    """Its kind does not belong under the prefix that it lies under."""
    STATEMENT_OF_ANOTHER_RELEASE = "statement-of-another-release"
    STATEMENT_OF_UNKNOWN_KIND = "statement-of-unknown-kind"
    STATEMENT_MISSING = "statement-missing"
    """The ledger holds a leaf of it, and the vault does not hold it."""
    STATEMENT_REPLACED = "statement-replaced"
    """The ledger recorded other bytes, or another version, under its name."""
    STATEMENT_BACKDATED = "statement-backdated"
    """It gives itself another time than the ledger's."""
    PREDICATE_MALFORMED = "predicate-malformed"
    TEST_RESULT_DISAGREES = "test-result-disagrees"
    """A test result in the standard form does not say what the evidence says that it names."""

    KEY_UNKNOWN = "key-unknown"
    """No signature on it was made by a key of the trust root."""
    KEY_OF_WRONG_DUTY = "key-of-wrong-duty"
    KEY_NOT_BELIEVED_THEN = "key-not-believed-then"
    """Outside of the key's validity when the ledger recorded the statement."""
    KEY_DISTRUSTED = "key-distrusted"

    ROOT_REFUSED = "root-refused"
    ROOT_MISSING = "root-missing"

    LEDGER_MISSING = "ledger-missing"
    LEDGER_REFUSED = "ledger-refused"
    """Its signatures, proofs or tiles do not hold."""
    LEDGER_OF_UNKNOWN_ORIGIN = "ledger-of-unknown-origin"
    LEDGER_STALE = "ledger-stale"
    LEDGER_UNWITNESSED = "ledger-unwitnessed"
    NOT_IN_LEDGER = "not-in-ledger"

    NOT_PINNED = "not-pinned"
    """No builder has signed for these bytes."""
    NOT_SUBMITTED = "not-submitted"
    """The bytes are pinned, and nobody asked for their release."""
    REQUEST_FOR_OTHER_BYTES = "request-for-other-bytes"
    """The bytes that were pinned are not those that the submitter asked for."""
    PIN_NAMES_OTHER_OBJECTS = "pin-names-other-objects"

    POLICY_MISSING = "policy-missing"
    POLICY_ALTERED = "policy-altered"
    POLICY_UNKNOWN_TO_ROOT = "policy-unknown-to-root"
    POLICY_SUPERSEDED = "policy-superseded"
    POLICY_REVIEW_PASSED = "policy-review-passed"
    TIER_UNKNOWN = "tier-unknown"
    ENVIRONMENT_NOT_ASKED_FOR = "environment-not-asked-for"

    EVIDENCE_MISSING = "evidence-missing"
    EVIDENCE_FAILED = "evidence-failed"
    EVIDENCE_FOR_ANOTHER_POLICY = "evidence-for-another-policy"
    EVIDENCE_FOR_ANOTHER_TIER = "evidence-for-another-tier"
    EVIDENCE_SHORT_OF_POLICY = "evidence-short-of-policy"
    """It calls itself passed, and does not show what the policy demands."""
    EMERGENCY_NOT_PROVIDED = "emergency-not-provided"
    EMERGENCY_DEADLINE_PASSED = "emergency-deadline-passed"

    APPROVAL_MISSING = "approval-missing"
    APPROVAL_EXPIRED = "approval-expired"
    APPROVAL_NOT_YET_GIVEN = "approval-not-yet-given"
    APPROVAL_WITHDRAWN = "approval-withdrawn"
    APPROVAL_OF_ANOTHER_RECORD = "approval-of-another-record"
    APPROVAL_FOR_ANOTHER_POLICY = "approval-for-another-policy"
    APPROVAL_FOR_ANOTHER_ENVIRONMENT = "approval-for-another-environment"
    APPROVAL_FOR_ANOTHER_PIN = "approval-for-another-pin"
    """The same bytes were asked for otherwise as well, and that is what the person read."""
    APPROVAL_BY_SUBMITTER = "approval-by-submitter"
    APPROVAL_BY_BUILDER = "approval-by-builder"
    APPROVAL_BY_SAME_PERSON = "approval-by-same-person"
    APPROVAL_WITHOUT_EVIDENCE = "approval-without-evidence"
    """Required evidence is not among what the person read."""
    APPROVAL_LASTS_TOO_LONG = "approval-lasts-too-long"
    PERSON_FORGED = "person-forged"
    """It names another person than the one whose key signed it."""

    REJECTED = "rejected"
    REVOKED = "revoked"
    RETIRED = "retired"
    EARLIER_IMAGE = "earlier-image"
    """Its model has an image that the serving template had before."""

    NOT_ADMITTED = "not-admitted"
    """No deployer whose key is believed has admitted the release to the environment, or not on this statement."""
    ENVIRONMENT_NOT_SERVED_BEFORE = "environment-not-served-before"


@dataclass(frozen=True)
class Reason:
    """One reason: what kind, one sentence for people, and where it lies (a key of the vault, a gate, a person)."""

    code: ReasonCode
    text: str
    where: str = ""

    def __str__(self) -> str:
        return self.text
