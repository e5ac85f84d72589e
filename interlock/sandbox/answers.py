"""What a model's process may answer: reads it as an array of numbers or text, and believes nothing else of it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from interlock.release.gates.gate import ModelFailed
from interlock.release.gates.text import plain

if TYPE_CHECKING:
    import numpy.typing as npt

MOST_OUTPUTS: Final = 1000
"""Of one row."""

_DTYPES: Final = frozenset(
    {"|b1", "|i1", "|u1", "<i2", "<i4", "<i8", "<u2", "<u4", "<u8", "<f2", "<f4", "<f8"},
)
_LONGEST_REASON: Final = 300


def told(text: object) -> str:
    """Return what a model said as one short line, each character that a terminal acts on shown as its escape."""
    return plain(str(text), _LONGEST_REASON)


def predictions(head: dict[str, Any], blobs: list[bytes], rows: int, longest_text: int) -> npt.NDArray[Any]:
    """Return the predictions in an answer, shaped (rows,) or (rows, outputs). Raises ModelFailed."""
    if "failed" in head:
        raise ModelFailed(f"the model raised {told(head['failed'])}")
    shape = _shape(head.get("shape"), rows)
    count = math.prod(shape)
    values = _text(blobs, count, longest_text) if head.get("kind") == "text" else _numbers(head, blobs, count)
    values = values.reshape(shape)
    return values[:, 0] if len(shape) == 2 and shape[1] == 1 else values


def _shape(shape: object, rows: int) -> tuple[int, ...]:
    if not isinstance(shape, list) or not all(type(one) is int and one >= 0 for one in shape):
        raise ModelFailed("the model's process answered without a shape")
    if len(shape) not in (1, 2) or shape[0] != rows or (len(shape) == 2 and not 1 <= shape[1] <= MOST_OUTPUTS):
        raise ModelFailed(
            f"the model answered {rows} rows with predictions shaped {told(tuple(shape))};"
            f" accepted is one prediction a row, of at most {MOST_OUTPUTS} outputs"
        )
    return tuple(shape)


def _numbers(head: dict[str, Any], blobs: list[bytes], count: int) -> npt.NDArray[Any]:
    dtype = head.get("dtype")
    if head.get("kind") != "numbers" or not isinstance(dtype, str) or dtype not in _DTYPES:
        raise ModelFailed(f"the model's process answered with {told(dtype)}; accepted are numbers and text")
    if [len(one) for one in blobs] != [count * np.dtype(dtype).itemsize]:
        raise ModelFailed(f"the model's process did not answer with {count} numbers")
    values = np.frombuffer(blobs[0], dtype=dtype)
    if values.dtype.kind == "f" and not bool(np.isfinite(values).all()):
        where = int(np.flatnonzero(~np.isfinite(values))[0])
        raise ModelFailed(f"the model predicted {values[where]} (value {where}); accepted are finite numbers")
    if values.dtype.kind == "b" and not set(blobs[0]) <= {0, 1}:
        raise ModelFailed("the model's process answered with booleans that are none")
    return values


def _text(blobs: list[bytes], count: int, longest: int) -> npt.NDArray[Any]:
    """Return the texts: a blob of their lengths in bytes, and one of all of them in UTF-8.

    Not JSON, of which a few megabytes unfold to gigabytes here.
    """
    if len(blobs) != 2 or len(blobs[0]) != 4 * count:
        raise ModelFailed(f"the model's process did not answer with {count} texts")
    ends = np.cumsum(np.frombuffer(blobs[0], dtype="<u4"), dtype=np.int64)
    if (int(ends[-1]) if count else 0) != len(blobs[1]):
        raise ModelFailed("the model's process answered with texts of other lengths than it said")
    values = np.empty(count, dtype=object)
    start = 0
    for number, end in enumerate(ends.tolist()):
        try:
            values[number] = blobs[1][start:end].decode("utf-8")
        except UnicodeDecodeError:
            raise ModelFailed(f"the model's process answered with text that is not UTF-8 (value {number})") from None
        start = end
    too_long = max(map(len, values), default=0)
    if too_long > longest:
        raise ModelFailed(f"the model answered with a text of {too_long:,} characters; accepted are {longest:,}")
    return values
