"""Exports the audit bundle of a release from a vault."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, Protocol

from interlock.failures import Refusal
from interlock.ledger.checkpoint import InvalidCheckpoint, parse_checkpoint
from interlock.ledger.layout import log_of
from interlock.ledger.leaf import InvalidLeaf
from interlock.ledger.tiles import InvalidTile
from interlock.passports import open_passport
from interlock.release.audit.bundle import BundleFile, bundle_files, write_zip
from interlock.release.audit.contents import IndexedObject, LogPart, MissingEntries, indexed, log_part
from interlock.release.passport.page import page
from interlock.release.vault import VaultReader
from interlock.release.verification.trust import Trust

_CHUNK: Final = 2**20


class FileSource(VaultReader, Protocol):
    """A vault that large files can be read from without holding them in memory."""

    def download(self, key: str, version_id: str, file: Path) -> None: ...


@dataclass(frozen=True)
class Bundle:
    """A bundle that is ready to be written."""

    files: tuple[BundleFile, ...]

    @property
    def size(self) -> int:
        """The size of all files together, in bytes."""
        return sum(file.size for file in self.files)

    def write(self, target: IO[bytes]) -> None:
        """Write the archive. Raises what the vault raises."""
        write_zip(self.files, target)


def open_bundle(
    vault: FileSource,
    trust: Trust,
    digest: str,
    environment: str,
    *,
    with_files: bool,
    tell: Callable[[str], None] = lambda _: None,
) -> Bundle:
    """Return the bundle of the release `digest`; its passport is as of the newest checkpoint.

    Raises Refusal where there is nothing to export or a log cannot be read, and what `vault` raises.
    """
    tell("read the record")
    objects = list(indexed(vault, digest))
    if not any(one.key.startswith(f"releases/{digest}/") for one in objects):
        raise Refusal(f"the vault holds no release {digest}")
    logs = [part for part in (_log(vault, log_of(origin), digest, tell) for origin in trust.root.log_origins) if part]
    shown = None
    if logs:
        end = max(parse_checkpoint(log.objects[log.newest]).checkpoint.time for log in logs)
        tell("draw the passport")
        shown = page(open_passport(vault, trust, digest, environment, now=end))
    files = (lambda one: _chunks(vault, one)) if with_files else None
    return Bundle(tuple(bundle_files(digest, objects, logs, passport=shown, files=files)))


def _log(vault: VaultReader, log: str, digest: str, tell: Callable[[str], None]) -> LogPart | None:
    tell(f"read the log {log}")
    try:
        return log_part(vault, log, digest)
    except (InvalidCheckpoint, InvalidLeaf, InvalidTile, MissingEntries) as error:
        raise Refusal(
            f"the log {log} cannot be exported as it lies in the vault",
            reasons=[str(error)],
            next_step="interlock ledger verify   says what is wrong with it",
        ) from error


def _chunks(vault: FileSource, one: IndexedObject) -> Iterator[bytes]:
    with tempfile.TemporaryDirectory(prefix="interlock-audit-") as scratch:
        copy = Path(scratch) / "file"
        vault.download(one.key, one.version_id, copy)
        with copy.open("rb") as opened:
            while chunk := opened.read(_CHUNK):
                yield chunk
