"""What a reader of the ledger keeps of it, so that nobody can show an older or another one later."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from interlock.failures import BadInput
from interlock.ledger.believing import Believer
from interlock.ledger.checkpoint import Checkpoint
from interlock.ledger.faults import LedgerRefused
from interlock.ledger.layout import log_of
from interlock.ledger.view import LedgerView
from interlock.release.trust.document import TrustRoot

_SUFFIX = ".checkpoint"


class Memory:
    """A folder with the newest checkpoint of each log that its owner believed; None remembers nothing."""

    def __init__(self, folder: Path | None, root: TrustRoot) -> None:
        """Read what the folder holds. Raises BadInput for a checkpoint that cannot be read or believed."""
        self._folder = folder
        self.checkpoints: dict[str, Checkpoint] = {}
        if folder is None:
            return
        try:
            folder.mkdir(parents=True, exist_ok=True)
            contents = {file: file.read_bytes() for file in sorted(folder.glob(f"*{_SUFFIX}"))}
        except OSError as error:
            raise BadInput(f"--memory: received {str(folder)!r}, which cannot be used: {error.strerror}") from error
        believer = Believer(root)
        for file, content in contents.items():
            try:
                checkpoint = believer.log_signature(content).checkpoint
            except LedgerRefused as error:
                raise BadInput(
                    f"--memory: {file} holds no checkpoint that the trust root lets one believe", reasons=[str(error)]
                ) from error
            self.checkpoints[checkpoint.origin] = checkpoint

    def keep(self, views: Iterable[LedgerView]) -> None:
        """Remember what was believed now. Raises BadInput if it cannot be written."""
        if self._folder is None:
            return
        for view in views:
            file = self._folder / f"{log_of(view.origin)}{_SUFFIX}"
            beside = file.with_suffix(".new")
            try:
                beside.write_bytes(view.note)
                beside.replace(file)
            except OSError as error:
                raise BadInput(f"--memory: {file} cannot be written: {error.strerror}") from error
