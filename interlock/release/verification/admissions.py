"""What deployers have decided: which of their summaries a serving container may go by."""

from __future__ import annotations

from collections.abc import Sequence

from interlock.release.verification.belief import distrusted_key
from interlock.release.verification.readings import Said
from interlock.release.verification.reason import Reason, ReasonCode
from interlock.release.verification.summary import Summary


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
