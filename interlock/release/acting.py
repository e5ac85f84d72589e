"""What people say of a release, written once: whoever says the same thing again has said it already."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from interlock.release.acts import Approval, Rejection, Retirement, Revocation, Withdrawal, record_digest
from interlock.release.digests import sha256
from interlock.release.envelope import seal
from interlock.release.predicates import PLACES, Predicate
from interlock.release.record import Record, envelope_key
from interlock.release.served import Served, served_statement
from interlock.release.signing import Signer
from interlock.release.statement import Statement, statement_about
from interlock.release.vault import StoredObject, VaultReader, VaultWriter, version_of
from interlock.release.verification.judging import Verdict, builders_statements
from interlock.release.verification.readings import Readings, Said
from interlock.release.verification.reason import Reason, ReasonCode
from interlock.release.verification.summary import Summary, summary_statement

Act = Approval | Rejection | Withdrawal | Revocation | Retirement

KINDS: Final[Mapping[type[Act], Predicate]] = {
    Approval: Predicate.APPROVAL,
    Rejection: Predicate.REJECTION,
    Withdrawal: Predicate.WITHDRAWAL,
    Revocation: Predicate.REVOCATION,
    Retirement: Predicate.RETIREMENT,
}
_TIMES: Final = ("approved_at", "expires_at", "rejected_at", "withdrawn_at", "revoked_at", "retired_at")

APPROVAL_REMEDIES: Final = frozenset(
    {
        ReasonCode.APPROVAL_MISSING,
        ReasonCode.APPROVAL_EXPIRED,
        ReasonCode.APPROVAL_NOT_YET_GIVEN,
        ReasonCode.APPROVAL_WITHDRAWN,
        ReasonCode.APPROVAL_OF_ANOTHER_RECORD,
        ReasonCode.APPROVAL_FOR_ANOTHER_POLICY,
        ReasonCode.APPROVAL_FOR_ANOTHER_ENVIRONMENT,
        ReasonCode.APPROVAL_FOR_ANOTHER_PIN,
        ReasonCode.APPROVAL_BY_SUBMITTER,
        ReasonCode.APPROVAL_BY_BUILDER,
        ReasonCode.APPROVAL_BY_SAME_PERSON,
        ReasonCode.APPROVAL_WITHOUT_EVIDENCE,
        ReasonCode.APPROVAL_LASTS_TOO_LONG,
        ReasonCode.STATEMENT_BACKDATED,
        ReasonCode.LOCK_TOO_SHORT,
        ReasonCode.ENVIRONMENT_NOT_SERVED_BEFORE,
    }
)
"""What another approval, or time, can mend; any other reason stands against approving at all."""


@dataclass(frozen=True)
class Written:
    """A statement in the vault, and whether it lay there already."""

    stored: StoredObject
    payload: str
    anew: bool


def hindrances(verdict: Verdict, record: Record, readings: Readings, person: str) -> Iterator[Reason]:
    """Yield why `person` need not read on: their approval would not count, or could not help."""
    others = {one.key for one in record.acts}
    for reason in verdict.reasons:
        awaited = reason.code is ReasonCode.NOT_IN_LEDGER and reason.where in others
        if reason.code not in APPROVAL_REMEDIES and not awaited:
            yield reason
    if person in readings.submitters:
        text = f"{person} submitted the release, and whoever did does not approve it"
        yield Reason(ReasonCode.APPROVAL_BY_SUBMITTER, text, person)
    if person in readings.builders:
        text = f"{person} built the release or ran its gates, and whoever did does not approve it"
        yield Reason(ReasonCode.APPROVAL_BY_BUILDER, text, person)


def approval_of(
    record: Record,
    verdict: Verdict,
    *,
    person: str,
    ticket: str,
    reason: str,
    now: datetime,
    lasts: timedelta,
) -> Approval:
    """Return the approval of all that the builder has signed, for the environment of the verdict. Raises ValueError."""
    assert verdict.pin is not None
    pin, policy = verdict.pin.payload, verdict.pin.what.policy
    read = sorted(one.payload for one in builders_statements(record))
    return Approval(
        person=person,
        reason=reason,
        ticket=ticket,
        environment=verdict.environment,
        policy=policy,
        pin=pin,
        tier=verdict.pin.what.tier,
        record=record_digest(record.digest, policy, pin, read),
        statements=tuple(read),
        approved_at=now,
        expires_at=now + lasts,
    )


_HOLDS_YET: Final = frozenset({ReasonCode.NOT_IN_LEDGER, ReasonCode.APPROVAL_BY_SAME_PERSON})
"""Why an approval may not count and need not be given again: it waits for the ledger, or for another of its person."""


def _lapsed(verdict: Verdict | None) -> frozenset[str]:
    """Return the keys of the approvals and decisions that a verdict says can never count again."""
    if verdict is None:
        return frozenset()
    faults = {one.where for one in (*verdict.reasons, *verdict.notes) if one.code not in _HOLDS_YET}
    return frozenset(faults) - {one.recorded.key for one in verdict.approvals}


def standing_equal(act: Act, readings: Readings, *, now: datetime, verdict: Verdict | None = None) -> str | None:
    """Return the payload digest of what says the same as `act`, times apart, and still holds; or None.

    An approval that `verdict` does not count, for more than that the ledger has not seen it yet, holds no more.
    """
    known: Sequence[Said[Any]] = {
        Approval: readings.approvals,
        Rejection: readings.rejections,
        Withdrawal: readings.withdrawals,
        Revocation: readings.revocations,
        Retirement: readings.retirements,
    }[type(act)]
    taken_back = {(one.person, one.what.withdrawn) for one in readings.withdrawals}
    lapsed = _lapsed(verdict)
    for one in known:
        if isinstance(one.what, Approval) and one.recorded.key in lapsed:
            continue
        expired = isinstance(one.what, Approval) and one.what.expires_at <= now
        if not expired and (one.person, one.payload) not in taken_back and _same(one.what, act):
            return one.payload
    return None


def _same(said: Act, act: Act) -> bool:
    if isinstance(said, Withdrawal) and isinstance(act, Withdrawal):
        # What was taken back once is taken back, for whatever reason.
        return (said.person, said.withdrawn) == (act.person, act.withdrawn)
    return _timeless(said) == _timeless(act)


def _timeless(act: Act) -> dict[str, Any]:
    return {name: value for name, value in act.model_dump(mode="json").items() if name not in _TIMES}


def to_take_back(person: str, readings: Readings, start: str = "") -> list[Said[Approval] | Said[Rejection]]:
    """Return what `person` said, of which the payload's digest begins with `start`, and has not taken back.

    Where nothing is left, what they have taken back already: so that whoever was interrupted finds it done.
    """
    said: list[Said[Approval] | Said[Rejection]] = [*readings.approvals, *readings.rejections]
    mine = [one for one in said if one.person == person and one.payload.startswith(start)]
    taken_back = {one.what.withdrawn for one in readings.withdrawals if one.person == person}
    return [one for one in mine if one.payload not in taken_back] or mine


def write_act(
    digest: str,
    act: Act,
    readings: Readings,
    *,
    now: datetime,
    writer: VaultWriter,
    reader: VaultReader,
    signer: Signer,
    verdict: Verdict | None = None,
) -> Written:
    """Sign an act and put it into the vault, unless the same was said already and holds by `verdict`.

    Whoever was interrupted says it again: what lies there is found. Raises what writer, reader and signer raise.
    """
    kind = KINDS[type(act)]
    known = standing_equal(act, readings, now=now, verdict=verdict)
    if known is not None:
        key = envelope_key(kind, digest, known)
        version_id = version_of(reader, key)
        assert version_id is not None
        return Written(reader.describe(key, version_id), known, anew=False)
    statement = statement_about(digest, kind, act.model_dump(mode="json"))
    return _write(digest, kind, statement, writer, signer)


def write_summary(
    digest: str,
    summary: Summary,
    readings: Readings,
    *,
    writer: VaultWriter,
    reader: VaultReader,
    signer: Signer,
    verdict: Verdict | None = None,
) -> Written:
    """Sign a verdict's summary and put it into the vault, unless the same verdict lies there. Raises as `write_act`.

    One that only keys signed which are no longer believed is as good as none: a load would not believe it. Neither is
    one that `verdict` says is dated back.
    """
    now, lapsed = summary.time_verified, _lapsed(verdict)
    for one in readings.summaries:
        if one.recorded.key in lapsed:
            continue
        if not any(key.distrusted is None and key.believed_at(now) for key in one.keys):
            continue
        if one.what.model_copy(update={"time_verified": summary.time_verified}) == summary:
            version_id = version_of(reader, one.recorded.key)
            assert version_id is not None
            return Written(reader.describe(one.recorded.key, version_id), one.payload, anew=False)
    return _write(digest, Predicate.VERIFICATION, summary_statement(digest, summary), writer, signer)


def write_served(digest: str, served: Served, *, writer: VaultWriter, reader: VaultReader, signer: Signer) -> Written:
    """Sign that a release has served and put it into the vault, unless that lies there. Raises as `write_act`."""
    statement = served_statement(digest, served)
    payload = sha256(statement.content).hex()
    key = envelope_key(Predicate.SERVED, digest, payload)
    version_id = version_of(reader, key)
    if version_id is not None:
        return Written(reader.describe(key, version_id), payload, anew=False)
    return _write(digest, Predicate.SERVED, statement, writer, signer)


def _write(digest: str, kind: Predicate, statement: Statement, writer: VaultWriter, signer: Signer) -> Written:
    payload = sha256(statement.content).hex()
    content = seal(statement, signer).content
    stored = writer.put(envelope_key(kind, digest, payload), content, sha256(content).hex())
    return Written(stored, payload, anew=True)


def retained_keys(record: Record) -> dict[str, str]:
    """Return what a tier's retention is for, by key its version: the files, the manifest, and all that was signed."""
    prefixes = {PLACES[kind].prefix for kind in (Predicate.PIN, Predicate.APPROVAL)}
    found = {key: record.only_version(key) for key in record.versions if key.partition("/")[0] + "/" in prefixes}
    return {key: version for key, version in sorted(found.items()) if version is not None}
