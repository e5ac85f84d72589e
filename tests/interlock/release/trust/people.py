"""People with keys of their own, and roots that they sign."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric import ec

from interlock.release.envelope import enclose, sign_payload
from interlock.release.signing import PrivateKeySigner
from interlock.release.trust.document import PAYLOAD_TYPE, KeyDuty, TrustRoot
from interlock.release.trust.drafting import Change, NewKey, first_root, next_root

DAY = timedelta(days=1)
NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
SIGNERS = {name: PrivateKeySigner(ec.generate_private_key(ec.SECP256R1())) for name in ("ann", "ben", "cem", "dan")}


def new_key(person: str, duty: KeyDuty = KeyDuty.FOUNDATION, signer: PrivateKeySigner | None = None) -> NewKey:
    return NewKey(duty, person, (signer or SIGNERS[person]).public_key())


def first(*people: str, threshold: int = 2, now: datetime = NOW) -> TrustRoot:
    change = Change([new_key(person) for person in people], threshold=threshold)
    return first_root("acme", change, now=now, life=365 * DAY, key_life=1000 * DAY)


def following(before: TrustRoot, change: Change, now: datetime = NOW + DAY) -> TrustRoot:
    return next_root(before, change, now=now, life=365 * DAY, key_life=1000 * DAY)


def signed(root: TrustRoot, people: Sequence[str], payload: bytes | None = None) -> bytes:
    """The envelope of `root`, or of another `payload`, signed by `people`."""
    content = root.content if payload is None else payload
    return enclose(
        PAYLOAD_TYPE, content, [sign_payload(PAYLOAD_TYPE, content, SIGNERS[person]) for person in people]
    ).content
