"""Terraform's values as Python's, and their encoding in msgpack.

None is null, `UNKNOWN` a value not known before apply; lists, sets and tuples are lists; maps and objects are dicts.
A type is what its JSON form decodes to: `"string"`, `["list", "string"]`, `["object", {"name": "string"}]`.
Source: hashicorp/terraform, docs/plugin-protocol/object-wire-format.md.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import msgpack

Value: TypeAlias = Any
Type: TypeAlias = Any


class Unknown:
    """The one value of a thing that is known only after apply."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown()

_UNREFINED, _REFINED = 0, 12
_EXACT_INTEGER = 2**63
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def encode(value: Value, kind: Type) -> bytes:
    """Return `value`, which conforms to `kind`, in msgpack."""
    packed: bytes = msgpack.packb(_to_wire(value, kind), use_bin_type=True)
    return packed


def decode(data: bytes, kind: Type) -> Value:
    """Return the value of type `kind` that `data` encodes; empty data is null."""
    if not data:
        return None
    return _from_wire(msgpack.unpackb(data, ext_hook=_extension, raw=False, strict_map_key=False), kind)


def _extension(code: int, data: bytes) -> Any:
    return UNKNOWN if code in (_UNREFINED, _REFINED) else msgpack.ExtType(code, data)


def _to_wire(value: Value, kind: Type) -> Any:
    if value is None:
        return None
    if value is UNKNOWN:
        return msgpack.ExtType(_UNREFINED, b"\x00")
    if isinstance(kind, str):
        return _scalar_to_wire(value, kind)
    match kind[0]:
        case "list" | "set":
            return [_to_wire(item, kind[1]) for item in value]
        case "map":
            return {key: _to_wire(item, kind[1]) for key, item in value.items()}
        case "tuple":
            return [_to_wire(item, inner) for item, inner in zip(value, kind[1], strict=True)]
        case _:
            return {name: _to_wire(value.get(name), inner) for name, inner in kind[1].items()}


def _scalar_to_wire(value: Value, kind: str) -> Any:
    if kind == "dynamic":
        implied = type_of(value)
        return [json.dumps(implied, separators=(",", ":")).encode(), _to_wire(value, implied)]
    if kind == "number" and isinstance(value, int) and not isinstance(value, bool) and abs(value) >= _EXACT_INTEGER:
        return str(value)
    return value


def _from_wire(value: Any, kind: Type) -> Value:
    if value is None or value is UNKNOWN:
        return value
    if isinstance(kind, str):
        return _scalar_from_wire(value, kind)
    match kind[0]:
        case "list" | "set":
            return [_from_wire(item, kind[1]) for item in value]
        case "map":
            return {key: _from_wire(item, kind[1]) for key, item in value.items()}
        case "tuple":
            return [_from_wire(item, inner) for item, inner in zip(value, kind[1], strict=True)]
        case _:
            return {name: _from_wire(value.get(name), inner) for name, inner in kind[1].items()}


def _scalar_from_wire(value: Any, kind: str) -> Value:
    if kind == "dynamic":
        implied, inner = value
        return _from_wire(inner, json.loads(implied))
    if kind == "number":
        return to_number(value) if isinstance(value, str) else whole(value)
    return value


def whole(number: float) -> float:
    """Return `number` as an int when it has no fraction."""
    return int(number) if isinstance(number, float) and number.is_integer() else number


def to_number(text: str) -> float:
    """Return the number that `text` writes, as an int when it is one; raises ValueError when it writes none."""
    # Python reads more than Terraform does: `1_4`, ` 14`, and `nan`, which no provider survives.
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"{text!r} is no number")
    try:
        return int(text)
    except ValueError:
        return whole(float(text))


def as_text(value: bool | float) -> str:
    """Return a number or truth value as Terraform writes it where it has a string."""
    return ("true" if value else "false") if isinstance(value, bool) else str(whole(value))


def type_of(value: Value) -> Type:
    """Return the type that Terraform would give to `value` where any type is allowed."""
    if value is None or value is UNKNOWN:
        return "dynamic"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "string"
    if isinstance(value, Mapping):
        return ["object", {key: type_of(item) for key, item in value.items()}]
    return ["tuple", [type_of(item) for item in value]]


def contains_unknown(value: Value) -> bool:
    """Tell whether any part of `value` is unknown."""
    if isinstance(value, Mapping):
        return any(contains_unknown(item) for item in value.values())
    if isinstance(value, list):
        return any(contains_unknown(item) for item in value)
    return value is UNKNOWN


def equal(left: Value, right: Value, kind: Type) -> bool:
    """Tell whether two values of one type are equal; sets are compared without regard to order."""
    if left is None or right is None or left is UNKNOWN or right is UNKNOWN:
        return left is right
    if isinstance(kind, str):
        return bool(left == right) and isinstance(left, bool) == isinstance(right, bool)
    if kind[0] == "set":
        return len(left) == len(right) and not unmatched(left, right, kind[1])
    if kind[0] == "list":
        return len(left) == len(right) and all(equal(a, b, kind[1]) for a, b in zip(left, right, strict=True))
    if kind[0] == "map":
        return left.keys() == right.keys() and all(equal(left[key], right[key], kind[1]) for key in left)
    if kind[0] == "tuple":
        return bool(left == right)
    return all(equal(left.get(name), right.get(name), inner) for name, inner in kind[1].items())


def unmatched(left: list[Value], right: list[Value], kind: Type) -> list[int]:
    """Return the indices of the elements of `left` that have no equal, of its own, in `right`."""
    remaining = list(range(len(right)))
    missing = []
    for index, item in enumerate(left):
        match = next((other for other in remaining if equal(item, right[other], kind)), None)
        if match is None:
            missing.append(index)
        else:
            remaining.remove(match)
    return missing
