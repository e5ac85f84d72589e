"""SageMaker's control plane in the local cloud."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.rehearsal.cloud.services.conftest import BUCKET, Inference
from tests.rehearsal.cloud.waiting import until

Apart = Callable[[], Inference]


def refused(call: Callable[..., Any], **request: Any) -> str:
    """Return the message of the ValidationException that a call gets."""
    with pytest.raises(ClientError) as caught:
        call(**request)
    assert caught.value.response["Error"]["Code"] == "ValidationException"
    return str(caught.value.response["Error"]["Message"])


@pytest.mark.corrects("sagemaker.models")
def test_a_model_is_read_back_as_it_was_made_and_not_made_twice(apart: Apart) -> None:
    here = apart()
    container = {"Image": here.image, "Environment": {"A": "b"}}
    network = {"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}
    request: dict[str, Any] = {
        "ModelName": here.name(),
        "PrimaryContainer": container,
        "ExecutionRoleArn": here.role_arn,
        "VpcConfig": network,
        "EnableNetworkIsolation": True,
    }
    arn = here.sagemaker.create_model(**request)["ModelArn"]
    read = here.sagemaker.describe_model(ModelName=request["ModelName"])

    assert read["PrimaryContainer"] == {**container, "Mode": "SingleModel"}
    assert (read["VpcConfig"], read["EnableNetworkIsolation"]) == (network, True)
    assert refused(here.sagemaker.create_model, **request) == f'Cannot create already existing model "{arn}".'
    here.sagemaker.delete_model(ModelName=request["ModelName"])
    missing = refused(here.sagemaker.describe_model, ModelName=request["ModelName"])
    assert missing == f'Could not find model "{arn}".'


@pytest.mark.parametrize("name", ["a_b", "-a", "a-", "a" * 64])
def test_names_are_held_to_awss_pattern_and_length(inference: Inference, name: str) -> None:
    said = refused(
        inference.sagemaker.create_model, ModelName=name, PrimaryContainer={"Image": "x"}, ExecutionRoleArn="x" * 20
    )
    assert f"Value '{name}' at 'modelName' failed to satisfy constraint" in said


@pytest.mark.parametrize(
    ("container", "said"),
    [
        ({"Mode": "MultiModel"}, "multi-model containers"),
        ({"ModelPackageName": "package"}, "model packages"),
        (
            {
                "ModelDataSource": {
                    "S3DataSource": {"S3Uri": "s3://a/b", "S3DataType": "S3Prefix", "CompressionType": "None"}
                }
            },
            "must end with a forward slash",
        ),
    ],
)
def test_what_a_container_may_not_say_is_refused_by_name(
    inference: Inference, container: dict[str, Any], said: str
) -> None:
    message = refused(
        inference.sagemaker.create_model,
        ModelName=inference.name(),
        PrimaryContainer={"Image": inference.image, **container},
        ExecutionRoleArn=inference.role_arn,
    )
    assert said in message


@pytest.mark.corrects("sagemaker.endpoint-configurations")
def test_a_configuration_is_read_back_with_weights_shadows_and_metrics(apart: Apart) -> None:
    here = apart()
    model = here.model()
    name = here.configuration(
        {"VariantName": "blue", "ModelName": model, "InstanceType": "ml.g5.xlarge"},
        ShadowProductionVariants=[
            {"VariantName": "dark", "ModelName": model, "InstanceType": "ml.m6i.large", "InitialInstanceCount": 1}
        ],
        MetricsConfig={"EnableEnhancedMetrics": True, "MetricPublishFrequencyInSeconds": 10},
    )
    read = here.sagemaker.describe_endpoint_config(EndpointConfigName=name)

    assert read["ProductionVariants"][0]["InitialVariantWeight"] == 1.0
    assert read["ShadowProductionVariants"][0]["VariantName"] == "dark"
    assert read["MetricsConfig"]["MetricPublishFrequencyInSeconds"] == 10
    again = {"EndpointConfigName": name, "ProductionVariants": read["ProductionVariants"]}
    said = refused(here.sagemaker.create_endpoint_config, **again)
    assert said == f'Cannot create already existing endpoint configuration "{read["EndpointConfigArn"]}".'


def test_a_weight_of_zero_is_kept(inference: Inference) -> None:
    model = inference.model()
    name = inference.configuration(
        {"VariantName": "blue", "ModelName": model, "InitialVariantWeight": 1.0},
        {"VariantName": "green", "ModelName": model, "InitialVariantWeight": 0.0},
    )
    variants = inference.sagemaker.describe_endpoint_config(EndpointConfigName=name)["ProductionVariants"]
    assert [variant["InitialVariantWeight"] for variant in variants] == [1.0, 0.0]


@pytest.mark.parametrize(
    ("variant", "said"),
    [
        ({"ModelName": "no-such-model"}, "Could not find model"),
        ({"InstanceType": "ml.nonsense"}, "enum value set"),
        ({"ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 1}}, "serverless"),
    ],
)
def test_a_configuration_that_cannot_serve_is_refused(inference: Inference, variant: dict[str, Any], said: str) -> None:
    settings = {
        "VariantName": "blue",
        "ModelName": inference.model(),
        "InstanceType": "ml.m6i.large",
        "InitialInstanceCount": 1,
        **variant,
    }
    request = {"EndpointConfigName": inference.name(), "ProductionVariants": [settings]}
    assert said in refused(inference.sagemaker.create_endpoint_config, **request)


@pytest.mark.corrects("sagemaker.endpoints")
def test_an_endpoint_without_an_image_goes_through_creating_to_failed(apart: Apart) -> None:
    here = apart()
    missing = here.image.replace("interlock/serving", "interlock/no-such-image")
    here.image = missing
    name = here.endpoint(here.configuration({"VariantName": "blue", "ModelName": here.model()}), wait=False)
    assert here.describe(name)["EndpointStatus"] in ("Creating", "Failed")
    failed = here.settled(name)

    assert failed["EndpointStatus"] == "Failed"
    assert failed["FailureReason"] == f"Requested image {missing} not found."
    update = {"EndpointName": name, "EndpointConfigName": failed["EndpointConfigName"]}
    assert "failed endpoint" in refused(here.sagemaker.update_endpoint, **update)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (f"s3://{BUCKET}/nothing/here/", f"Could not find model data at s3://{BUCKET}/nothing/here/."),
        ("s3://no-such-bucket-at-all/a/", "Failed to download model data"),
    ],
)
def test_an_endpoint_without_its_data_fails_and_says_where_it_looked(
    inference: Inference, model_data: str, data: str, reason: str
) -> None:
    model = inference.model(data)
    name = inference.endpoint(inference.configuration({"VariantName": "blue", "ModelName": model}))
    failed = inference.describe(name)
    assert failed["EndpointStatus"] == "Failed"
    assert failed["FailureReason"].startswith(reason)


def test_a_model_that_does_not_load_fails_the_ping_and_its_last_words_are_told(
    cloud: Any, image: str, role_arn: str, model_data: str
) -> None:
    # In the recovery region, where its log has to be, and with a model of another region's bucket.
    inference, logs = (
        Inference(cloud, "eu-central-1", image, role_arn),
        cloud.client("logs", region_name="eu-central-1"),
    )
    cloud.client("s3").put_object(Bucket=BUCKET, Key="broken/MLmodel", Body=b"flavors: {}\n")
    model = inference.model(f"s3://{BUCKET}/broken/")
    configuration = inference.configuration({"VariantName": "blue", "ModelName": model})
    group = f"/aws/sagemaker/Endpoints/{inference.upcoming()}"
    logs.create_log_group(logGroupName=group)
    name = inference.endpoint(configuration)
    failed = inference.describe(name)
    assert failed["EndpointStatus"] == "Failed"
    assert "production variant blue did not pass the ping health check" in failed["FailureReason"]
    assert "the model does not load" in failed["FailureReason"]
    logged = logs.filter_log_events(logGroupName=group)["events"]
    assert any("the model does not load" in event["message"] for event in logged)
    assert logged[0]["logStreamName"].startswith("blue/i-")
    assert name in group
    inference.close()


@pytest.mark.corrects("sagemaker.weights-and-capacities")
def test_new_weights_come_into_force_after_updating_and_leave_the_rest_alone(apart: Apart) -> None:
    here = apart()
    model = here.model()
    variants = [{"VariantName": name, "ModelName": model} for name in ("blue", "green")]
    name = here.endpoint(here.configuration(*variants))
    request: dict[str, Any] = {
        "EndpointName": name,
        "DesiredWeightsAndCapacities": [{"VariantName": "green", "DesiredWeight": 0.25}],
    }
    here.sagemaker.update_endpoint_weights_and_capacities(**request)
    updating = here.describe(name)
    blocked = refused(here.sagemaker.update_endpoint_weights_and_capacities, **request)
    deletion = refused(here.sagemaker.delete_endpoint, EndpointName=name)
    blue, green = here.settled(name)["ProductionVariants"]

    assert updating["EndpointStatus"] == "Updating"
    assert (updating["ProductionVariants"][1]["CurrentWeight"], updating["ProductionVariants"][1]["DesiredWeight"]) == (
        1.0,
        0.25,
    )
    assert blocked == deletion == f'Cannot update in-progress endpoint "{updating["EndpointArn"]}".'
    assert (green["CurrentWeight"], green["DesiredInstanceCount"], green["CurrentInstanceCount"]) == (0.25, 1, 1)
    assert (blue["CurrentWeight"], blue["CurrentInstanceCount"]) == (1.0, 1)
    unknown = [{"VariantName": "red", "DesiredWeight": 1.0}]
    said = refused(
        here.sagemaker.update_endpoint_weights_and_capacities, EndpointName=name, DesiredWeightsAndCapacities=unknown
    )
    assert 'The variant name(s) "red" is/are not present' in said


@pytest.mark.corrects("sagemaker.update-endpoint")
def test_an_update_moves_to_the_new_configuration_or_stays_in_service_on_the_old(apart: Apart) -> None:
    here = apart()
    model = here.model()
    first = here.configuration({"VariantName": "blue", "ModelName": model, "InitialVariantWeight": 3.0})
    second = here.configuration(
        {"VariantName": "blue", "ModelName": model, "InitialVariantWeight": 1.0},
        {"VariantName": "green", "ModelName": model, "InitialVariantWeight": 0.5},
    )
    name = here.endpoint(first)

    here.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=second, RetainAllVariantProperties=True)
    updating = here.describe(name)
    assert (updating["EndpointStatus"], updating["EndpointConfigName"]) == ("Updating", first)
    assert updating["PendingDeploymentSummary"]["EndpointConfigName"] == second
    updated = here.settled(name)
    assert updated["EndpointConfigName"] == second
    assert [variant["CurrentWeight"] for variant in updated["ProductionVariants"]] == [3.0, 0.5]

    image, here.image = here.image, here.image.replace("serving", "no-such-image")
    broken = here.configuration({"VariantName": "blue", "ModelName": here.model()})
    here.image = image
    here.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=broken)
    rolled_back = here.settled(name)
    assert (rolled_back["EndpointStatus"], rolled_back["EndpointConfigName"]) == ("InService", second)
    assert "not found" in rolled_back["FailureReason"]

    here.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=first)
    reset = here.settled(name)
    assert [variant["CurrentWeight"] for variant in reset["ProductionVariants"]] == [3.0]
    assert "FailureReason" not in reset

    here.sagemaker.delete_endpoint_config(EndpointConfigName=first)
    said = refused(here.sagemaker.update_endpoint, EndpointName=name, EndpointConfigName=second)
    assert said.startswith("Could not find endpoint configuration")


def test_deleting_takes_an_endpoint_from_the_inventory_at_once_and_from_the_list_when_it_has_stopped(
    cloud: Any, inference: Inference
) -> None:
    name = inference.endpoint(inference.configuration({"VariantName": "blue", "ModelName": inference.model()}))
    arn = inference.describe(name)["EndpointArn"]
    assert arn in cloud.inventory()["sagemaker"]
    inference.sagemaker.delete_endpoint(EndpointName=name)
    assert arn not in cloud.inventory()["sagemaker"]
    until(lambda: inference.gone(name), bool)
    assert refused(inference.sagemaker.describe_endpoint, EndpointName=name) == f'Could not find endpoint "{arn}".'


def test_lists_are_filtered_sorted_and_paged(inference: Inference) -> None:
    names = sorted(inference.model() for _ in range(5))
    seen: list[str] = []
    request: dict[str, Any] = {"MaxResults": 2, "SortBy": "Name", "SortOrder": "Ascending", "NameContains": "inference"}
    while True:
        page = inference.sagemaker.list_models(**request)
        assert len(page["Models"]) <= 2
        seen += [model["ModelName"] for model in page["Models"]]
        if "NextToken" not in page:
            break
        request["NextToken"] = page["NextToken"]
    assert seen == sorted(seen)
    assert set(names) <= set(seen)


@pytest.mark.corrects("sagemaker.tags")
def test_a_tag_set_again_has_the_new_value_only(apart: Apart) -> None:
    here = apart()
    arn = here.sagemaker.describe_model(ModelName=here.model())["ModelArn"]
    here.sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "tier", "Value": "low"}])
    here.sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "tier", "Value": "high"}])
    assert here.sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "tier", "Value": "high"}]
