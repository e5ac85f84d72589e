"""The endpoints of one region, on the vault of that region."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi

from components.model_endpoint import VARIANTS, ModelEndpoint, ModelEndpointArgs
from interlock.settings.endpoints import EndpointSettings
from stacks.layers.region import PlatformRegion, image_in


def provision_endpoint(
    region: PlatformRegion, vault: Mapping[str, pulumi.Output[Any]], chosen: EndpointSettings
) -> dict[str, Any]:
    """Provision one endpoint and return its part of the stack manifest."""
    args: ModelEndpointArgs = {
        "account_id": region.place.account_id,
        "region": region.place.region,
        "endpoint_name": f"interlock-{region.stack}-{chosen.name}",
        "vpc_id": region.network.vpc_id,
        "subnet_ids": region.network.private_subnet_ids,
        "cidr_block": region.network.cidr_block,
        "storage_prefix_list_id": region.network.storage_prefix_list_id,
        "image": image_in(chosen.image, region.place.region),
        "vault_bucket_name": vault["bucket_name"],
        "vault_bucket_arn": vault["bucket_arn"],
        "vault_key_arn": vault["encryption_key_arn"],
        "encryption_key_arn": region.key.key_arn,
        "instance_type": chosen.instance_type,
        "min_instance_count": chosen.instances.min,
        "max_instance_count": chosen.instances.max,
        "p99_latency_limit_ms": chosen.p99_latency_limit_ms,
        "deletion_protection": not region.settings.disposable,
        "log_retention_days": region.settings.log_retention_days,
        "tags": region.settings.resource_tags(region.stack),
    }
    if chosen.data_capture_percent is not None:
        args["data_capture_percent"] = chosen.data_capture_percent
        args["capture_force_destroy"] = region.settings.disposable
    if region.alarms is not None:
        args["alarm_topic_arns"] = region.alarms.topic_arns
    endpoint = ModelEndpoint(f"{chosen.name}{region.suffix}", args, region.options)
    region.made.append(endpoint)
    return {
        "endpoint_name": endpoint.endpoint_name,
        "endpoint_arn": endpoint.endpoint_arn,
        "variants": list(VARIANTS),
        "holding_model_name": endpoint.holding_model_name,
        "holding_configuration_name": endpoint.holding_configuration_name,
        "serving_template": endpoint.serving_template,
    }
