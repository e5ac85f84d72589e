"""Waiting for what a data plane does in its own time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

_Seen = TypeVar("_Seen")


def until(look: Callable[[], _Seen], wanted: Callable[[_Seen], bool], seconds: float = 30.0) -> _Seen:
    """Return what `look` sees as soon as it is `wanted`; fail with the last sight after `seconds`."""
    deadline = time.monotonic() + seconds
    while not wanted(seen := look()):
        assert time.monotonic() < deadline, f"not seen within {seconds} s; last: {seen!r}"
        time.sleep(0.1)
    return seen
