"""Secrets Manager's replicas in other regions: copies that follow their primary, and become primaries themselves."""

from rehearsal.cloud.services.secretsmanager_replication.service import SecretReplication

__all__ = ["SecretReplication"]
