"""Lambda: functions from container images, each execution environment a process that speaks the runtime API."""

from rehearsal.cloud.services.lambda_.service import Lambda

__all__ = ["Lambda"]
