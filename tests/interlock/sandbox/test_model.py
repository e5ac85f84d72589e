"""What an honest model is given and what comes back of it; and that nothing runs where nothing confines."""

from __future__ import annotations

import datetime
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

import interlock
from interlock.release.gates.gate import ModelFailed, UnfitInputs
from interlock.sandbox import tables
from interlock.sandbox.model import ModelSandbox
from interlock.sandbox.wire import LENGTH_BYTES, BrokenMessage, body_size, message, parse
from tests.interlock.sandbox.conftest import Predicting
from tests.interlock.sandbox.models import answering, pickled_model

EVERY_TYPE = pd.DataFrame(
    {
        "whole": np.array([1, -2, 3], dtype="int64"),
        "small": np.array([1, 2, 255], dtype="uint8"),
        "real": [1.5, np.nan, -0.0],
        "single": np.array([1.5, 2.5, 3.5], dtype="float32"),
        "yes": [True, False, True],
        "text": ["a", None, "ü\x00\n"],
        "mixed": pd.Series(["a", 1, None], dtype=object),
        "maybe": pd.array([1, None, 3], dtype="Int64"),
        "perhaps": pd.array([True, None, False], dtype="boolean"),
        "kind": pd.Categorical(["x", None, "y"], categories=["y", "x"], ordered=True),
        "day": pd.to_datetime(["2026-01-01", None, "1900-05-05"]),
        "moment": pd.to_datetime(["2026-01-01", None, "1999-05-05"]).tz_localize("Europe/Berlin"),
    }
)


def there_and_back(frame: pd.DataFrame) -> pd.DataFrame:
    table, blobs = tables.packed(frame)
    head, blobs = parse(message({"table": table}, blobs)[LENGTH_BYTES:])
    return tables.unpacked(head["table"], blobs)


@pytest.mark.parametrize("name", EVERY_TYPE.columns)
def test_a_column_arrives_as_it_was_sent(name: str) -> None:
    pd.testing.assert_frame_equal(there_and_back(EVERY_TYPE[[name]]), EVERY_TYPE[[name]])


def test_the_order_of_columns_and_the_number_of_rows_arrive() -> None:
    assert list(there_and_back(EVERY_TYPE).columns) == list(EVERY_TYPE.columns)
    assert there_and_back(EVERY_TYPE.iloc[:0]).shape == (0, len(EVERY_TYPE.columns))
    assert there_and_back(pd.DataFrame(index=range(4))).shape == (4, 0)


@given(st.lists(st.one_of(st.none(), st.text()), max_size=5), st.lists(st.floats(allow_nan=True), max_size=5))
def test_any_text_and_any_number_arrive(texts: list[str | None], numbers: list[float]) -> None:
    frame = pd.DataFrame({"texts": pd.Series(texts, dtype=object)})
    pd.testing.assert_frame_equal(there_and_back(frame), frame)
    real = pd.DataFrame({"numbers": np.array(numbers, dtype=float)})
    pd.testing.assert_frame_equal(there_and_back(real), real)


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"a": [object()]}),
        pd.DataFrame({"a": [[1, 2]]}),
        pd.DataFrame({"a": [datetime.date(2026, 1, 1)]}),
        pd.DataFrame({"a": [1 + 2j]}),
        pd.DataFrame({"a": ["b", float("inf")]}),
        pd.DataFrame([[1, 2]], columns=["a", "a"]),
        pd.DataFrame([[1, 2]]),
    ],
)
def test_a_column_that_no_model_is_given_is_named(frame: pd.DataFrame) -> None:
    with pytest.raises(tables.UnfitTable):
        tables.packed(frame)


def test_rows_that_no_model_is_given_are_no_fault_of_the_model(tmp_path: Path) -> None:
    with ModelSandbox(tmp_path) as sandbox, pytest.raises(UnfitInputs, match="column 'a' holds date"):
        sandbox.predict(pd.DataFrame({"a": [datetime.date(2026, 1, 1)]}))


@given(st.binary(max_size=200))
def test_bytes_that_are_no_message_are_told_from_one(content: bytes) -> None:
    try:
        head, blobs = parse(content)
    except BrokenMessage:
        return
    assert sum(map(len, blobs)) + LENGTH_BYTES <= len(content)
    assert isinstance(head, dict)


@given(st.lists(st.binary(max_size=50), max_size=4), st.data())
def test_a_message_that_is_cut_short_is_none(blobs: list[bytes], data: st.DataObject) -> None:
    whole = message({"do": "predict"}, blobs)
    assert body_size(whole[:LENGTH_BYTES]) == len(whole) - LENGTH_BYTES
    assert parse(whole[LENGTH_BYTES:])[1] == blobs
    short = data.draw(st.integers(LENGTH_BYTES, len(whole) - 1))
    with pytest.raises(BrokenMessage):
        parse(whole[LENGTH_BYTES:short])


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("rows['real'].fillna(0) * 2", [3.0, 0.0, -0.0]),
        ("(rows['whole'] > 0).to_numpy()", [True, False, True]),
        ("rows[['whole']]", [1, -2, 3]),
        ("rows['text'].fillna('none')", ["a", "none", "ü\x00\n"]),
        ("[[1, 2], [3, 4], [5, 6]]", [[1, 2], [3, 4], [5, 6]]),
        ("rows['maybe'].fillna(7)", [1, 7, 3]),
        ("[1, 2.5, True]", [1.0, 2.5, 1.0]),
    ],
)
def test_predictions_come_back_one_a_row(evaluating: ModelSandbox, expression: str, expected: list[object]) -> None:
    assert evaluating.predict(EVERY_TYPE.assign(expression=expression)).tolist() == expected


def test_more_rows_than_a_pipe_holds_go_through(predicting: Predicting) -> None:
    rows = pd.DataFrame({"real": np.arange(100_000.0), "text": ["ten bytes…"] * 100_000})
    assert np.array_equal(predicting("rows['real'] + 1").predict(rows), rows["real"] + 1)


def test_one_process_serves_call_after_call(predicting: Predicting) -> None:
    sandbox = predicting("[float(__import__('threading').get_native_id())] * len(rows)")
    assert {float(sandbox.predict(EVERY_TYPE)[0]) for _ in range(3)} == {1.0}


def test_mlflows_own_loader_loads_a_model_in_there(tmp_path: Path) -> None:
    with ModelSandbox(answering(tmp_path / "model", "rows['whole'] * 2")) as sandbox:
        assert sandbox.predict(EVERY_TYPE[["whole"]]).tolist() == [2, -4, 6]


def test_what_a_pickle_does_as_it_is_loaded_it_does_in_there(tmp_path: Path) -> None:
    witness = tmp_path / "witness"
    command = f"__import__('pathlib').Path({str(witness)!r}).write_text('gained')"
    sandbox = ModelSandbox(pickled_model(tmp_path / "model", command))
    with sandbox, pytest.raises(ModelFailed, match="the model does not load: FileNotFoundError"):
        sandbox.load()
    assert not witness.exists()


LOAD = """
import sys
from pathlib import Path
from interlock.sandbox.model import ModelSandbox
from interlock.failures import Failure
try:
    with ModelSandbox(Path(sys.argv[1]), python=sys.argv[2]) as sandbox:
        sandbox.load()
        print("ran")
except Failure as failure:
    print(type(failure).__name__, failure.exit_code, failure)
"""


def test_a_machine_without_namespaces_runs_nothing_and_says_so(tmp_path: Path, python: str) -> None:
    ran = tmp_path / "ran"
    model = answering(tmp_path / "model", f"open({str(ran)!r}, 'w')")
    # In a user namespace of its own, whose limit on further ones is nobody else's.
    script = f"echo 0 > /proc/sys/user/max_user_namespaces && exec {sys.executable} -c '{LOAD}' {model} {python}"
    library = str(Path(interlock.__path__[0]).parent)
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", "sh", "-c", script],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONPATH": library},
    )
    assert done.stdout.startswith("CannotConfine 3 this machine cannot confine a model: it does not give new user,")
    assert done.stdout.count("\n") == 1
    assert not ran.exists()


SLEEP = """
import sys
from pathlib import Path
import pandas
from interlock.sandbox.model import ModelSandbox
sandbox = ModelSandbox(Path(sys.argv[1]), python=sys.argv[2])
sandbox.load()
print("loaded", flush=True)
sandbox.predict(pandas.DataFrame({"a": [1]}))
"""


def test_a_model_dies_with_the_process_that_measures(tmp_path: Path, python: str) -> None:
    model = answering(tmp_path / "model", "__import__('time').sleep(600)")
    library = str(Path(interlock.__path__[0]).parent)
    with subprocess.Popen(
        [sys.executable, "-c", SLEEP, str(model), python],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": library, "TMPDIR": str(tmp_path)},
    ) as measuring:
        assert measuring.stdout is not None
        assert measuring.stdout.readline() == "loaded\n"
        confined = psutil.Process(measuring.pid).children(recursive=True)
        assert len(confined) == 2
        measuring.send_signal(signal.SIGKILL)
    _, alive = psutil.wait_procs(confined, timeout=10)
    assert alive == []


def test_what_watches_over_a_model_does_not_die_alone(predicting: Predicting) -> None:
    before = psutil.Process().children(recursive=True)
    sandbox = predicting("__import__('time').sleep(600)")
    sandbox.load()
    watching, confined = (one for one in psutil.Process().children(recursive=True) if one not in before)
    watching.kill()
    with pytest.raises(ModelFailed, match="its process"):
        sandbox.predict(EVERY_TYPE)
    _, alive = psutil.wait_procs([confined], timeout=10)
    assert alive == []
