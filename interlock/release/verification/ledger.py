"""What the ledger says of a release's record: when each statement was seen, and that none is missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from interlock.ledger.faults import LedgerRefused
from interlock.ledger.leaf import Leaf
from interlock.ledger.ledger import joined
from interlock.ledger.view import LedgerView, Recorded
from interlock.release.record import Record
from interlock.release.verification.reason import Reason, ReasonCode

FRESH_WITHIN: Final = timedelta(hours=24)
"""How old the newest checkpoint may be, and the witness's last look: what happened since might not be in it."""


@dataclass(frozen=True)
class Seen:
    """What the logs say of one release."""

    times: Mapping[str, datetime]
    """By key of the vault, when (UTC) the envelope there was first recorded in a leaf that the witness has seen."""
    reasons: tuple[Reason, ...]
    lacking: Mapping[str, datetime] = field(default_factory=dict)
    """By such a key, the time (UTC) of the newest checkpoint without it, of those that the witness has seen."""


def seen_in(logs: Sequence[LedgerView], record: Record, *, now: datetime, fresh_within: timedelta) -> Seen:
    """Compare a record with the logs of the trust root, all of them: after a failover a release is in several."""
    try:
        found = joined(logs).recorded(record.digest)
    except LedgerRefused as refused:
        return Seen({}, tuple(Reason(ReasonCode.LEDGER_REFUSED, str(one), one.where) for one in refused.faults))
    faults = {reason.where: reason for reason in _faults(record, [one.leaf for _, one in found])}
    first: dict[str, tuple[LedgerView, Recorded]] = {}
    for log, one in found:
        key, moment = one.leaf.key, one.leaf.recorded_at
        if key not in faults and log.is_witnessed(one.index):
            earlier = first.get(key)
            if earlier is None or moment < earlier[1].leaf.recorded_at:
                first[key] = (log, one)
    times = {key: one.leaf.recorded_at for key, (_, one) in first.items()}
    without = {key: log.last_without(one) for key, (log, one) in first.items()}
    lacking = {key: seen.checkpoint.time for key, seen in without.items() if seen is not None}
    return Seen(times, (*_freshness(logs, now, fresh_within), *faults.values()), lacking)


def _freshness(logs: Sequence[LedgerView], now: datetime, within: timedelta) -> Iterator[Reason]:
    if not logs:
        yield Reason(ReasonCode.LEDGER_MISSING, "there is no log that the trust root names", "ledger")
        return
    # After a failover only the newest epoch's log goes on.
    newest = max(logs, key=lambda log: log.time)
    stale = newest.stale(now, within)
    if stale is not None:
        yield Reason(ReasonCode.LEDGER_STALE, str(stale), newest.origin)
    witnessed = newest.last_witnessed
    if witnessed is None or now - witnessed.at > within:
        when = f"since {witnessed.at:%Y-%m-%d %H:%M} UTC" if witnessed else "ever"
        text = f"the witness has not looked at {newest.origin} {when}, and {within} is accepted"
        yield Reason(ReasonCode.LEDGER_UNWITNESSED, text, newest.origin)


def _faults(record: Record, leaves: Sequence[Leaf]) -> Iterator[Reason]:
    """Yield where the vault does not hold what a leaf recorded."""
    held = {one.key: one for one in record.statements}
    for leaf in leaves:
        one = held.get(leaf.key)
        if one is None and leaf.key not in record.versions:
            text = f"{leaf.key} was recorded at {leaf.recorded_at:%Y-%m-%d %H:%M} UTC and is missing"
            yield Reason(ReasonCode.STATEMENT_MISSING, text, leaf.key)
        elif one is not None and (one.version_id, one.sha256) != (leaf.version_id, leaf.sha256):
            text = f"{leaf.key} is not what was recorded at {leaf.recorded_at:%Y-%m-%d %H:%M} UTC"
            yield Reason(ReasonCode.STATEMENT_REPLACED, text, leaf.key)
