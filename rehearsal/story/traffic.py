"""Steps about traffic: weights, the shares that follow them, and what CloudWatch counted."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd

from interlock.aws.metrics import MetricQuery, Series, read_variant
from interlock.deploying import shift_traffic
from interlock.duties.duty import Role
from rehearsal.story.context import ENDPOINT, Context
from rehearsal.story.serving import ask_for, state_fields
from rehearsal.story.step import Seen, Unexpected
from rehearsal.story.tally import Invocation, Share, percentile, share

VARIANTS = ("blue", "green")
FIRST_SHIFT = {"blue": 95.0, "green": 5.0}
FIRST_INVOCATIONS = 2000
LATER_SHIFTS = ({"blue": 75.0, "green": 25.0}, {"blue": 0.0, "green": 100.0})
LATER_INVOCATIONS = 200

METRICS_DEADLINE_SECONDS = 150.0
"""CloudWatch has a minute's metrics after that minute."""

PERCENTS = (50, 90, 99)
HOUR = 3600

OVERHEAD_SECONDS = 0.25
OVERHEAD_FACTOR = 1.5
"""What a client may see on top of the model's own latency, on a machine that does other work at the same time."""


def first_shift(context: Context) -> Seen:
    """Give green one request in twenty, and count 2,000."""
    return _shift(context, FIRST_SHIFT, FIRST_INVOCATIONS)


def later_shifts(context: Context) -> Seen:
    """Give green more, then all."""
    seen = [_shift(context, weights, LATER_INVOCATIONS) for weights in LATER_SHIFTS]
    return Seen(
        "; ".join(one.summary for one in seen), {"phases": [phase for one in seen for phase in one.details["phases"]]}
    )


def _shift(context: Context, weights: Mapping[str, float], count: int) -> Seen:
    assert context.data is not None
    clients = context.clients
    state = shift_traffic(
        context.clients_of(Role.DEPLOYER), ENDPOINT, weights, anchor=context.anchor, progress=context.busy
    )
    applications = _repeated(context.data.held_out.inputs, count)
    context.busy(f"{count} invocations")
    start = time.perf_counter()
    _, answered_by = ask_for(clients.invocation(ENDPOINT), applications, context.tally, rows_of_a_request=1)
    rate = count / (time.perf_counter() - start)
    shares = [share(name, weights[name] / sum(weights.values()), answered_by) for name in VARIANTS]
    outside = [one for one in shares if not one.inside]
    if outside:
        raise Unexpected("shares inside the 99.9 % binomial interval", "; ".join(_share_line(one) for one in outside))
    green = shares[VARIANTS.index("green")]
    return Seen(
        f"{_weights_line(weights)}: {_share_line(green)}",
        {
            "phases": [
                {
                    "weights": dict(weights),
                    "requests_per_second": rate,
                    "state": state_fields(state),
                    "shares": [vars(one) | {"inside": one.inside} for one in shares],
                }
            ]
        },
    )


def _repeated(applications: pd.DataFrame, count: int) -> pd.DataFrame:
    times = -(-count // len(applications))
    return pd.concat([applications] * times).head(count)


def _weights_line(weights: Mapping[str, float]) -> str:
    return "/".join(f"{weights[name]:g}" for name in VARIANTS)


def _share_line(one: Share) -> str:
    return f"{one.variant} answered {one.count} of {one.total} (99.9 % interval {one.low} to {one.high})"


def metrics(context: Context) -> Seen:
    """Compare CloudWatch's counts and latencies with the client's own."""
    counted = context.tally.counts()
    invocations = context.tally.invocations
    start = min(one.ended_at - timedelta(seconds=one.seconds) for one in invocations).replace(second=0, microsecond=0)
    sums = _await_counts(context, counted, start)
    errors = {name: value for name, value in sums.items() if name.endswith("Errors") and value}
    if errors:
        raise Unexpected("no invocation to have failed", str(errors))
    rows = [row for name in VARIANTS for row in _latencies(context, name, start, invocations)]
    wrong = [row for row in rows if not row["agrees"]]
    if wrong:
        raise Unexpected("CloudWatch's model latency just below the client's", str(wrong))
    total = sum(counted.values())
    example = next(row for row in rows if row["percent"] == PERCENTS[-1])
    return Seen(
        f"CloudWatch counted the same {total} invocations and no error; p{PERCENTS[-1]} of {example['variant']}: "
        f"model {example['model_ms']:.1f} ms, client {example['client_ms']:.1f} ms",
        {"counts": dict(counted), "latencies": rows},
    )


def _await_counts(context: Context, counted: Mapping[str, int], start: datetime) -> dict[str, float]:
    queries = [MetricQuery(name, "Sum") for name in ("Invocations", "Invocation4XXErrors", "Invocation5XXErrors")]
    deadline = time.monotonic() + METRICS_DEADLINE_SECONDS
    clients = context.clients_of(Role.AUDITOR)
    name = clients.endpoint_part(ENDPOINT).endpoint_name
    while True:
        end = datetime.now(UTC) + timedelta(minutes=1)
        sums: dict[str, float] = {}
        for variant in VARIANTS:
            found = read_variant(clients.cloudwatch, name, variant, queries, start, end)
            sums |= {f"{variant} {query.metric}": _total(series) for query, series in found.items()}
        seen = {variant: int(sums[f"{variant} Invocations"]) for variant in VARIANTS}
        if seen == {variant: counted.get(variant, 0) for variant in VARIANTS}:
            return sums
        if time.monotonic() > deadline:
            raise Unexpected(f"CloudWatch to count {dict(counted)}", str(seen))
        context.busy(f"CloudWatch has {sum(seen.values())} of {sum(counted.values())} invocations")
        time.sleep(3)


def _total(series: Series) -> float:
    return sum(value for _, value in series)


def _latencies(
    context: Context, variant: str, start: datetime, invocations: tuple[Invocation, ...]
) -> list[dict[str, Any]]:
    """Compare percentiles in that hour of the clock which has most of the variant's invocations."""
    queries = [MetricQuery("ModelLatency", f"p{percent}") for percent in PERCENTS]
    clients = context.clients_of(Role.AUDITOR)
    hours = _by_hour([one for one in invocations if one.variant == variant])
    hour, own = max(hours.items(), key=lambda one: len(one[1]))
    found = read_variant(
        clients.cloudwatch, clients.endpoint_part(ENDPOINT).endpoint_name, variant, queries,
        start.replace(minute=0), datetime.now(UTC) + timedelta(hours=1), period_seconds=HOUR,
    )  # fmt: skip
    rows = []
    for query, percent in zip(queries, PERCENTS, strict=True):
        measured = dict(found[query]).get(hour)
        if measured is None:
            raise Unexpected(f"a {query.statistic} of {variant}'s ModelLatency at {hour}", f"{found[query]}")
        model = measured / 1e6
        client, above = percentile([one.seconds for one in own], percent)
        rows.append(
            {
                "variant": variant,
                "percent": percent,
                "requests": len(own),
                "model_ms": model * 1e3,
                "client_ms": client * 1e3,
                # CloudWatch may interpolate up to the next value; the client's is a value that was measured.
                "agrees": 0 < model <= above and client <= model * OVERHEAD_FACTOR + OVERHEAD_SECONDS,
            }
        )
    return rows


def _by_hour(invocations: list[Invocation]) -> dict[datetime, list[Invocation]]:
    hours: dict[datetime, list[Invocation]] = {}
    for one in invocations:
        hours.setdefault(one.ended_at.replace(minute=0, second=0, microsecond=0), []).append(one)
    return hours
