"""ECR: images known by the digest of their manifest, tags that do not move, and replication between registries."""

from rehearsal.cloud.services.ecr.service import ContainerRegistry

__all__ = ["ContainerRegistry"]
