"""Predicates of which one place is changed to what a reader could stumble over."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

REMOVED = object()
VALUES: tuple[Any, ...] = (
    REMOVED, None, True, False, 0, 1, 1.0, -1, 0.5, 2**53, 10**400, [], {}, [[]], {"": None}, [{}], ["x"],
    "", "x", " ", "true", "1", "0", "None", "\x00", "é", "\ud800", "x\n", "ﬀ",
    "0.9", "0.90", "-0.0", "00.1", "86e-2", "+1", " 1", "1_0", "٣", "NaN", "Infinity", "1.", ".5",
    "9" * 100, "9" * 101, "1" + "0" * 399, "1" + "0" * 400, "1" + "0" * 401, "0." + "0" * 399 + "1", "9" * 600,
    "CHG-1", "CHG-0", "chg-1", "CHG-1\n", "C" * 11 + "-1",
    "2026-11-02T10:00:00+01:00", "2026-11-02 10:00:00Z", "2026-11-02T10:00Z", "2026-11-02T10:00:00", "1762077600",
    1762077600, "2026-11-02T10:00:00.123456Z", "2026-11-02T10:00:00.1234567Z", "2026-02-30T10:00:00Z", "2026-11-02",
    "2026-11-02T10:00:60Z", "2026-11-02T24:00:00Z", "2026-11-02T10:00:00-00:00", "2026-11-02T10:00:00+24:00",
    "2026-W45-1T10:00:00Z", "1999-12-31T23:59:59Z", "2000-01-01T00:30:00+01:00", "9000-01-01T00:00:00Z",
    "8999-12-31T23:59:59-12:00", "2026-11-02t10:00:00z",
    "a" * 40, "a" * 41, "a" * 60, "a" * 61, "a" * 64, "a" * 65, "a" * 100, "a" * 101, "a" * 250, "a" * 251,
    "a" * 2000, "a" * 2001, "é" * 1500, "A" * 64, "f" * 64 + "\n",
    "passed", "failed", "PASSED", "high", "critical", "text", "model", "lower", "a-b", "a_b", "a--b",
)  # fmt: skip


def places(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inside = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for key, value in inside:
        yield (*path, key)
        yield from places(value, (*path, key))


@st.composite
def changed(draw: st.DrawFn, sample: dict[str, Any]) -> dict[str, Any]:
    """A predicate of which one place holds something else, holds nothing, or has a stranger beside it."""
    document = copy.deepcopy(sample)
    path = draw(st.sampled_from(list(places(sample))))
    inside: Any = document
    for key in path[:-1]:
        inside = inside[key]
    value = draw(st.one_of(st.sampled_from(VALUES), st.text(max_size=5), st.integers(-3, 3)))
    if value is REMOVED:
        del inside[path[-1]]
    elif draw(st.integers(0, 9)) or not isinstance(inside, dict):
        inside[path[-1]] = value
    else:
        inside[draw(st.sampled_from(["extra", "schema_version", "time_verified", "result"]))] = value
    return document
