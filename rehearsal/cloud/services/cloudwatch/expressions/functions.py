"""The functions of metric maths (pure)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise
from statistics import pstdev

from rehearsal.cloud.services.cloudwatch.expressions.syntax import ExpressionError
from rehearsal.cloud.services.cloudwatch.expressions.values import TimeSeries, Value, Window, as_array, each

Function = Callable[["Evaluation", Sequence[Value]], Value]


@dataclass(frozen=True)
class Evaluation:
    """What functions may look at besides their arguments: the window, all metrics, and a search for metrics."""

    window: Window
    metrics: Sequence[TimeSeries]
    search: Callable[[str, str, int], list[TimeSeries]]
    period: int
    """The shortest period of the request's metrics, for series that are made of nothing but a scalar."""


def constant(evaluation: Evaluation, value: float) -> TimeSeries:
    """Return a series that has `value` in every period of the window."""
    period = evaluation.period
    return TimeSeries(dict.fromkeys(evaluation.window.times(period), value), period)


def _pointwise(name: str, compute: Callable[[float], float]) -> Function:
    def apply(_: Evaluation, arguments: Sequence[Value]) -> Value:
        (value,) = _arguments(name, arguments, 1)
        if isinstance(value, float):
            return float(compute(value))
        return each(lambda s: replace(s, values={t: float(compute(v)) for t, v in s.values.items()}), value, name)

    return apply


def _logarithm(base: float) -> Callable[[float], float]:
    def compute(value: float) -> float:
        if value <= 0:
            raise ExpressionError(f"the logarithm of {value} has no value")
        return math.log10(value) if base == 10 else math.log(value)

    return compute


def _reducing(name: str, reduce: Callable[[Sequence[float]], float]) -> Function:
    """Return a function that makes a scalar of one metric and a metric of an array of metrics (or scalars)."""

    def apply(evaluation: Evaluation, arguments: Sequence[Value]) -> Value:
        if not arguments:
            raise ExpressionError(f"{name} needs an argument")
        if len(arguments) == 1 and isinstance(arguments[0], TimeSeries):
            values = list(arguments[0].values.values())
            return float(reduce(values)) if values else constant(replace(evaluation, window=Window(0, 0)), 0.0)
        scalars = [argument for argument in arguments if isinstance(argument, float)]
        series = [one for argument in arguments if not isinstance(argument, float) for one in as_array(argument, name)]
        if not series:
            return float(reduce(scalars)) if scalars else []
        times = sorted(set[int]().union(*(one.values for one in series)))
        across = {time: [one.values[time] for one in series if time in one.values] + scalars for time in times}
        return TimeSeries({time: float(reduce(values)) for time, values in across.items()}, series[0].period)

    return apply


def _steps(name: str, compute: Callable[[float, float], float]) -> Function:
    """Return a function of each point and the one before: `compute` gets their difference in value and in seconds."""

    def apply(_: Evaluation, arguments: Sequence[Value]) -> Value:
        (value,) = _arguments(name, arguments, 1)

        def stepped(series: TimeSeries) -> TimeSeries:
            points = sorted(series.values.items())
            pairs = pairwise(points)
            return replace(series, values={t: compute(v - before, t - at) for (at, before), (t, v) in pairs})

        return each(stepped, value, name)

    return apply


def _calendar(name: str, read: Callable[[datetime], int]) -> Function:
    def apply(_: Evaluation, arguments: Sequence[Value]) -> Value:
        (value,) = _arguments(name, arguments, 1)

        def timed(series: TimeSeries) -> TimeSeries:
            return replace(series, values={t: float(read(datetime.fromtimestamp(t, UTC))) for t in series.values})

        return each(timed, value, name)

    return apply


def _fill(evaluation: Evaluation, arguments: Sequence[Value]) -> Value:
    value, filler = _arguments("FILL", arguments, 2)
    return each(lambda series: _filled(series, filler, evaluation.window), value, "FILL")


def _filled(series: TimeSeries, filler: Value, window: Window) -> TimeSeries:
    times = window.times(series.period)
    if isinstance(filler, float | TimeSeries):
        given = dict.fromkeys(times, filler) if isinstance(filler, float) else filler.values
        values = {time: series.values.get(time, given.get(time)) for time in times}
    elif filler == "REPEAT":
        values, last = {}, None
        for time in times:
            last = series.values.get(time, last)
            values[time] = last
    elif filler == "LINEAR":
        values = {time: _between(series, time) for time in times}
    else:
        raise ExpressionError("FILL fills with a number, a metric, REPEAT or LINEAR")
    return replace(series, values={time: value for time, value in values.items() if value is not None})


def _between(series: TimeSeries, time: int) -> float | None:
    if time in series.values:
        return series.values[time]
    before = max((t for t in series.values if t < time), default=None)
    after = min((t for t in series.values if t > time), default=None)
    if before is None or after is None:
        return None
    share = (time - before) / (after - before)
    return series.values[before] + share * (series.values[after] - series.values[before])


def _if(_: Evaluation, arguments: Sequence[Value]) -> Value:
    if len(arguments) not in (2, 3) or any(not isinstance(argument, float | TimeSeries) for argument in arguments):
        raise ExpressionError("IF takes a condition and one or two values, each a number or a metric")
    condition, yes = arguments[0], arguments[1]
    no = arguments[2] if len(arguments) == 3 else None
    if isinstance(condition, float):
        chosen = yes if condition else no
        return TimeSeries({}, 60) if chosen is None else chosen
    assert isinstance(condition, TimeSeries)
    values: dict[int, float] = {}
    for time, holds in condition.values.items():
        chosen = yes if holds else no
        point = chosen.values.get(time) if isinstance(chosen, TimeSeries) else chosen
        if isinstance(point, float):
            values[time] = point
    return replace(condition, values=values)


def _metrics(evaluation: Evaluation, arguments: Sequence[Value]) -> Value:
    if len(arguments) > 1 or any(not isinstance(argument, str) for argument in arguments):
        raise ExpressionError("METRICS takes no argument or one text")
    part = str(arguments[0]) if arguments else ""
    return [metric for metric in evaluation.metrics if part in metric.query_id]


def _search(evaluation: Evaluation, arguments: Sequence[Value]) -> Value:
    text, statistic, *rest = arguments if len(arguments) in (2, 3) else ("", 0.0)
    period = rest[0] if rest else 300.0
    if not isinstance(text, str) or not isinstance(statistic, str) or not isinstance(period, float):
        raise ExpressionError("SEARCH takes a search expression, a statistic and a period in seconds")
    return evaluation.search(text, statistic, int(period))


def _first(_: Evaluation, arguments: Sequence[Value]) -> Value:
    return _at("FIRST", arguments, 0)


def _last(_: Evaluation, arguments: Sequence[Value]) -> Value:
    return _at("LAST", arguments, -1)


def _at(name: str, arguments: Sequence[Value], place: int) -> Value:
    (value,) = _arguments(name, arguments, 1)
    members = as_array(value, name)
    return members[place] if members else []


def _slice(_: Evaluation, arguments: Sequence[Value]) -> Value:
    if len(arguments) not in (2, 3) or any(not isinstance(argument, float) for argument in arguments[1:]):
        raise ExpressionError("SLICE takes an array of metrics and one or two positions")
    first = arguments[1]
    last = arguments[2] if len(arguments) == 3 else None
    assert isinstance(first, float)
    return as_array(arguments[0], "SLICE")[int(first) : int(last) if isinstance(last, float) else None]


_SORTED_BY: dict[str, Callable[[Sequence[float]], float]] = {
    "AVG": lambda values: math.fsum(values) / len(values),
    "MIN": min,
    "MAX": max,
    "SUM": math.fsum,
    "STDDEV": pstdev,
}


def _sort(_: Evaluation, arguments: Sequence[Value]) -> Value:
    value, by, order, *most = arguments if len(arguments) in (3, 4) else ([], "", "")
    if not isinstance(by, str) or by not in _SORTED_BY or order not in ("ASC", "DESC"):
        raise ExpressionError(f"SORT takes metrics, one of {', '.join(_SORTED_BY)}, ASC or DESC, and how many to keep")
    members = [member for member in as_array(value, "SORT") if member.values]
    members.sort(key=lambda member: _SORTED_BY[by](list(member.values.values())), reverse=order == "DESC")
    return members[: int(most[0])] if most and isinstance(most[0], float) else members


def _running_sum(_: Evaluation, arguments: Sequence[Value]) -> Value:
    (value,) = _arguments("RUNNING_SUM", arguments, 1)

    def summed(series: TimeSeries) -> TimeSeries:
        total, values = 0.0, {}
        for time, point in sorted(series.values.items()):
            total += point
            values[time] = total
        return replace(series, values=values)

    return each(summed, value, "RUNNING_SUM")


def _period(_: Evaluation, arguments: Sequence[Value]) -> Value:
    (value,) = _arguments("PERIOD", arguments, 1)
    return float(as_array(value, "PERIOD")[0].period)


def _remove_empty(_: Evaluation, arguments: Sequence[Value]) -> Value:
    (value,) = _arguments("REMOVE_EMPTY", arguments, 1)
    return [member for member in as_array(value, "REMOVE_EMPTY") if member.values]


def _time_series(evaluation: Evaluation, arguments: Sequence[Value]) -> Value:
    (value,) = _arguments("TIME_SERIES", arguments, 1)
    if not isinstance(value, float):
        raise ExpressionError("TIME_SERIES takes a number")
    return constant(evaluation, value)


def _metric_count(_: Evaluation, arguments: Sequence[Value]) -> Value:
    (value,) = _arguments("METRIC_COUNT", arguments, 1)
    return float(len(as_array(value, "METRIC_COUNT")))


def _datapoint_count(_: Evaluation, arguments: Sequence[Value]) -> Value:
    (value,) = _arguments("DATAPOINT_COUNT", arguments, 1)
    if isinstance(value, TimeSeries):
        return float(len(value.values))
    members = as_array(value, "DATAPOINT_COUNT")
    times = sorted(set[int]().union(*(member.values for member in members)))
    counts = {time: float(sum(time in member.values for member in members)) for time in times}
    return TimeSeries(counts, members[0].period if members else 60)


def _arguments(name: str, arguments: Sequence[Value], count: int) -> Sequence[Value]:
    if len(arguments) != count:
        raise ExpressionError(f"{name} takes {count} argument{'s' if count > 1 else ''}, not {len(arguments)}")
    return arguments


FUNCTIONS: dict[str, Function] = {
    "ABS": _pointwise("ABS", abs),
    "AVG": _reducing("AVG", _SORTED_BY["AVG"]),
    "CEIL": _pointwise("CEIL", math.ceil),
    "DATAPOINT_COUNT": _datapoint_count,
    "DATE": _calendar("DATE", lambda moment: moment.day),
    "DAY": _calendar("DAY", lambda moment: moment.isoweekday()),
    "DIFF": _steps("DIFF", lambda difference, _: difference),
    "DIFF_TIME": _steps("DIFF_TIME", lambda _, seconds: seconds),
    "EPOCH": _calendar("EPOCH", lambda moment: int(moment.timestamp())),
    "FILL": _fill,
    "FIRST": _first,
    "FLOOR": _pointwise("FLOOR", math.floor),
    "HOUR": _calendar("HOUR", lambda moment: moment.hour),
    "IF": _if,
    "LAST": _last,
    "LOG": _pointwise("LOG", _logarithm(math.e)),
    "LOG10": _pointwise("LOG10", _logarithm(10)),
    "MAX": _reducing("MAX", max),
    "METRICS": _metrics,
    "METRIC_COUNT": _metric_count,
    "MIN": _reducing("MIN", min),
    "MINUTE": _calendar("MINUTE", lambda moment: moment.minute),
    "MONTH": _calendar("MONTH", lambda moment: moment.month),
    "PERIOD": _period,
    "RATE": _steps("RATE", lambda difference, seconds: difference / seconds),
    "REMOVE_EMPTY": _remove_empty,
    "RUNNING_SUM": _running_sum,
    "SEARCH": _search,
    "SLICE": _slice,
    "SORT": _sort,
    "STDDEV": _reducing("STDDEV", pstdev),
    "SUM": _reducing("SUM", math.fsum),
    "TIME_SERIES": _time_series,
    "YEAR": _calendar("YEAR", lambda moment: moment.year),
}

KEYWORDS = {"REPEAT", "LINEAR", "ASC", "DESC", *_SORTED_BY}
