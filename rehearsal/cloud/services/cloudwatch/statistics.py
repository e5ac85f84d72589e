"""CloudWatch's statistics over the values of one period (pure).

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html. All are computed
from the raw values. A percentile between two values is interpolated linearly (Hyndman and Fan's type 7, which is
numpy's default); AWS documents no rule.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate

_BASIC = ("SampleCount", "Average", "Sum", "Minimum", "Maximum")
_SHORT = re.compile(r"(?P<kind>p|tm|wm|tc|ts)(?P<percent>\d{1,3}(?:\.\d{1,10})?)")
_RANGE = re.compile(
    r"(?P<kind>TM|WM|TC|TS|PR)\("
    r"(?:(?P<low>\d+(?:\.\d+)?)(?P<low_percent>%?))?:(?:(?P<high>\d+(?:\.\d+)?)(?P<high_percent>%?))?\)"
)


class UnknownStatistic(ValueError):
    """A name that CloudWatch knows no statistic by."""


@dataclass(frozen=True)
class Sample:
    """A value that was observed `count` times."""

    value: float
    count: float = 1.0


@dataclass(frozen=True)
class Summary:
    """What a publisher says of values that it does not send: a StatisticSet."""

    count: float
    total: float
    least: float
    most: float

    @property
    def samples(self) -> list[Sample] | None:
        """Return the values where they can be told from the summary (all are equal), else None."""
        return [Sample(self.least, self.count)] if self.count == 1 or self.least == self.most else None


Observation = Sample | Summary
Statistic = Callable[[Sequence[Observation]], float | None]


def statistic(name: str) -> Statistic:
    """Return the function that computes a statistic; its result is None where the statistic is not defined.

    Percentiles and the like are not defined over summaries of differing values. Raises UnknownStatistic.
    """
    if name in _BASIC:
        return lambda observations: _basic(name, observations)
    if name == "IQM":
        name = "TM(25%:75%)"
    if short := _SHORT.fullmatch(name):
        kind, percent = short["kind"], float(short["percent"])
        if percent <= 100:
            if kind == "p":
                return lambda observations: _over_values(observations, lambda values: percentile(values, percent))
            return _trimming(kind.upper(), _Bounds(None, percent, True, True))
    elif ranged := _RANGE.fullmatch(name):
        return _trimming(ranged["kind"], _bounds(name, ranged))
    raise UnknownStatistic(name)


def percentile(samples: Sequence[Sample], percent: float) -> float:
    """Return the percentile of samples sorted by value; `percent` is in [0, 100]."""
    upto = list(accumulate(sample.count for sample in samples))
    position = (upto[-1] - 1) * percent / 100
    below, share = math.floor(position), position - math.floor(position)
    low = samples[bisect_right(upto, below)].value
    high = samples[min(bisect_right(upto, below + 1), len(samples) - 1)].value if share else low
    return low + (high - low) * share


@dataclass(frozen=True)
class _Bounds:
    """Which values count: above `low`, up to and with `high`; each a percentage of the samples or a value."""

    low: float | None
    high: float | None
    low_is_percent: bool
    high_is_percent: bool


def _bounds(name: str, match: re.Match[str]) -> _Bounds:
    low = float(match["low"]) if match["low"] else None
    high = float(match["high"]) if match["high"] else None
    if low is None and high is None:
        raise UnknownStatistic(name)
    percents = {bool(match[f"{end}_percent"]) for end in ("low", "high") if match[end]}
    if len(percents) > 1 or (match["kind"] == "PR" and True in percents):
        raise UnknownStatistic(name)
    in_percent = percents.pop()
    if in_percent and max(low or 0, high or 0) > 100:
        raise UnknownStatistic(name)
    return _Bounds(low, high, in_percent, in_percent)


def _trimming(kind: str, bounds: _Bounds) -> Statistic:
    compute = {"TM": _trimmed_mean, "TS": _trimmed_sum, "TC": _trimmed_count, "PR": _rank, "WM": _winsorized_mean}[kind]
    return lambda observations: _over_values(observations, lambda values: compute(values, bounds))


def _over_values(
    observations: Sequence[Observation], compute: Callable[[Sequence[Sample]], float | None]
) -> float | None:
    samples: list[Sample] = []
    for observation in observations:
        known = [observation] if isinstance(observation, Sample) else observation.samples
        if known is None:
            return None
        samples += known
    samples.sort(key=lambda sample: sample.value)
    return compute(samples) if samples else None


def _basic(name: str, observations: Sequence[Observation]) -> float | None:
    if not observations:
        return None
    count = math.fsum(observation.count for observation in observations)
    total = math.fsum(o.value * o.count if isinstance(o, Sample) else o.total for o in observations)
    if name == "SampleCount":
        return count
    if name == "Sum":
        return total
    if name == "Average":
        return total / count if count else None
    if name == "Minimum":
        return min(o.value if isinstance(o, Sample) else o.least for o in observations)
    return max(o.value if isinstance(o, Sample) else o.most for o in observations)


def _kept(samples: Sequence[Sample], bounds: _Bounds) -> list[Sample]:
    """Return what the bounds leave of sorted samples, a sample's count cut where a percentage falls inside it."""
    if not (bounds.low_is_percent or bounds.high_is_percent):
        return [
            sample
            for sample in samples
            if (bounds.low is None or sample.value > bounds.low)
            and (bounds.high is None or sample.value <= bounds.high)
        ]
    total = math.fsum(sample.count for sample in samples)
    first = math.floor(total * (bounds.low or 0) / 100 + 1e-9)
    # Rounded outwards, so that few samples are never trimmed to none.
    last = math.ceil(total * (100 if bounds.high is None else bounds.high) / 100 - 1e-9)
    kept, seen = [], 0.0
    for sample in samples:
        count = min(seen + sample.count, last) - max(seen, first)
        seen += sample.count
        if count > 0:
            kept.append(Sample(sample.value, count))
    return kept


def _trimmed_mean(samples: Sequence[Sample], bounds: _Bounds) -> float | None:
    return _basic("Average", _kept(samples, bounds))


def _trimmed_sum(samples: Sequence[Sample], bounds: _Bounds) -> float | None:
    return _basic("Sum", _kept(samples, bounds)) or 0.0


def _trimmed_count(samples: Sequence[Sample], bounds: _Bounds) -> float | None:
    return _basic("SampleCount", _kept(samples, bounds)) or 0.0


def _rank(samples: Sequence[Sample], bounds: _Bounds) -> float | None:
    total = math.fsum(sample.count for sample in samples)
    return 100 * math.fsum(sample.count for sample in _kept(samples, bounds)) / total


def _winsorized_mean(samples: Sequence[Sample], bounds: _Bounds) -> float | None:
    kept = _kept(samples, bounds)
    if not kept:
        return None
    least, most = kept[0].value, kept[-1].value
    values = [sample.value for sample in samples]
    low, high = bisect_left(values, least), bisect_right(values, most)
    inside = [Sample(min(max(sample.value, least), most), sample.count) for sample in samples[low:high]]
    outside = [Sample(least, sample.count) for sample in samples[:low]]
    outside += [Sample(most, sample.count) for sample in samples[high:]]
    return _basic("Average", inside + outside)
