"""What a client counted: every invocation, who answered it, when, and how long it took."""

from __future__ import annotations

import math
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from scipy.stats import binom

CONFIDENCE = 0.999


@dataclass(frozen=True)
class Invocation:
    """One answered request: who answered, when the answer was there (UTC), and how long that took."""

    variant: str
    ended_at: datetime
    seconds: float


class Tally:
    """Every invocation of a story, by whichever step."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._invocations: list[Invocation] = []

    def add(self, invocation: Invocation) -> None:
        with self._lock:
            self._invocations.append(invocation)

    @property
    def invocations(self) -> tuple[Invocation, ...]:
        with self._lock:
            return tuple(self._invocations)

    def counts(self) -> Counter[str]:
        """Return the number of invocations by variant."""
        return Counter(one.variant for one in self.invocations)


@dataclass(frozen=True)
class Share:
    """How often one variant answered, and the interval in which a fair draw stays with 99.9 % probability."""

    variant: str
    expected: float
    count: int
    total: int
    low: int
    high: int

    @property
    def inside(self) -> bool:
        return self.low <= self.count <= self.high


def share(variant: str, expected: float, variants: Sequence[str]) -> Share:
    """Return how often `variant` is among `variants`, the answerers, when its share should be `expected` (0 to 1)."""
    low, high = (
        binom.interval(CONFIDENCE, len(variants), expected) if 0 < expected < 1 else (expected * len(variants),) * 2
    )
    return Share(variant, expected, Counter(variants)[variant], len(variants), int(low), int(high))


def percentile(values: Sequence[float], percent: float) -> tuple[float, float]:
    """Return the value that `percent` of 100 of the values do not exceed (nearest rank), and the next one above it.

    Raises ValueError if there are no values.
    """
    if not values:
        raise ValueError("there is no percentile of nothing")
    ordered = sorted(values)
    rank = max(1, math.ceil(percent / 100 * len(ordered)))
    return ordered[rank - 1], ordered[min(rank, len(ordered) - 1)]
