"""ONNX models, put together field by field: what reaches out of the file is refused, also deep inside."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.release.gates.files.onnx_models import problems_of

Value = bytes | int


def number(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])


def message(*fields: tuple[int, Value]) -> bytes:
    return b"".join(
        number(field << 3) + number(value) if isinstance(value, int)
        else number(field << 3 | 2) + number(len(value)) + value
        for field, value in fields
    )  # fmt: skip


def model(*of_graph: tuple[int, Value], more: tuple[tuple[int, Value], ...] = ()) -> bytes:
    operators = message((1, b"ai.onnx.ml"), (2, 3))
    return message((1, 8), (2, b"skl2onnx"), (8, operators), (7, message((2, b"graph"), *of_graph)), *more)


TENSOR = message((1, 2), (2, 1), (8, b"weights"), (9, b"\0" * 8))
OUTSIDE = message((8, b"weights"), (13, message((1, b"location"), (2, b"../../etc/passwd"))), (14, 1))
SCALER = message((1, b"x"), (2, b"y"), (4, b"Scaler"), (7, b"ai.onnx.ml"), (5, message((1, b"scale"), (20, 6))))


def within(inner: bytes) -> bytes:
    """A node whose attribute holds a graph with a node."""
    return message((4, b"If"), (5, message((1, b"then_branch"), (6, message((1, inner))))))


def test_a_model_that_is_whole_is_let_through() -> None:
    assert list(problems_of(model((1, SCALER), (5, TENSOR), (1, within(SCALER)), (11, b""), (12, b"")))) == []


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (model((5, OUTSIDE)), "takes a tensor from another file"),
        (model((1, message((5, message((5, OUTSIDE)))))), "takes a tensor from another file"),
        (model((1, within(message((5, message((10, OUTSIDE))))))), "takes a tensor from another file"),
        (model((15, message((1, OUTSIDE)))), "takes a tensor from another file"),
        (model((1, message((4, b"Run"), (7, b"com.evil")))), "operators of the domain 'com.evil'"),
        (model((1, within(message((7, b"com.evil"))))), "operators of the domain 'com.evil'"),
        (model(more=((8, message((1, b"com.evil"))),)), "operators of the domain 'com.evil'"),
        (model(more=((25, b""),)), "functions of its own"),
        (model(more=((20, b""),)), "a training algorithm"),
        (model(more=((99, 1),)), "a field 99 of a model"),
        (message((1, 8)), "holds no graph"),
        (message((7, 1)), "is no message"),
        (model()[:-3], "is no ONNX model"),
        (b"\x08" + b"\xff" * 20, "is no ONNX model"),
        (b"\x0b\x0c", "is no ONNX model"),
    ],
)
def test_a_model_that_reaches_out_or_is_not_understood_is_refused(content: bytes, what: str) -> None:
    problems = list(problems_of(content))
    assert any(what in one for one in problems), problems


def test_graphs_that_lie_too_deep_in_each_other_are_refused() -> None:
    node = SCALER
    for _ in range(60):
        node = within(node)
    assert any("deep" in one for one in problems_of(model((1, node))))


@given(st.binary(max_size=200))
def test_no_bytes_make_it_raise(content: bytes) -> None:
    list(problems_of(content))
