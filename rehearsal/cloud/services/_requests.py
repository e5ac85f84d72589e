"""Requests as moto parsed them, made plain."""

from __future__ import annotations

from typing import Any


def plain(value: Any) -> Any:
    """Return own dictionaries and lists of a parsed request, without what was left null."""
    if isinstance(value, dict):
        return {key: plain(member) for key, member in value.items() if member is not None}
    if isinstance(value, list):
        return [plain(member) for member in value]
    return value
