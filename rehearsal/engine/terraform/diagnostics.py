"""What a provider has to say about a call, and where in the resource it says it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

Path: TypeAlias = tuple[str | int, ...]
"""Attribute names, map keys and list indices from the resource inwards; it ends at a set, whose elements have none."""

_ERROR = 1


@dataclass(frozen=True)
class Diagnostic:
    """One error or warning of the provider."""

    is_error: bool
    summary: str
    detail: str
    path: Path

    def __str__(self) -> str:
        return f"{self.summary}: {self.detail}" if self.detail and self.detail != self.summary else self.summary


class ProviderError(Exception):
    """A call failed; `diagnostics` are the provider's errors, at least one."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        super().__init__("; ".join(map(str, diagnostics)))
        self.diagnostics = diagnostics


def read_path(message: Any) -> Path:
    """Return the path that an `AttributePath` message describes."""
    steps: list[str | int] = []
    for step in message.steps:
        selector = step.WhichOneof("selector")
        if selector is None:
            break
        steps.append(getattr(step, selector))
    return tuple(steps)


def read_diagnostics(messages: Iterable[Any]) -> list[Diagnostic]:
    """Return what `Diagnostic` messages say, in their order and each once."""
    read = (
        Diagnostic(item.severity == _ERROR, item.summary, item.detail, read_path(item.attribute)) for item in messages
    )
    return list(dict.fromkeys(read))


def errors(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Return the errors among `diagnostics`."""
    return [item for item in diagnostics if item.is_error]
