"""Waiting for what a data plane does in its own time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

_Seen = TypeVar("_Seen")
_longest = [600.0]


def until(look: Callable[[], _Seen], wanted: Callable[[_Seen], bool], seconds: float = 60.0) -> _Seen:
    """Return what `look` sees once it is `wanted`; fail with the last sight after `seconds`.

    It looks ever less often, because each look takes time from what is waited for.
    """
    seconds = min(seconds, _longest[-1])
    deadline = time.monotonic() + seconds
    pause = 0.1
    while not wanted(seen := look()):
        assert time.monotonic() < deadline, f"not seen within {seconds} s; last: {seen!r}"
        time.sleep(pause)
        pause = min(1.5 * pause, 0.75)
    return seen


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Have `until` give up after so long, whatever it is asked for: where nothing is expected to come."""
    _longest.append(seconds)
    try:
        yield
    finally:
        _longest.pop()
