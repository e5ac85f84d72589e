"""Application Auto Scaling for SageMaker's variants."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from rehearsal.cloud.server import LocalCloud
from tests.rehearsal.cloud.services.conftest import Inference

DIMENSION = {"ServiceNamespace": "sagemaker", "ScalableDimension": "sagemaker:variant:DesiredInstanceCount"}
TRACKING = {
    "TargetValue": 100.0,
    "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
}


@pytest.fixture
def scaling(cloud: LocalCloud) -> Any:
    return cloud.client("application-autoscaling")


@pytest.fixture(scope="session")
def scaled(inference: Inference) -> str:
    """The resource id of a variant; its endpoint may well have failed, which makes no difference here."""
    inference_image, inference.image = inference.image, inference.image.replace("serving", "no-such-image")
    configuration = inference.configuration({"VariantName": "blue", "ModelName": inference.model()})
    inference.image = inference_image
    return f"endpoint/{inference.endpoint(configuration)}/variant/blue"


@pytest.fixture
def target(scaling: Any, scaled: str) -> Iterator[str]:
    scaling.register_scalable_target(ResourceId=scaled, MinCapacity=1, MaxCapacity=3, Tags={"tier": "low"}, **DIMENSION)
    found = scaling.describe_scalable_targets(ServiceNamespace="sagemaker", ResourceIds=[scaled])["ScalableTargets"]
    yield str(found[0]["ScalableTargetARN"])
    if scaling.describe_scalable_targets(ServiceNamespace="sagemaker", ResourceIds=[scaled])["ScalableTargets"]:
        scaling.deregister_scalable_target(ResourceId=scaled, **DIMENSION)


def refused(call: Any, **request: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**request)
    return str(caught.value.response["Error"]["Code"])


@pytest.mark.corrects("application-autoscaling.targets")
def test_a_variant_that_does_not_exist_cannot_be_scaled(scaling: Any) -> None:
    resource = "endpoint/no-such-endpoint/variant/blue"
    request = {"ResourceId": resource, "MinCapacity": 1, "MaxCapacity": 2, **DIMENSION}
    try:
        assert refused(scaling.register_scalable_target, **request) == "ValidationException"
    finally:
        for made in scaling.describe_scalable_targets(ServiceNamespace="sagemaker", ResourceIds=[resource])[
            "ScalableTargets"
        ]:
            scaling.deregister_scalable_target(ResourceId=made["ResourceId"], **DIMENSION)


@pytest.mark.corrects("application-autoscaling.tags")
def test_the_tags_of_a_target_are_set_listed_and_taken_away(scaling: Any, target: str) -> None:
    scaling.tag_resource(ResourceARN=target, Tags={"owner": "risk"})
    assert scaling.list_tags_for_resource(ResourceARN=target)["Tags"] == {"tier": "low", "owner": "risk"}
    scaling.untag_resource(ResourceARN=target, TagKeys=["tier"])
    assert scaling.list_tags_for_resource(ResourceARN=target)["Tags"] == {"owner": "risk"}
    scaling.untag_resource(ResourceARN=target, TagKeys=["owner"])
    scaling.tag_resource(ResourceARN=target, Tags={"tier": "low"})


@pytest.mark.corrects("application-autoscaling.deregister")
def test_policies_go_with_their_target(scaling: Any, scaled: str, target: str) -> None:
    policy = {"PolicyName": "track", "ResourceId": scaled, "PolicyType": "TargetTrackingScaling", **DIMENSION}
    scaling.put_scaling_policy(TargetTrackingScalingPolicyConfiguration=TRACKING, **policy)
    kept = scaling.describe_scaling_policies(ServiceNamespace="sagemaker", ResourceId=scaled)["ScalingPolicies"]
    assert kept[0]["TargetTrackingScalingPolicyConfiguration"] == TRACKING
    scaling.deregister_scalable_target(ResourceId=scaled, **DIMENSION)
    left = scaling.describe_scaling_policies(ServiceNamespace="sagemaker", ResourceId=scaled)["ScalingPolicies"]
    for policy in left:
        scaling.delete_scaling_policy(PolicyName=policy["PolicyName"], ResourceId=scaled, **DIMENSION)
    assert left == []


@pytest.mark.corrects("application-autoscaling.policies")
def test_a_policy_needs_a_target(scaling: Any, scaled: str) -> None:
    policy = {"PolicyName": "alone", "ResourceId": scaled, "PolicyType": "TargetTrackingScaling", **DIMENSION}
    try:
        found = refused(scaling.put_scaling_policy, TargetTrackingScalingPolicyConfiguration=TRACKING, **policy)
    except BaseException:
        scaling.delete_scaling_policy(PolicyName="alone", ResourceId=scaled, **DIMENSION)
        raise
    assert found == "ObjectNotFoundException"
