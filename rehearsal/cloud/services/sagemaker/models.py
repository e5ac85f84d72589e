"""Models: a container image, where its data lies, and the environment both get."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rehearsal.cloud.network.fabric import INTERNET_ONLY, ISOLATED, Attachment
from rehearsal.cloud.network.topology import interfaces
from rehearsal.cloud.places import Place
from rehearsal.cloud.services.sagemaker.scope import Answer, Request, Scope, refusal, unsupported

_MOST_CHANNELS = 5


@dataclass
class ModelRecord:
    """One model as it was created; `container` is a ContainerDefinition of SageMaker's API."""

    arn: str
    name: str
    created: datetime
    tags: list[dict[str, str]]
    description: dict[str, Any]

    @property
    def container(self) -> dict[str, Any]:
        """Return the one container of the model."""
        containers: list[dict[str, Any]] = self.description.get("Containers") or [self.description["PrimaryContainer"]]
        return containers[0]

    @property
    def role_arn(self) -> str | None:
        """Return the role that reads the model's data."""
        return self.description.get("ExecutionRoleArn")

    def attachment(self, account_id: str, region: str) -> Attachment:
        """Return where its containers' connections come from: wherever in its subnets an instance may be."""
        network = self.description.get("VpcConfig")
        if self.description.get("EnableNetworkIsolation"):
            return ISOLATED
        if not network:
            return INTERNET_ONLY
        return Attachment(interfaces(Place(account_id, region), network["Subnets"], network["SecurityGroupIds"]))


def create_model(scope: Scope, request: Request) -> Answer:
    """Store a model; image and data are looked for when an endpoint needs them."""
    name = request["ModelName"]
    scope.refuse_existing("model", name)
    primary, containers = request.get("PrimaryContainer"), request.get("Containers")
    if primary and containers:
        raise refusal("Both PrimaryContainer and Containers cannot be provided. Please provide only one of them.")
    if not primary and not containers:
        raise refusal("Either PrimaryContainer or Containers must be provided.")
    if containers and len(containers) > 1:
        raise unsupported("inference pipelines", "give one container")
    container = primary or (containers or [{}])[0]
    _check_container(container)
    container.setdefault("Mode", "SingleModel")
    description = {key: value for key, value in request.items() if key not in ("Tags", "ModelName")}
    description.setdefault("EnableNetworkIsolation", False)
    arn = scope.arn("model", name)
    scope.models[name] = ModelRecord(arn, name, scope.now(), list(request.get("Tags") or []), description)
    return {"ModelArn": arn}


def describe_model(scope: Scope, request: Request) -> Answer:
    """Return a model as it was created."""
    model = scope.model(request["ModelName"])
    return {"ModelName": model.name, "ModelArn": model.arn, "CreationTime": model.created, **model.description}


def delete_model(scope: Scope, request: Request) -> Answer:
    """Forget a model; endpoints made from it go on."""
    scope.model(request["ModelName"])
    del scope.models[request["ModelName"]]
    return {}


def _check_container(container: dict[str, Any]) -> None:
    if container.get("Mode") == "MultiModel":
        raise unsupported("multi-model containers", "leave Mode out or give SingleModel")
    if container.get("ModelPackageName"):
        raise unsupported("models from model packages", "give Image and ModelDataUrl or ModelDataSource")
    if not container.get("Image"):
        raise refusal("The container definition must have an Image or a ModelPackageName.")
    if container.get("ModelDataUrl") and container.get("ModelDataSource"):
        raise refusal("ModelDataUrl and ModelDataSource cannot both be provided in a container definition.")
    # https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ContainerDefinition.html
    more = container.get("AdditionalModelDataSources") or []
    if len(more) > _MOST_CHANNELS:
        raise refusal(f"At most {_MOST_CHANNELS} AdditionalModelDataSources can be provided.")
    names = [one["ChannelName"] for one in more]
    if len(set(names)) != len(names):
        raise refusal("The ChannelName of each of the AdditionalModelDataSources must be unique.")
    for declared in (container.get("ModelDataSource") or {}, *more):
        _check_source(declared.get("S3DataSource", {}))


def _check_source(source: dict[str, Any]) -> None:
    if source.get("S3DataType") == "S3Prefix" and source.get("CompressionType") == "Gzip":
        raise refusal("S3DataType S3Prefix needs CompressionType None; a Gzip archive is an S3Object.")
    if source.get("S3DataType") == "S3Prefix" and not source["S3Uri"].endswith("/"):
        raise refusal(f"S3Uri {source['S3Uri']} with S3DataType S3Prefix must end with a forward slash.")
