"""Endpoint configurations: the variants an endpoint is to have, immutable once created."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rehearsal.cloud.services.sagemaker.scope import Answer, Request, Scope, refusal, unsupported

DEFAULT_WEIGHT = 1.0
_NOT_PROVIDED = {
    "AsyncInferenceConfig": "asynchronous inference",
    "ExplainerConfig": "explainers",
}


@dataclass
class ConfigurationRecord:
    """One endpoint configuration; the variants are ProductionVariants of SageMaker's API, weights filled in."""

    arn: str
    name: str
    created: datetime
    tags: list[dict[str, str]]
    description: dict[str, Any]

    @property
    def variants(self) -> list[dict[str, Any]]:
        """Return the production variants."""
        variants: list[dict[str, Any]] = self.description["ProductionVariants"]
        return variants

    @property
    def shadow_variants(self) -> list[dict[str, Any]]:
        """Return the shadow variants."""
        variants: list[dict[str, Any]] = self.description.get("ShadowProductionVariants") or []
        return variants


def create_endpoint_config(scope: Scope, request: Request) -> Answer:
    """Store an endpoint configuration whose models exist."""
    name = request["EndpointConfigName"]
    scope.refuse_existing("endpoint-config", name)
    for member, what in _NOT_PROVIDED.items():
        if request.get(member):
            raise unsupported(what, f"leave {member} out")
    variants, shadows = request["ProductionVariants"], request.get("ShadowProductionVariants") or []
    if shadows and (len(variants) > 1 or len(shadows) > 1):
        raise refusal("Shadow variants need exactly one production variant and one shadow variant.")
    names = [variant["VariantName"] for variant in [*variants, *shadows]]
    for duplicate in sorted({name for name in names if names.count(name) > 1}):
        raise refusal(f'The variant name "{duplicate}" was non-unique within the request.')
    for variant in [*variants, *shadows]:
        _check_variant(scope, variant)
        # 0.0 is a weight of its own: AWS documents 1.0 for an absent one only.
        variant.setdefault("InitialVariantWeight", DEFAULT_WEIGHT)
    arn = scope.arn("endpoint-config", name)
    description = {key: value for key, value in request.items() if key not in ("Tags", "EndpointConfigName")}
    tags = list(request.get("Tags") or [])
    scope.configurations[name] = ConfigurationRecord(arn, name, scope.now(), tags, description)
    return {"EndpointConfigArn": arn}


def describe_endpoint_config(scope: Scope, request: Request) -> Answer:
    """Return an endpoint configuration as it was created."""
    record = scope.configuration(request["EndpointConfigName"])
    return {
        "EndpointConfigName": record.name,
        "EndpointConfigArn": record.arn,
        "CreationTime": record.created,
        **record.description,
    }


def delete_endpoint_config(scope: Scope, request: Request) -> Answer:
    """Forget a configuration, in use or not: AWS warns against deleting one in use and does it."""
    scope.configuration(request["EndpointConfigName"])
    del scope.configurations[request["EndpointConfigName"]]
    return {}


def _check_variant(scope: Scope, variant: dict[str, Any]) -> None:
    name = variant["VariantName"]
    if variant.get("ServerlessConfig"):
        raise unsupported(f"serverless variants ({name})", "give InstanceType and InitialInstanceCount")
    if variant.get("InstancePools"):
        raise unsupported(f"instance pools ({name})", "give InstanceType and InitialInstanceCount")
    if not variant.get("ModelName"):
        raise unsupported(f"inference components ({name})", "give the variant a ModelName")
    for member in ("InstanceType", "InitialInstanceCount"):
        if not variant.get(member):
            raise refusal(f"{member} is required for the production variant {name}.")
    scope.model(variant["ModelName"])
