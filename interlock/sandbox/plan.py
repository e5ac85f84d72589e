"""What one confined process is given: its limits, its files, its pipes."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Final

MIB: Final = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """How much a model may take. What goes beyond fails the call, and the process is ended."""

    load_seconds: float = 120.0
    """From the start of the process until the model is loaded; most of it is MLflow's own import."""
    call_seconds: float = 60.0
    """From handing over the rows until the whole answer is there."""
    memory_bytes: int = 4096 * MIB
    """Of address space; libraries take about 500 MiB of it before there is a model."""
    scratch_bytes: int = 64 * MIB
    """Of files in memory, the only place where it can write."""
    answer_bytes: int = 64 * MIB
    threads: int = 64
    """For it and all that is started by its user, where the user's number counts."""
    text_characters: int = 100_000
    """In one prediction that is text."""


@dataclass(frozen=True)
class Plan:
    """What the launcher is told, as one argument of its command line."""

    model: str
    """The model's folder, which is all of the caller's files that can be seen."""
    requests: int
    """The descriptor that requests come from."""
    answers: int
    limits: Limits
    serves: bool = False
    """Whether the model is served over HTTP, as in production; `requests` is then a connected socket."""

    def as_text(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> Plan:
        document = json.loads(text)
        return cls(**{**document, "limits": Limits(**document["limits"])})
