"""A record's statements as what they say, each with the keys that may say so; what nobody may say is a forgery."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from interlock.release.acts import Approval, Rejection, Retirement, Revocation, Spoken, Withdrawal
from interlock.release.evidence import Evidence
from interlock.release.pin_statement import PinPredicate
from interlock.release.predicates import PLACES, Predicate
from interlock.release.record import Record, RecordedStatement
from interlock.release.served import Served
from interlock.release.signed_documents import read_as
from interlock.release.test_result import TESTING_GATE, result_of
from interlock.release.trust.document import PERSONAL, KeyDuty, TrustedKey, TrustRoot
from interlock.release.verification.reason import Reason, ReasonCode
from interlock.release.verification.summary import Summary

What = TypeVar("What", bound=BaseModel, covariant=True)
_Model = TypeVar("_Model", bound=BaseModel)

EVIDENCE_SIGNERS: Final = frozenset(KeyDuty) - {KeyDuty.FOUNDATION, KeyDuty.APPROVER}
"""Whose evidence may lie in a record at all; which of them count for a gate, its policy says."""


_OBJECTIONS: Final = frozenset({Predicate.REJECTION, Predicate.REVOCATION, Predicate.RETIREMENT})

_SPEAKS_FOR: Final = frozenset({Predicate.APPROVAL, Predicate.VERIFICATION, Predicate.SERVED})
"""What can only help a release: where it cannot be read, it counts for nothing, and takes nothing away.

Evidence may have failed, a withdrawal may take back an approval, and a pin names people who approve nothing.
"""


@dataclass(frozen=True)
class Said(Generic[What]):
    """A statement that was read: what it says, and those of its signers' keys that may say it, one at least."""

    recorded: RecordedStatement
    what: What
    keys: tuple[TrustedKey, ...]

    @property
    def payload(self) -> str:
        return self.recorded.payload

    @property
    def person(self) -> str:
        """Whose key signed it; of statements of people only."""
        return str(self.keys[0].person)


@dataclass(frozen=True)
class Readings:
    """All of a record that could be read; `forgeries` is what nobody may have said, or may say anything."""

    pins: tuple[Said[PinPredicate], ...]
    evidence: tuple[Said[Evidence], ...]
    approvals: tuple[Said[Approval], ...]
    rejections: tuple[Said[Rejection], ...]
    withdrawals: tuple[Said[Withdrawal], ...]
    revocations: tuple[Said[Revocation], ...]
    retirements: tuple[Said[Retirement], ...]
    summaries: tuple[Said[Summary], ...]
    served: tuple[Said[Served], ...]
    malformed: tuple[Said[Spoken], ...]
    """Rejections, revocations and retirements whose details are malformed: what speaks against a release still does."""
    forgeries: tuple[Reason, ...]
    unreadable: tuple[Reason, ...] = ()
    """What cannot be read and refuses nothing by that: it helps nobody, or stands as the objection that it is."""

    def malformed_of(self, kind: Predicate) -> tuple[Said[Spoken], ...]:
        return tuple(one for one in self.malformed if one.recorded.predicate_type == kind)

    @property
    def submitters(self) -> frozenset[str]:
        """Whoever asked for the release of these bytes, by any pin."""
        return frozenset(one.what.request.submitter for one in self.pins if one.what.request is not None)

    @property
    def builders(self) -> frozenset[str]:
        """Whoever built or pinned these bytes, by any pin, or chose what a gate measured them on."""
        built = frozenset(one.what.builder for one in self.pins)
        return (built | {one.what.builder for one in self.evidence}) - {""}


def read(record: Record, root: TrustRoot) -> Readings:
    """Return what the record's statements say, as far as keys of the right duty and person signed them."""
    reading = _Reading(record, root.keys)
    readings = Readings(
        pins=reading.all(Predicate.PIN, PinPredicate),
        evidence=reading.all(Predicate.EVIDENCE, Evidence, EVIDENCE_SIGNERS),
        approvals=reading.all(Predicate.APPROVAL, Approval),
        rejections=reading.all(Predicate.REJECTION, Rejection),
        withdrawals=reading.all(Predicate.WITHDRAWAL, Withdrawal),
        revocations=reading.all(Predicate.REVOCATION, Revocation),
        retirements=reading.all(Predicate.RETIREMENT, Retirement),
        summaries=reading.all(Predicate.VERIFICATION, Summary),
        served=reading.all(Predicate.SERVED, Served),
        malformed=(),
        forgeries=(),
    )
    reading.others(Predicate.PROVENANCE, Predicate.BILL_OF_MATERIALS, Predicate.FINDING)
    reading.test_results(readings.evidence)
    return replace(
        readings,
        malformed=tuple(reading.malformed),
        forgeries=tuple(reading.forgeries),
        unreadable=tuple(reading.unreadable),
    )


class _Reading:
    def __init__(self, record: Record, keys: Mapping[str, TrustedKey]) -> None:
        self._record, self._keys = record, keys
        self.forgeries: list[Reason] = []
        self.malformed: list[Said[Spoken]] = []
        self.unreadable: list[Reason] = []

    def all(self, kind: Predicate, model: type[_Model], duties: Collection[KeyDuty] = ()) -> tuple[Said[_Model], ...]:
        found = (self._one(one, model, duties or {PLACES[kind].duty}) for one in self._record.of(kind))
        return tuple(one for one in found if one is not None)

    def others(self, *kinds: Predicate) -> None:
        """Look at the signers alone of statements whose content is others' to read."""
        for kind in kinds:
            for one in self._record.of(kind):
                self._keys_of(one, {PLACES[kind].duty})

    def test_results(self, evidence: Collection[Said[Evidence]]) -> None:
        """Look whether each test result says what evidence of the record says: that alone is judged by."""
        tested = [result_of(one.what, one.payload) for one in evidence if one.what.gate == TESTING_GATE]
        for one in self._record.of(Predicate.TEST_RESULT):
            if self._keys_of(one, {PLACES[Predicate.TEST_RESULT].duty}) and one.statement.predicate not in tested:
                text = f"says of tests what no evidence of the gate {TESTING_GATE} says"
                self._forged(ReasonCode.TEST_RESULT_DISAGREES, one, text)

    def _one(self, one: RecordedStatement, model: type[_Model], duties: Collection[KeyDuty]) -> Said[_Model] | None:
        keys = self._keys_of(one, duties)
        if not keys:
            return None
        try:
            what = read_as(model, one.statement.predicate)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(map(str, first["loc"])) or "document"
            self._cannot_read(one, f"does not say what its kind says: {where}: {first['msg']}", keys)
            return None
        if PERSONAL.isdisjoint(duties):
            return Said(one, what, keys)
        claimed = getattr(what, "person", None)
        own = tuple(key for key in keys if key.person == claimed)
        if not own:
            whose = ", ".join(sorted({str(key.person) for key in keys}))
            self._forged(ReasonCode.PERSON_FORGED, one, f"says that {claimed} said it; the key is that of {whose}")
            return None
        return Said(one, what, own)

    def _keys_of(self, one: RecordedStatement, duties: Collection[KeyDuty]) -> tuple[TrustedKey, ...]:
        known = [self._keys[name] for name in sorted(one.signers) if name in self._keys]
        keys = tuple(key for key in known if key.duty in duties)
        if not keys:
            whose = ", ".join(sorted({key.duty.value for key in known})) or "nobody in the trust root"
            wanted = ", ".join(sorted(duty.value for duty in duties))
            self._forged(ReasonCode.KEY_OF_WRONG_DUTY, one, f"is signed by the key of {whose}; accepted is {wanted}")
        return keys

    def _cannot_read(self, one: RecordedStatement, text: str, keys: Sequence[TrustedKey]) -> None:
        kind, code = one.predicate_type, ReasonCode.PREDICATE_MALFORMED
        if kind in _SPEAKS_FOR:
            self.unreadable.append(Reason(code, f"{one.key} {text}; it counts for nothing", one.key))
        elif kind in _OBJECTIONS:
            self.unreadable.append(Reason(code, f"{one.key} {text}; as an objection it stands", one.key))
            said = Spoken(
                person=str(keys[0].person), reason=f"its details are malformed, in {one.key}", ticket="no ticket"
            )
            own = tuple(key for key in keys if key.person == keys[0].person)
            self.malformed.append(Said(one, said, own))
        else:
            self._forged(code, one, text)

    def _forged(self, code: ReasonCode, one: RecordedStatement, text: str) -> None:
        self.forgeries.append(Reason(code, f"{one.key} {text}", one.key))
