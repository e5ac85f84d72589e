"""Settings of the functions that append to the ledger and witness it."""

from __future__ import annotations

from typing import Annotated

from interlock import rules
from interlock.settings.alarms import AlarmSettings
from interlock.settings.refusals import Must
from interlock.settings.section import Flag, Image, Means, Section


class LedgerSettings(Section):
    """The sequencer in the primary region and the witness in the other, once the trust root names log and keys."""

    image: Annotated[Image, Means("the image of the ledger's functions")]
    """In the registry of the primary region, with the trust root's fingerprint in it."""
    epoch: Annotated[int, Must(rules.integer(1, 999_999)), Means("which of the region's logs goes on")] = 1
    minutes: Annotated[
        int, Must(rules.integer(1, 60, "minutes")), Means("minutes after which the ledger's functions run again")
    ] = 1
    renew_hours: Annotated[
        int, Must(rules.integer(1, 24, "hours")), Means("hours after which a checkpoint is signed with nothing new")
    ] = 6
    reserve_execution: Annotated[Flag, Means("each of the ledger's functions has an execution of its own")] = True
    """Of an account with AWS's smallest quota, nothing can be kept."""
    alarms: Annotated[AlarmSettings | None, Means("somebody is told that the ledger does not go on")] = None
    """Topics that there are already are those of the evidence account."""
