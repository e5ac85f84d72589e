"""A vault in memory that the ledger lies in, shared by threads, and that can be killed at any write."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from functools import cache

from interlock.ledger.head import LogKey
from interlock.ledger.sequencing import Sequencer
from interlock.ledger.statements import statements_in
from interlock.ledger.witnessing import Witness
from interlock.release.digests import canonical_json, sha256
from interlock.release.envelope import seal
from interlock.release.predicates import Predicate
from interlock.release.statement import statement_about
from interlock.release.trust.document import KeyDuty, TrustRoot
from interlock.release.vault import ObjectVersion, statement_key
from tests.interlock.ledger.logs import KEYS, LOG, digest
from tests.interlock.ledger.logs import root as trust_root
from tests.interlock.release.memory import MemoryVault


@cache
def made_statement(number: int, subject: str) -> tuple[str, bytes, str]:
    """Return an envelope's key, what it holds, and its payload's digest."""
    release = digest(subject)
    statement = statement_about(release, Predicate.EVIDENCE, {"number": number})
    payload = sha256(statement.content).hex()
    return statement_key(release, payload), seal(statement, KEYS[KeyDuty.BUILDER]).content, payload


class Killed(BaseException):
    """What kills a process: nothing of ours catches it."""


class MemoryLedger:
    """The storage of a ledger and the statements beside it, over one vault."""

    def __init__(self, vault: MemoryVault | None = None) -> None:
        self.vault = vault or MemoryVault()
        self._lock = threading.RLock()
        self.writes = 0
        self.reads: list[str] = []
        self.dies_at: Callable[[int, bool], bool] = lambda number, written: False
        """Asked before and after each write, by its number from 0."""

    def read(self, key: str) -> bytes | None:
        with self._lock:
            self.reads.append(key)
            versions = self.vault.objects.get(key)
            return versions[-1][1] if versions else None

    def read_all(self, keys: Sequence[str]) -> Iterator[bytes | None]:
        return (self.read(key) for key in keys)

    def create(self, key: str, content: bytes) -> bytes:
        with self._lock:
            number = self.writes
            self.writes += 1
            if self.dies_at(number, False):
                raise Killed
            if key not in self.vault.objects:
                self.vault.put(key, content, sha256(content).hex())
            if self.dies_at(number, True):
                raise Killed
            return self.vault.objects[key][-1][1]

    def names(self, prefix: str) -> list[str]:
        with self._lock:
            rests = [key.removeprefix(prefix) for key in self.vault.objects if key.startswith(prefix)]
        return sorted({first + slash for first, slash, _ in (rest.partition("/") for rest in rests)})

    def lying(self) -> Iterator[ObjectVersion]:
        with self._lock:
            return iter(list(statements_in(self.vault, self)))

    def read_each(self, versions: Sequence[ObjectVersion]) -> Iterator[bytes]:
        with self._lock:
            self.reads += [version.key for version in versions]
            return iter([self.vault.read(version.key, version.version_id) for version in versions])

    def add_statement(self, number: int, subject: str = "release") -> str:
        """Put one envelope into the vault; return its payload's digest."""
        key, content, payload = made_statement(number, subject)
        with self._lock:
            self.vault.put(key, content, sha256(content).hex())
        return payload

    def add(self, key: str, document: object) -> None:
        content = canonical_json(document)
        self.vault.put(key, content, sha256(content).hex())

    def sequencer(self, *, log: str = LOG, root: TrustRoot | None = None) -> Sequencer:
        key = KEYS[KeyDuty.LOG]
        return Sequencer(log, root or trust_root(), self, self, LogKey(key, key.public_key.key_id))

    def witness(self, *, log: str = LOG, root: TrustRoot | None = None) -> Witness:
        key = KEYS[KeyDuty.WITNESS]
        return Witness(log, root or trust_root(), self, LogKey(key, key.public_key.key_id))
