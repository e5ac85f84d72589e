"""ONNX models that would read other files or run code that they name as they are loaded.

Read field by field as Protocol Buffers (https://protobuf.dev/programming-guides/encoding/) by the fields of
https://github.com/onnx/onnx/blob/main/onnx/onnx.proto; a field that is not known here is refused, as is an operator
of any domain but ONNX's own, which a runtime would look for in a library of somebody's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

_DEEPEST: Final = 50
"""Graphs within nodes of graphs; models hold a handful at most."""
_DOMAINS: Final = ("", "ai.onnx", "ai.onnx.ml")

_PLAIN: Final = ""
_OPERATOR_DOMAIN: Final = "the domain of operators"
_EXTERNAL: Final = "takes a tensor from another file"
_FUNCTION: Final = "brings functions of its own"
_TRAINING: Final = "brings a training algorithm"

_FIELDS: Final[Mapping[str, Mapping[int, str]]] = {
    "model": {
        **dict.fromkeys((1, 2, 3, 4, 5, 6, 14), _PLAIN),
        7: "graph",
        8: "operator set",
        20: _TRAINING,
        25: _FUNCTION,
    },
    "operator set": {1: _OPERATOR_DOMAIN, 2: _PLAIN},
    "graph": {**dict.fromkeys((2, 10, 11, 12, 13, 14, 16), _PLAIN), 1: "node", 5: "tensor", 15: "sparse tensor"},
    "node": {**dict.fromkeys((1, 2, 3, 4, 6, 8, 9), _PLAIN), 5: "attribute", 7: _OPERATOR_DOMAIN},
    "attribute": {
        **dict.fromkeys((1, 2, 3, 4, 7, 8, 9, 13, 14, 15, 20, 21), _PLAIN),
        **dict.fromkeys((5, 10), "tensor"),
        **dict.fromkeys((6, 11), "graph"),
        **dict.fromkeys((22, 23), "sparse tensor"),
    },
    "sparse tensor": {1: "tensor", 2: "tensor", 3: _PLAIN},
    "tensor": {**dict.fromkeys((1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 16), _PLAIN), 13: _EXTERNAL, 14: _EXTERNAL},
}
"""By message, what each field is: plain, a message, an operator's domain, or what it is refused for."""

_VARINT, _EIGHT, _LENGTH, _FOUR = 0, 1, 2, 5


class _Unreadable(ValueError):
    pass


def problems_of(content: bytes) -> Iterator[str]:
    """Yield each thing in a model that reaches out of it, or is not understood, once."""
    try:
        found = list(_problems(memoryview(content), "model", 0))
        if not any(number == 7 for number, _ in _fields(memoryview(content))):
            found.append("is no ONNX model: it holds no graph")
    except _Unreadable as error:
        found = [f"is no ONNX model: {error}"]
    yield from dict.fromkeys(found)


def _problems(message: memoryview, kind: str, depth: int) -> Iterator[str]:
    if depth > _DEEPEST:
        raise _Unreadable(f"its graphs lie more than {_DEEPEST} deep in each other")
    known = _FIELDS[kind]
    for number, value in _fields(message):
        what = known.get(number)
        if what is None:
            yield f"holds a field {number} of a {kind}, which is not on the list"
        elif what in _FIELDS:
            if not isinstance(value, memoryview):
                raise _Unreadable(f"field {number} of a {kind} is no message")
            yield from _problems(value, what, depth + (kind == "attribute"))
        elif what == _OPERATOR_DOMAIN:
            domain = bytes(value).decode("utf-8", "replace") if isinstance(value, memoryview) else ""
            if domain not in _DOMAINS:
                yield f"uses operators of the domain {domain[:60]!r}; accepted are ONNX's own"
        elif what and value != 0:
            # A location of 0 says that the tensor lies here.
            yield what


def _fields(message: memoryview) -> Iterator[tuple[int, memoryview | int]]:
    place = 0
    while place < len(message):
        tag, place = _varint(message, place)
        number, wire = tag >> 3, tag & 7
        if wire == _VARINT:
            value, place = _varint(message, place)
            yield number, value
            continue
        size = {_EIGHT: 8, _FOUR: 4}.get(wire)
        if wire == _LENGTH:
            size, place = _varint(message, place)
        if size is None or place + size > len(message):
            raise _Unreadable("a field of it is not one, or is cut short")
        yield number, message[place : place + size]
        place += size


def _varint(message: memoryview, place: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if place >= len(message):
            break
        byte = message[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
    raise _Unreadable("a number of it is not one, or is cut short")
