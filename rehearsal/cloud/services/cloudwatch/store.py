"""Where metrics are kept: every observation of every metric, by when it was made."""

from __future__ import annotations

import threading
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rehearsal.cloud.services.cloudwatch.statistics import Observation, Statistic

Dimensions = frozenset[tuple[str, str]]
"""(name, value) of each dimension; a metric's identity does not depend on their order."""

STANDARD_RESOLUTION = 60
"""Seconds."""


@dataclass(frozen=True)
class MetricId:
    """What tells one metric from another."""

    namespace: str
    name: str
    dimensions: Dimensions

    def described(self) -> dict[str, object]:
        """Return a Metric of CloudWatch's API."""
        dimensions = [{"Name": name, "Value": value} for name, value in sorted(self.dimensions)]
        return {"Namespace": self.namespace, "MetricName": self.name, "Dimensions": dimensions}


@dataclass(frozen=True)
class Stored:
    """One observation and its unit."""

    observation: Observation
    unit: str = "None"


class Series:
    """The observations of one metric in the order of their times (whole seconds since the epoch)."""

    def __init__(self) -> None:
        self._times: list[int] = []
        self._stored: list[Stored] = []

    @property
    def latest(self) -> int:
        """The time of the latest observation."""
        return self._times[-1]

    def add(self, time: int, stored: Stored) -> None:
        """Put an observation in its place, after those of the same time."""
        place = len(self._times) if not self._times or time >= self._times[-1] else bisect_right(self._times, time)
        self._times.insert(place, time)
        self._stored.insert(place, stored)

    def between(self, start: int, end: int) -> Iterator[tuple[int, Stored]]:
        """Yield the observations of [start, end)."""
        first, last = bisect_left(self._times, start), bisect_left(self._times, end)
        return iter(list(zip(self._times[first:last], self._stored[first:last], strict=True)))


class MetricStore:
    """The metrics of one account in one region."""

    def __init__(self) -> None:
        self._series: dict[MetricId, Series] = {}
        self._lock = threading.Lock()

    def add(
        self, metric: MetricId, time: float, stored: Sequence[Stored], resolution: int = STANDARD_RESOLUTION
    ) -> None:
        """Keep observations; standard metrics are kept by the minute, high-resolution ones by the second."""
        at = int(time // resolution) * resolution
        with self._lock:
            series = self._series.setdefault(metric, Series())
            for one in stored:
                series.add(at, one)

    def metrics(self) -> Mapping[MetricId, int]:
        """Return every metric with the time of its latest observation."""
        with self._lock:
            return {metric: series.latest for metric, series in self._series.items()}

    def between(self, metric: MetricId, start: int, end: int, unit: str | None = None) -> list[tuple[int, Stored]]:
        """Return the observations of [start, end) with their times, of one unit if it is given."""
        with self._lock:
            series = self._series.get(metric)
            if series is None:
                return []
            return [(time, one) for time, one in series.between(start, end) if unit in (None, one.unit)]


def by_period(
    observed: Iterable[tuple[int, Stored]], period: int, statistic: Statistic, origin: int = 0
) -> dict[int, float]:
    """Return the statistic of each period that has observations, by the period's start; periods begin at `origin`."""
    grouped: dict[int, list[Observation]] = {}
    for time, one in observed:
        grouped.setdefault(origin + (time - origin) // period * period, []).append(one.observation)
    computed = {start: statistic(observations) for start, observations in sorted(grouped.items())}
    return {start: value for start, value in computed.items() if value is not None}
