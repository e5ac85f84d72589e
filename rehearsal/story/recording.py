"""Steps about the ledger: the sequencer appends what was said, and the witness in the other region co-signs."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from interlock.aws.kms import KmsSigner
from interlock.aws.ledger import S3LedgerStorage, S3Statements
from interlock.aws.vault import S3VaultReader
from interlock.duties.duty import Role, SigningDuty
from interlock.ledger.head import LogKey
from interlock.ledger.layout import log_of
from interlock.ledger.sequencing import Appended, Sequencer
from interlock.ledger.storage import Incomplete
from interlock.ledger.witnessing import Sighting, Witness
from interlock.release.trust.document import TrustRoot
from interlock.release.verification.logs import read_logs
from rehearsal.story.context import Context
from rehearsal.story.step import Seen, Unexpected

REPLICATION_SECONDS: Final = 60.0
RENEW_AFTER: Final = timedelta(hours=6)


def record(what: str) -> Callable[[Context], Seen]:
    """Have all that was said so far appended and witnessed; `what` says of what it is the record."""

    def recorded(context: Context) -> Seen:
        appended = _sequence(context)
        seen = _witness(context, appended.checkpoint.size)
        assert seen.witnessed is not None
        _wait_for_the_witness_at_home(context, appended.checkpoint.size)
        origin, size = appended.checkpoint.origin, appended.checkpoint.size
        return Seen(
            f"{what}: {len(appended.leaves)} statements more in {origin}, which has {size}; the witness has seen them",
            {
                "ledger": {
                    "origin": origin,
                    "size": size,
                    "root": appended.checkpoint.root.hex(),
                    "appended": [one.key for one in appended.leaves],
                    "unfit": [key for key, _ in appended.unfit],
                    "witnessed_at": seen.witnessed.at.isoformat(),
                }
            },
        )

    return recorded


def _sequence(context: Context) -> Appended:
    clients, root = context.clients_of(Role.SEQUENCER), context.trust(Role.SEQUENCER).root
    bucket = clients.manifest.vault.bucket_name
    sequencer = Sequencer(
        _log(root), root, S3LedgerStorage(clients.s3, bucket), S3Statements(clients.s3, bucket),
        _key(clients.signer(SigningDuty.LOG)),
    )  # fmt: skip
    context.busy("append to the log")
    return sequencer.sequence(datetime.now(UTC), renew_after=RENEW_AFTER, clock=lambda: datetime.now(UTC))


def _witness(context: Context, size: int) -> Sighting:
    """Wait until the log has arrived in the other region up to `size`, and the witness has co-signed that."""
    assert context.manifest is not None
    assert context.manifest.recovery is not None
    there = context.manifest.recovery
    session = context.people.as_(Role.WITNESS, region=there.region)
    s3 = session.client("s3")
    root = context.trust(Role.WITNESS, S3VaultReader(s3, there.vault.bucket_name)).root
    keys = there.signing_keys or context.manifest.signing_keys
    arn = keys[SigningDuty.WITNESS].key_arn
    signer = KmsSigner(session.client("kms", region_name=arn.split(":")[3]), arn)
    witness = Witness(_log(root), root, S3LedgerStorage(s3, there.vault.bucket_name), _key(signer))
    deadline = time.monotonic() + REPLICATION_SECONDS
    while True:
        waiting = "nothing has arrived"
        try:
            seen = witness.witness(datetime.now(UTC))
            if seen.witnessed is not None and seen.witnessed.checkpoint.size >= size:
                return seen
        except Incomplete as missing:
            waiting = str(missing)
        if time.monotonic() > deadline:
            raise Unexpected(f"the log with {size} leaves in {there.region}", waiting)
        context.busy(f"wait for the log in {there.region}")
        time.sleep(0.3)


def _wait_for_the_witness_at_home(context: Context, size: int) -> None:
    """Wait until what the witness has signed in its region is there where releases are judged."""
    clients, root = context.clients_of(Role.SEQUENCER), context.trust(Role.SEQUENCER).root
    deadline = time.monotonic() + REPLICATION_SECONDS
    while True:
        logs, _ = read_logs(clients.vault_reader, root)
        if any(one.origin == root.log_origins[0] and one.witnessed_size >= size for one in logs):
            return
        if time.monotonic() > deadline:
            raise Unexpected(f"the witness's word on {size} leaves in {clients.manifest.region}", "it has not arrived")
        context.busy("wait for the witness's word to come back")
        time.sleep(0.3)


def _log(root: TrustRoot) -> str:
    return log_of(root.log_origins[0])


def _key(signer: KmsSigner) -> LogKey:
    return LogKey(signer, signer.public_key().key_id)
