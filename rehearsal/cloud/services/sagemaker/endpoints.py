"""Endpoints: what they are, and what DescribeEndpoint says of them."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from rehearsal.cloud.services.sagemaker.configurations import ConfigurationRecord
from rehearsal.cloud.services.sagemaker.fleet import Fleet
from rehearsal.cloud.services.sagemaker.scope import Answer, Request, Scope

Status = Literal["Creating", "Updating", "InService", "Failed", "Deleting", "RollingBack"]


@dataclass(frozen=True)
class Variant:
    """One variant of an endpoint; a change makes a new one, so that whoever routes sees one state or the other."""

    name: str
    settings: dict[str, Any]
    image: str
    resolved_image: str
    resolved_at: datetime
    fleet: Fleet
    current_weight: float
    desired_weight: float
    current_count: int
    desired_count: int
    status: str | None = None
    """Creating, Updating or Deleting while its instances change."""

    def summary(self) -> Answer:
        """Return a ProductionVariantSummary."""
        said: Answer = {
            "VariantName": self.name,
            "DeployedImages": [
                {
                    "SpecifiedImage": self.image,
                    "ResolvedImage": self.resolved_image,
                    "ResolutionTime": self.resolved_at,
                }
            ],
            "CurrentWeight": self.current_weight,
            "DesiredWeight": self.desired_weight,
            "CurrentInstanceCount": self.current_count,
            "DesiredInstanceCount": self.desired_count,
        }
        for member in ("ManagedInstanceScaling", "RoutingConfig"):
            if member in self.settings:
                said[member] = self.settings[member]
        if self.status is not None:
            said["VariantStatus"] = [{"Status": self.status}]
        return said

    def pending_summary(self) -> Answer:
        """Return a PendingProductionVariantSummary."""
        return {**self.summary(), "InstanceType": self.settings["InstanceType"]}


@dataclass
class Pending:
    """An update on its way: the configuration it leads to and the variants that are being prepared for it."""

    configuration: ConfigurationRecord
    variants: tuple[Variant, ...]
    started: datetime

    def summary(self) -> Answer:
        """Return a PendingDeploymentSummary."""
        return {
            "EndpointConfigName": self.configuration.name,
            "ProductionVariants": [variant.pending_summary() for variant in self.variants],
            "StartTime": self.started,
        }


@dataclass
class Endpoint:
    """One endpoint. `variants` is what traffic is routed by; it and the rest change under `lock`."""

    scope: Scope
    arn: str
    name: str
    configuration: ConfigurationRecord
    created: datetime
    modified: datetime
    tags: list[dict[str, str]]
    variants: tuple[Variant, ...]
    data_capture: dict[str, Any] | None = None
    status: Status = "Creating"
    failure_reason: str | None = None
    pending: Pending | None = None
    last_deployment: dict[str, Any] | None = None
    lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def serves(self) -> bool:
        """Say whether invocations are answered: while an update prepares the new variants, the old ones serve."""
        return self.status in ("InService", "Updating", "RollingBack")

    @property
    def metric_seconds(self) -> int:
        """How often invocation metrics are published: every minute, or as enhanced metrics are configured."""
        declared = self.configuration.description.get("MetricsConfig") or {}
        return (
            int(declared.get("MetricPublishFrequencyInSeconds") or 60) if declared.get("EnableEnhancedMetrics") else 60
        )

    @property
    def fleets(self) -> list[Fleet]:
        """Return the fleets of all variants, those of a pending update too."""
        with self.lock:
            return [variant.fleet for variant in (*self.variants, *(self.pending.variants if self.pending else ()))]

    def variant(self, name: str) -> Variant | None:
        """Return the variant of that name, if there is one."""
        return next((variant for variant in self.variants if variant.name == name), None)


def describe_endpoint(scope: Scope, request: Request) -> Answer:
    """Return an endpoint's status, its variants' weights and counts, and what is under way."""
    endpoint = scope.endpoint(request["EndpointName"])
    with endpoint.lock:
        said: Answer = {
            "EndpointName": endpoint.name,
            "EndpointArn": endpoint.arn,
            "EndpointConfigName": endpoint.configuration.name,
            "ProductionVariants": [variant.summary() for variant in endpoint.variants],
            "EndpointStatus": endpoint.status,
            "CreationTime": endpoint.created,
            "LastModifiedTime": endpoint.modified,
        }
        optional = {
            "FailureReason": endpoint.failure_reason,
            "DataCaptureConfig": _data_capture_summary(endpoint.data_capture),
            "PendingDeploymentSummary": endpoint.pending and endpoint.pending.summary(),
            "LastDeploymentConfig": endpoint.last_deployment,
            "MetricsConfig": endpoint.configuration.description.get("MetricsConfig"),
            "ShadowProductionVariants": [_shadow(variant) for variant in endpoint.configuration.shadow_variants],
        }
    return {**said, **{name: value for name, value in optional.items() if value}}


def _shadow(settings: dict[str, Any]) -> Answer:
    return {
        "VariantName": settings["VariantName"],
        "CurrentWeight": settings["InitialVariantWeight"],
        "DesiredWeight": settings["InitialVariantWeight"],
        "CurrentInstanceCount": settings["InitialInstanceCount"],
        "DesiredInstanceCount": settings["InitialInstanceCount"],
    }


def _data_capture_summary(declared: dict[str, Any] | None) -> Answer | None:
    if not declared:
        return None
    return {
        "EnableCapture": declared.get("EnableCapture", False),
        # Nothing is captured here, and a client that looks must be able to tell.
        "CaptureStatus": "Stopped",
        "CurrentSamplingPercentage": declared["InitialSamplingPercentage"],
        "DestinationS3Uri": declared["DestinationS3Uri"],
        "KmsKeyId": declared.get("KmsKeyId", ""),
    }
