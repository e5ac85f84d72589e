"""The file that names what gates measure on: tables, documents, the champion, and evidence that was made elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from interlock.failures import BadInput
from interlock.release.digests import HexDigest, sha256
from interlock.release.gates.gate import Document, Table
from interlock.release.gates.tables import TableForm, UnreadableTable, read_table
from interlock.release.pin_statement import Dataset
from interlock.rules import Problem, shown
from interlock.written_documents import InvalidDocument, read_document

LARGEST_INPUT_BYTES: Final = 2 * 1024**3

PartName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$", max_length=60)]
_Path = Annotated[str, Field(min_length=1, max_length=4096)]


class CheckFile(BaseModel):
    """What `check.yaml` says; paths are relative to it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = 1
    tables: Mapping[PartName, TableForm] = Field(default_factory=dict)
    """By what gates call them: evaluation, training, out_of_fold, serving …"""
    documents: Mapping[PartName, _Path] = Field(default_factory=dict)
    """By what gates call them: contract, osv, model_card …"""
    champion: HexDigest | None = None
    """The release that serves now."""
    evidence: tuple[_Path, ...] = ()
    """Envelopes of evidence that was made elsewhere."""


@dataclass(frozen=True)
class CheckInputs:
    """What the file names, read."""

    tables: Mapping[str, Table] = field(default_factory=dict)
    documents: Mapping[str, Document] = field(default_factory=dict)
    champion: str | None = None
    envelopes: Sequence[tuple[str, bytes]] = ()
    """Evidence that was made elsewhere, with the path that it was read from."""

    @property
    def snapshots(self) -> list[Dataset]:
        """The tables as a pin names them."""
        return [
            Dataset(name=part, context=part, source_type="file", digest=table.sha256)
            for part, table in sorted(self.tables.items())
        ]


def read_inputs(file: Path | None) -> CheckInputs:
    """Return what the file names; nothing without one. Raises BadInput with all that is wrong with it."""
    if file is None:
        return CheckInputs()
    try:
        written = read_document(_bytes_of(file), CheckFile)
    except OSError as error:
        raise BadInput(f"--inputs: received {str(file)!r}, which cannot be read: {_why(error)}") from error
    except InvalidDocument as error:
        raise BadInput(f"--inputs: {file} names no inputs", reasons=[str(one) for one in error.problems]) from error
    return _Reading(file.parent).inputs(written, file)


class _Reading:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._problems: list[Problem] = []

    def inputs(self, written: CheckFile, file: Path) -> CheckInputs:
        tables = {part: self._table(f"tables.{part}", form) for part, form in written.tables.items()}
        documents = {part: self._content(f"documents.{part}", path) for part, path in written.documents.items()}
        envelopes = [(path, self._content(f"evidence.{at}", path)) for at, path in enumerate(written.evidence)]
        if self._problems:
            raise BadInput(f"--inputs: {file} names no inputs", reasons=[str(one) for one in self._problems])
        return CheckInputs(
            {part: one for part, one in tables.items() if one is not None},
            {part: Document(one, sha256(one).hex()) for part, one in documents.items() if one is not None},
            written.champion,
            [(path, one) for path, one in envelopes if one is not None],
        )

    def _table(self, field_path: str, form: TableForm) -> Table | None:
        content = self._content(f"{field_path}.path", form.path)
        if content is None:
            return None
        try:
            return read_table(content, form)
        except UnreadableTable as error:
            self._problems.append(Problem(field_path, shown(form.path), str(error)))
            return None

    def _content(self, field_path: str, path: str) -> bytes | None:
        try:
            return _bytes_of(self._folder / path)
        except (OSError, ValueError) as error:
            accepted = f"a file that can be read, relative to {self._folder}: {_why(error)}"
            self._problems.append(Problem(field_path, shown(path), accepted))
            return None


def _bytes_of(file: Path) -> bytes:
    if not file.is_file():
        # A device or a pipe might never end.
        raise FileNotFoundError(2, "it is no regular file")
    if file.stat().st_size > LARGEST_INPUT_BYTES:
        raise OSError(27, f"it is larger than {LARGEST_INPUT_BYTES} bytes")
    return file.read_bytes()


def _why(error: OSError | ValueError) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
