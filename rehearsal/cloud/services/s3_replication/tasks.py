"""What is to be replicated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from rehearsal.cloud.services.s3_replication.configuration import Rule

DELAY_SECONDS = 0.5
"""How long a version waits at least, so that nobody takes replication for synchronous; S3 promises no time at all."""


class Change(StrEnum):
    """What happened in the source bucket."""

    VERSION = "version"
    DELETE_MARKER = "delete marker"
    METADATA = "metadata"


@dataclass(frozen=True, eq=False)
class Task:
    """One change of one version, and the rules by which it is replicated; `size` in bytes."""

    change: Change
    bucket_name: str
    key: str
    version_id: str
    size: int
    role_arn: str
    rules: Sequence[Rule]
    noticed_at: datetime
