"""Fetches what a reader needs of a log, and reads it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence

from interlock.ledger.believing import Believer
from interlock.ledger.checkpoint import Checkpoint, InvalidCheckpoint, parse_checkpoint
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


def open_ledger(vault: VaultReader, root: TrustRoot, origin: str, *, about: str | None = None) -> LedgerView:
    """Return the log `origin` of a vault as it is to be believed under `root`; `about` is as it is to `fetch`.

    Raises LedgerRefused.
    """
    copy = fetch(ReaderStorage(vault, log_of(origin)), root, log_of(origin), history=False, about=about)
    return read_log(copy, root)


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


def fetch(storage: LogReader, root: TrustRoot, log: str, *, history: bool = False, about: str | None = None) -> LogCopy:
    """Return what lies of a log: the entries as far as its newest checkpoint says, that checkpoint, and the witness's.

    With the digest of a release in `about`, also the witness's last checkpoint without each of the release's leaves:
    what a statement says of its own time is held against that.

    Raises LedgerRefused if that checkpoint is not to be believed, or an entry is missing.
    """
    checkpoints = _notes(storage, checkpoints_prefix(log), history=history)
    witnessed = _notes(storage, witnessed_prefix(log), history=history)
    believer = Believer(root)
    signed = [believer.log_signature(content) for content in checkpoints]
    signed += [believer.witnessed(content)[0] for content in witnessed]
    size = max((one.checkpoint.size for one in signed), default=0)
    try:
        entries = read_entries(storage, log, size)
    except Incomplete as error:
        raise LedgerRefused([LedgerFault(FaultKind.TRUNCATED, str(error), log)]) from error
    except InvalidTile as error:
        raise LedgerRefused([LedgerFault(FaultKind.MALFORMED, str(error), log)]) from error
    if about is not None and not history:
        # A leaf that names the digest elsewhere than as its subject only costs a checkpoint more.
        places = [index for index, entry in enumerate(entries) if about.encode() in entry]
        witnessed += [one for one in _last_without(storage, witnessed_prefix(log), places) if one not in witnessed]
    return LogCopy(entries, checkpoints, witnessed)


def _last_without(storage: LogReader, prefix: str, places: Sequence[int]) -> list[bytes]:
    """Return, for each of `places`, the newest checkpoint under `prefix` with no more entries than that.

    Their sizes grow with their numbers in a log that is to be believed, which reading it finds out.
    """
    numbers = list(all_numbers(storage, prefix)) if places else []
    contents: dict[int, bytes] = {}

    def size(number: int) -> int:
        contents[number] = contents.get(number) or storage.read(numbered(prefix, number)) or b""
        return parse_checkpoint(contents[number]).checkpoint.size

    try:
        found = {bisect_right(numbers, place, key=size) - 1 for place in places}
    except InvalidCheckpoint as error:
        raise LedgerRefused([LedgerFault(FaultKind.MALFORMED, f"no checkpoint: {error}", prefix)]) from error
    return [contents[numbers[index]] for index in sorted(found) if index >= 0]


def _notes(storage: LogReader, prefix: str, *, history: bool) -> list[bytes]:
    if history:
        keys = [numbered(prefix, number) for number in all_numbers(storage, prefix)]
    else:
        number = newest_number(storage, prefix)
        keys = [] if number is None else [numbered(prefix, number)]
    return [content for content in storage.read_all(keys) if content is not None]
