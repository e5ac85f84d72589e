"""Whether a model is given protected attributes, or decides by them: what its schema, its file and its answers say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from interlock.release.gates.gate import GateInputs, ModelFailed, Predictor
from interlock.release.gates.schema import metadata_of, schema_of

if TYPE_CHECKING:
    import pandas as pd


def protected_inputs(inputs: GateInputs) -> Iterator[str]:
    """Yield why the schema does not show that no protected attribute is an input, a sentence each."""
    schema = schema_of(inputs.folder)
    if schema is None:
        yield "the model has no schema of its columns, so nothing shows that no protected attribute is among them"
        return
    attributes = {name.strip().casefold(): name for name in inputs.protected_attributes}
    for kind, names in (("an input", schema.names), ("a parameter", schema.parameters)):
        for name in names:
            if name.strip().casefold() in attributes:
                yield f"the protected attribute {attributes[name.strip().casefold()]!r} is {kind} of the model"


def copies(rows: pd.DataFrame, attributes: Mapping[str, pd.Series]) -> Iterator[str]:
    """Yield which columns that the model takes tell a protected attribute one to one, under whatever name."""
    for attribute, values in attributes.items():
        for name in rows.columns:
            if _tells(rows[name], values):
                yield f"the model's input {name!r} is a copy of the protected attribute {attribute!r}"


def _tells(column: pd.Series, attribute: pd.Series) -> bool:
    codes, kinds = _codes(attribute)
    others, other_kinds = _codes(column)
    if kinds < 2 or kinds != other_kinds or len(np.unique(others * kinds + codes)) != kinds:
        return False
    # Where hardly a value comes twice, any two columns go together one to one; then their order decides.
    return kinds <= len(codes) // 2 or _same_order(column, attribute)


def _same_order(column: pd.Series, attribute: pd.Series) -> bool:
    if column.dtype.kind not in "iuf" or attribute.dtype.kind not in "iuf":
        return False
    first, second = (one.rank().to_numpy() for one in (column, attribute))
    return np.array_equal(first, second, equal_nan=True) or np.array_equal(
        first, np.nanmax(second) + np.nanmin(second) - second, equal_nan=True
    )


def _codes(values: pd.Series) -> tuple[npt.NDArray[np.int64], int]:
    import pandas as pd

    codes, kinds = pd.factorize(values, use_na_sentinel=False)
    return np.asarray(codes, dtype=np.int64), len(kinds)


def group_thresholds(metadata: Any, path: str = "metadata") -> Iterator[str]:
    """Yield where the model's own file sets more than one threshold."""
    if not isinstance(metadata, Mapping):
        return
    for name, value in metadata.items():
        here = f"{path}.{name}"
        several = isinstance(value, Mapping) or (isinstance(value, list) and len(value) > 1)
        if "threshold" in str(name).casefold() and several:
            yield f"MLmodel's {here} sets several thresholds; accepted is one for everybody"
        else:
            yield from group_thresholds(value, here)


def thresholds_in(inputs: GateInputs) -> list[str]:
    """Return where the model's file MLmodel sets more than one threshold."""
    return list(group_thresholds(metadata_of(inputs.folder)))


def used_when_offered(
    model: Predictor, rows: pd.DataFrame, attributes: Sequence[pd.Series], answered: npt.NDArray[Any]
) -> list[str]:
    """Return why predictions changed when the protected attributes were offered beside the model's own columns.

    Empty where they did not; a model that refuses the columns does not use them.
    """
    offered = rows.copy()
    for values in attributes:
        offered[values.name] = values
    try:
        again = model.predict(offered)
    except ModelFailed:
        return []
    if _same(again, answered):
        return []
    if not _same(model.predict(rows), answered):
        return ["the model answers the same rows differently each time, so nothing shows what it goes by"]
    return ["the model's predictions change when it is offered the protected attributes"]


def _same(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> bool:
    return one.shape == other.shape and bool(np.array_equal(one, other))
