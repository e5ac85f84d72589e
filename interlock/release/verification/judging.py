"""The two profiles of verification: *admit*, before traffic grows, and *load*, in the serving container."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from interlock.ledger.view import LedgerView
from interlock.release.pin_statement import PinPredicate
from interlock.release.record import Record, RecordedStatement
from interlock.release.served import Served
from interlock.release.vault import VaultReader, release_prefix
from interlock.release.verification import standing, tier
from interlock.release.verification.admissions import admissions, decided_at, measured_by_then, rested_on, there_by
from interlock.release.verification.approvals import Agreement, Asked, agreement, missing
from interlock.release.verification.belief import Belief, BeliefByLedger, BeliefByVoucher
from interlock.release.verification.dating import backdated, dated_back
from interlock.release.verification.evidence import shown
from interlock.release.verification.ledger import FRESH_WITHIN, seen_in
from interlock.release.verification.readings import Readings, Said, read
from interlock.release.verification.reason import Reason, ReasonCode
from interlock.release.verification.stored import files_reasons, locks, nothing_stored, pin_reasons, strangers
from interlock.release.verification.summary import Summary, VerificationResult
from interlock.release.verification.trust import Trust
from interlock.release.verification.verdict import Profile as Profile
from interlock.release.verification.verdict import Verdict as Verdict

_DAY: Final = timedelta(days=1)


def admit(
    record: Record,
    reader: VaultReader,
    trust: Trust,
    logs: Sequence[LedgerView],
    *,
    environment: str,
    now: datetime,
    unread: Sequence[Reason] = (),
    fresh_within: timedelta = FRESH_WITHIN,
) -> Verdict:
    """Say whether the release may be admitted to `environment` now (UTC), reading every byte of it.

    `unread` are faults of logs that are not among `logs`. Raises what `reader` raises.
    """
    if not _is_there(record):
        return Verdict(record.digest, environment, Profile.ADMIT, (nothing_stored(record.digest),))
    readings, seen = read(record, trust.root), seen_in(logs, record, now=now, fresh_within=fresh_within)
    belief = BeliefByLedger(seen.times, seen.lacking)
    weak, until = locks(record, reader)
    unlocked = [_unlocked(key, end) for key, end in until.items() if end <= now]
    judge = _Judge(record, readings, trust, environment, belief, now, until)
    # Logs that are there and do not hold are not missing.
    of_the_logs = [one for one in seen.reasons if not unread or one.code is not ReasonCode.LEDGER_MISSING]
    found = [
        *_of_bytes(record, reader), *pin_reasons(record, record.pins), *weak, *unlocked, *of_the_logs, *unread,
        *readings.forgeries, *judge.objections(), *standing.retirements(readings, belief),
    ]  # fmt: skip
    verdict = judge.verdict(Profile.ADMIT, found)
    first = min(until.values(), default=None)
    others = tuple(replace(one, locked_until=first) for one in verdict.others)
    notes = (*verdict.notes, *readings.unreadable, *backdated(readings, belief), *judge.misjudged())
    return replace(verdict, notes=notes, locked_until=first, others=others)


def load(record: Record, reader: VaultReader, trust: Trust, *, environment: str) -> Verdict:
    """Say whether the release may be loaded in `environment`, from what travelled: without network, credentials, clock.

    A deployer must have admitted it there, and what their summary does not vouch for does not count. Whether an
    approval still held is judged as of that summary: that it expired, a policy was replaced or a root grew old since
    does not matter, nor what gates found since; what people said against the release does, as far as it travelled.
    """
    if not _is_there(record):
        return Verdict(record.digest, environment, Profile.LOAD, (nothing_stored(record.digest),))
    readings = read(record, trust.root)
    found = list(_of_bytes(record, reader))
    if not record.pins:
        found += pin_reasons(record, ())
    believed, unadmitted = admissions(readings.summaries, record.digest, environment)

    def verdict(summary: Summary | None) -> Verdict:
        belief = BeliefByVoucher(summary.envelopes if summary else None)
        as_of = summary.time_verified if summary else None
        known = measured_by_then(readings, record, summary) if summary else readings
        judge = _Judge(record, known, trust, environment, belief, None, {}, as_of)
        reached = judge.verdict(Profile.LOAD, [*found, *known.forgeries, *unadmitted, *judge.objections()])
        reached = replace(reached, notes=(*reached.notes, *known.unreadable))
        if summary is None or reached.pin is None or summary.is_under(reached.policy or "", reached.tier or ""):
            return reached
        text = f"it was admitted to {environment} under another policy or tier than its pin's"
        return replace(reached, reasons=(*reached.reasons, Reason(ReasonCode.NOT_ADMITTED, text, environment)))

    verdicts = [verdict(one.what) for one in believed] or [verdict(None)]
    return min(verdicts, key=lambda one: len(one.reasons))


def _is_there(record: Record) -> bool:
    return any(key.startswith(release_prefix(record.digest)) for key in record.versions)


def _of_bytes(record: Record, reader: VaultReader) -> Iterator[Reason]:
    yield from record.problems
    yield from strangers(record)
    yield from files_reasons(record, reader)


def _unlocked(key: str, end: datetime) -> Reason:
    return Reason(ReasonCode.NOT_LOCKED, f"the lock of {key} ended at {end:%Y-%m-%d %H:%M} UTC", key)


def _missing(case: Verdict) -> tuple[bool, int]:
    # One that was opened under what is in force says more than one that was not.
    return case.evidence is None, len(case.reasons)


@dataclass(frozen=True)
class _Judge:
    """Reaches the verdict on what was read, pin by pin and path by path."""

    record: Record
    readings: Readings
    trust: Trust
    environment: str
    belief: Belief
    now: datetime | None
    locked_until: Mapping[str, datetime]
    as_of: datetime | None = None
    """When (UTC) an approval must have held, where that is not now; None where no approval expires."""
    whole: Readings | None = None
    """All that was read, where `readings` is what one decision rested on: one before it rested on something else."""

    def objections(self) -> Iterator[Reason]:
        yield from standing.revocations(self.readings, self.belief)
        yield from standing.rejections(self.readings, self.belief)

    def verdict(self, profile: Profile, found: Sequence[Reason]) -> Verdict:
        """Return the verdict of the pin for which least is missing, the newest of equals, and what was found else."""
        oldest = datetime.min.replace(tzinfo=UTC)
        pins = sorted(self.readings.pins, key=lambda pin: self.belief.made_at(pin) or oldest, reverse=True)
        cases = [min(self._of_pin(pin, profile), key=_missing) for pin in pins]
        if not cases:
            return Verdict(self.record.digest, self.environment, profile, tuple(found))
        best, *others = [replace(case, reasons=(*found, *case.reasons)) for case in sorted(cases, key=_missing)]
        return replace(best, others=tuple(others))

    def _of_pin(self, pin: Said[PinPredicate], profile: Profile) -> list[Verdict]:
        opened = tier.opened(pin, self.trust, in_force=self.now is not None)
        if isinstance(opened, Reason):
            return [Verdict(self.record.digest, self.environment, profile, (opened,), pin=pin)]
        served, unserved = self._served(opened)
        common = [*self._of_opening(opened), *unserved]
        emergency = tier.emergency_path(opened, self._first_emergency(), self.now)
        paths = [(tier.usual_path(opened), [emergency] if isinstance(emergency, Reason) else [])]
        if isinstance(emergency, tier.Path):
            paths.insert(0, (emergency, []))
        found = [self._of_path(opened, path, [*common, *closed], profile) for path, closed in paths]
        return [replace(one, served=tuple(served)) for one in found]

    def _first_emergency(self) -> datetime | None:
        asked = (one for one in self.readings.pins if one.what.request and one.what.request.document.emergency)
        return min((moment for moment in map(self.belief.made_at, asked) if moment is not None), default=None)

    def _of_opening(self, opened: tier.Opened) -> Iterator[Reason]:
        doubt = self.belief.doubt(opened.pin)
        if doubt is not None:
            yield doubt
        if self.now is not None:
            yield from tier.review_passed(opened, self.belief.made_at(opened.pin) or self.now)
        yield from tier.not_asked_for(opened, self.environment)

    def _served(self, opened: tier.Opened) -> tuple[list[Said[Served] | Said[Summary]], list[Reason]]:
        """Return what shows that the release has served in each environment that comes first, and what does not."""
        decisions = {one.payload: one for one in self.readings.summaries}
        relied: list[Said[Served] | Said[Summary]] = []
        reasons: list[Reason] = []
        for other in tier.environments_before(opened, self.environment):
            why = self._only_admitted(decisions.values(), other)
            for one in (one for one in self.readings.served if one.what.environment == other):
                decision = decisions.get(one.what.decision)
                fault = self.belief.doubt(one) or self._inadmissible(opened, decision, other)
                if decision is not None and fault is None:
                    relied += [one, decision]
                    break
                why = f": {fault}"
            else:
                text = f"it has not served in {other}, which comes before {self.environment}{why}"
                reasons.append(Reason(ReasonCode.ENVIRONMENT_NOT_SERVED_BEFORE, text, other))
        return relied, reasons

    def _only_admitted(self, decisions: Collection[Said[Summary]], environment: str) -> str:
        """Return what a deployer is to do about an environment where the release was admitted and nobody says more."""
        if not any(one.what.admits(self.record.digest, environment) for one in decisions):
            return ""
        return (
            f": it was admitted there, and no deployer says that it got traffic; while it has some in {environment}, "
            "interlock endpoint deploy or shift there says so"
        )

    def _inadmissible(self, opened: tier.Opened, decision: Said[Summary] | None, environment: str) -> Reason | None:
        """Return why a decision did not admit the release to `environment`, judged once more as of its own time.

        Where there is no ledger, the deployer who names it has done so.
        """
        pin, code = opened.pin, ReasonCode.ENVIRONMENT_NOT_SERVED_BEFORE
        if decision is None or not decision.what.admits(self.record.digest, environment):
            return Reason(code, "it served there by no decision of the record")
        doubt = self.belief.doubt(decision)
        if doubt is not None:
            return doubt
        if not decision.what.is_under(pin.what.policy, pin.what.tier):
            return Reason(code, "it was admitted there under another policy or tier")
        lie = dated_back(decision, decision.what.time_verified, self.belief)
        if lie is not None:
            return Reason(ReasonCode.STATEMENT_BACKDATED, f"the decision is dated back: {lie}")
        if self.now is not None and pin.recorded.sha256 not in decision.what.envelopes:
            return Reason(code, "it was admitted there by another pin")
        moment = decided_at(decision, self.belief)
        if self.now is None or moment is None:
            return None
        readings = rested_on(self.whole or self.readings, decision, self.belief, moment)
        fault = self._against(readings, pin, environment, moment)
        return fault and Reason(code, f"it was admitted there although {fault}")

    def misjudged(self) -> Iterator[Reason]:
        """Yield, to be told, each decision that let something in against what the ledger had by then.

        It refuses nothing that is to be admitted now, or one deployer's key could refuse a release for good; verify.py,
        which is asked whether all of the record holds, refuses it. What was in force when another policy was, verify.py
        alone reads in the ledger: such a decision is not judged here.
        """
        for one in self.readings.summaries:
            said, policy = one.what, one.what.policy.digest.sha256
            if said.result is not VerificationResult.PASSED or self.belief.doubt(one) is not None:
                continue
            pins = [pin for pin in self.readings.pins if pin.what.request is not None and pin.what.policy == policy]
            where, environment = one.recorded.key, said.environment
            if not pins or environment is None or not said.admits(self.record.digest, environment):
                text = f"{where}: it admits {said.resource_uri[:120]!r}, which nobody asked for under that policy"
                yield Reason(ReasonCode.ENVIRONMENT_NOT_ASKED_FOR, text, where)
            elif policy == self.trust.policy_in_force and (moment := decided_at(one, self.belief)) is not None:
                readings = there_by(self.readings, self.belief, moment, said.envelopes)
                faults = [self._against(readings, pin, environment, moment) for pin in pins]
                first = next((fault for fault in faults if fault is not None), None)
                if first is not None and None not in faults:
                    yield Reason(first.code, f"{where}: it was admitted to {environment} although {first}", where)

    def _against(
        self, readings: Readings, pin: Said[PinPredicate], environment: str, moment: datetime
    ) -> Reason | None:
        """Return what `readings` had against admitting what `pin` opened at `moment` (UTC)."""
        whole = self.whole or self.readings
        then = replace(self, environment=environment, now=moment, locked_until={}, readings=readings, whole=whole)
        against = [*then.objections(), *standing.retirements(readings, self.belief)]
        best = min(then._of_pin(pin, Profile.ADMIT), key=lambda case: len(case.reasons))
        return next(iter([*against, *best.reasons]), None)

    def _of_path(self, opened: tier.Opened, path: tier.Path, common: Sequence[Reason], profile: Profile) -> Verdict:
        pin = opened.pin
        evidence = shown(
            path.demands,
            self.readings.evidence,
            policy=pin.what.policy,
            named=opened.policy.gates,
            tier=pin.what.tier,
            belief=self.belief,
        )
        asked = Asked(
            digest=self.record.digest,
            policy=pin.what.policy,
            environment=self.environment,
            pin=pin.payload,
            tier=pin.what.tier,
            evidence={gate: frozenset(one.payload for one in many) for gate, many in evidence.counted.items()},
            statements=frozenset(one.payload for one in builders_statements(self.record)),
            submitters=self.readings.submitters,
            builders=self.readings.builders,
            longest=opened.rules.longest_approval,
            now=self.now or self.as_of,
        )
        agreed = agreement(self.readings.approvals, self.readings.withdrawals, asked, self.belief)
        short = list(missing(path.approvals, opened.policy.groups, agreed.people))
        # Deployment is over when a deadline passed and the usual demands are met: then that is no reason.
        late = [one for one in common if one.code is ReasonCode.EMERGENCY_DEADLINE_PASSED]
        rest = [one for one in common if one not in late]
        unmet = [*evidence.reasons, *short, *(agreed.faults if short else ())]
        verdict = Verdict(
            self.record.digest,
            self.environment,
            profile,
            (*rest, *(late if unmet else ()), *unmet),
            notes=() if short else agreed.faults,
            pin=pin,
            evidence=evidence.counted,
            approvals=agreed.counted,
        )
        return replace(verdict, reasons=(*verdict.reasons, *self._too_short(verdict, opened, agreed)))

    def _too_short(self, verdict: Verdict, opened: tier.Opened, agreed: Agreement) -> Iterator[Reason]:
        """Yield what is not locked for as long as the tier keeps what was approved, which approving sees to."""
        if self.now is None or not agreed.counted:
            return
        retention = timedelta(days=opened.rules.retention_days)
        needed = min(one.what.approved_at for one in agreed.counted) + retention - _DAY
        resting = {one.key for one in verdict.rests_on}
        files = {key for key in self.record.versions if key.startswith(release_prefix(self.record.digest))}
        others = {one.key for one in self.record.statements} - resting
        for key in sorted((files | resting) - others):
            until = self.locked_until.get(key)
            if until is not None and until < needed:
                text = (
                    f"{key} is locked until {until:%Y-%m-%d}; the tier keeps what was approved until "
                    f"{needed + _DAY:%Y-%m-%d}: an approver who approves again extends it"
                )
                yield Reason(ReasonCode.LOCK_TOO_SHORT, text, key)


def builders_statements(record: Record) -> tuple[RecordedStatement, ...]:
    """Return the statements that lie under the release itself: what approvers read."""
    return tuple(one for one in record.statements if one.key.startswith(release_prefix(record.digest)))
