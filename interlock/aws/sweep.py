"""Removes what the controller made and nothing serves any more, found by its tags."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from interlock.aws.errors import error_code, outside
from interlock.aws.serving import MADE_BY_CONTROLLER, MADE_BY_TAG, STACK_TAG

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient


@dataclass(frozen=True)
class Swept:
    """Names of what was deleted, and of what was left because an endpoint serves it."""

    deleted: tuple[str, ...]
    in_use: tuple[str, ...]


def sweep(sagemaker: SageMakerClient, stack: str) -> Swept:
    """Delete the models and endpoint configurations that the controller made for `stack`, those in use excepted.

    Raises OutsideFailure; running it again continues.
    """
    try:
        return _sweep(sagemaker, stack)
    except (ClientError, BotoCoreError) as error:
        raise outside(f"sweep the stack {stack}", error) from error


def _sweep(sagemaker: SageMakerClient, stack: str) -> Swept:
    used_configurations = {
        sagemaker.describe_endpoint(EndpointName=name)["EndpointConfigName"]
        for name in _names(sagemaker, "list_endpoints", "Endpoints", "EndpointName")
    }
    used_models: set[str] = set()
    deleted: list[str] = []
    in_use: list[str] = []
    for name, arn in _summaries(sagemaker, "list_endpoint_configs", "EndpointConfigs", "EndpointConfig"):
        ours = _is_ours(sagemaker, arn, stack)
        if ours and name not in used_configurations:
            _delete(sagemaker.delete_endpoint_config, EndpointConfigName=name)
            deleted.append(name)
            continue
        described = sagemaker.describe_endpoint_config(EndpointConfigName=name)
        used_models.update(
            variant["ModelName"] for variant in described["ProductionVariants"] if "ModelName" in variant
        )
        if ours:
            in_use.append(name)
    for name, arn in _summaries(sagemaker, "list_models", "Models", "Model"):
        if not _is_ours(sagemaker, arn, stack):
            continue
        if name in used_models:
            in_use.append(name)
            continue
        _delete(sagemaker.delete_model, ModelName=name)
        deleted.append(name)
    return Swept(tuple(deleted), tuple(in_use))


def _is_ours(sagemaker: SageMakerClient, arn: str, stack: str) -> bool:
    tags: dict[str, str] = {}
    for page in sagemaker.get_paginator("list_tags").paginate(ResourceArn=arn):
        tags.update({tag["Key"]: tag["Value"] for tag in page["Tags"]})
    return tags.get(MADE_BY_TAG) == MADE_BY_CONTROLLER and tags.get(STACK_TAG) == stack


def _delete(operation: Any, **name: str) -> None:
    try:
        operation(**name)
    except ClientError as error:
        # Gone already is what was wanted; another sweep may run at the same time.
        if error_code(error) != "ValidationException" or "ould not find" not in str(error):
            raise


def _names(sagemaker: SageMakerClient, operation: Any, key: str, name: str) -> Iterator[str]:
    for page in sagemaker.get_paginator(operation).paginate():
        yield from (one[name] for one in page[key])


def _summaries(sagemaker: SageMakerClient, operation: Any, key: str, kind: str) -> list[tuple[str, str]]:
    return [
        (one[f"{kind}Name"], one[f"{kind}Arn"])
        for page in sagemaker.get_paginator(operation).paginate()
        for one in page[key]
    ]
