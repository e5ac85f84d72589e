"""Fetches what a reader needs of a log, and reads it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from interlock.ledger.believing import Believer
from interlock.ledger.checkpoint import Checkpoint
from interlock.ledger.faults import FaultKind, LedgerFault, LedgerRefused
from interlock.ledger.layout import checkpoints_prefix, log_of, log_prefix, numbered, witnessed_prefix
from interlock.ledger.reading import read_log
from interlock.ledger.storage import Incomplete, LogReader, all_numbers, newest_number, read_entries
from interlock.ledger.tiles import InvalidTile
from interlock.ledger.view import LedgerView, LogCopy
from interlock.release.trust.document import TrustRoot
from interlock.release.vault import VaultReader


class ReaderStorage:
    """The objects of one log, read through a vault's reader; a key that was overwritten or hidden is refused."""

    def __init__(self, vault: VaultReader, log: str) -> None:
        """List what lies there. Raises LedgerRefused for a key with a second version or a delete marker."""
        self._vault = vault
        self._versions: dict[str, str] = {}
        faults = []
        for prefix in (log_prefix(log), witnessed_prefix(log)):
            for version in vault.versions(prefix):
                if version.is_delete_marker or version.key in self._versions:
                    what = "is hidden by a delete marker" if version.is_delete_marker else "was overwritten"
                    faults.append(LedgerFault(FaultKind.MALFORMED, f"it {what}", version.key))
                self._versions.setdefault(version.key, version.version_id)
        if faults:
            raise LedgerRefused(faults)

    def read(self, key: str) -> bytes | None:
        """Return what lies under `key`, or None."""
        version_id = self._versions.get(key)
        return None if version_id is None else self._vault.read(key, version_id)

    def read_all(self, keys: Sequence[str]) -> Iterator[bytes | None]:
        """Yield what lies under each of `keys`, in their order."""
        return (self.read(key) for key in keys)

    def names(self, prefix: str) -> list[str]:
        """Return the names right under `prefix`, sorted; a folder's ends with a slash."""
        rests = (key.removeprefix(prefix) for key in self._versions if key.startswith(prefix))
        return sorted({first + slash for first, slash, _ in (rest.partition("/") for rest in rests)})


def open_ledger(vault: VaultReader, root: TrustRoot, origin: str) -> LedgerView:
    """Return the log `origin` of a vault as it is to be believed under `root`. Raises LedgerRefused."""
    return open_log(ReaderStorage(vault, log_of(origin)), root, log_of(origin))


def open_log(
    storage: LogReader,
    root: TrustRoot,
    log: str,
    *,
    remembered: Checkpoint | None = None,
    history: bool = False,
) -> LedgerView:
    """Fetch and read a log; with `history` every checkpoint that it ever had, which tells backdating best.

    Raises LedgerRefused.
    """
    return read_log(fetch(storage, root, log, history=history), root, remembered=remembered)


def fetch(storage: LogReader, root: TrustRoot, log: str, *, history: bool = False) -> LogCopy:
    """Return what lies of a log: the entries as far as its newest checkpoint says, that checkpoint, and the witness's.

    Raises LedgerRefused if that checkpoint is not to be believed, or an entry is missing.
    """
    checkpoints = _notes(storage, checkpoints_prefix(log), history=history)
    witnessed = _notes(storage, witnessed_prefix(log), history=history)
    believer = Believer(root)
    signed = [believer.log_signature(content) for content in checkpoints]
    signed += [believer.witnessed(content)[0] for content in witnessed]
    size = max((one.checkpoint.size for one in signed), default=0)
    try:
        return LogCopy(read_entries(storage, log, size), checkpoints, witnessed)
    except Incomplete as error:
        raise LedgerRefused([LedgerFault(FaultKind.TRUNCATED, str(error), log)]) from error
    except InvalidTile as error:
        raise LedgerRefused([LedgerFault(FaultKind.MALFORMED, str(error), log)]) from error


def _notes(storage: LogReader, prefix: str, *, history: bool) -> list[bytes]:
    if history:
        keys = [numbered(prefix, number) for number in all_numbers(storage, prefix)]
    else:
        number = newest_number(storage, prefix)
        keys = [] if number is None else [numbered(prefix, number)]
    return [content for content in storage.read_all(keys) if content is not None]
