"""Keys, a trust root and logs in memory: what the tests of the ledger work with."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from interlock.ledger.checkpoint import Checkpoint, SignedCheckpoint, cosign_checkpoint, sign_checkpoint
from interlock.ledger.layout import origin_of, witness_name
from interlock.ledger.leaf import Leaf, LeafKind
from interlock.ledger.merkle import Tree
from interlock.ledger.view import LogCopy
from interlock.release.trust.document import Distrust, KeyDuty, TrustedKey, TrustRoot
from tests.interlock.release.memory import LocalSigner

ROOT_NAME = "bank"
LOG = "eu-west-1-1"
ORIGIN = origin_of(ROOT_NAME, LOG)
START = datetime(2026, 11, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)

KEYS = {
    duty: LocalSigner(duty.value)
    for duty in (KeyDuty.LOG, KeyDuty.WITNESS, KeyDuty.BUILDER, KeyDuty.DEPLOYER, KeyDuty.OBSERVER)
}


def trusted(duty: KeyDuty, signer: LocalSigner, *, distrusted: datetime | None = None) -> TrustedKey:
    return TrustedKey(
        duty=duty,
        public_key=signer.public_key.pem,
        valid_from=START - timedelta(days=1),
        valid_until=START + timedelta(days=365),
        distrusted=Distrust(since=distrusted, reason="stolen") if distrusted else None,
    )


def root(origins: Sequence[str] = (ORIGIN,), *, log_distrusted: datetime | None = None) -> TrustRoot:
    keys = {
        signer.public_key.key_id: trusted(duty, signer, distrusted=log_distrusted if duty is KeyDuty.LOG else None)
        for duty, signer in KEYS.items()
    }
    return TrustRoot(
        name=ROOT_NAME,
        version=1,
        issued_at=START,
        expires_at=START + timedelta(days=365),
        threshold=2,
        keys=keys,
        log_origins=tuple(origins),
    )


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def leaf(number: int, at: datetime, *, subject: str = "release", kind: LeafKind = LeafKind.STATEMENT) -> Leaf:
    return Leaf(
        kind=kind,
        key=f"releases/{digest(subject)}/statements/{digest(str(number))}.dsse.json",
        version_id=f"v{number}",
        sha256=digest(f"envelope {number}"),
        payload=digest(str(number)),
        predicate_type="urn:interlock:predicate:evidence:v1",
        subject=digest(subject),
        recorded_at=at,
    )


def signed(
    checkpoint: Checkpoint, signer: LocalSigner | None = None, *, duty: KeyDuty = KeyDuty.LOG
) -> SignedCheckpoint:
    by = signer or KEYS[duty]
    return sign_checkpoint(checkpoint, by.public_key.key_id, by)


def cosigned(one: SignedCheckpoint, at: datetime, signer: LocalSigner | None = None) -> bytes:
    by = signer or KEYS[KeyDuty.WITNESS]
    return cosign_checkpoint(one, witness_name(ROOT_NAME), by.public_key.key_id, by, at).note.content


class History:
    """A log that grows by a batch a minute, the witness a minute behind."""

    def __init__(self, sizes: Sequence[int], *, origin: str = ORIGIN, salt: int = 0) -> None:
        self.leaves: list[Leaf] = []
        self.checkpoints: list[Checkpoint] = []
        tree = Tree()
        for number, count in enumerate(sizes):
            at = START + number * MINUTE
            for _ in range(count):
                self.leaves.append(leaf(salt + len(self.leaves), at))
                tree.append(self.leaves[-1].content)
            self.checkpoints.append(Checkpoint(origin, tree.size, tree.root(), number, at))

    @property
    def entries(self) -> list[bytes]:
        return [one.content for one in self.leaves]

    def copy(self, *, witnessed: Sequence[int] = ()) -> LogCopy:
        notes = [signed(one) for one in self.checkpoints]
        return LogCopy(
            self.entries,
            [one.note.content for one in notes],
            [cosigned(notes[number], self.checkpoints[number].time + MINUTE) for number in witnessed],
        )
