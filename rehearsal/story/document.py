"""What a story did, as the plain data that a report is made of."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from rehearsal.story.context import Context
from rehearsal.story.step import Outcome, StepRecord

SCHEMA_VERSION = 1
"""Version 1: {schema_version, outcome, started_at, seconds, tools, stack, steps}; times are ISO 8601 in UTC.

A step has name, after, actors (ARNs of the roles and users as whom it acted), outcome (passed, failed, not run),
started_at and seconds (null if not run), summary, details (what it saw, as plain data) and problem ({expected, seen,
logs} or null).
"""

PACKAGES = ("pulumi", "pulumi-aws", "mlflow", "boto3", "moto", "scikit-learn")


def report_document(
    records: Sequence[StepRecord], context: Context, begun_at: datetime, seconds: float
) -> dict[str, Any]:
    """Return the report as plain data, the same that `rehearsal.json` holds."""
    return {
        "schema_version": SCHEMA_VERSION,
        "outcome": "passed" if records and all(one.outcome is Outcome.PASSED for one in records) else "failed",
        "started_at": begun_at.isoformat(timespec="milliseconds"),
        "seconds": round(seconds, 3),
        "tools": _tools(context),
        "stack": context.manifest.model_dump(mode="json") if context.manifest else None,
        "steps": [_step(record) for record in records],
    }


def _step(record: StepRecord) -> dict[str, Any]:
    started_at = record.started_at.astimezone(UTC).isoformat(timespec="milliseconds") if record.started_at else None
    return {
        "name": record.name,
        "after": list(record.after),
        "actors": list(record.actors),
        "outcome": record.outcome.value,
        "started_at": started_at,
        "seconds": None if record.seconds is None else round(record.seconds, 3),
        "summary": record.summary,
        "details": dict(record.details),
        "problem": asdict(record.problem) if record.problem else None,
    }


def _tools(context: Context) -> dict[str, str]:
    versions = {name: importlib.metadata.version(name) for name in PACKAGES}
    return {"python": platform.python_version(), **versions, **context.tool_versions}
