"""A model served as in production, confined; and what a hostile process may send over its one connection."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from interlock.release.gates.gate import ModelFailed
from interlock.sandbox.plan import MIB, Limits
from interlock.served.model import Connection, ServedModel, predictions_in
from tests.interlock.sandbox.models import model_of

BRIEF = Limits(call_seconds=1.5, answer_bytes=MIB)
ROWS = pd.DataFrame({"a": [1.0, np.nan], "b": [0.1 + 0.2, 3.0]})

CODE = """
import socket, time
import numpy as np


def reached():
    try:
        socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        return True
    except OSError:
        return False


class Model:
    def predict(self, rows):
        if (rows["a"] < 0).any():
            time.sleep(60)
        return np.stack([rows["a"].fillna(-1), rows["b"] + 10 * reached()], axis=1)


def _load_pyfunc(path):
    return Model()
"""


def test_a_model_is_served_over_http_without_a_network_and_an_answer_that_never_comes_breaks_it(tmp_path: Path) -> None:
    # Enough for the first request, which meets a cold process, on a machine that does other things as well.
    limits = Limits(call_seconds=5, answer_bytes=MIB)
    with ServedModel(model_of(tmp_path / "model", CODE), limits=limits) as server:
        served = server.answer([ROWS, ROWS.iloc[:1], ROWS.assign(a=-1.0), ROWS])
    first, second, late, never = served
    assert first.predictions is not None
    assert first.predictions.tolist() == [[1.0, 0.1 + 0.2], [-1.0, 3.0]]
    assert second.predictions is not None
    assert second.predictions.shape == (1, 2)
    assert 0 < second.seconds < 5
    assert late.predictions is None
    assert late.seconds > 4.9
    assert never.predictions is None


def test_a_model_that_does_not_load_is_not_served(tmp_path: Path) -> None:
    broken = model_of(tmp_path / "model", "def _load_pyfunc(path):\n    raise SystemExit('no \\x1b[31mway')\n")
    with ServedModel(broken) as server, pytest.raises(ModelFailed, match=r"does not load: .*no \\x1b\[31mway"):
        server.answer([ROWS])


@contextlib.contextmanager
def peer(speak: Callable[[socket.socket], None], limits: Limits = BRIEF) -> Iterator[Connection]:
    """A connection whose other end says what it wants to, once it was asked."""
    ours, theirs = socket.socketpair()

    def answer() -> None:
        with theirs, contextlib.suppress(OSError):
            theirs.recv(1 << 16)
            speak(theirs)

    thread = threading.Thread(target=answer)
    thread.start()
    with Connection(ours, limits) as connection:
        yield connection
    thread.join()


def said(content: bytes, head: bytes = b"HTTP/1.1 200 OK") -> Callable[[socket.socket], None]:
    answer = head + b"\r\nContent-Length: %d\r\n\r\n" % len(content) + content
    return lambda theirs: theirs.sendall(answer)


def drips(theirs: socket.socket) -> None:
    theirs.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(100):
        theirs.sendall(b" ")
        time.sleep(0.05)


def floods(theirs: socket.socket) -> None:
    theirs.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    for _ in range(50):
        theirs.sendall(b"[" * 100_000)


def many_headers(theirs: socket.socket) -> None:
    theirs.sendall(b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 5000 + b"\r\n")


@pytest.mark.parametrize(
    "speak",
    [
        pytest.param(drips, id="a byte now and then"),
        pytest.param(floods, id="more than is accepted"),
        pytest.param(many_headers, id="headers without end"),
        pytest.param(lambda theirs: theirs.sendall(b"\x00\xff" * 1000), id="no HTTP"),
        pytest.param(lambda theirs: None, id="nothing, and the end"),
        pytest.param(said(b'{"predictions": [1]}', b"HTTP/1.1 500 No"), id="an error"),
        pytest.param(said(b"[" * 100_000), id="deep JSON"),
        pytest.param(said(b'{"predictions": "many"}'), id="text"),
        pytest.param(said(b'{"answers": [1]}'), id="no predictions"),
        pytest.param(said(b'{"predictions": [[1], [1, 2]]}'), id="no array"),
    ],
)
def test_what_is_no_answer_is_none(speak: Callable[[socket.socket], None]) -> None:
    begun = time.monotonic()
    with peer(speak, Limits(call_seconds=0.5, answer_bytes=MIB)) as connection:
        assert connection.ask(b"{}").predictions is None
    assert time.monotonic() - begun < 8


def test_after_the_connection_broke_no_other_is_opened() -> None:
    with peer(lambda theirs: None) as connection:
        assert [connection.ask(b"{}").predictions for _ in range(3)] == [None] * 3


@pytest.mark.parametrize(
    ("predictions", "expected"),
    [([1, 2], [1.0, 2.0]), ([[0.1, 0.9]], [[0.1, 0.9]]), ([{"no": 0.1, "yes": 0.9}], [[0.1, 0.9]])],
)
def test_predictions_of_mlflow_s_scoring_server_are_read(predictions: Any, expected: Any) -> None:
    found = predictions_in(json.dumps({"predictions": predictions}).encode())
    assert found is not None
    assert found.tolist() == expected
