"""What people have said against a release: rejections that stand, its revocation, its retirement.

An objection counts from the moment it is there, in the ledger or not yet, also where its details are malformed; taking
one back counts once the ledger has it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from interlock.release.acts import Spoken, Withdrawal
from interlock.release.predicates import Predicate
from interlock.release.verification.belief import Belief
from interlock.release.verification.readings import Readings, Said
from interlock.release.verification.reason import Reason, ReasonCode

_DISTRUSTED: Final = ReasonCode.KEY_DISTRUSTED


def against(said: Said[Spoken], belief: Belief) -> bool:
    """Say whether an objection counts: unless its key was not to be believed when the ledger first saw it.

    Where that is not known, as in a load, it counts: what a person said before their key was distrusted stands.
    """
    return belief.made_at(said) is None or belief.doubt(said) is None


def rejections(readings: Readings, belief: Belief) -> Iterator[Reason]:
    """Yield each rejection that its own author has not taken back.

    In a load, a rejection by a distrusted key is taken back by a withdrawal of the same key: of neither is it known
    when it was made, and whoever admitted the release did so after both.
    """
    for one in (*readings.rejections, *readings.malformed_of(Predicate.REJECTION)):
        undated = belief.made_at(one) is None and belief.doubt(one)
        distrusted = {key.public_key for key in one.keys} if undated and undated.code is _DISTRUSTED else set()
        back = [
            other
            for other in readings.withdrawals
            if other.what.withdrawn == one.payload
            and other.person == one.person
            and (_is_taken_back(other, belief) or distrusted & {key.public_key for key in other.keys})
        ]
        if against(one, belief) and not back:
            text = f"{one.person} rejected it ({one.what.ticket}): {one.what.reason}"
            yield Reason(ReasonCode.REJECTED, text, one.recorded.key)


def _is_taken_back(said: Said[Withdrawal], belief: Belief) -> bool:
    """Say whether a withdrawal counts. In a load nobody need vouch for one: as little as for the rejection itself."""
    doubt = belief.doubt(said)
    if doubt is None or doubt.code is not ReasonCode.NOT_ADMITTED:
        return doubt is None
    return any(key.distrusted is None and key.believed_at(said.what.withdrawn_at) for key in said.keys)


def revocations(readings: Readings, belief: Belief) -> Iterator[Reason]:
    """Yield each revocation; nothing takes one back."""
    for one in (*readings.revocations, *readings.malformed_of(Predicate.REVOCATION)):
        if against(one, belief):
            text = f"{one.person} revoked it for good ({one.what.ticket}): {one.what.reason}"
            yield Reason(ReasonCode.REVOKED, text, one.recorded.key)


def retirements(readings: Readings, belief: Belief) -> Iterator[Reason]:
    """Yield each retirement."""
    for one in (*readings.retirements, *readings.malformed_of(Predicate.RETIREMENT)):
        if against(one, belief):
            text = f"{one.person} retired it ({one.what.ticket}): {one.what.reason}"
            yield Reason(ReasonCode.RETIRED, text, one.recorded.key)
