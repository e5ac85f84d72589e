"""Reads settings as they were written: whatever else is wrong with them, what can be told is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from interlock.rules import Problem
from interlock.settings.section import Environment, Layer

Written = Mapping[str, Any]
Check = Callable[[Written], Iterator[Problem]]


def value_at(written: Written, path: str) -> Any:
    """Return the value at a dotted path, or None where there is none."""
    current: Any = written
    for part in path.split("."):
        if not isinstance(current, Mapping):
            return None
        current = current.get(part)
    return current


def text_at(written: Written, path: str) -> str | None:
    """Return the text at a dotted path; numbers count as their digits."""
    value = value_at(written, path)
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else None


def number_at(written: Written, path: str) -> int | None:
    """Return the whole number at a dotted path, written as a number or as its digits."""
    text = text_at(written, path)
    return int(text) if text is not None and text.isdecimal() else None


def is_at(written: Written, path: str, wanted: bool) -> bool:
    """Return whether a Boolean stands at a dotted path and is `wanted`."""
    return value_at(written, path) in (wanted, str(wanted).lower())


def sections_at(written: Written, path: str) -> Sequence[Written]:
    """Return the sections of the list at a dotted path."""
    found = value_at(written, path)
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []


def has_layer(written: Written, layer: Layer) -> bool:
    """Return whether the stack provisions `layer`."""
    layers = written.get("layers", list(Layer))
    return isinstance(layers, list) and layer in layers


def is_of(written: Written, *environments: Environment) -> bool:
    """Return whether the stack is of one of `environments`."""
    return written.get("environment") in environments
