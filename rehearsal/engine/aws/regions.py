"""The regions that AWS has, and what is said of one that it has not."""

from __future__ import annotations

import difflib
from functools import cache

import botocore.session


def region_problem(name: str) -> str | None:
    """Return what is wrong with a region's name, None if AWS has it. Source: the endpoints of AWS's SDK."""
    known = _regions()
    if name in known:
        return None
    near = difflib.get_close_matches(name, sorted(known), 1)
    return f'AWS has no region "{name}"; ' + (f"did you mean {near[0]}?" if near else "give one such as eu-west-1")


@cache
def _regions() -> frozenset[str]:
    partitions = botocore.session.get_session().get_data("endpoints")["partitions"]
    return frozenset(name for partition in partitions for name in partition["regions"])
