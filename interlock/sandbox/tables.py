"""Tables on their way to a model: the columns of a DataFrame as blobs, with their types and their missing values."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

# Imported in the functions: the launcher reads this module before it is confined, and needs nothing of them.

_PLAIN_KINDS = "biuf"
_NULLABLE = frozenset(
    {"boolean", "Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64", "Float32", "Float64"}
)


class UnfitTable(ValueError):
    """A column of a type that no model is given; the text names it."""


def packed(frame: pd.DataFrame) -> tuple[dict[str, Any], list[bytes]]:
    """Return what describes the table, and its columns' bytes. Raises UnfitTable."""
    if not all(isinstance(name, str) for name in frame.columns) or not frame.columns.is_unique:
        raise UnfitTable("the columns of a table have names, each its own")
    columns, blobs = [], []
    for name in frame.columns:
        description, content = _packed_column(str(name), frame[name])
        columns.append({"name": name, "blobs": len(content), **description})
        blobs += content
    return {"rows": len(frame), "columns": columns}, blobs


def unpacked(table: dict[str, Any], blobs: list[bytes]) -> pd.DataFrame:
    """Return the table that `packed` took apart."""
    import pandas as pd

    rest = iter(blobs)
    # Not a mapping of arrays alone, which loses the number of rows where there are no columns.
    index = pd.RangeIndex(table["rows"])
    series = {
        column["name"]: pd.Series(_unpacked_column(column, [next(rest) for _ in range(column["blobs"])]), index=index)
        for column in table["columns"]
    }
    return pd.DataFrame(series, index=index)


def _packed_column(name: str, column: pd.Series[Any]) -> tuple[dict[str, Any], list[bytes]]:
    dtype = column.dtype
    text = str(dtype)
    if text in _NULLABLE:
        missing = column.isna().to_numpy()
        values = column.array._data
        return {"kind": "nullable", "dtype": text, "numbers": values.dtype.str}, [values.tobytes(), missing.tobytes()]
    if dtype.kind in _PLAIN_KINDS and not hasattr(dtype, "categories"):
        values = column.to_numpy()
        return {"kind": "plain", "dtype": values.dtype.newbyteorder("<").str}, [
            values.astype(values.dtype.newbyteorder("<")).tobytes()
        ]
    if text == "category":
        kinds = column.cat.categories.to_series().reset_index(drop=True)
        inner, content = _packed_column(name, kinds)
        head = {"kind": "category", "ordered": bool(column.cat.ordered), "of": inner, "size": len(kinds)}
        return head, [column.cat.codes.to_numpy().astype("<i4").tobytes(), *content]
    if dtype.kind == "M":
        # Nanoseconds, microseconds …, and the zone, stand in the type's own name.
        return {"kind": "time", "dtype": text}, [column.astype("int64").to_numpy().astype("<i8").tobytes()]
    if text in ("object", "str", "string"):
        values_list = [None if _is_missing(one) else one for one in column]
        strange = next((one for one in values_list if not isinstance(one, str | int | float | None)), None)
        if strange is not None:
            raise UnfitTable(f"column {name!r} holds {type(strange).__name__}; accepted are text, numbers and nothing")
        if any(one in (float("inf"), float("-inf")) for one in values_list):
            raise UnfitTable(f"column {name!r} holds infinity beside what is no number")
        return {"kind": "text", "dtype": text}, [json.dumps(values_list, allow_nan=False).encode()]
    raise UnfitTable(f"column {name!r} is of type {text}; accepted are numbers, booleans, text, times and categories")


def _is_missing(value: object) -> bool:
    import pandas as pd

    return value is None or value is pd.NA or (isinstance(value, float) and value != value)


def _unpacked_column(column: dict[str, Any], blobs: list[bytes]) -> Any:
    import numpy as np
    import pandas as pd

    kind = column["kind"]
    if kind == "plain":
        return np.frombuffer(blobs[0], dtype=column["dtype"]).copy()
    if kind == "nullable":
        values = np.frombuffer(blobs[0], dtype=column["numbers"]).copy()
        made = pd.array(values, dtype=column["dtype"])
        made[np.frombuffer(blobs[1], dtype="?")] = pd.NA
        return made
    if kind == "category":
        categories = _unpacked_column(column["of"], blobs[1:])
        codes = np.frombuffer(blobs[0], dtype="<i4")
        return pd.Categorical.from_codes(codes, categories=categories, ordered=column["ordered"])
    if kind == "time":
        numbers = np.frombuffer(blobs[0], dtype="<i8")
        unit, _, zone = column["dtype"].removeprefix("datetime64[").removesuffix("]").partition(", ")
        naive = pd.Series(numbers.view(f"datetime64[{unit}]"))
        return (naive.dt.tz_localize("UTC").dt.tz_convert(zone) if zone else naive).array
    # As a Series: from an array of objects that are all text, pandas would make its type for text.
    return pd.Series(json.loads(blobs[0]), dtype=column["dtype"])
