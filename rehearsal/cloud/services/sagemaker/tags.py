"""Tags of SageMaker's resources, in place of moto's, which keeps a key twice when it is set twice."""

from __future__ import annotations

from moto.sagemaker.models import SageMakerModelBackend


def add_tags(backend: SageMakerModelBackend, arn: str, tags: list[dict[str, str]]) -> list[dict[str, str]]:
    """Set tags and return all that the resource has; a key that it had gets the new value."""
    resource = backend._get_resource_from_arn(arn)
    merged = {tag["Key"]: tag["Value"] for tag in [*resource.tags, *tags]}
    resource.tags = [{"Key": key, "Value": value} for key, value in merged.items()]
    kept: list[dict[str, str]] = resource.tags
    return kept
