"""Reading a table that gates measure on."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

from pydantic import Field

from interlock.release.digests import sha256
from interlock.release.evidence import Columns
from interlock.release.gates.gate import Table


class UnreadableTable(ValueError):
    """A file that is no table, or not the one that was described; the message says why."""


class TableForm(Columns):
    """A table's file, and what its columns are, where they are no inputs of the model."""

    path: Annotated[str, Field(min_length=1)]
    """A file that ends in .csv (UTF-8, a line of names first) or .parquet."""


def read_table(content: bytes, form: TableForm) -> Table:
    """Return the table in the bytes of the file `form.path`. Raises UnreadableTable."""
    frame = _frame(content, form.path)
    if not frame.columns.is_unique:
        raise UnreadableTable(f"{form.path}: two columns have the same name")
    named = form.roles | {f"protected.{place}": one for place, one in enumerate(form.protected)}
    clashes = list(clashing(form))
    if clashes:
        raise UnreadableTable(f"{form.path}: {clashes[0]}")
    columns = ", ".join(str(name)[:60] for name in frame.columns[:40])
    for field, name in named.items():
        if name not in frame.columns:
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


def clashing(columns: Columns, attributes: Sequence[str] = ()) -> Iterator[str]:
    """Yield which columns cannot have the roles that they are given, a sentence each.

    A column has one role, and a protected attribute none: whoever weighs rows by who was refused, or takes the labels
    for predictions, measures nothing. `attributes` are those that the policy names beside the table's own.
    """
    protected = {name.strip().casefold() for name in (*columns.protected, *attributes)}
    taken: dict[str, str] = {}
    for role, name in columns.roles.items():
        if name.strip().casefold() in protected:
            yield f"{role}: received {name!r}; accepted is a column that is no protected attribute"
        elif name in taken:
            yield f"{role}: received {name!r}, which is the {taken[name]}; accepted is another column"
        taken.setdefault(name, role)


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
        with warnings.catch_warnings():
            # Of rows with more fields than names pandas would take the first for a label, or leave the last out.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            return pd.read_csv(io.BytesIO(content), index_col=False)
    except UnreadableTable:
        raise
    # The readers raise errors of many libraries for bytes that are no table.
    except Exception as error:
        raise UnreadableTable(f"{path}: {type(error).__name__}: {' '.join(str(error).split())[:300]}") from error
