"""What a statement says of its own time, against the last witnessed checkpoint that does not hold it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from interlock.release.verification.belief import Belief
from interlock.release.verification.readings import Readings, Said
from interlock.release.verification.reason import Reason, ReasonCode
from interlock.release.verification.summary import Summary

WRITTEN_WITHIN: Final = timedelta(minutes=15)
"""What may pass between the time that a statement gives itself and the moment when it lies in the vault: signing,
writing, clocks that differ."""

OF_A_DECISION: Final = "it admits nothing by itself, and what it let in is judged by that checkpoint"
"""What becomes of a decision that is dated back."""


def dated_back(said: Said[Any], stated: datetime, belief: Belief) -> str | None:
    """Return why a statement cannot have been made at `stated` (UTC), as it says, or None if it can."""
    lacked = belief.lacked_at(said)
    if lacked is None or stated + WRITTEN_WITHIN >= lacked:
        return None
    return (
        f"it says {stated:%Y-%m-%d %H:%M} UTC, and the checkpoint of {lacked:%Y-%m-%d %H:%M} UTC, which was witnessed, "
        "does not hold it"
    )


def backdated(readings: Readings, belief: Belief) -> Iterator[Reason]:
    """Yield, to be told, each objection, withdrawal and decision that is dated back, by a key that is believed.

    None of them refuses for its date: whoever holds a key of an approver's or a deployer's could refuse any release
    for good. What takes something from the release counts all the same; a decision admits nothing, and an approval
    counts for nothing, which says so itself. What a gate measured elsewhere, and what was asked for, may be older than
    its statement.
    """
    stated: list[tuple[Said[Any], datetime]] = [
        *((one, one.what.rejected_at) for one in readings.rejections),
        *((one, one.what.withdrawn_at) for one in readings.withdrawals),
        *((one, one.what.revoked_at) for one in readings.revocations),
        *((one, one.what.retired_at) for one in readings.retirements),
        *((one, one.what.time_verified) for one in readings.summaries),
    ]
    for one, moment in stated:
        lie = dated_back(one, moment, belief)
        if lie is not None and belief.doubt(one) is None:
            so = OF_A_DECISION if isinstance(one.what, Summary) else "it counts all the same"
            yield Reason(ReasonCode.STATEMENT_BACKDATED, f"{one.recorded.key}: {lie}; {so}", one.recorded.key)
