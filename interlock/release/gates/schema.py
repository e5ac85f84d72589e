"""What a model says it takes: the signature in its `MLmodel` file.

Format: https://mlflow.org/docs/latest/ml/model/signatures
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from interlock.release.gates.gate import NotMeasurable
from interlock.written_documents import read_yaml


@dataclass(frozen=True)
class Column:
    """An input of the model; `kind` is MLflow's name of its type, such as double, long, string."""

    name: str
    kind: str
    required: bool


@dataclass(frozen=True)
class ModelSchema:
    """The model's inputs by column, and the parameters that it takes beside them."""

    inputs: tuple[Column, ...]
    parameters: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(one.name for one in self.inputs)


def schema_of(folder: Path) -> ModelSchema | None:
    """Return the schema of the model in `folder`, or None if it has none by column.

    Raises NotMeasurable for an MLmodel file that cannot be read.
    """
    try:
        signature = _document(folder).get("signature") or {}
        inputs = _listed(signature.get("inputs"))
        parameters = _listed(signature.get("params"))
        if not inputs or any("name" not in one for one in inputs):
            return None
        columns = tuple(
            Column(str(one["name"]), str(one.get("type", "")), bool(one.get("required", True))) for one in inputs
        )
        return ModelSchema(columns, tuple(str(one["name"]) for one in parameters))
    # Bytes of the model's author: whatever else they are, they are no schema.
    except (ValueError, AttributeError, TypeError, KeyError, RecursionError) as error:
        raise NotMeasurable(f"the model's file MLmodel holds no readable signature: {error}") from error


def metadata_of(folder: Path) -> Any:
    """Return what the model's author wrote under `metadata`, or None. Raises NotMeasurable for an unreadable file."""
    try:
        return _document(folder).get("metadata")
    except (ValueError, AttributeError, RecursionError) as error:
        raise NotMeasurable(f"the model's file MLmodel cannot be read: {error}") from error


def _document(folder: Path) -> dict[str, Any]:
    path = folder / "MLmodel"
    # Read as strictly as what people write: aliases would let a few lines unfold to gigabytes.
    return read_yaml(path.read_bytes()) if path.is_file() else {}


def _listed(text: Any) -> list[dict[str, Any]]:
    found = json.loads(text) if isinstance(text, str) else text or []
    if not isinstance(found, list) or any(not isinstance(one, dict) for one in found):
        raise ValueError("the signature is no list of columns")
    return found
