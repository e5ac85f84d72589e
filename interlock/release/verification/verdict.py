"""A verdict: what was found of a release for one environment, and what it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from interlock.release.acts import Approval
from interlock.release.evidence import Evidence
from interlock.release.pin_statement import PinPredicate
from interlock.release.record import RecordedStatement
from interlock.release.served import Served
from interlock.release.verification.readings import Said
from interlock.release.verification.reason import Reason
from interlock.release.verification.summary import Summary


class Profile(StrEnum):
    ADMIT = "admit"
    LOAD = "load"


@dataclass(frozen=True)
class Verdict:
    """What was found of a release for one environment: it verifies if there is no reason why not."""

    digest: str
    environment: str
    profile: Profile
    reasons: tuple[Reason, ...]
    notes: tuple[Reason, ...] = ()
    """What is told and refuses nothing: an approval that expired beside enough that did not, what is dated back."""
    pin: Said[PinPredicate] | None = None
    """Under which the verdict was reached."""
    evidence: Mapping[str, tuple[Said[Evidence], ...]] | None = None
    """By required gate, what counts."""
    approvals: tuple[Said[Approval], ...] = ()
    """Those that count, one of each person."""
    served: tuple[Said[Served] | Said[Summary], ...] = ()
    """Where it served in the environments that come first: the statements, and the decisions that they name."""
    others: tuple[Verdict, ...] = ()
    """What was found under each other pin of the record, those first for which least is missing."""
    locked_until: datetime | None = None
    """When (UTC) the first of the release's objects becomes deletable; None where that is not known."""

    @property
    def verifies(self) -> bool:
        return not self.reasons

    @property
    def policy(self) -> str | None:
        return self.pin.what.policy if self.pin else None

    @property
    def tier(self) -> str | None:
        return self.pin.what.tier if self.pin else None

    @property
    def until(self) -> datetime | None:
        """When (UTC) the first of the approvals that count expires."""
        return min((one.what.expires_at for one in self.approvals), default=None)

    @property
    def rests_on(self) -> tuple[RecordedStatement, ...]:
        """The statements that count, by key."""
        found = {one.recorded.key: one.recorded for one in (*self.approvals, *self.served)}
        if self.pin is not None:
            found[self.pin.recorded.key] = self.pin.recorded
        for several in (self.evidence or {}).values():
            found.update({one.recorded.key: one.recorded for one in several})
        return tuple(found[key] for key in sorted(found))
