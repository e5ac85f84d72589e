"""What a step of the story is, and what is kept of one that ran."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rehearsal.story.context import Context


class Unexpected(Exception):
    """A step saw something else than it should have; `logs` are files that may tell why."""

    def __init__(self, expected: str, seen: str, logs: Sequence[str] = ()) -> None:
        super().__init__(f"expected {expected}; saw {seen}")
        self.expected = expected
        self.seen = seen
        self.logs = tuple(logs)


@dataclass(frozen=True)
class Seen:
    """What a step saw: one line for people, and the data behind it (plain JSON values)."""

    summary: str
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """One step; it starts when all the steps named in `after` have passed, beside others if it can."""

    name: str
    run: Callable[[Context], Seen]
    after: tuple[str, ...] = ()


class Outcome(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    NOT_RUN = "not run"


@dataclass(frozen=True)
class Problem:
    """Why a step failed."""

    expected: str
    seen: str
    logs: tuple[str, ...] = ()


@dataclass(frozen=True)
class StepRecord:
    """One step as it went. A step that was not run has neither a start (UTC) nor a duration."""

    name: str
    after: tuple[str, ...]
    outcome: Outcome
    started_at: datetime | None = None
    seconds: float | None = None
    summary: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    problem: Problem | None = None
    actors: tuple[str, ...] = ()
    """ARNs of the roles and users as whom it acted."""
