"""Secrets Manager's rotation: a schedule, a Lambda function and the stages of a secret's versions."""

from rehearsal.cloud.services.secretsmanager_rotation.service import SecretRotation

__all__ = ["SecretRotation"]
