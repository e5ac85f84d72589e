"""AWS CloudTrail: trails that write only into a bucket whose policy admits them, in whichever account it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from moto.cloudtrail.exceptions import S3BucketDoesNotExistException
from moto.cloudtrail.models import Trail, cloudtrail_backends
from moto.core.exceptions import JsonRESTError
from moto.s3.models import s3_backends

from interlock.duties.evaluator.request import service
from rehearsal.cloud.authorization.deliveries import admits
from rehearsal.cloud.places import visited
from rehearsal.cloud.service import Patches, Service, correction

_SERVICE = "cloudtrail.amazonaws.com"
_API = "https://docs.aws.amazon.com/awscloudtrail/latest/APIReference"


class Trails(Service):
    """Trails of each account and region; nothing is written into their buckets."""

    name: ClassVar[str] = "cloudtrail"

    def inventory(self) -> Sequence[str]:
        """Return the ARNs of all trails."""
        return [trail.arn for _, backend in visited(cloudtrail_backends) for trail in backend.trails.values()]

    @correction("cloudtrail.bucket-policy", f"{_API}/API_CreateTrail.html")
    def ask_buckets(self, patches: Patches) -> None:
        """The policy of a trail's bucket has to let CloudTrail look at it and write for the trail's account."""

        def check_bucket_exists(trail: Trail) -> None:
            bucket = _bucket(trail.bucket_name)
            if bucket is None:
                raise S3BucketDoesNotExistException(f"S3 bucket {trail.bucket_name} does not exist!")
            arn = f"arn:{trail.partition}:s3:::{trail.bucket_name}"
            prefix = f"{trail.s3_key_prefix}/" if trail.s3_key_prefix else ""
            asked = (
                ("s3:GetBucketAcl", arn),
                ("s3:PutObject", f"{arn}/{prefix}AWSLogs/{trail.account_id}/CloudTrail/"),
            )
            for action, resource in asked:
                if not bucket.policy or not admits(bucket, service(_SERVICE), action, resource, trail.arn):
                    raise JsonRESTError(
                        "InsufficientS3BucketPolicyException",
                        f"Incorrect S3 bucket policy is detected for bucket: {trail.bucket_name}",
                    )

        patches.replace(Trail, "check_bucket_exists", check_bucket_exists)


def _bucket(name: str) -> Any:
    return next((backend.buckets[name] for _, backend in visited(s3_backends) if name in backend.buckets), None)
