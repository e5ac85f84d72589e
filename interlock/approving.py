"""What an approver does to a release, each step safe to run again: approve, reject, withdraw, revoke, retire."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from interlock.admission import Anchor, judge, trust_from
from interlock.aws.kms import KmsSigner
from interlock.aws.retention import extend_locks
from interlock.clients import StackClients
from interlock.failures import BadInput, Refusal
from interlock.passports import passport_from
from interlock.release.acting import Act, Written, approval_of, hindrances, retained_keys, write_act
from interlock.release.passport.model import Passport
from interlock.release.pin_statement import PinPredicate
from interlock.release.record import Record, gather
from interlock.release.trust.document import KeyDuty
from interlock.release.verification.judging import Verdict
from interlock.release.verification.readings import Readings, Said, read
from interlock.release.verification.trust import Trust

if TYPE_CHECKING:
    from interlock.manifest_parts import ApproverKeyPart


_SHORTEST: Final = timedelta(seconds=1)


@dataclass(frozen=True)
class Speaker:
    """A person with a key of their own that the trust root believes."""

    person: str
    signer: KmsSigner
    trust: Trust


@dataclass(frozen=True)
class Reading:
    """What an approver has before them."""

    speaker: Speaker
    record: Record
    verdict: Verdict


@dataclass(frozen=True)
class Approved:
    """An approval in the vault, and what it extended."""

    written: Written
    expires_at: datetime
    locked_until: datetime
    extended: int
    """How many objects were locked for less."""


def speaker_of(clients: StackClients, anchor: Anchor, person: str | None, *, now: datetime) -> Speaker:
    """Return the person who asks, or `person`, with their key. Raises Refusal where none is theirs, OutsideFailure."""
    who = person or clients.session_name()
    part = _key_of(clients, who)
    signer = KmsSigner(clients.kms, part.key_arn)
    trust = trust_from(anchor, clients.vault_reader, now=now)
    known = trust.root.believed(KeyDuty.APPROVER, now).get(signer.public_key().key_id)
    if known is None or known.person != who:
        raise Refusal(
            f"the trust root does not believe the key of {who} as an approver's now",
            reasons=[f"{part.alias} is the key {signer.public_key().key_id[:12]}…"],
            next_step="people of the foundation add it: interlock root rotate",
        )
    return Speaker(who, signer, trust)


def _key_of(clients: StackClients, person: str) -> ApproverKeyPart:
    keys = clients.manifest.approver_keys.values()
    found = [one for one in keys if one.source_identity == person]
    if not found:
        known = ", ".join(sorted(one.source_identity for one in keys)) or "nobody"
        raise Refusal(f"{person} has no approver's key in this stack", reasons=[f"who has one: {known}"])
    return found[0]


def open_reading(
    clients: StackClients, speaker: Speaker, digest: str, environment: str, *, now: datetime, pin: str = ""
) -> Reading:
    """Return what there is to read before approving: the one pin that can be approved, or that `pin` names.

    `pin` is the beginning of a pin's payload digest. Raises Refusal where an approval would not count, or not help, and
    BadInput where it is not clear which pin is meant.
    """
    record, best = judge(clients.vault_reader, speaker.trust, digest, environment, now=now)
    readings = read(record, speaker.trust.root)
    verdict = chosen(best, record, readings, speaker.person, pin)
    against = list(hindrances(verdict, record, readings, speaker.person))
    if against or verdict.pin is None:
        raise Refusal(
            f"the release {digest} is nothing to approve for {environment}",
            reasons=[str(one) for one in against or verdict.reasons],
            details={"codes": [one.code.value for one in against or verdict.reasons]},
        )
    return Reading(speaker, record, verdict)


def chosen(best: Verdict, record: Record, readings: Readings, person: str, pin: str = "") -> Verdict:
    """Return what was found under the pin that `person` is to approve. Raises BadInput where that is not one."""
    found = [(one.pin, one) for one in (best, *best.others) if one.pin is not None]
    if pin:
        named = [one for said, one in found if said.payload.startswith(pin)]
        if len(named) != 1:
            raise BadInput(
                f"--pin: received {pin!r}, with which the digests of {len(named)} pins begin; accepted is the "
                "beginning of one of these",
                reasons=[_pinned(said) for said, _ in found],
            )
        return named[0]
    possible = [(said, one) for said, one in found if not list(hindrances(one, record, readings, person))]
    if len(possible) > 1:
        raise BadInput(
            f"--pin: received none, and {len(possible)} pins of the release could be approved for {best.environment}; "
            "accepted is the beginning of the digest of one of these",
            reasons=[_pinned(said) for said, _ in possible],
        )
    return possible[0][1] if possible else best


def _pinned(said: Said[PinPredicate]) -> str:
    what = said.what
    if what.request is None:
        return f"{said.payload}: nobody asked for it"
    asked = what.request
    return (
        f"{said.payload}: tier {what.tier} for {what.environment}, asked for by {asked.submitter} with "
        f"{asked.document.ticket} at {asked.document.submitted_at:%Y-%m-%d %H:%M} UTC"
    )


def passport_of(clients: StackClients, reading: Reading, *, now: datetime) -> Passport:
    """Return the passport of what is to be approved."""
    return passport_from(clients.vault_reader, reading.speaker.trust, reading.record, reading.verdict, now=now)


def approve(
    clients: StackClients, reading: Reading, *, ticket: str, reason: str, days: float | None, now: datetime
) -> Approved:
    """Sign the approval of what was read, and lock all of it for as long as the tier keeps it.

    Raises BadInput for more days than the tier lets an approval last, and whatever KMS and S3 raise.
    """
    verdict, record, speaker = reading.verdict, reading.record, reading.speaker
    assert verdict.pin is not None
    rules = {tier.value: one for tier, one in speaker.trust.policies[verdict.pin.what.policy].tiers.items()}[
        verdict.pin.what.tier
    ]
    lasts = rules.longest_approval if days is None else _days(days, rules.approval_days)
    moment = now.replace(microsecond=0)
    act = approval_of(record, verdict, person=speaker.person, ticket=ticket, reason=reason, now=moment, lasts=lasts)
    readings = read(record, speaker.trust.root)
    written = _write(clients, record.digest, act, readings, speaker, now, verdict)
    # What was added since the reading was listed is locked as well.
    again = gather(clients.vault_reader, record.digest, speaker.trust.public_keys())
    until = (moment + timedelta(days=rules.retention_days)).astimezone(UTC)
    bucket = clients.manifest.vault.bucket_name
    extended = extend_locks(clients.s3, bucket, retained_keys(again), until)
    held = next((one for one in read(again, speaker.trust.root).approvals if one.payload == written.payload), None)
    if held is None:
        raise Refusal("the approval does not read back as one", reasons=[str(one) for one in again.problems])
    return Approved(written, held.what.expires_at, until, extended)


def say(
    clients: StackClients,
    speaker: Speaker,
    digest: str,
    act: Callable[[datetime], Act],
    *,
    clock: Callable[[], datetime],
) -> Written:
    """Sign and write what somebody says of a release, whatever state it is in. Raises Refusal, OutsideFailure.

    `act` is given the time (UTC) at which it is signed, once the record has been read: one that gives itself an earlier
    time than a checkpoint without it counts as dated back.
    """
    record = gather(clients.vault_reader, digest, speaker.trust.public_keys())
    if not record.pins:
        raise Refusal(f"the vault holds no pinned release {digest}", reasons=[str(one) for one in record.problems])
    readings, now = read(record, speaker.trust.root), clock()
    return _write(clients, digest, act(now), readings, speaker, now)


def readings_of(clients: StackClients, speaker: Speaker, digest: str) -> Readings:
    """Return what has been said of a release."""
    return read(gather(clients.vault_reader, digest, speaker.trust.public_keys()), speaker.trust.root)


def _write(
    clients: StackClients,
    digest: str,
    act: Act,
    readings: Readings,
    speaker: Speaker,
    now: datetime,
    verdict: Verdict | None = None,
) -> Written:
    return write_act(
        digest,
        act,
        readings,
        now=now,
        writer=clients.vault_writer,
        reader=clients.vault_reader,
        signer=speaker.signer,
        verdict=verdict,
    )


def _days(days: float, most: int) -> timedelta:
    lasts = timedelta(days=days) if math.isfinite(days) and 0 < days <= most else timedelta()
    if lasts < _SHORTEST:
        raise BadInput(
            f"--days: received {days!r}; accepted is more than 0, a second at least, and at most the tier's {most}"
        )
    return lasts
