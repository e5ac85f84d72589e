"""Reading a table that gates measure on."""

from __future__ import annotations

import io
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from interlock.release.digests import sha256
from interlock.release.gates.gate import Table

ColumnName = Annotated[str, Field(min_length=1, max_length=200)]


class UnreadableTable(ValueError):
    """A file that is no table, or not the one that was described; the message says why."""


class TableForm(BaseModel):
    """What the columns of a table are, where they are no inputs of the model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Annotated[str, Field(min_length=1)]
    """A file that ends in .csv (UTF-8, a line of names first) or .parquet."""
    target: ColumnName | None = None
    prediction: ColumnName | None = None
    decision: ColumnName | None = None
    weight: ColumnName | None = None
    identifier: ColumnName | None = None
    protected: tuple[ColumnName, ...] = ()


def read_table(content: bytes, form: TableForm) -> Table:
    """Return the table in the bytes of the file `form.path`. Raises UnreadableTable."""
    frame = _frame(content, form.path)
    if not frame.columns.is_unique:
        raise UnreadableTable(f"{form.path}: two columns have the same name")
    named = {"target": form.target, "prediction": form.prediction, "decision": form.decision, "weight": form.weight}
    named |= {"identifier": form.identifier} | {f"protected.{place}": one for place, one in enumerate(form.protected)}
    columns = ", ".join(map(str, frame.columns[:40]))
    for field, name in named.items():
        if name is not None and name not in frame.columns:
            raise UnreadableTable(f"{form.path}: {field}: received {name!r}; accepted is one of its columns: {columns}")
    return Table(
        frame,
        sha256(content).hex(),
        target=form.target,
        prediction=form.prediction,
        decision=form.decision,
        weight=form.weight,
        identifier=form.identifier,
        protected=form.protected,
    )


def _frame(content: bytes, path: str) -> Any:
    import pandas as pd

    if not path.endswith((".csv", ".parquet")):
        raise UnreadableTable(f"{path}: accepted is a name that ends in .csv or .parquet")
    try:
        if path.endswith(".parquet"):
            return pd.read_parquet(io.BytesIO(content))
        # pandas would make a second column `a` into `a.1`, which then is another column than the file's.
        header = pd.read_csv(io.BytesIO(content), header=None, nrows=1, dtype=str)
        if header.iloc[0].duplicated().any():
            raise UnreadableTable(f"{path}: two columns have the same name")
        return pd.read_csv(io.BytesIO(content))
    except UnreadableTable:
        raise
    # The readers raise errors of many libraries for bytes that are no table.
    except Exception as error:
        raise UnreadableTable(f"{path}: {type(error).__name__}: {' '.join(str(error).split())[:300]}") from error
