"""What is wrong with a file of a release."""

from __future__ import annotations

from dataclasses import dataclass

from interlock.release.gates.text import plain


@dataclass(frozen=True)
class FileProblem:
    """One reason why a file is not safe; `path` is the manifest's, with `!` before an entry of an archive."""

    path: str
    what: str

    def __str__(self) -> str:
        return f"{plain(self.path, 200)} {plain(self.what, 300)}"
