"""The confined side: loads the model and answers with its predictions. It shares its process with hostile code.

Nothing here protects anything: whatever the model does to it, the other side reads numbers or text of a shape that it
knows, or the model has failed.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from typing import Any, Final

from interlock.sandbox import tables, view
from interlock.sandbox.plan import Plan
from interlock.sandbox.wire import LENGTH_BYTES, body_size, message, parse

_NUMBER_KINDS: Final = "biuf"
_LONGEST_REASON: Final = 1000


class _Unanswerable(Exception):
    """What the model returned is neither numbers nor text."""


def serve(plan: Plan) -> int:
    """Answer each request until there are no more, and return the exit status."""
    _write(plan.answers, message({"confined": True}))
    model: Any = None
    while (body := _next(plan.requests)) is not None:
        head, blobs = parse(body)
        number = head["number"]
        if head["do"] == "load":
            model, answer = _attempt(number, _load)
        else:
            _, answer = _attempt(number, functools.partial(_prediction, model, head, blobs))
        _write(plan.answers, answer)
    return 0


def _attempt(number: int, action: Callable[[], tuple[Any, dict[str, Any], list[bytes]]]) -> tuple[Any, bytes]:
    try:
        made, head, blobs = action()
        return made, message({"number": number, **head}, blobs)
    # Whatever it is, an exit included: it is the model that raised it, and the other side is to hear of it.
    except BaseException as error:
        return None, message({"number": number, "failed": _reason(error)})


def _reason(error: BaseException) -> str:
    try:
        return f"{type(error).__name__}: {error}"[:_LONGEST_REASON].encode("utf-8", "replace").decode()
    except BaseException:
        return "an exception that cannot be told"


def _load() -> tuple[Any, dict[str, Any], list[bytes]]:
    import mlflow.pyfunc

    return mlflow.pyfunc.load_model(view.MODEL), {"loaded": True}, []


def _prediction(model: Any, head: dict[str, Any], blobs: list[bytes]) -> tuple[None, dict[str, Any], list[bytes]]:
    answer = model.predict(tables.unpacked(head["table"], blobs))
    return None, *_packed_answer(answer)


def _packed_answer(answer: Any) -> tuple[dict[str, Any], list[bytes]]:
    import numpy as np

    values = np.asarray(answer.to_numpy() if hasattr(answer, "to_numpy") else answer)
    if values.dtype.kind == "O":
        values = _settled(values)
    if values.dtype.kind in _NUMBER_KINDS:
        values = values.astype(values.dtype.newbyteorder("<"))
        return {"kind": "numbers", "dtype": values.dtype.str, "shape": list(values.shape)}, [values.tobytes()]
    if values.dtype.kind == "U":
        texts = [one.encode("utf-8", "replace") for one in values.ravel().tolist()]
        lengths = np.array([len(one) for one in texts], dtype="<u4")
        return {"kind": "text", "shape": list(values.shape)}, [lengths.tobytes(), b"".join(texts)]
    raise _Unanswerable(f"predictions are of type {values.dtype}; accepted are numbers and text")


def _settled(values: Any) -> Any:
    """Return an array of objects as one of numbers or of text, whichever all of them are."""
    import numpy as np

    kinds = {type(one) for one in values.ravel()}
    if kinds <= {str}:
        return values.astype(str)
    if all(issubclass(one, bool | int | float | np.number | np.bool_) for one in kinds):
        return values.astype(float)
    raise _Unanswerable(
        f"predictions are {', '.join(sorted(one.__name__ for one in kinds))}; accepted are numbers or text"
    )


def _next(descriptor: int) -> bytes | None:
    length = _read(descriptor, LENGTH_BYTES)
    return _read(descriptor, body_size(length)) if len(length) == LENGTH_BYTES else None


def _read(descriptor: int, size: int) -> bytes:
    content = bytearray()
    while len(content) < size:
        part = os.read(descriptor, min(size - len(content), 1 << 20))
        if not part:
            break
        content += part
    return bytes(content)


def _write(descriptor: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
