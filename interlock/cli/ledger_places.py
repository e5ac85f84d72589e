"""Where a log's objects lie, whose keys sign for it, and what the trust root says of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Annotated

import boto3
import typer

from interlock.admission import Anchor, trust_from
from interlock.aws.kms import KmsSigner
from interlock.aws.ledger import S3LedgerStorage, S3Statements
from interlock.aws.vault import S3VaultReader
from interlock.clients import StackClients
from interlock.duties.duty import SigningDuty
from interlock.failures import BadInput, Refusal
from interlock.ledger.believing import Believer
from interlock.ledger.head import LogKey
from interlock.ledger.layout import InvalidName, origin_of, region_of
from interlock.ledger.sequencing import Sequencer
from interlock.ledger.storage import logs
from interlock.ledger.witnessing import Witness
from interlock.manifest_parts import SigningKeyPart
from interlock.release.trust.document import TrustRoot

RegionOption = Annotated[
    str | None, typer.Option(metavar="REGION", help="Whose half of the vault to read; the stack's own region else.")
]


@dataclass(frozen=True)
class Place:
    """One region's half of the vault, and the keys that the duties have there."""

    region: str
    clients: StackClients
    bucket: str
    signing_keys: Mapping[SigningDuty, SigningKeyPart]

    @cached_property
    def storage(self) -> S3LedgerStorage:
        return S3LedgerStorage(self.clients.s3_in(self.region), self.bucket)

    @cached_property
    def vault(self) -> S3VaultReader:
        return S3VaultReader(self.clients.s3_in(self.region), self.bucket)

    @cached_property
    def statements(self) -> S3Statements:
        return S3Statements(self.clients.s3_in(self.region), self.bucket)

    def sequencer(self, log: str, root: TrustRoot) -> Sequencer:
        """Return the sequencer of a log of this region. Raises OutsideFailure."""
        return Sequencer(log, root, self.storage, self.statements, self._key(SigningDuty.LOG))

    def witness(self, log: str, root: TrustRoot) -> Witness:
        """Return the witness that reads the log's replica here. Raises OutsideFailure."""
        return Witness(log, root, self.storage, self._key(SigningDuty.WITNESS))

    def _key(self, duty: SigningDuty) -> LogKey:
        arn = self.signing_keys[duty].key_arn
        signer = KmsSigner(boto3.client("kms", region_name=arn.split(":")[3]), arn)
        return LogKey(signer, signer.public_key().key_id)


def place_of(
    clients: StackClients, anchor: Anchor, log: str | None, now: datetime, *, other: bool = False
) -> tuple[str, Place]:
    """Return the log that is asked for, and where its sequencer works, or with `other` where its witness does.

    Without a name it is the newest log that has begun. A log that is named is found without the other region, which
    may be the one that failed. Where the stack has one region only, the witness works there too: what it remembers
    lies beside the log then. Raises BadInput, Refusal.
    """
    places = _places(clients)
    if log is None:
        name = _newest(places, believed_root(places[clients.manifest.region], anchor, now), clients.manifest.region)
        return name, _of_region(places, name, other=other)
    try:
        place = _of_region(places, log, other=other)
    except InvalidName as error:
        raise BadInput(f"log: {error}") from error
    root = believed_root(place, anchor, now)
    known = Believer(root).logs
    if log not in known:
        raise BadInput(
            f"log: received {log!r}; the trust root names {', '.join(known) or 'none'}",
            next_step=f"interlock root rotate DIR --log-origin {origin_of(root.name, log)}",
        )
    return log, place


def place_to_read(clients: StackClients, region: str | None) -> Place:
    """Return the half of the vault in `region`, the primary one unless given. Raises BadInput."""
    places = _places(clients)
    wanted = region or clients.manifest.region
    if wanted not in places:
        raise BadInput(f"--region: received {wanted!r}; accepted is {' or '.join(sorted(places))}")
    return places[wanted]


def believed_root(place: Place, anchor: Anchor, now: datetime) -> TrustRoot:
    """Return the trust root that is believed, as it lies in a region's half of the vault. Raises Refusal."""
    return trust_from(anchor, place.vault, now=now).root


def _of_region(places: Mapping[str, Place], log: str, *, other: bool) -> Place:
    region = region_of(log)
    if region not in places:
        raise BadInput(f"log: received {log!r}; accepted is a log of {' or '.join(sorted(places))}")
    return places[next((one for one in places if one != region), region) if other else region]


def _newest(places: Mapping[str, Place], root: TrustRoot, region: str) -> str:
    """Return the newest log that has begun, else the first: those of later epochs are for a failover to open."""
    known = list(Believer(root).logs)
    if not known:
        raise Refusal(
            f"version {root.version} of the trust root names no log",
            next_step=f"interlock root rotate DIR --log-origin {origin_of(root.name, f'{region}-1')}",
        )
    begun = {log for place in places.values() for log in logs(place.storage)}
    return next((log for log in reversed(known) if log in begun), known[0])


def _places(clients: StackClients) -> Mapping[str, Place]:
    manifest = clients.manifest
    found = {manifest.region: Place(manifest.region, clients, manifest.vault.bucket_name, manifest.signing_keys)}
    if manifest.recovery is not None:
        there = manifest.recovery
        # A key of one region signs for what lies in the other, too.
        keys = there.signing_keys or manifest.signing_keys
        found[there.region] = Place(there.region, clients, there.vault.bucket_name, keys)
    return found
