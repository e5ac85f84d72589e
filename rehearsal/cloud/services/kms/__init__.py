"""KMS: keys whose state, kind and region decide what they do, and signatures that verify elsewhere."""

from rehearsal.cloud.services.kms.service import KeyManagement

__all__ = ["KeyManagement"]
