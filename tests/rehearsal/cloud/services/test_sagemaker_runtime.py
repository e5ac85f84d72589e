"""Invocations in the local cloud: who answers, in what shares, and what CloudWatch then says."""

from __future__ import annotations

import json
import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from rehearsal.cloud.server import LocalCloud
from rehearsal.cloud.services.sagemaker import SageMaker
from rehearsal.cloud.services.sagemaker_runtime import answers, invocation
from rehearsal.cloud.services.sagemaker_runtime.routing import pick
from tests.rehearsal.cloud.services.conftest import Inference, TrainedModel
from tests.rehearsal.cloud.waiting import until

JSON = "application/json"
Invoke = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def champion(inference: Inference, model_data: str) -> str:
    """An endpoint with the same model as blue (95) and green (5)."""
    model = inference.model(model_data)
    name = inference.endpoint(
        inference.configuration(
            {"VariantName": "blue", "ModelName": model, "InitialVariantWeight": 95.0},
            {"VariantName": "green", "ModelName": model, "InitialVariantWeight": 5.0},
        )
    )
    described = inference.describe(name)
    assert described["EndpointStatus"] == "InService", described.get("FailureReason")
    return name


@pytest.fixture
def invoke(inference: Inference, champion: str, trained_model: TrainedModel) -> Invoke:
    def invoke(**changes: Any) -> dict[str, Any]:
        request = {"EndpointName": champion, "Body": trained_model.body(), "ContentType": JSON, **changes}
        answer: dict[str, Any] = inference.runtime.invoke_endpoint(**request)
        return answer

    return invoke


def error(invoke: Invoke, **changes: Any) -> dict[str, Any]:
    with pytest.raises(ClientError) as caught:
        invoke(**changes)
    response: dict[str, Any] = caught.value.response  # type: ignore[assignment]
    return response


def sums(cloud: LocalCloud, endpoint: str, variant: str, metric: str, stat: str = "Sum") -> float:
    now = datetime.now(UTC)
    dimensions = [{"Name": "VariantName", "Value": variant}, {"Name": "EndpointName", "Value": endpoint}]
    named = {"Namespace": "AWS/SageMaker", "MetricName": metric, "Dimensions": dimensions}
    query = {"Id": "q", "MetricStat": {"Metric": named, "Period": 86400, "Stat": stat}}
    answer = cloud.client("cloudwatch").get_metric_data(
        MetricDataQueries=[query], StartTime=now - timedelta(days=1), EndTime=now + timedelta(days=1)
    )
    return float(sum(answer["MetricDataResults"][0]["Values"]))


@given(st.lists(st.floats(0, 100), min_size=1, max_size=6), st.floats(0, 1, exclude_max=True))
def test_a_variant_of_weight_zero_is_never_picked(weights: list[float], draw: float) -> None:
    picked = pick(weights, draw)
    assert (picked is None) == (sum(weights) <= 0)
    assert picked is None or weights[picked] > 0


def test_shares_of_even_draws_are_the_weights() -> None:
    shares = Counter(pick([95.0, 0.0, 5.0], draw / 1000) for draw in range(1000))
    assert shares == {0: 950, 2: 50}


@pytest.mark.corrects("sagemaker-runtime.invoke-endpoint")
def test_the_model_itself_answers(invoke: Invoke, trained_model: TrainedModel) -> None:
    answer = invoke(Body=trained_model.body(rows=50), Accept=JSON, CustomAttributes="trace=1", InferenceId="one")
    assert answer["ContentType"] == JSON
    assert answer["InvokedProductionVariant"] in ("blue", "green")
    assert json.loads(answer["Body"].read()) == {"predictions": trained_model.predictions[:50]}


def test_invocations_follow_the_weights_and_are_counted(cloud: LocalCloud, champion: str, invoke: Invoke) -> None:
    total = 600
    before = {variant: sums(cloud, champion, variant, "Invocations") for variant in ("blue", "green")}
    with ThreadPoolExecutor(4) as clients:
        counted = Counter(clients.map(lambda _: invoke()["InvokedProductionVariant"], range(total)))

    least, most = binom.ppf([0.0005, 0.9995], total, 0.05)
    assert least <= counted["green"] <= most
    assert counted["blue"] + counted["green"] == total
    for variant, seen in counted.items():
        assert sums(cloud, champion, variant, "Invocations") - before[variant] == seen


def test_errors_and_latencies_are_in_sagemakers_units(cloud: LocalCloud, champion: str, invoke: Invoke) -> None:
    before = {m: sums(cloud, champion, "green", m) for m in ("Invocation4XXErrors", "InvocationModelErrors")}
    began = time.perf_counter()
    invoke(TargetVariant="green")
    microseconds = (time.perf_counter() - began) * 1e6
    error(invoke, TargetVariant="green", Body=b"{}")

    after = {metric: sums(cloud, champion, "green", metric) for metric in before}
    assert {metric: after[metric] - before[metric] for metric in before} == dict.fromkeys(before, 1)
    assert sums(cloud, champion, "green", "Invocation5XXErrors") == 0
    assert 100 < sums(cloud, champion, "green", "ModelLatency", "Minimum") < microseconds
    assert 0 < sums(cloud, champion, "green", "OverheadLatency", "p50") < microseconds
    invocations = sums(cloud, champion, "green", "Invocations")
    assert sums(cloud, champion, "green", "InvocationsPerInstance") == invocations


def test_a_target_variant_overrides_the_weights_even_at_weight_zero(
    inference: Inference, champion: str, invoke: Invoke
) -> None:
    weights = [{"VariantName": "blue", "DesiredWeight": 1.0}, {"VariantName": "green", "DesiredWeight": 0.0}]
    inference.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=champion, DesiredWeightsAndCapacities=weights
    )
    inference.settled(champion)
    try:
        assert {invoke()["InvokedProductionVariant"] for _ in range(100)} == {"blue"}
        assert invoke(TargetVariant="green")["InvokedProductionVariant"] == "green"
    finally:
        weights = [{"VariantName": "blue", "DesiredWeight": 95.0}, {"VariantName": "green", "DesiredWeight": 5.0}]
        inference.sagemaker.update_endpoint_weights_and_capacities(
            EndpointName=champion, DesiredWeightsAndCapacities=weights
        )
        inference.settled(champion)


@pytest.mark.parametrize(
    ("changes", "code", "message"),
    [
        (
            {"EndpointName": "no-such-endpoint"},
            "ValidationError",
            "Endpoint no-such-endpoint of account {account} not found.",
        ),
        ({"TargetVariant": "red"}, "ValidationError", "Variant red not found for Request"),
        ({"TargetModel": "other.tar.gz"}, "ValidationError", "is not a multi-model endpoint"),
        (
            {"Body": b" " * (answers.LARGEST_BODY + 1)},
            "413",
            f"HTTP content length exceeded {answers.LARGEST_BODY} bytes.",
        ),
    ],
)
def test_what_no_model_sees_is_refused_in_awss_words(
    cloud: LocalCloud, invoke: Invoke, changes: dict[str, Any], code: str, message: str
) -> None:
    refused = error(invoke, **changes)["Error"]
    assert refused["Code"] == code
    assert message.format(account=cloud.account_id) in refused["Message"]


@pytest.mark.parametrize(
    ("changes", "status"),
    [({"ContentType": "image/png"}, 415), ({"Body": b"{"}, 400), ({"Body": b"\xff\xfe\x00"}, 400)],
)
def test_what_the_model_refuses_is_a_model_error_with_its_own_words(
    invoke: Invoke, changes: dict[str, Any], status: int
) -> None:
    refused = error(invoke, **changes)
    assert (refused["ResponseMetadata"]["HTTPStatusCode"], refused["Error"]["Code"]) == (424, "ModelError")
    assert refused["OriginalStatusCode"] == status
    assert f'Received client error ({status}) from primary with message "' in refused["Error"]["Message"]


def servers(cloud: LocalCloud, endpoint_name: str, variant_name: str) -> list[int]:
    """Return the processes that serve a variant."""
    endpoint = cloud.context.service(SageMaker).endpoint(cloud.account_id, cloud.region, endpoint_name)
    assert endpoint is not None
    variant = endpoint.variant(variant_name)
    assert variant is not None
    return [instance._container.pid for instance in variant.fleet.instances if instance._container is not None]


def test_a_model_that_takes_too_long_is_a_model_error_without_a_status(
    cloud: LocalCloud, champion: str, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(invocation, "MODEL_SECONDS", 0.2)
    before = sums(cloud, champion, "blue", "InvocationModelErrors")
    (pid,) = servers(cloud, champion, "blue")
    os.kill(pid, signal.SIGSTOP)
    try:
        refused = error(invoke, TargetVariant="blue")
    finally:
        os.kill(pid, signal.SIGCONT)
    assert (refused["Error"]["Code"], refused["OriginalStatusCode"]) == ("ModelError", 0)
    assert refused["OriginalMessage"] == answers.TIMED_OUT
    assert sums(cloud, champion, "blue", "InvocationModelErrors") - before == 1


def test_a_holding_variant_is_in_service_and_answers_503(inference: Inference, trained_model: TrainedModel) -> None:
    name = inference.endpoint(inference.configuration({"VariantName": "blue", "ModelName": inference.model()}))

    def invoke(**_: Any) -> dict[str, Any]:
        answer: dict[str, Any] = inference.runtime.invoke_endpoint(EndpointName=name, Body=b"{}", ContentType=JSON)
        return answer

    refused = error(invoke)
    assert (refused["Error"]["Code"], refused["OriginalStatusCode"]) == ("ModelError", 503)


def test_an_endpoint_of_another_region_answers_and_is_measured_there(
    cloud: LocalCloud, image: str, role_arn: str
) -> None:
    there = Inference(cloud, "eu-central-1", image, role_arn)
    metrics = cloud.client("cloudwatch", region_name="eu-central-1")
    name = there.endpoint(there.configuration({"VariantName": "blue", "ModelName": there.model()}))
    with pytest.raises(ClientError):
        there.runtime.invoke_endpoint(EndpointName=name, Body=b"{}", ContentType=JSON)
    wanted = {"Namespace": "AWS/SageMaker", "Dimensions": [{"Name": "EndpointName", "Value": name}]}
    until(lambda: metrics.list_metrics(**wanted)["Metrics"], bool)
    assert not cloud.client("cloudwatch").list_metrics(**wanted)["Metrics"]
    assert f":sagemaker:eu-central-1:{cloud.account_id}:endpoint/{name}" in str(cloud.inventory()["sagemaker"])
    there.close()


def test_a_body_that_looks_like_a_form_reaches_the_model_whole(invoke: Invoke) -> None:
    refused = error(invoke, Body=b"key=value&other=1", ContentType="application/x-www-form-urlencoded")
    assert refused["OriginalStatusCode"] == 415


def test_more_instances_share_the_work_and_the_metric_counts_with_the_declared_number(
    cloud: LocalCloud, inference: Inference
) -> None:
    name = inference.endpoint(inference.configuration({"VariantName": "blue", "ModelName": inference.model()}))
    endpoint = cloud.context.service(SageMaker).endpoint(cloud.account_id, cloud.region, name)
    assert endpoint is not None
    for declared, running in ((4, 2), (1, 1)):
        inference.sagemaker.update_endpoint_weights_and_capacities(
            EndpointName=name, DesiredWeightsAndCapacities=[{"VariantName": "blue", "DesiredInstanceCount": declared}]
        )
        (blue,) = inference.settled(name)["ProductionVariants"]
        assert (blue["CurrentInstanceCount"], blue["CurrentWeight"]) == (declared, 1.0)
        assert len(endpoint.variants[0].fleet.instances) == running
        before = sums(cloud, name, "blue", "InvocationsPerInstance")
        error(lambda: inference.runtime.invoke_endpoint(EndpointName=name, Body=b"{}", ContentType=JSON))
        assert sums(cloud, name, "blue", "InvocationsPerInstance") - before == pytest.approx(1 / declared)


def test_a_killed_model_server_is_started_again(
    cloud: LocalCloud, inference: Inference, champion: str, invoke: Invoke
) -> None:
    (pid,) = servers(cloud, champion, "green")
    os.kill(pid, signal.SIGKILL)
    failed = error(lambda: invoke(TargetVariant="green"))
    assert failed["ResponseMetadata"]["HTTPStatusCode"] in (424, 503)

    def answered() -> bool:
        try:
            return bool(invoke(TargetVariant="green"))
        except ClientError:
            return False

    until(answered, bool)
    assert inference.describe(champion)["EndpointStatus"] == "InService"


def test_no_invocation_fails_while_an_update_replaces_the_variants(
    inference: Inference, champion: str, model_data: str, invoke: Invoke
) -> None:
    before = inference.describe(champion)["EndpointConfigName"]
    model = inference.model(model_data)
    configuration = inference.configuration(
        {"VariantName": "blue", "ModelName": model, "InitialVariantWeight": 95.0},
        {"VariantName": "green", "ModelName": model, "InitialVariantWeight": 5.0},
    )
    inference.sagemaker.update_endpoint(EndpointName=champion, EndpointConfigName=configuration)
    answered = 0
    while inference.describe(champion)["EndpointStatus"] == "Updating":
        invoke()
        answered += 1
    assert answered > 0
    assert inference.describe(champion)["EndpointConfigName"] == configuration != before


@pytest.mark.corrects("sagemaker-runtime.invoke-endpoint-async")
def test_an_endpoint_for_answers_at_once_takes_no_asynchronous_invocation(inference: Inference, champion: str) -> None:
    with pytest.raises(ClientError) as caught:
        inference.runtime.invoke_endpoint_async(EndpointName=champion, InputLocation="s3://a/b")
    assert caught.value.response["Error"]["Code"] == "ValidationError"
