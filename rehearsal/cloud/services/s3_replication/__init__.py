"""Replication of S3's objects: rules that are checked, and a worker that copies by them."""

from rehearsal.cloud.services.s3_replication.service import ObjectReplication

__all__ = ["ObjectReplication"]
