"""What a model's process may answer: reads it as an array of numbers or text, and believes nothing else of it."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from interlock.release.gates.gate import ModelFailed

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
    line = " ".join(str(text).split())
    line = "".join(one if one.isprintable() else ascii(one)[1:-1] for one in line)
    return line if len(line) <= _LONGEST_REASON else f"{line[:_LONGEST_REASON]}…"


def predictions(head: dict[str, Any], blobs: list[bytes], rows: int, longest_text: int) -> npt.NDArray[Any]:
    """Return the predictions in an answer, shaped (rows,) or (rows, outputs). Raises ModelFailed."""
    if "failed" in head:
        raise ModelFailed(f"the model raised {told(head['failed'])}")
    shape = _shape(head.get("shape"), rows)
    if len(blobs) != 1:
        raise ModelFailed(f"the model's process answered with {len(blobs)} arrays; accepted is one")
    values = _text(blobs[0], math.prod(shape), longest_text) if head.get("kind") == "text" else _numbers(head, blobs[0])
    if values.size != math.prod(shape):
        raise ModelFailed(f"the model's process answered with {values.size} values for the shape {shape}")
    values = values.reshape(shape)
    return values[:, 0] if len(shape) == 2 and shape[1] == 1 else values


def _shape(shape: object, rows: int) -> tuple[int, ...]:
    if not isinstance(shape, list) or not all(type(one) is int and one >= 0 for one in shape):
        raise ModelFailed("the model's process answered without a shape")
    if len(shape) not in (1, 2) or shape[0] != rows or (len(shape) == 2 and not 1 <= shape[1] <= MOST_OUTPUTS):
        raise ModelFailed(
            f"the model answered {rows} rows with predictions shaped {tuple(shape)}; accepted is one prediction a row,"
            f" of at most {MOST_OUTPUTS} outputs"
        )
    return tuple(shape)


def _numbers(head: dict[str, Any], blob: bytes) -> npt.NDArray[Any]:
    dtype = head.get("dtype")
    if head.get("kind") != "numbers" or dtype not in _DTYPES:
        raise ModelFailed(f"the model's process answered with {told(dtype)}; accepted are numbers and text")
    if len(blob) % np.dtype(dtype).itemsize != 0:
        raise ModelFailed("the model's process answered with half a number")
    values = np.frombuffer(blob, dtype=dtype)
    if values.dtype.kind == "f" and not bool(np.isfinite(values).all()):
        where = int(np.flatnonzero(~np.isfinite(values))[0])
        raise ModelFailed(f"the model predicted {values[where]} (value {where}); accepted are finite numbers")
    if values.dtype.kind == "b" and not set(blob) <= {0, 1}:
        raise ModelFailed("the model's process answered with booleans that are none")
    return values


def _text(blob: bytes, count: int, longest: int) -> npt.NDArray[Any]:
    try:
        texts = json.loads(blob)
    except (ValueError, RecursionError):
        raise ModelFailed("the model's process answered with text that is not JSON") from None
    if not isinstance(texts, list) or len(texts) != count or not all(isinstance(one, str) for one in texts):
        raise ModelFailed(f"the model's process did not answer with {count} texts")
    too_long = max(map(len, texts), default=0)
    if too_long > longest:
        raise ModelFailed(f"the model answered with a text of {too_long:,} characters; accepted are {longest:,}")
    values = np.empty(len(texts), dtype=object)
    values[:] = texts
    return values
