"""What the controller makes of a serving template: models and endpoint configurations, named after what is in them."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from interlock.manifest_parts import DataCapturePart, EndpointPart, ServingTemplatePart
from interlock.release.digests import canonical_json, is_hex_digest
from interlock.release.predicates import APPROVALS, DECISIONS, RELEASES
from interlock.release.trust.published import TRUST
from interlock.release.vault import release_prefix

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.type_defs import CreateEndpointConfigInputTypeDef, CreateModelInputTypeDef

MADE_BY_TAG = "interlock:made-by"
MADE_BY_CONTROLLER = "controller"
ENDPOINT_TAG = "interlock:endpoint"
STACK_TAG = "interlock:stack"
RELEASE_TAG = "interlock:release"

RELEASE_VARIABLE = "INTERLOCK_RELEASE"
"""Tells the serving container which release its model data is (64 hexadecimal digits)."""

LARGEST_NAME = 63
"""https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateModel.html"""


@dataclass(frozen=True)
class Variant:
    """One variant of an endpoint configuration; `weight` is relative to the others'."""

    name: str
    model_name: str
    weight: float
    instance_count: int


RECORD_CHANNELS: Final[Mapping[str, str]] = {"approvals": APPROVALS, "decisions": DECISIONS, "trust": TRUST}
"""What travels with a release beside its own prefix, by the name of its channel: by a release's digest, or whole."""


def model_request(
    stack: str, endpoint: EndpointPart, digest: str, *, with_record: bool = False
) -> CreateModelInputTypeDef:
    """Return the CreateModel request for the release `digest` on this endpoint.

    The whole prefix of the release travels: files, manifest, and the builder's statements. `with_record` adds what
    others have said of it, and the trust root. Channels appear as folders:
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_AdditionalModelDataSource.html
    """
    template = endpoint.serving_template

    def source(prefix: str) -> dict[str, str]:
        uri = f"s3://{template.model_data_bucket_name}/{prefix}"
        return {"S3Uri": uri, "S3DataType": "S3Prefix", "CompressionType": "None"}

    more = [
        {"ChannelName": channel, "S3DataSource": source(prefix if prefix == TRUST else f"{prefix}{digest}/")}
        for channel, prefix in sorted(RECORD_CHANNELS.items())
    ]
    body: dict[str, Any] = {
        "ExecutionRoleArn": template.execution_role_arn,
        "PrimaryContainer": {
            "Image": template.image,
            "Environment": {RELEASE_VARIABLE: digest},
            "ModelDataSource": {"S3DataSource": source(release_prefix(digest))},
            **({"AdditionalModelDataSources": more} if with_record else {}),
        },
        "VpcConfig": {
            "Subnets": list(template.subnet_ids),
            "SecurityGroupIds": list(template.security_group_ids),
        },
        "EnableNetworkIsolation": template.network_isolation,
    }
    name = content_name(f"{endpoint.endpoint_name}-{digest[:8]}", body)
    tags = _tags(stack, endpoint.endpoint_name, template, {RELEASE_TAG: digest})
    request: CreateModelInputTypeDef = {"ModelName": name, **body, "Tags": tags}  # type: ignore[typeddict-item]
    return request


def release_of(endpoint: EndpointPart, described: Mapping[str, Any]) -> str | None:
    """Return the release whose prefix of the vault is the data of a model (DescribeModel's answer), or None."""
    source = described.get("PrimaryContainer", {}).get("ModelDataSource") or {}
    uri = source.get("S3DataSource", {}).get("S3Uri", "")
    start = f"s3://{endpoint.serving_template.model_data_bucket_name}/{RELEASES}"
    digest = uri.removeprefix(start).partition("/")[0] if uri.startswith(start) else ""
    return digest if is_hex_digest(digest) else None


class EarlierImages(Protocol):
    """Says of an image that the template had before whether models keep it."""

    def reasons_against(self, image: str, present: str, /) -> Sequence[str]:
        """Return why a model may not go on with `image` beside the template's `present` one."""
        ...


class NoEarlierImage:
    """Where nobody signs for images, a model has the template's own."""

    def reasons_against(self, image: str, present: str) -> Sequence[str]:  # noqa: ARG002 (the port's)
        return ["without a trust root nobody can tell who signed for it"]


def strangeness(
    stack: str,
    endpoint: EndpointPart,
    digest: str,
    described: Mapping[str, Any],
    earlier_images: EarlierImages,
) -> list[str]:
    """Return where a model is not what the template makes of the release `digest`: in its image, its variables, more.

    `described` is DescribeModel's answer. A variable that was added could change what the image does. The image may be
    one that the template had before, as far as `earlier_images` has nothing against it.
    """
    container = described.get("PrimaryContainer", {})
    with_record = bool(container.get("AdditionalModelDataSources"))
    request = model_request(stack, endpoint, digest, with_record=with_record)
    wanted: dict[str, Any] = {key: value for key, value in request.items() if key not in ("ModelName", "Tags")}
    against: Sequence[str] = ()
    if image := earlier_image_of(endpoint, described):
        against = earlier_images.reasons_against(image, endpoint.serving_template.image)
        wanted["PrimaryContainer"] = {**wanted["PrimaryContainer"], "Image": image}
    found = [f"PrimaryContainer.Image is {image}, not {endpoint.serving_template.image}: {one}" for one in against]
    found += differences(wanted, described)
    more = sorted(set(container.get("Environment", {})) - {RELEASE_VARIABLE})
    return [*found, *(f"PrimaryContainer.Environment has {name} as well" for name in more)]


def earlier_image_of(endpoint: EndpointPart, described: Mapping[str, Any]) -> str:
    """Return a model's image where it is another than the template's; empty where it has none, or the template's."""
    image = described.get("PrimaryContainer", {}).get("Image")
    return image if isinstance(image, str) and image != endpoint.serving_template.image else ""


def configuration_request(
    stack: str, endpoint: EndpointPart, variants: tuple[Variant, ...]
) -> CreateEndpointConfigInputTypeDef:
    """Return the CreateEndpointConfig request for `variants` on this endpoint's template."""
    template = endpoint.serving_template
    body: dict[str, Any] = {
        "ProductionVariants": [
            {
                "VariantName": variant.name,
                "ModelName": variant.model_name,
                "InstanceType": template.instance_type,
                "InitialInstanceCount": variant.instance_count,
                "InitialVariantWeight": variant.weight,
                "ContainerStartupHealthCheckTimeoutInSeconds": template.startup_timeout_seconds,
                "ModelDataDownloadTimeoutInSeconds": template.startup_timeout_seconds,
            }
            for variant in variants
        ],
        "KmsKeyId": template.volume_key_arn,
        **({"DataCaptureConfig": _capture(template.data_capture)} if template.data_capture else {}),
    }
    name = content_name(endpoint.endpoint_name, body)
    tags = _tags(stack, endpoint.endpoint_name, template, {})
    request: CreateEndpointConfigInputTypeDef = {"EndpointConfigName": name, **body, "Tags": tags}  # type: ignore[typeddict-item]
    return request


def _capture(capture: DataCapturePart) -> dict[str, Any]:
    return {
        "EnableCapture": True,
        "InitialSamplingPercentage": capture.percent,
        "DestinationS3Uri": capture.uri,
        "KmsKeyId": capture.encryption_key_arn,
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
    }


def content_name(prefix: str, content: Mapping[str, Any]) -> str:
    """Return `prefix` with a digest of `content`, 63 characters at most: the same content has the same name."""
    digest = hashlib.sha256(canonical_json(dict(content))).hexdigest()[:12]
    return f"{prefix[: LARGEST_NAME - len(digest) - 1].rstrip('-')}-{digest}"


def _tags(stack: str, endpoint_name: str, template: ServingTemplatePart, more: Mapping[str, str]) -> list[Any]:
    ours = {
        MADE_BY_TAG: MADE_BY_CONTROLLER,
        STACK_TAG: stack,
        ENDPOINT_TAG: endpoint_name,
        **more,
    }
    return [{"Key": key, "Value": value} for key, value in sorted({**template.tags, **ours}.items())]


def differences(requested: Any, described: Any, path: str = "") -> list[str]:
    """Return where `described` lacks or contradicts what was `requested`; what AWS adds of its own is no difference."""
    if isinstance(requested, Mapping):
        found = []
        for key, value in requested.items():
            there = described.get(key) if isinstance(described, Mapping) else None
            found += differences(value, there, f"{path}.{key}" if path else key)
        return found
    if isinstance(requested, list):
        if not isinstance(described, list) or len(described) != len(requested):
            return [f"{path} is {described!r}, not {requested!r}"]
        return [
            one
            for index, (left, right) in enumerate(zip(requested, described, strict=True))
            for one in differences(left, right, f"{path}[{index}]")
        ]
    same = same_number(requested, described) if isinstance(requested, float) else requested == described
    return [] if same else [f"{path} is {described!r}, not {requested!r}"]


def same_number(requested: float, described: object) -> bool:
    """Say whether a number came back as it was sent, single precision being all that SageMaker keeps."""
    return isinstance(described, int | float) and math.isclose(requested, described, rel_tol=1e-6)
