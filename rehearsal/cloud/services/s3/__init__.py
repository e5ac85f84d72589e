"""S3: versions that stay, locks that hold, writes with conditions, and policies that deny."""

from rehearsal.cloud.services.s3.service import ObjectStorage

__all__ = ["ObjectStorage"]
