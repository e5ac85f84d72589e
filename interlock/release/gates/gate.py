"""What a gate is: what it is given, what it answers, and what it may not do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from pydantic import BaseModel, ConfigDict

from interlock.release.evidence import ColumnName, Columns, Measure
from interlock.release.manifest import Manifest

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd


OUR_VERSION: Final = "interlock 0.1.0"
"""Of the gates in this package."""


class ModelFailed(Exception):
    """The model gave no predictions: it crashed, took too long, or answered something else."""


class NotMeasurable(Exception):
    """The gate cannot decide, and the message says why; such a gate has failed."""


class UnfitInputs(NotMeasurable):
    """What was given beside the release is missing, or not what can be measured on: that tells nothing of the release.

    Such a gate has not passed either, but nothing is signed against the release.
    """


class Predictor(Protocol):
    """A model, out of reach."""

    def predict(self, rows: pd.DataFrame) -> npt.NDArray[Any]:
        """Return one prediction a row, shaped (rows,) or (rows, outputs). Raises ModelFailed."""
        ...


class GateParameters(BaseModel):
    """A gate's own settings in the policy; a gate without any takes this as it is."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class LabelledParameters(GateParameters):
    """Settings of a gate that holds answers against labels."""

    target: ColumnName | None = None
    """The column that must be the target; without it, whoever gives the table says which one is."""
    weighted: bool = True
    """Whether rows may count by a column of weights."""


@dataclass(frozen=True)
class Table:
    """Rows that a gate measures on. What is not an input of the model is named by column."""

    frame: pd.DataFrame
    sha256: str
    """Of the file that the rows were read from, in hexadecimal digits."""
    target: str | None = None
    """What should be predicted."""
    prediction: str | None = None
    """Predictions that were made elsewhere, such as out of fold in training."""
    decision: str | None = None
    """What was decided from those predictions: 0 or 1."""
    weight: str | None = None
    """How often a row counts."""
    protected: tuple[str, ...] = ()
    """Attributes of people that are in the table to be measured over, and never given to a model."""
    identifier: str | None = None
    """The name of a row, the same wherever the same row is."""

    @property
    def columns(self) -> Columns:
        """What each column was taken for, as evidence says it."""
        return Columns(
            target=self.target,
            prediction=self.prediction,
            decision=self.decision,
            weight=self.weight,
            identifier=self.identifier,
            protected=self.protected,
        )

    @property
    def aside(self) -> frozenset[str]:
        """The columns that are not for the model."""
        return frozenset({*self.protected, *self.columns.roles.values()})


@dataclass(frozen=True)
class Document:
    """A file that a gate reads."""

    content: bytes
    sha256: str
    in_release: bool = False
    """Whether it is a file of the release itself, and not one that was given beside it."""

    def unfit(self, why: str) -> NotMeasurable:
        """Return the error of a document that cannot be measured by: the release's own fault only if it is its own."""
        return NotMeasurable(why) if self.in_release else UnfitInputs(why)


@dataclass(frozen=True)
class Origin:
    """Where a release comes from, as its pin says."""

    sources: tuple[str, ...] = ()
    snapshots: Mapping[str, str] = field(default_factory=dict)
    """The digest of each snapshot of data that it was trained on, by the snapshot's name."""


@dataclass(frozen=True)
class Served:
    """What one request to a server came to."""

    seconds: float
    """From the first byte sent to the last one received."""
    predictions: npt.NDArray[Any] | None
    """One a row; None for a request that was not answered with predictions."""


class Server(Protocol):
    """The model in the process that will serve it in production, out of reach."""

    def answer(self, requests: Sequence[pd.DataFrame]) -> Sequence[Served]:
        """Send one request after the other and return what each came to. Raises ModelFailed if it does not start."""
        ...


@dataclass(frozen=True)
class GateInputs:
    """All that a gate can learn. What it did not declare in `needs` is not in here."""

    manifest: Manifest
    folder: Path
    """The release's files as the manifest lists them, already compared with it."""
    now: datetime
    predictor: Predictor | None = None
    champion: Predictor | None = None
    champion_digest: str | None = None
    server: Server | None = None
    tables: Mapping[str, Table] = field(default_factory=dict)
    documents: Mapping[str, Document] = field(default_factory=dict)
    protected_attributes: tuple[str, ...] = ()
    approved_sources: tuple[str, ...] = ()
    """URIs, or prefixes of URIs that end in `/`: the tier's list."""
    origin: Origin | None = None
    parameters: GateParameters = field(default_factory=GateParameters)
    seed: int = 0
    """Comes from the inputs' digest, so that nobody picks it."""

    def table(self, part: str) -> Table:
        """Return a table. Raises UnfitInputs if it was not given."""
        if part not in self.tables:
            raise UnfitInputs(f"no table {part!r} was given to measure on")
        return self.tables[part]

    def labelled_table(self, part: str, parameters: LabelledParameters) -> Table:
        """Return a table whose columns are taken for what the policy says. Raises UnfitInputs for another one."""
        table = self.table(part)
        if parameters.target is not None and table.target != parameters.target:
            named = "none" if table.target is None else repr(table.target)
            raise UnfitInputs(
                f"tables.{part}.target: received {named}; accepted is {parameters.target!r}, as the policy says"
            )
        if table.weight is not None and not parameters.weighted:
            raise UnfitInputs(
                f"tables.{part}.weight: received {table.weight!r}; accepted is none, for the policy counts rows alike"
            )
        return table

    def document(self, part: str) -> Document:
        """Return a document. Raises UnfitInputs if it was not given."""
        if part not in self.documents:
            raise UnfitInputs(f"no document {part!r} was given")
        return self.documents[part]

    def model(self) -> Predictor:
        """Return the model. Raises UnfitInputs if it was not given."""
        if self.predictor is None:
            raise UnfitInputs("the model was not given, so nothing can be predicted")
        return self.predictor


@dataclass(frozen=True)
class Needs:
    """What a gate's answer depends on, besides the release itself and the policy."""

    tables: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    """Tables and documents that it reads where they are given."""
    predictor: bool = False
    champion: bool = False
    server: bool = False
    origin: bool = False


@dataclass(frozen=True)
class Measured:
    """What a gate found. It does not say whether it passed: limits and reasons decide that."""

    measures: Sequence[Measure] = ()
    reasons: Sequence[str] = ()
    """Why the release fails whatever the limits are, a sentence each."""
    unchecked: Sequence[str] = ()
    """What was not looked at, a sentence each."""
    details: Mapping[str, Any] = field(default_factory=dict)
    """What a page can be drawn from; numbers as decimal text, some 200 points at most."""
    unfit: Sequence[str] = ()
    """What of the tables and documents that were given beside the release keeps it from passing, a sentence each.

    As long as there is any, the gate has failed, and nothing is signed: the release itself may be without fault.
    """
    of_inputs: frozenset[str] = frozenset()
    """The names of measures that tell of what was given, such as its rows: beyond a limit they make it unfit.

    Of one slice alone it is `told(measure)`.
    """


class Gate(Protocol):
    """Measures one thing. It has no clock and no randomness but `now` and `seed`, and writes nothing."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str:
        """The distribution and version that its code came from, such as `interlock 0.1.0`."""
        ...

    @property
    def Parameters(self) -> type[GateParameters]:
        """The model of its settings in the policy."""
        ...

    def needs(self, parameters: Any) -> Needs:
        """Return what it has to be given under these parameters, an instance of its `Parameters`."""
        ...

    def measure(self, inputs: GateInputs) -> Measured:
        """Measure. May raise anything; a gate that does has failed, and but for UnfitInputs it is signed so."""
        ...
