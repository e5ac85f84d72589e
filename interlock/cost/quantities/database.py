"""Databases: RDS for PostgreSQL, and DynamoDB by request."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from interlock.cost.plan import NotKnownError, Plan, Planned
from interlock.cost.quantities.charge import HOURS, Charge, Charges, Uncounted
from interlock.cost.usage import Usage

INSTANCE: Final = "aws:rds/instance:Instance"
_FREE_INSIGHTS_DAYS: Final = 7


def instance(resource: Planned, plan: Plan, usage: Usage) -> Charges:
    """A DB instance, its storage and backups; with a standby in another zone both are paid twice.

    A replica takes from its source what it does not say itself.
    """
    source = plan.source(resource, "replicateSourceDb", INSTANCE)
    engine = (source or resource).text("engine")
    if engine != "postgres":
        raise NotKnownError(f"no price is kept for the engine {engine}")
    instance_class = resource.text("instanceClass")
    zones = "two-zones" if resource.inputs.get("multiAz") is True else "one-zone"
    words = "with a standby in another zone" if zones == "two-zones" else "in one zone"
    times = Decimal(2) if zones == "two-zones" else Decimal(1)
    storage = (resource if resource.inputs.get("allocatedStorage") else source or resource).number("allocatedStorage")
    kind = str(resource.inputs.get("storageType") or (source.inputs.get("storageType") if source else None) or "gp2")
    yield Charge(f"{instance_class} {words}", "rds.postgres.instance", instance_class, times * HOURS)
    yield Charge(f"{storage:f} GiB {kind} {words}", "rds.postgres.storage", f"{kind} {zones}", storage)
    # AWS stores backups as large as the storage for nothing.
    beyond = storage * max(usage.database.backup_ratio - 1, Decimal(0))
    if resource.inputs.get("backupRetentionPeriod"):
        yield Charge("backups beyond the storage's size", "rds.backup", "each", beyond, ("database.backup_ratio",))
    if resource.inputs.get("iops") and kind == "gp3" and storage < 400:
        yield Uncounted("provisioned IOPS", "no price is kept for them")
    if _kept_long(resource):
        yield Uncounted("Performance Insights kept longer than 7 days", "no price is kept for it")


def _kept_long(resource: Planned) -> bool:
    days = resource.inputs.get("performanceInsightsRetentionPeriod")
    return isinstance(days, int | float) and days > _FREE_INSIGHTS_DAYS


def table(resource: Planned, plan: Plan, usage: Usage) -> Charges:
    """A table that is paid for by request."""
    mode = resource.text("billingMode", "PROVISIONED")
    if mode != "PAY_PER_REQUEST":
        raise NotKnownError(f"no price is kept for the billing mode {mode}")
    used = usage.table
    yield Charge("reads", "dynamodb.read", "each", used.reads, ("table.reads",))
    yield Charge("writes", "dynamodb.write", "each", used.writes, ("table.writes",))
    yield Charge("storage", "dynamodb.storage", "each", used.gib, ("table.gib",))
    recovery = resource.inputs.get("pointInTimeRecovery")
    if isinstance(recovery, dict) and recovery.get("enabled") is True:
        yield Charge("point-in-time recovery", "dynamodb.recovery", "each", used.gib, ("table.gib",))
