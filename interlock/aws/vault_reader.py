"""Reads what a locked bucket is set to beside its lock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from interlock.duties.live_vault import VaultReading

Ask = Callable[..., Any]
"""Takes what is asked for in words, what asks, and its arguments; returns the answer, None where there is nothing."""
FIRST_REGION: Final = "us-east-1"
"""Of a bucket without a constraint. Source: Amazon S3 API Reference, GetBucketLocation."""
NOTHING: Final = frozenset(
    {
        "ServerSideEncryptionConfigurationNotFoundError", "NoSuchLifecycleConfiguration",
        "NoSuchPublicAccessBlockConfiguration", "OwnershipControlsNotFoundError",
        "ReplicationConfigurationNotFoundError",
    }
)  # fmt: skip
"""What S3 says of a bucket that lacks one of its settings."""


def read_vault(s3: Any, name: str, ask: Ask) -> VaultReading:
    """Return what S3 says of one bucket."""

    def asked(what: str, operation: Ask) -> Any:
        return ask(f"{what} of bucket {name}", operation, Bucket=name)

    location = asked("region", s3.get_bucket_location) or {}
    return VaultReading(
        name=name,
        region=location.get("LocationConstraint") or FIRST_REGION,
        encryption=asked("encryption", s3.get_bucket_encryption),
        lifecycle=asked("lifecycle", s3.get_bucket_lifecycle_configuration),
        public_access=asked("public access", s3.get_public_access_block),
        ownership=asked("ownership", s3.get_bucket_ownership_controls),
        replication=asked("replication", s3.get_bucket_replication),
    )
