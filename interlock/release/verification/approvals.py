"""Whether enough people agree: which approvals count, and for whom."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from interlock.release.acts import Approval, Withdrawal, record_digest
from interlock.release.tiers import Approvers
from interlock.release.verification.belief import Belief
from interlock.release.verification.dating import dated_back
from interlock.release.verification.readings import Said
from interlock.release.verification.reason import Reason, ReasonCode

CLOCKS_DIFFER_BY: Final = timedelta(minutes=5)
"""An approval that is dated later than it was seen would last longer than its tier allows."""

RECORDED_WITHIN: Final = timedelta(hours=24)
"""What a sequencer may take to find a statement; one that is dated earlier is backdated."""


@dataclass(frozen=True)
class Asked:
    """What an approval must be for."""

    digest: str
    policy: str
    environment: str
    pin: str
    """The payload digest of the pin under which the release was opened."""
    tier: str
    evidence: Mapping[str, frozenset[str]]
    """By required gate, the payload digests of the evidence that counts: one of each must have been read."""
    statements: frozenset[str]
    """The payload digests of all of the builder's statements."""
    submitters: frozenset[str]
    """Whoever asked for these bytes, by this pin or another."""
    builders: frozenset[str]
    longest: timedelta
    now: datetime | None
    """None where there is no clock: then no approval expires."""


@dataclass(frozen=True)
class Agreement:
    """Whose approvals count, and why the others do not."""

    counted: tuple[Said[Approval], ...]
    """One of each person, sorted by person."""
    faults: tuple[Reason, ...]

    @property
    def people(self) -> tuple[str, ...]:
        return tuple(one.person for one in self.counted)

    @property
    def until(self) -> datetime | None:
        """When (UTC) the first of the approvals that count expires."""
        return min((one.what.expires_at for one in self.counted), default=None)


def agreement(
    approvals: Sequence[Said[Approval]], withdrawals: Sequence[Said[Withdrawal]], asked: Asked, belief: Belief
) -> Agreement:
    """Return which of `approvals` count for what is asked; each person counts once."""
    counted: dict[str, Said[Approval]] = {}
    faults: list[Reason] = []
    # The one that lasts longest stands for its person.
    for one in sorted(approvals, key=lambda one: (one.what.expires_at, one.payload), reverse=True):
        fault = next(_faults(one, withdrawals, asked, belief), None)
        if fault is None and one.person in counted:
            text = f"{one.recorded.key}: {one.person} approved twice, and counts once"
            fault = Reason(ReasonCode.APPROVAL_BY_SAME_PERSON, text, one.recorded.key)
        if fault is not None:
            faults.append(fault)
        else:
            counted[one.person] = one
    return Agreement(tuple(counted[person] for person in sorted(counted)), tuple(faults))


def missing(
    wanted: Sequence[Approvers], groups: Mapping[str, Sequence[str]], people: Sequence[str]
) -> Iterator[Reason]:
    """Yield what `people` are too few for; whoever counts for one demand counts for no other.

    Groups may overlap, so that who counts for which is a matching of people with places.
    """
    places = [group for one in wanted for group in [one.group] * one.count]
    taken: dict[int, str] = {}
    for person in people:
        _seat(person, places, groups, taken, set())
    for one in dict.fromkeys(wanted):
        free = [index for index, group in enumerate(places) if group == one.group and index not in taken]
        count = sum(other.count for other in wanted if other.group == one.group)
        if not free:
            continue
        whom = f"of the group {one.group} ({', '.join(groups.get(one.group, ()))})" if one.group else "of the approvers"
        text = f"{count - len(free)} of {count} approvals {whom}; approved by {', '.join(people) or 'nobody'}"
        yield Reason(ReasonCode.APPROVAL_MISSING, text, one.group or "approvals")


def _seat(
    person: str,
    places: Sequence[str | None],
    groups: Mapping[str, Sequence[str]],
    taken: dict[int, str],
    tried: set[int],
) -> bool:
    """Give `person` a place, moving others to other places they may have (an augmenting path)."""
    for index, group in enumerate(places):
        if index in tried or (group is not None and person not in groups.get(group, ())):
            continue
        tried.add(index)
        if index not in taken or _seat(taken[index], places, groups, taken, tried):
            taken[index] = person
            return True
    return False


def _faults(
    one: Said[Approval], withdrawals: Sequence[Said[Withdrawal]], asked: Asked, belief: Belief
) -> Iterator[Reason]:
    """Yield why an approval does not count, the plainest reason first."""
    tests = (
        *_of_what(one, asked),
        *_of_whom(one, asked, withdrawals),
        *_of_reading(one, asked),
        *_of_time(one, asked, belief),
    )
    for code, text in tests:
        yield Reason(code, f"the approval of {one.person} does not count: {text}", one.recorded.key)
    doubt = belief.doubt(one)
    if doubt is not None:
        yield doubt


_Fault = tuple[ReasonCode, str]


def _of_what(one: Said[Approval], asked: Asked) -> Iterator[_Fault]:
    what = one.what
    if what.environment != asked.environment:
        text = f"it is for {what.environment}, not {asked.environment}"
        yield ReasonCode.APPROVAL_FOR_ANOTHER_ENVIRONMENT, text
    if what.policy != asked.policy:
        yield ReasonCode.APPROVAL_FOR_ANOTHER_POLICY, f"it is under another policy, {what.policy[:12]}…"
    if (what.pin, what.tier) != (asked.pin, asked.tier):
        text = f"it is for the pin {what.pin[:12]}… of tier {what.tier}, not {asked.pin[:12]}… of tier {asked.tier}"
        yield ReasonCode.APPROVAL_FOR_ANOTHER_PIN, text


def _of_whom(one: Said[Approval], asked: Asked, withdrawals: Sequence[Said[Withdrawal]]) -> Iterator[_Fault]:
    if one.person in asked.submitters:
        yield ReasonCode.APPROVAL_BY_SUBMITTER, "they submitted the release"
    if one.person in asked.builders:
        yield ReasonCode.APPROVAL_BY_BUILDER, "they built the release, or ran its gates"
    # Taking back counts at once: that the ledger has it yet is no condition.
    if any(other.what.withdrawn == one.payload and other.person == one.person for other in withdrawals):
        yield ReasonCode.APPROVAL_WITHDRAWN, "they have taken it back"


def _of_reading(one: Said[Approval], asked: Asked) -> Iterator[_Fault]:
    what, read = one.what, frozenset(one.what.statements)
    named = record_digest(asked.digest, what.policy, what.pin, what.statements)
    if what.record != named or not read <= asked.statements:
        yield ReasonCode.APPROVAL_OF_ANOTHER_RECORD, "it names a record that is not this one"
    unread = sorted(gate for gate, payloads in asked.evidence.items() if not payloads & read)
    if unread or what.pin not in read:
        missed = [*(["the pin"] if what.pin not in read else []), *unread]
        yield ReasonCode.APPROVAL_WITHOUT_EVIDENCE, f"they had not read what counts of {', '.join(missed)}"


def _of_time(one: Said[Approval], asked: Asked, belief: Belief) -> Iterator[_Fault]:
    what = one.what
    lasts = what.expires_at - what.approved_at
    if lasts > asked.longest:
        text = f"it lasts {lasts / timedelta(days=1):.1f} days, and at most {asked.longest.days} are accepted"
        yield ReasonCode.APPROVAL_LASTS_TOO_LONG, text
    if asked.now is None:
        return
    seen = min(belief.made_at(one) or asked.now, asked.now)
    if what.approved_at - seen > CLOCKS_DIFFER_BY:
        text = f"it says {what.approved_at:%Y-%m-%d %H:%M} UTC, and was there at {seen:%Y-%m-%d %H:%M} UTC"
        yield ReasonCode.APPROVAL_NOT_YET_GIVEN, text
    if seen - what.approved_at > RECORDED_WITHIN and belief.made_at(one) is not None:
        text = (
            f"it says {what.approved_at:%Y-%m-%d %H:%M} UTC, and the ledger saw it first at {seen:%Y-%m-%d %H:%M} UTC"
        )
        yield ReasonCode.STATEMENT_BACKDATED, text
    lie = dated_back(one, what.approved_at, belief)
    if lie is not None:
        yield ReasonCode.STATEMENT_BACKDATED, lie
    if asked.now >= what.expires_at:
        yield ReasonCode.APPROVAL_EXPIRED, f"it expired at {what.expires_at:%Y-%m-%d %H:%M} UTC"
