"""The sequencer and the witness as a function of Lambda's: one run an invocation, whatever the event says.

What a function is, stands in its environment, which the foundation sets: `LEDGER_DUTY` (`sequencer` or `witness`),
`LEDGER_LOG`, `LEDGER_BUCKET` (the vault's half in the function's region), `LEDGER_KEY_ARN`, and `LEDGER_RENEW_HOURS`
for a sequencer, 6 unless set. From where its trust starts, stands in its image. The one event that asks for something
is {"operation": "open-epoch"}, to a sequencer.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import boto3

from interlock.admission import Anchor, trust_from
from interlock.aws.kms import KmsSigner
from interlock.aws.ledger import S3LedgerStorage, S3Statements
from interlock.aws.vault import S3VaultReader
from interlock.failures import BadInput, OutsideFailure, Refusal
from interlock.ledger.checkpoint import timestamp
from interlock.ledger.faults import LedgerRefused
from interlock.ledger.head import LogKey
from interlock.ledger.layout import InvalidName, epoch_of
from interlock.ledger.sequencing import Contended, Sequencer
from interlock.ledger.storage import Incomplete, newest_batch
from interlock.ledger.witnessing import Witness
from interlock.release.digests import is_hex_digest
from interlock.release.trust.document import TrustRoot

SEQUENCER: Final = "sequencer"
WITNESS: Final = "witness"
OPEN_EPOCH: Final = "open-epoch"
MOST_TOLD: Final = 1000
"""Keys of what was appended; Lambda takes answers of 6 MB at most."""


@dataclass(frozen=True)
class Settings:
    """What one function is."""

    duty: str
    log: str
    bucket: str
    key_arn: str
    renew_after: timedelta

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Settings:
        """Return what the variables of `environment` say. Raises BadInput for the first that says nothing of use."""
        duty = environment.get("LEDGER_DUTY", "")
        if duty not in (SEQUENCER, WITNESS):
            raise BadInput(f"LEDGER_DUTY: received {duty!r}; accepted is {SEQUENCER} or {WITNESS}")
        log = environment.get("LEDGER_LOG", "")
        try:
            epoch_of(log)
        except InvalidName as error:
            raise BadInput(f"LEDGER_LOG: {error}") from error
        return cls(
            duty,
            log,
            _said(environment, "LEDGER_BUCKET"),
            _said(environment, "LEDGER_KEY_ARN"),
            _hours(environment.get("LEDGER_RENEW_HOURS", "6")),
        )


class Function:
    """Runs one duty; what it knows of the log lasts as long as its process does."""

    def __init__(self, settings: Settings, start: Anchor) -> None:
        self.settings = settings
        self._start = start
        s3 = boto3.client("s3")
        self._reader = S3VaultReader(s3, settings.bucket)
        self._storage, self._statements = S3LedgerStorage(s3, settings.bucket), S3Statements(s3, settings.bucket)
        signer = KmsSigner(boto3.client("kms", region_name=settings.key_arn.split(":")[3]), settings.key_arn)
        self._key = LogKey(signer, signer.public_key().key_id)
        self._root: TrustRoot | None = None
        self._sequencer: Sequencer | None = None

    def run(self, operation: str | None, now: datetime) -> dict[str, Any]:
        """Do one run and return what it did. Raises Refusal, BadInput, OutsideFailure."""
        log = self.settings.log
        try:
            if self.settings.duty == WITNESS:
                return self._witness(now)
            if operation == OPEN_EPOCH:
                done = self._sequencing(now).open_epoch(now, clock=_now)
            elif epoch_of(log) > 1 and newest_batch(self._storage, log) is None:
                # Where a failover has not come, its log has nothing to do, and nothing is wrong.
                return {"log": log, "waiting": ["it has not been opened"]}
            else:
                done = self._sequencing(now).sequence(now, renew_after=self.settings.renew_after, clock=_now)
        except LedgerRefused as refused:
            raise Refusal(f"nothing was signed for {log}", reasons=[str(one) for one in refused.faults]) from refused
        except (Incomplete, Contended) as error:
            raise OutsideFailure(f"{log}: {error}", next_step="the next run tries again") from error
        return {
            "log": log,
            "origin": done.checkpoint.origin,
            "number": done.checkpoint.number,
            "size": done.checkpoint.size,
            "root": done.checkpoint.root.hex(),
            "time": timestamp(done.checkpoint.time),
            "appended": len(done.leaves),
            "keys": [one.key for one in done.leaves[:MOST_TOLD]],
            "unfit": [key for key, _ in done.unfit],
        }

    def _witness(self, now: datetime) -> dict[str, Any]:
        seen = Witness(self.settings.log, self._believed(now), self._storage, self._key).witness(now)
        known = seen.witnessed
        return {
            "log": self.settings.log,
            "number": known.checkpoint.number if known else None,
            "size": known.checkpoint.size if known else None,
            "witnessed_at": known.at.isoformat() if known else None,
            "new": seen.is_new,
            "waiting": list(seen.waiting),
        }

    def _sequencing(self, now: datetime) -> Sequencer:
        root = self._believed(now)
        if self._sequencer is None or root != self._root:
            self._sequencer = Sequencer(self.settings.log, root, self._storage, self._statements, self._key)
            self._root = root
        return self._sequencer

    def _believed(self, now: datetime) -> TrustRoot:
        # Read each time, because a key may have been distrusted since.
        return trust_from(self._start, self._reader, now=now).root


_start: Anchor | None = None
_running: Function | None = None


def trust_what_is_built_in(file: Path) -> None:
    """Take the root's fingerprint from a file of the image, once for the process.

    A fingerprint that is none is said by each run, for Lambda to report.
    """
    global _start
    fingerprint = file.read_text(encoding="utf-8").strip()
    _start = Anchor(fingerprint) if is_hex_digest(fingerprint) else None


def handle(event: Mapping[str, Any], _: object) -> dict[str, Any]:
    """Do one run. What is raised is what Lambda reports, and what an alarm on its errors tells."""
    global _running
    if _start is None:
        raise BadInput("the image was built without the fingerprint of a trust root", next_step="see images/ledger")
    settings = Settings.of(os.environ)
    operation = event.get("operation")
    if operation not in (None, OPEN_EPOCH) or (operation and settings.duty != SEQUENCER):
        raise BadInput(f"operation: received {operation!r}; accepted is {OPEN_EPOCH!r}, of a sequencer, or none")
    if _running is None or _running.settings != settings:
        _running = Function(settings, _start)
    done = _running.run(operation, _now())
    print(json.dumps({"did": operation or settings.duty, **done}))
    return done


def _now() -> datetime:
    return datetime.now(UTC)


def _said(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "")
    if not value:
        raise BadInput(f"{name}: received nothing; it must be set")
    return value


def _hours(text: str) -> timedelta:
    try:
        hours = float(text)
    except ValueError:
        hours = 0.0
    if not 0.01 <= hours <= 24 * 365:
        raise BadInput(f"LEDGER_RENEW_HOURS: received {text!r}; accepted is a number of hours from 0.01")
    return timedelta(hours=hours)
