"""What watches and tells: alarms, logs, metrics, notifications."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from interlock.cost.plan import Plan, Planned
from interlock.cost.quantities.charge import HOURS, Charge, Charges, Uncounted
from interlock.cost.usage import Usage

_DAYS: Final = HOURS / 24
_HIGH_RESOLUTION_SECONDS: Final = 60


def alarm(resource: Planned, plan: Plan, usage: Usage) -> Charges:
    """An alarm by the metrics it looks at; below a minute it costs more."""
    metrics = [one for one in _listed(resource.inputs.get("metricQueries")) if one.get("metric")]
    periods = [one["metric"].get("period", 60) for one in metrics] or [resource.inputs.get("period", 60)]
    fine = any(isinstance(period, int | float) and period < _HIGH_RESOLUTION_SECONDS for period in periods)
    count = Decimal(max(len(metrics), 1))
    yield Charge(f"{count} metrics", "cloudwatch.alarm", "high-resolution" if fine else "standard", count)


def composite_alarm(resource: Planned, plan: Plan, usage: Usage) -> Charges:
    """An alarm over alarms."""
    yield Charge("alarm", "cloudwatch.alarm", "composite", Decimal(1))


def scaling_policy(resource: Planned, plan: Plan, usage: Usage) -> Charges:
    """Nothing by itself; target tracking makes an alarm for growing and one for shrinking."""
    if resource.inputs.get("policyType") == "TargetTrackingScaling":
        yield Charge("its own alarms", "cloudwatch.alarm", "standard", Decimal(2))


def dashboard(resource: Planned, plan: Plan, usage: Usage) -> Charges:
    """A dashboard."""
    yield Charge("dashboard", "cloudwatch.dashboard", "each", Decimal(1))


def log_group(resource: Planned, plan: Plan, usage: Usage) -> Charges:
    """What is written, and what its retention keeps of that; without one, what a year keeps."""
    used = usage.log
    kept_days = resource.number("retentionInDays", 0) or Decimal(365)
    stored = used.ingested_gib * used.compressed_share * kept_days / _DAYS
    yield Charge("written", "logs.ingestion", "each", used.ingested_gib, ("log.ingested_gib",))
    yield Charge(
        f"kept {kept_days:f} days", "logs.storage", "each", stored, ("log.ingested_gib", "log.compressed_share")
    )


def cluster(resource: Planned, plan: Plan, usage: Usage) -> Charges:
    """Nothing by itself; Container Insights writes metrics."""
    settings = {one.get("name"): one.get("value") for one in _listed(resource.inputs.get("settings"))}
    insights = settings.get("containerInsights")
    if insights == "enabled":
        yield Charge("metrics", "cloudwatch.metric", "each", usage.cluster.metrics, ("cluster.metrics",))
    elif insights == "enhanced":
        yield Uncounted("enhanced Container Insights", "no price is kept for its metrics")


def topic(resource: Planned, plan: Plan, usage: Usage) -> Charges:
    """A topic by its notifications."""
    yield Charge("notifications", "sns.request", "each", usage.topic.notifications, ("topic.notifications",))


def budget_action(resource: Planned, plan: Plan, usage: Usage) -> Charges:
    """A budget that acts is paid by the day; one that only tells costs nothing."""
    yield Charge("days", "budgets.action", "each", _DAYS)


def _listed(value: Any) -> list[Mapping[str, Any]]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        return []
    return [one for one in value if isinstance(one, Mapping)]
