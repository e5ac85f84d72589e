"""CloudWatch: metrics with all their statistics, metric maths, and alarms that evaluate."""

from rehearsal.cloud.services.cloudwatch.service import CloudWatch

__all__ = ["CloudWatch"]
