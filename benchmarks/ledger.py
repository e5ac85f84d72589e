"""What the ledger costs: to append to it, beside the writes of the statements themselves, and to check it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from itertools import count, islice
from typing import Final

from rich.table import Table

from interlock.aws.ledger import S3LedgerStorage
from interlock.ledger.head import LogKey
from interlock.ledger.merkle import leaf_hash, root_over
from interlock.ledger.reading import read_log
from interlock.ledger.sequencing import Sequencer
from interlock.ledger.storage import LedgerStorage
from interlock.release.trust.document import KeyDuty
from interlock.release.vault import ObjectVersion
from rehearsal.session import Session
from tests.interlock.ledger.logs import KEYS, LOG, MINUTE, START, History, root
from tests.interlock.ledger.memory import MemoryLedger, made_statement

NAME = "ledger"
QUESTION = "How many statements a second can be appended to the ledger, and how long does checking 10,000 take?"
RUNS: Final = ((1, 20), (10, 10), (100, 4), (1000, 2))
"""How many statements appear between two runs of the sequencer, and how many runs are timed."""
CHECKED: Final = 10_000


class Statements:
    """Statements that appear when asked for, as a listing of the vault would show them."""

    def __init__(self) -> None:
        self.contents: dict[str, bytes] = {}
        self._made = (made_statement(number, "release") for number in count())

    def appear(self, number: int) -> list[tuple[str, bytes]]:
        """Have so many more, and return their keys and bytes."""
        new = [(key, content) for key, content, _ in islice(self._made, number)]
        self.contents.update(new)
        return new

    def lying(self) -> Iterator[ObjectVersion]:
        return (ObjectVersion(key, "1", is_latest=True) for key in self.contents)

    def read_each(self, versions: Sequence[ObjectVersion]) -> Iterator[bytes]:
        return (self.contents[version.key] for version in versions)


def run(session: Session, report: Callable[[str], None]) -> Table:
    """Append to a log in the local cloud's S3 and to one in memory; check 10,000 leaves.

    What appears is known at once: the listing of the vault, a page for a thousand statements, is not counted.
    """
    table = Table(title=QUESTION)
    for column in ("what", "statements at once", "seconds", "a second", "compared with", "ratio"):
        table.add_column(column)
    for at_once, runs in RUNS:
        report(f"append {at_once} at once, {runs} times")
        appended, written = _appending(_bucket(session), at_once, runs)
        _row(table, "append, local S3", at_once, appended, at_once * runs, "writing each statement alone", written)
        alone, _ = _appending(MemoryLedger(), at_once, runs)
        _row(table, "append, in memory", at_once, alone, at_once * runs, "the same in local S3", appended)
    report(f"check {CHECKED} leaves")
    checked, hashed = _checking()
    _row(table, "check a log", CHECKED, checked, CHECKED, "hashing its entries alone", hashed)
    return table


def _appending(storage: LedgerStorage, at_once: int, runs: int) -> tuple[float, float]:
    """Return the seconds of so many runs of a sequencer, and of as many writes as there were statements."""
    signer, statements = KEYS[KeyDuty.LOG], Statements()
    sequencer = Sequencer(LOG, root(), storage, statements, LogKey(signer, signer.public_key.key_id))
    appended = written = 0.0
    for number in range(runs):
        new = statements.appear(at_once)
        begun = time.perf_counter()
        for key, content in new:
            storage.create(key, content)
        between = time.perf_counter()
        sequencer.sequence(START + number * MINUTE)
        written, appended = written + between - begun, appended + time.perf_counter() - between
    return appended, written


def _checking() -> tuple[float, float]:
    history = History([CHECKED])
    copy, believed = history.copy(witnessed=[0]), root()
    begun = time.perf_counter()
    read_log(copy, believed)
    between = time.perf_counter()
    root_over([leaf_hash(entry) for entry in copy.entries])
    return between - begun, time.perf_counter() - between


def _bucket(session: Session) -> S3LedgerStorage:
    s3, name = session.client("s3"), f"ledger-{uuid.uuid4().hex[:12]}"
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name})
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return S3LedgerStorage(s3, name)


def _row(table: Table, what: str, at_once: int, seconds: float, counted: int, beside: str, other: float) -> None:
    rate, ratio = f"{counted / seconds:,.0f}", f"{seconds / other:.2f}"
    table.add_row(what, f"{at_once:,}", f"{seconds:.2f}", rate, beside, ratio)
