"""What goes over the pipes between the process that measures and the one that computes.

A message is a length (4 bytes, big-endian), the length of its head (likewise), the head (a JSON object, whose `blobs`
are the sizes of what follows) and the blobs. Nothing in it is code: no pickle, and of NumPy's types only numbers.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from typing import Any, Final

_LENGTH: Final = struct.Struct(">I")
LENGTH_BYTES: Final = _LENGTH.size

MOST_HEAD_BYTES: Final = 1 << 20
LARGEST_MESSAGE: Final = (1 << 32) - 1


class BrokenMessage(ValueError):
    """Bytes that are no message."""


def message(head: dict[str, Any], blobs: Sequence[bytes] = ()) -> bytes:
    """Return a message as it goes over the pipe. Raises BrokenMessage if it is too large for any."""
    text = json.dumps({**head, "blobs": [len(blob) for blob in blobs]}, allow_nan=False).encode()
    size = LENGTH_BYTES + len(text) + sum(map(len, blobs))
    if len(text) > MOST_HEAD_BYTES or size > LARGEST_MESSAGE:
        raise BrokenMessage(f"a message of {size:,} bytes with a head of {len(text):,} is too large")
    return b"".join([_LENGTH.pack(size), _LENGTH.pack(len(text)), text, *blobs])


def body_size(length: bytes) -> int:
    """Return how many bytes follow the first four of a message."""
    return int(_LENGTH.unpack(length)[0])


def parse(body: bytes) -> tuple[dict[str, Any], list[bytes]]:
    """Return the head and the blobs of a message, given without its first four bytes. Raises BrokenMessage."""
    if len(body) < LENGTH_BYTES:
        raise BrokenMessage("a message ends before its head")
    size = _LENGTH.unpack(body[:LENGTH_BYTES])[0]
    start = LENGTH_BYTES + size
    if size > MOST_HEAD_BYTES or start > len(body):
        raise BrokenMessage(f"a head of {size:,} bytes does not fit its message of {len(body):,}")
    try:
        head = json.loads(body[LENGTH_BYTES:start], parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise BrokenMessage("a head is not JSON") from None
    sizes = head.get("blobs") if isinstance(head, dict) else None
    if not isinstance(sizes, list) or not all(type(one) is int and one >= 0 for one in sizes):
        raise BrokenMessage("a head does not say which blobs follow")
    if start + sum(sizes) != len(body):
        raise BrokenMessage("a message's blobs are not as long as its head says")
    blobs = []
    for one in sizes:
        blobs.append(body[start : start + one])
        start += one
    return head, blobs


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is not JSON")
