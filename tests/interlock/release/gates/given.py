"""What gates are given in tests: a folder, tables, and models that are functions."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from interlock.release.evidence import Evidence, Measure
from interlock.release.gates.gate import Document, Gate, GateInputs, ModelFailed, Table
from interlock.release.gates.running import Terms, run_gate
from interlock.release.manifest import Manifest, ManifestFile
from interlock.release.tiers import Demand

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
POLICY = "ab" * 32


class FunctionModel:
    """A model that is a function from rows to predictions."""

    def __init__(self, function: Callable[[pd.DataFrame], Any]) -> None:
        self._function = function
        self.calls = 0

    def predict(self, rows: pd.DataFrame) -> npt.NDArray[Any]:
        self.calls += 1
        return np.asarray(self._function(rows))


class BrokenModel:
    """A model that gives no predictions."""

    def predict(self, rows: pd.DataFrame) -> npt.NDArray[Any]:
        raise ModelFailed("it took longer than 60 s")


def table(frame: pd.DataFrame, **named: Any) -> Table:
    """Return `frame` as a gate gets it."""
    return Table(frame, hashlib.sha256(frame.to_csv().encode()).hexdigest(), **named)


def document(text: str) -> Document:
    """Return a document of that text."""
    content = text.encode()
    return Document(content, hashlib.sha256(content).hexdigest())


def inputs(folder: Path = Path("/nowhere"), **given: Any) -> GateInputs:
    """Return the inputs of a release of one file."""
    manifest = Manifest(files=(ManifestFile(path="MLmodel", size=1, sha256="cd" * 32),))
    return GateInputs(manifest=manifest, folder=folder, now=NOW, **given)


def terms(limits: Mapping[str, Any] | None = None, **parameters: Any) -> Terms:
    """Return terms with these limits and parameters, as the policy's file would say them."""
    demand = Demand.model_validate({"limits": limits or {}, "parameters": parameters})
    return Terms(POLICY, "high", demand)


def evidence(gate: Gate, given: GateInputs, limits: Mapping[str, Any] | None = None, **parameters: Any) -> Evidence:
    """Return what the gate says of these inputs."""
    return run_gate(gate, given, terms(limits, **parameters), lambda: NOW)


def found(said: Evidence, name: str, value: str | None = None) -> Measure:
    """Return the one measure of that name, of that slice."""
    (one,) = [m for m in said.measures if m.name == name and (m.of.value if m.of else None) == value]
    return one
