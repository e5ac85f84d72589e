"""Tables are read from the files that people have, and refused with the field that is wrong."""

from __future__ import annotations

import io

import pandas as pd
import pytest

from interlock.release.digests import sha256
from interlock.release.gates.tables import TableForm, UnreadableTable, read_table

CSV = b"id,income,approve\n1,2.5,1\n2,,0\n"


def test_a_table_names_its_file_s_digest_and_sets_columns_aside() -> None:
    read = read_table(CSV, TableForm(path="loans.csv", target="approve", identifier="id", protected=("income",)))
    assert read.sha256 == sha256(CSV).hex()
    assert read.aside == {"id", "income", "approve"}
    assert read.frame["income"].isna().tolist() == [False, True]


def test_a_comma_at_the_end_of_each_row_moves_no_column() -> None:
    read = read_table(b"a,b\n1,2,\n3,4,\n", TableForm(path="a.csv"))
    assert read.frame.to_dict("list") == {"a": [1, 3], "b": [2, 4]}


def test_parquet_is_read_as_well() -> None:
    buffer = io.BytesIO()
    pd.DataFrame({"a": [1, 2]}).to_parquet(buffer)
    assert read_table(buffer.getvalue(), TableForm(path="a.parquet")).frame["a"].tolist() == [1, 2]


@pytest.mark.parametrize(
    ("content", "form", "message"),
    [
        (CSV, {"path": "a.csv", "target": "aprove"}, "target: received 'aprove'; accepted is one of its columns: id, "),
        (CSV, {"path": "a.csv", "protected": ["sex"]}, "protected.0: received 'sex'"),
        (CSV, {"path": "a.xlsx"}, "accepted is a name that ends in .csv or .parquet"),
        (
            CSV,
            {"path": "a.csv", "target": "approve", "weight": "approve"},
            "weight: received 'approve', which is the target; accepted is another column",
        ),
        (
            CSV,
            {"path": "a.csv", "decision": "income", "protected": ["Income "]},
            "decision: received 'income'; accepted is a column that is no protected attribute",
        ),
        (b"", {"path": "a.csv"}, "a.csv: EmptyDataError"),
        (b"a,a\n1,2\n", {"path": "a.csv"}, "two columns have the same name"),
        (b"a,b\n0,2,3\n1,4,5\n", {"path": "a.csv"}, "a.csv: ParserWarning: Length of header or names does not match"),
        (b"a,b\n1,2,3,4\n", {"path": "a.csv"}, "a.csv: ParserWarning: Length of header or names does not match"),
        (b"\xff\xfe\x00", {"path": "a.csv"}, "a.csv: UnicodeDecodeError"),
        (b"no parquet", {"path": "a.parquet"}, "a.parquet: ArrowInvalid"),
    ],
)
def test_a_file_that_is_no_such_table_is_refused(content: bytes, form: dict[str, object], message: str) -> None:
    with pytest.raises(UnreadableTable, match=message):
        read_table(content, TableForm.model_validate(form))
