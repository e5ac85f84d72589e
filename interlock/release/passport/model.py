"""What a passport says: a release's record, arranged in the order in which somebody who approves reads it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from pydantic import ValidationError

from interlock.release.acts import Approval, Rejection, Retirement, Revocation, Withdrawal, record_digest
from interlock.release.champion import Comparison
from interlock.release.evidence import Evidence, Outcome
from interlock.release.finding import Finding
from interlock.release.passport.changes import Change, changes
from interlock.release.pin_statement import PinPredicate
from interlock.release.predicates import Predicate
from interlock.release.record import Record
from interlock.release.signed_documents import read_as
from interlock.release.tiers import TierRules
from interlock.release.trust.document import KeyDuty
from interlock.release.verification.judging import Verdict, builders_statements
from interlock.release.verification.readings import Readings, Said
from interlock.release.verification.trust import Trust

Act = Approval | Rejection | Withdrawal | Revocation | Retirement


class State(StrEnum):
    """What a gate has to show for itself."""

    PASSED = "passed"
    FAILED = "failed"
    MISSING = "missing"
    UNCOUNTED = "does not count"
    """It calls itself passed, and does not count: another policy, another key, short of the policy's limits."""


@dataclass(frozen=True)
class GateView:
    """One gate, as far as this release's policy is concerned."""

    name: str
    required: bool
    state: State
    evidence: Evidence | None
    """What it showed: of several statements one that failed, else one that counts, first beside its own champion."""
    payload: str | None
    """The digest of that statement."""


@dataclass(frozen=True)
class Voice:
    """What a person said, and whether it counts."""

    person: str
    did: str
    reason: str
    ticket: str
    at: datetime
    until: datetime | None
    counts: bool
    """Of an approval: whether it counts now. Of an objection: whether it stands."""
    why_not: str = ""


@dataclass(frozen=True)
class Other:
    """The release that serves, to which this one is compared."""

    digest: str
    name: str
    record: Record
    readings: Readings


@dataclass(frozen=True)
class Passport:
    """A release's record as one document."""

    digest: str
    environment: str
    reasons: tuple[str, ...]
    """Why it does not verify; empty if it does."""
    notes: tuple[str, ...]
    gates: tuple[GateView, ...]
    """What failed first, then the others that the tier demands, then those that it does not."""
    voices: tuple[Voice, ...]
    lacking: tuple[str, ...]
    """Whose approvals are missing, a sentence each."""
    could_approve: tuple[str, ...]
    """The people who hold an approver's key that is believed now, and whose approval would count."""
    pin: PinPredicate | None
    rules: TierRules | None
    record: str | None
    """The digest that an approval names."""
    champion: Other | None
    changes: tuple[Change, ...]
    comparison: Comparison | None = None
    """Whom it was compared with, and who serves."""
    findings: tuple[Finding, ...] = ()
    """What an observer saw of the version that it was pinned from, oldest first."""
    files: tuple[tuple[str, int, str], ...] = ()
    """Path, size in bytes, SHA-256."""
    digests: Mapping[str, str] = field(default_factory=dict)
    other_pins: tuple[str, ...] = ()
    """For what else the same bytes were pinned, a sentence each: an approval of this pin does not count there."""
    root_version: int = 0
    now: datetime | None = None

    @property
    def verifies(self) -> bool:
        return not self.reasons

    @property
    def name(self) -> str:
        """The model version's name, as the registry had it."""
        return f"{self.pin.source.name}/{self.pin.source.version}" if self.pin else f"release {self.digest[:12]}…"

    @property
    def objections(self) -> tuple[Voice, ...]:
        """What people said against it that stands."""
        return tuple(one for one in self.voices if one.counts and one.did in ("rejected", "revoked", "retired"))

    @property
    def unmeasured(self) -> str:
        """Say which of the gates that the tier demands have shown nothing at all; empty if there are none."""
        demanded = [gate for gate in self.gates if gate.required]
        silent = [gate.name for gate in demanded if gate.state is State.MISSING]
        if not silent:
            return ""
        return (
            f"{len(demanded) - len(silent)} of {len(demanded)} demanded gates have measured it; "
            f"nobody knows what these would find: {', '.join(silent)}"
        )

    @property
    def unchecked(self) -> tuple[tuple[str, str], ...]:
        """By gate, what was not looked at."""
        return tuple((gate.name, text) for gate in self.gates if gate.evidence for text in gate.evidence.unchecked)


def passport_of(
    record: Record,
    readings: Readings,
    verdict: Verdict,
    trust: Trust,
    *,
    now: datetime,
    champion: Other | None = None,
    comparison: Comparison | None = None,
) -> Passport:
    """Return the passport of a release as `verdict` has judged it at `now` (UTC)."""
    pin = verdict.pin.what if verdict.pin else None
    policy = trust.policies.get(pin.policy) if pin else None
    rules = (
        next((one for name, one in policy.tiers.items() if pin and name.value == pin.tier), None) if policy else None
    )
    gates = tuple(_gates(readings, verdict, rules, comparison))
    statements = [one.payload for one in builders_statements(record)]
    digests = {one.payload: one.key for one in builders_statements(record)}
    manifest = record.manifest
    return Passport(
        digest=record.digest,
        environment=verdict.environment,
        reasons=tuple(str(one) for one in verdict.reasons),
        notes=tuple(str(one) for one in verdict.notes),
        gates=gates,
        voices=tuple(_voices(readings, verdict)),
        lacking=tuple(str(one) for one in verdict.reasons if one.code == "approval-missing"),
        could_approve=tuple(_could_approve(trust, readings, verdict, now)),
        pin=pin,
        rules=rules,
        other_pins=tuple(_other_pins(readings, verdict)),
        record=_record_named(record.digest, verdict.pin, statements),
        champion=champion,
        comparison=comparison,
        changes=tuple(changes(record, pin, gates_evidence(gates), champion)) if champion else (),
        findings=tuple(_findings(record, trust)),
        files=tuple((one.path, one.size, one.sha256) for one in manifest.files) if manifest else (),
        digests=digests,
        root_version=trust.root.version,
        now=now,
    )


def gates_evidence(gates: Sequence[GateView]) -> list[Evidence]:
    """Return what the gates showed."""
    return [one.evidence for one in gates if one.evidence is not None]


def _gates(
    readings: Readings, verdict: Verdict, rules: TierRules | None, comparison: Comparison | None
) -> Iterator[GateView]:
    pin = verdict.pin.what if verdict.pin else None
    mine = [one for one in readings.evidence if pin is not None and one.what.policy == pin.policy]
    produces = pin.request.document.produces if pin and pin.request else None
    required = set(rules.demands(produces)) if rules and produces else set()
    counted = {gate: sorted(several, key=_fitting(comparison)) for gate, several in (verdict.evidence or {}).items()}
    names = sorted(required | {one.what.gate for one in mine})
    views = [_gate(name, name in required, mine, counted.get(name, ())) for name in names]
    order = [State.FAILED, State.UNCOUNTED, State.MISSING, State.PASSED]
    yield from sorted(
        views, key=lambda one: (not one.required and one.state is not State.FAILED, order.index(one.state), one.name)
    )


def _fitting(comparison: Comparison | None) -> Callable[[Said[Evidence]], tuple[bool, datetime]]:
    """Return what sorts evidence by its time, that beside the champion of the verdict's own pin last."""

    def key(one: Said[Evidence]) -> tuple[bool, datetime]:
        return comparison is not None and one.what.data.get("champion") == comparison.serving, one.what.ended_at

    return key


def _gate(name: str, required: bool, mine: Sequence[Said[Evidence]], counted: Sequence[Said[Evidence]]) -> GateView:
    about = sorted((one for one in mine if one.what.gate == name), key=lambda one: one.what.ended_at, reverse=True)
    failed = [one for one in about if one.what.outcome is not Outcome.PASSED]
    if failed:
        return GateView(name, required, State.FAILED, failed[0].what, failed[0].payload)
    if counted:
        return GateView(name, required, State.PASSED, counted[-1].what, counted[-1].payload)
    if about:
        state = State.UNCOUNTED if required else State.PASSED
        return GateView(name, required, state, about[0].what, about[0].payload)
    return GateView(name, required, State.MISSING, None, None)


def _voices(readings: Readings, verdict: Verdict) -> Iterator[Voice]:
    counted = {one.payload for one in verdict.approvals}
    why = {one.where: str(one) for one in (*verdict.reasons, *verdict.notes)}
    taken_back = {(one.what.withdrawn, one.person) for one in readings.withdrawals}
    found: list[Voice] = []
    for approval in readings.approvals:
        counts = approval.payload in counted
        reason = "" if counts else why.get(approval.recorded.key, "it does not count for this environment")
        what = approval.what
        found.append(_voice(approval, "approved", what.approved_at, counts, reason, what.expires_at))
    for rejection in readings.rejections:
        stands = (rejection.payload, rejection.person) not in taken_back
        found.append(_voice(rejection, "rejected", rejection.what.rejected_at, stands, "" if stands else "withdrawn"))
    for withdrawal in readings.withdrawals:
        found.append(_voice(withdrawal, "withdrew", withdrawal.what.withdrawn_at, True))
    for revocation in readings.revocations:
        found.append(_voice(revocation, "revoked", revocation.what.revoked_at, True))
    for retirement in readings.retirements:
        found.append(_voice(retirement, "retired", retirement.what.retired_at, True))
    yield from sorted(found, key=lambda one: one.at)


def _voice(
    said: Said[Act], did: str, at: datetime, counts: bool, why_not: str = "", until: datetime | None = None
) -> Voice:
    return Voice(said.person, did, said.what.reason, said.what.ticket, at, until, counts, why_not)


def _record_named(digest: str, pin: Said[PinPredicate] | None, statements: Sequence[str]) -> str | None:
    """Return the digest that an approval of this pin names."""
    if pin is None or not pin.what.policy:
        return None
    return record_digest(digest, pin.what.policy, pin.payload, statements)


def _other_pins(readings: Readings, verdict: Verdict) -> Iterator[str]:
    mine = verdict.pin.payload if verdict.pin else None
    for one in readings.pins:
        if one.payload != mine:
            asked = one.what.request
            by = f"by {asked.submitter}, {asked.document.ticket}" if asked else "which nobody asked for"
            yield (
                f"pinned as well: tier {one.what.tier or '–'} for {one.what.environment or '–'} {by} "
                f"({one.payload[:12]}…); an approval of this pin does not count there"
            )


def _findings(record: Record, trust: Trust) -> Iterator[Finding]:
    found = []
    for one in record.of(Predicate.FINDING):
        if any(trust.root.keys[name].duty is KeyDuty.OBSERVER for name in one.signers if name in trust.root.keys):
            with contextlib.suppress(ValidationError):
                found.append(read_as(Finding, one.statement.predicate))
    yield from sorted(found, key=lambda one: one.observed_at)


def _could_approve(trust: Trust, readings: Readings, verdict: Verdict, now: datetime) -> Iterator[str]:
    """Yield who could still approve: everybody with an approver's key but who asked, who built, and who has."""
    people = {str(key.person) for key in trust.root.believed(KeyDuty.APPROVER, now).values()}
    not_they = {one.person for one in verdict.approvals}
    yield from sorted(people - not_they - readings.submitters - readings.builders)
