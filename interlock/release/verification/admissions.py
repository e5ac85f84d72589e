"""What deployers have decided: which of their summaries a serving container may go by, and what each rested on."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import fields, replace
from datetime import datetime
from typing import Any, Final, TypeVar

from pydantic import BaseModel

from interlock.release.acts import Approval, Spoken, Withdrawal
from interlock.release.evidence import Evidence, Outcome
from interlock.release.pin_statement import PinPredicate
from interlock.release.predicates import Predicate
from interlock.release.record import Record
from interlock.release.verification.approvals import CLOCKS_DIFFER_BY, RECORDED_WITHIN
from interlock.release.verification.belief import Belief, distrusted_key
from interlock.release.verification.readings import Readings, Said
from interlock.release.verification.reason import Reason, ReasonCode
from interlock.release.verification.summary import Summary

_What = TypeVar("_What", bound=BaseModel)

_TEXTS: Final = frozenset({"forgeries", "unreadable"})
"""What of the readings is no statement, but told of some."""


def admissions(
    summaries: Sequence[Said[Summary]], digest: str, environment: str
) -> tuple[list[Said[Summary]], list[Reason]]:
    """Return the believed summaries that admit the release `digest` to `environment`; else why there is none.

    Without a clock a summary's own time is all there is: a deployer's key counts if it was valid then. One that is
    distrusted counts for nothing, because whoever stole it writes any time.
    """
    believed, faults = [], []
    for one in summaries:
        if not one.what.admits(digest, environment):
            continue
        fault = _fault(one)
        if fault is None:
            believed.append(one)
        else:
            faults.append(fault)
    if believed:
        return believed, []
    text = f"no deployer whose key is believed has admitted it to {environment}"
    return [], [Reason(ReasonCode.NOT_ADMITTED, text, environment), *faults]


def decided_at(one: Said[Summary], belief: Belief) -> datetime | None:
    """Return as of when (UTC) a decision is judged: its own time where the ledger bears it out, else the ledger's.

    It was not made before the last witnessed checkpoint that does not hold it. None where no ledger is known.
    """
    stated, seen = one.what.time_verified, belief.made_at(one)
    if seen is None:
        return None
    if not seen - RECORDED_WITHIN <= stated <= seen + CLOCKS_DIFFER_BY:
        return seen
    return max(stated, belief.lacked_at(one) or stated)


def rested_on(readings: Readings, decision: Said[Summary], belief: Belief, moment: datetime) -> Readings:
    """Return what a decision rested on: of what was there at `moment` (UTC), for the release only what it names."""
    named = decision.what.envelopes
    by_then = there_by(readings, belief, moment, named)
    return replace(
        by_then,
        evidence=tuple(
            one for one in by_then.evidence if one.what.outcome is not Outcome.PASSED or one.recorded.sha256 in named
        ),
        approvals=tuple(one for one in by_then.approvals if one.recorded.sha256 in named),
    )


def there_by(readings: Readings, belief: Belief, moment: datetime, named: Container[str]) -> Readings:
    """Return what a decision could go by: what the ledger had at `moment` (UTC).

    Clocks may differ by some minutes in its favour; what takes something from the release nobody could heed earlier.
    So does a pin, or evidence, whose people approve nothing, unless the decision rests on it: `named` are the SHA-256
    of the envelopes that it does.
    """
    approvals = {one.payload for one in readings.approvals}

    def takes(one: Said[Any]) -> bool:
        if isinstance(one.what, Withdrawal):
            return one.what.withdrawn in approvals
        if isinstance(one.what, Evidence | PinPredicate):
            failed = isinstance(one.what, Evidence) and one.what.outcome is not Outcome.PASSED
            return failed or one.recorded.sha256 not in named
        return isinstance(one.what, Spoken) and not isinstance(one.what, Approval)

    def there(several: tuple[Said[_What], ...]) -> tuple[Said[_What], ...]:
        return tuple(
            one
            for one in several
            if (seen := belief.made_at(one)) is not None
            and seen <= (moment if takes(one) else moment + CLOCKS_DIFFER_BY)
        )

    return Readings(
        **{one.name: there(getattr(readings, one.name)) for one in fields(readings) if one.name not in _TEXTS},
        forgeries=readings.forgeries,
        unreadable=readings.unreadable,
    )


def measured_by_then(readings: Readings, record: Record, summary: Summary) -> Readings:
    """Return what a load under `summary` goes by: of evidence and of pins, well formed or not, only what it names.

    Of test results too, which say what evidence says. Else whoever may sign evidence, and people need not agree to
    that, could stop what serves from scaling out. So could whoever pins, by a pin that cannot be read, or one that
    names an approver as who asked for these bytes or built them.
    """
    written = record.of(Predicate.EVIDENCE, Predicate.TEST_RESULT, Predicate.PIN)
    since = {one.key for one in written if one.sha256 not in summary.envelopes}
    named = tuple(one for one in readings.pins if one.recorded.key not in since)
    return replace(
        readings,
        # Where it names none, each of them is refused for that.
        pins=named or readings.pins,
        evidence=tuple(one for one in readings.evidence if one.recorded.key not in since),
        forgeries=tuple(one for one in readings.forgeries if one.where not in since),
    )


def _fault(one: Said[Summary]) -> Reason | None:
    where, moment = one.recorded.key, one.what.time_verified
    keys = [key for key in one.keys if key.distrusted is None]
    if not keys:
        return distrusted_key(where, one.keys[0], "whatever time it gives itself")
    if any(key.believed_at(moment) for key in keys):
        return None
    key = keys[0]
    text = (
        f"{where} says that it was decided at {moment:%Y-%m-%d %H:%M} UTC; its key is valid from "
        f"{key.valid_from:%Y-%m-%d} to {key.valid_until:%Y-%m-%d}"
    )
    return Reason(ReasonCode.KEY_NOT_BELIEVED_THEN, text, where)
