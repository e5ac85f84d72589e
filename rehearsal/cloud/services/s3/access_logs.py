"""Server access logs: which bucket may receive them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.s3.models import FakeBucket, S3Backend

from interlock.duties.evaluator.request import service
from rehearsal.cloud.authorization.deliveries import admits
from rehearsal.cloud.services.s3.errors import S3Error

_DELIVERY = "logging.s3.amazonaws.com"


def lets_deliver(bucket: FakeBucket, prefix: str | None) -> bool:
    """Say whether a bucket's policy allows S3's log delivery to put objects under a prefix.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html
    """
    resource = f"{bucket.arn}/{prefix or ''}log"
    return bool(bucket.policy) and admits(bucket, service(_DELIVERY), "s3:PutObject", resource, None)


def refusing_locked_targets(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return moto's set_logging, for which a bucket with a default lock receives no logs."""

    def set_logging(bucket: FakeBucket, configuration: dict[str, Any] | None, backend: S3Backend) -> Any:
        target = backend.buckets.get((configuration or {}).get("TargetBucket"))
        if target is not None and target.object_lock_enabled and target.default_lock_mode:
            raise S3Error(
                "InvalidTargetBucketForLogging", "The target bucket for logging cannot have a default Object Lock.", 400
            )
        return original(bucket, configuration, backend)

    return set_logging
