"""Steps about people: two approve what passed, nobody can approve what failed, and one revokes in the end."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from interlock import approving
from interlock.duties.duty import Role
from interlock.failures import Refusal
from interlock.release.acts import Revocation
from rehearsal.story.candidates import CHAMPION, REFUSED
from rehearsal.story.context import Context
from rehearsal.story.step import Seen, Unexpected
from rehearsal.story.submitting import ticket_of

APPROVERS = ("approver-1", "approver-2")


def refuse_first(context: Context) -> Seen:
    """Let an approver try the candidate whose gate failed: there is nothing to approve."""
    digest = context.pins[REFUSED].digest
    try:
        _read(context, APPROVERS[0], digest)
    except Refusal as refusal:
        return Seen(
            f"release {digest[:12]} cannot be approved: {_telling(refusal)}",
            {"refusals": [{"what": f"{APPROVERS[0]} approves {digest[:12]}", "reasons": list(refusal.reasons)}]},
        )
    raise Unexpected(f"release {digest} to be nothing to approve", "it could be approved")


def _telling(refusal: Refusal) -> str:
    return next((one for one in refusal.reasons if "fairness" in one), refusal.reasons[0])


def approve_champion(context: Context) -> Seen:
    """Have two people read and approve the second candidate, each with their own key."""
    return _approved(context, CHAMPION)


def revoke_champion(context: Context) -> Seen:
    """Have one person revoke the champion, for good."""
    person, digest = APPROVERS[0], context.pins[CHAMPION].digest
    clients, speaker = _speaker(context, person)
    reason = "its files were overwritten in the registry, and nobody says by whom"

    def act(now: datetime) -> Revocation:
        return Revocation(person=person, reason=reason, ticket=ticket_of(CHAMPION), revoked_at=now)

    written = approving.say(clients, speaker, digest, act, clock=lambda: datetime.now(UTC).replace(microsecond=0))
    return Seen(
        f"{person} revoked release {digest[:12]}: {reason}",
        {"acts": [{"person": person, "did": "revoked", "release": digest, "statement": written.stored.key}]},
    )


def _approved(context: Context, index: int) -> Seen:
    digest = context.pins[index].digest
    acts: list[dict[str, Any]] = []
    for person in APPROVERS:
        context.busy(f"{person} reads {digest[:12]}")
        clients, reading = _read(context, person, digest)
        done = approving.approve(
            clients, reading, ticket=ticket_of(index), reason="fair within the limits, and good enough",
            days=None, now=datetime.now(UTC),
        )  # fmt: skip
        acts.append(
            {
                "person": person,
                "did": "approved",
                "release": digest,
                "statement": done.written.stored.key,
                "expires_at": done.expires_at.isoformat(),
                "locked_until": done.locked_until.isoformat(),
            }
        )
    return Seen(
        f"{' and '.join(APPROVERS)} approved release {digest[:12]} until {acts[0]['expires_at'][:10]}; "
        f"locked until {acts[-1]['locked_until'][:10]}",
        {"acts": acts},
    )


def _read(context: Context, person: str, digest: str) -> tuple[Any, approving.Reading]:
    assert context.manifest is not None
    clients, speaker = _speaker(context, person)
    now = datetime.now(UTC)
    return clients, approving.open_reading(clients, speaker, digest, context.manifest.environment, now=now)


def _speaker(context: Context, person: str) -> tuple[Any, approving.Speaker]:
    clients = context.clients_of(Role.APPROVER, person)
    return clients, approving.speaker_of(clients, context.anchor, None, now=datetime.now(UTC))
