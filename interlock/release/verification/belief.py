"""Whether a signature is believed, given when it was made.

When it was made is never taken from what was signed: whoever holds a key writes any date. On admission the ledger says
when a statement was seen; in a serving container, without network or clock, the deployer's summary says which
statements it had seen in the ledger when it admitted the release.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from interlock.release.trust.document import TrustedKey
from interlock.release.verification.readings import Said
from interlock.release.verification.reason import Reason, ReasonCode


class Belief(Protocol):
    """Says why the signatures on a statement are not believed."""

    def doubt(self, said: Said[Any], /) -> Reason | None: ...

    def made_at(self, said: Said[Any], /) -> datetime | None:
        """Return when (UTC) the statement was seen at the latest, None where that cannot be known."""
        ...

    def lacked_at(self, said: Said[Any], /) -> datetime | None:
        """Return when (UTC) the statement was certainly not there yet, None where nobody can say."""
        ...


@dataclass(frozen=True)
class BeliefByLedger:
    """Believes a key if it was believed when the ledger recorded the statement."""

    recorded: Mapping[str, datetime]
    """By key of the vault, when (UTC) the ledger first recorded the envelope that lies there."""
    lacking: Mapping[str, datetime] = field(default_factory=dict)
    """By key, the time (UTC) of the newest witnessed checkpoint that does not hold it."""

    def made_at(self, said: Said[Any]) -> datetime | None:
        return self.recorded.get(said.recorded.key)

    def lacked_at(self, said: Said[Any]) -> datetime | None:
        return self.lacking.get(said.recorded.key)

    def doubt(self, said: Said[Any]) -> Reason | None:
        """Return why `said` does not count, or None."""
        where = said.recorded.key
        moment = self.made_at(said)
        if moment is None:
            return Reason(ReasonCode.NOT_IN_LEDGER, f"{where} is not in the ledger yet", where)
        if any(key.believed_at(moment) for key in said.keys):
            return None
        distrusted = [key for key in said.keys if key.distrusted is not None and moment >= key.distrusted.since]
        if distrusted:
            return distrusted_key(where, distrusted[0], f"and the ledger recorded it at {moment:%Y-%m-%d %H:%M} UTC")
        key = said.keys[0]
        return Reason(
            ReasonCode.KEY_NOT_BELIEVED_THEN,
            f"{where} was recorded at {moment:%Y-%m-%d %H:%M} UTC; its key is valid from {key.valid_from:%Y-%m-%d} "
            f"to {key.valid_until:%Y-%m-%d}",
            where,
        )


@dataclass(frozen=True)
class BeliefByVoucher:
    """Believes what one summary of a deployer's vouches for, and nothing else.

    The deployer had seen it in the ledger and believed its key then: whether the key has ended since, or is distrusted
    from some later day on, is no matter.
    """

    vouched: frozenset[str] | None
    """SHA-256 of the envelopes that the summary names. None where no summary is to be believed, which loads nothing:
    then the keys alone are looked at, so that what else is wrong can be told."""

    def made_at(self, _: Said[Any]) -> datetime | None:
        return None

    def lacked_at(self, _: Said[Any]) -> datetime | None:
        return None

    def doubt(self, said: Said[Any]) -> Reason | None:
        """Return why `said` does not count, or None."""
        where = said.recorded.key
        if self.vouched is not None and said.recorded.sha256 in self.vouched:
            return None
        distrusted = [key for key in said.keys if key.distrusted is not None]
        if len(distrusted) == len(said.keys):
            return distrusted_key(where, distrusted[0], "and no deployer vouches that it was made before")
        if self.vouched is None:
            return None
        text = f"{where} is not among what the release was admitted on"
        return Reason(ReasonCode.NOT_ADMITTED, text, where)


def distrusted_key(where: str, key: TrustedKey, more: str) -> Reason:
    """Return the reason that the only keys under what lies at `where` are distrusted."""
    assert key.distrusted is not None
    since, why = key.distrusted.since, key.distrusted.reason
    text = f"{where} is signed by a key that is distrusted since {since:%Y-%m-%d %H:%M} UTC ({why}), {more}"
    return Reason(ReasonCode.KEY_DISTRUSTED, text, where)
