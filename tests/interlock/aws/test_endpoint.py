from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest

from interlock.aws.endpoint import EndpointClient
from interlock.aws.endpoint_state import EndpointState, VariantState, shortfalls
from interlock.aws.invocation import InvocationClient
from interlock.aws.serving import configuration_request, content_name, differences, model_request
from interlock.aws.sweep import sweep
from interlock.aws.vault import S3VaultWriter
from interlock.failures import BadInput, OutsideFailure, Refusal
from interlock.manifest_parts import EndpointPart
from interlock.release.manifest import manifest_of
from interlock.release.vault import files_prefix
from interlock.release.verification.admitted import Admitted
from interlock.release.verification.stored import Verification
from rehearsal.cloud.server import LocalCloud

STACK = "test"


def state(status: str = "InService", configuration: str = "c", **weights: tuple[float, float]) -> EndpointState:
    variants = {name: VariantState("m", None, now, wanted, 1, 1) for name, (now, wanted) in weights.items()}
    return EndpointState("e", status, configuration, "", variants)


def test_an_endpoint_that_is_as_intended_has_no_shortfall() -> None:
    assert shortfalls(state(blue=(95, 95), green=(5, 5)), "c", {"blue": 95, "green": 5}) == []


@pytest.mark.parametrize(
    ("seen", "complaint"),
    [
        (state(blue=(1, 1), green=(0, 0), configuration="old"), "configuration old"),
        (state(blue=(1, 1), green=(0, 0), status="Failed"), "status is Failed"),
        (state(blue=(1, 0.9), green=(0, 0)), "desired 0.9"),
        (state(blue=(0.9, 1), green=(0, 0)), "weight 0.9"),
        (state(blue=(1, 1)), "variants blue"),
    ],
)
def test_in_service_is_not_enough(seen: EndpointState, complaint: str) -> None:
    assert any(complaint in one for one in shortfalls(seen, "c", {"blue": 1, "green": 0}))


def test_a_name_follows_from_the_content_and_stays_within_63_characters() -> None:
    name = content_name("x" * 80, {"a": 1})
    assert len(name) == 63
    assert name == content_name("x" * 80, {"a": 1}) != content_name("x" * 80, {"a": 2})


def test_what_aws_adds_is_no_difference_and_what_it_changes_is() -> None:
    requested = {"a": [{"b": 0.95}], "c": "x"}
    assert differences(requested, {"a": [{"b": 0.949999988079071, "more": 1}], "c": "x", "Arn": "…"}) == []
    assert differences(requested, {"a": [{"b": 0.9}], "c": "x"}) == ["a[0].b is 0.9, not 0.95"]


def put_model(cloud: LocalCloud, endpoint: EndpointPart, folder: Path, answer: float) -> str:
    """Put a tiny scikit-learn model, which always answers with `answer`, into the vault; return its digest."""
    import mlflow.sklearn
    import pandas as pd
    from sklearn.dummy import DummyRegressor

    model = DummyRegressor(strategy="constant", constant=answer).fit(pd.DataFrame({"x": [0.0, 1.0]}), [answer, answer])
    assert pickle.dumps(model)
    mlflow.sklearn.save_model(model, folder / "model", pip_requirements=["scikit-learn"])
    manifest = manifest_of(folder / "model")
    writer = S3VaultWriter(cloud.client("s3"), endpoint.serving_template.model_data_bucket_name)
    for file in manifest.files:
        writer.put(files_prefix(manifest.subject_digest) + file.path, folder / "model" / file.path, file.sha256)
    return manifest.subject_digest


def admitted(digest: str) -> Admitted:
    """What verification returns of a release where no policy governs."""
    return Admitted(Verification(digest, (), None, (), None))


@pytest.fixture
def client(cloud: LocalCloud, endpoint_part: EndpointPart) -> EndpointClient:
    return EndpointClient(cloud.client("sagemaker"), STACK, endpoint_part)


def ask(cloud: LocalCloud, endpoint: EndpointPart, variant: str | None = None) -> tuple[str, Any]:
    invocation = InvocationClient(cloud.client("sagemaker-runtime"), endpoint.endpoint_name)
    answer = invocation.predict(["x"], [[0.5]], variant=variant)
    return answer.variant, answer.predictions()[0]


def test_releases_are_deployed_shifted_and_swept(
    cloud: LocalCloud, client: EndpointClient, endpoint_part: EndpointPart, tmp_path: Path
) -> None:
    sagemaker = cloud.client("sagemaker")
    first = put_model(cloud, endpoint_part, tmp_path / "1", 1.0)
    second = put_model(cloud, endpoint_part, tmp_path / "2", 2.0)

    deployed = client.deploy("blue", admitted(first), {"blue": 1, "green": 0})
    assert deployed.variants["blue"].release == first
    assert deployed.variants["green"].release is None
    assert ask(cloud, endpoint_part) == ("blue", 1.0)

    both = client.deploy("green", admitted(second))
    assert both.shares() == {"blue": 1.0, "green": 0.0}
    assert ask(cloud, endpoint_part, "green") == ("green", 2.0)
    assert client.deploy("green", admitted(second)).configuration == both.configuration

    with pytest.raises(Refusal, match="keeps the traffic as it is"):
        client.shift({"blue": 0, "green": 100}, [admitted(first)])
    shifted = client.shift({"blue": 0, "green": 100}, [admitted(second)])
    assert shifted.shares() == {"blue": 0.0, "green": 1.0}
    assert ask(cloud, endpoint_part) == ("green", 2.0)

    swept = sweep(sagemaker, STACK)
    assert swept.deleted == (deployed.configuration,)
    assert both.configuration in swept.in_use
    assert sweep(sagemaker, "another-stack") == type(swept)((), ())

    sagemaker.update_endpoint(
        EndpointName=endpoint_part.endpoint_name, EndpointConfigName=endpoint_part.holding_configuration_name
    )
    sagemaker.get_waiter("endpoint_in_service").wait(
        EndpointName=endpoint_part.endpoint_name, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    assert len(sweep(sagemaker, STACK).deleted) == 3
    assert endpoint_part.holding_model_name in json.dumps(sagemaker.list_models(), default=str)


def test_something_else_under_the_models_name_is_not_taken_for_it(
    cloud: LocalCloud, client: EndpointClient, endpoint_part: EndpointPart, serving_role: str, serving_image: str
) -> None:
    digest = "ab" * 32
    name = model_request(STACK, endpoint_part, digest)["ModelName"]
    cloud.client("sagemaker").create_model(
        ModelName=name, PrimaryContainer={"Image": serving_image}, ExecutionRoleArn=serving_role
    )
    with pytest.raises(OutsideFailure, match="not what was asked for"):
        client.deploy("blue", admitted(digest))


def test_wrong_variants_and_weights_are_refused_before_anything_is_created(client: EndpointClient) -> None:
    with pytest.raises(BadInput, match="'purple'; accepted is one of blue, green"):
        client.deploy("purple", admitted("ab" * 32))
    wrong = [{"blue": 1.0}, {"blue": 1.0, "green": -1.0}, {"blue": 0.0, "green": 0.0}]
    for weights in [*wrong, {"blue": 1.0, "green": float("nan")}, {"blue": float("inf"), "green": 0.0}]:
        with pytest.raises(BadInput, match="weights"):
            client.shift(weights, [])
        with pytest.raises(BadInput, match="weights"):
            client.deploy("blue", admitted("ab" * 32), weights)


def test_a_model_that_somebody_else_made_gets_no_traffic(
    cloud: LocalCloud, client: EndpointClient, endpoint_part: EndpointPart, serving_role: str, tmp_path: Path
) -> None:
    sagemaker, name = cloud.client("sagemaker"), endpoint_part.endpoint_name
    digest = put_model(cloud, endpoint_part, tmp_path / "1", 1.0)
    request = model_request(STACK, endpoint_part, digest)
    altered = {**request["PrimaryContainer"], "Environment": {"INTERLOCK_RELEASE": digest, "PYTHONPATH": "/opt/ml"}}
    sagemaker.create_model(**{**request, "ModelName": "somebody-elses", "PrimaryContainer": altered})
    config = sagemaker.describe_endpoint_config(EndpointConfigName=endpoint_part.holding_configuration_name)
    variants = [
        {**one, "ModelName": "somebody-elses" if one["VariantName"] == "green" else one["ModelName"]}
        for one in config["ProductionVariants"]
    ]
    sagemaker.create_endpoint_config(EndpointConfigName="somebody-elses", ProductionVariants=variants)
    sagemaker.update_endpoint(EndpointName=name, EndpointConfigName="somebody-elses")
    waiter = sagemaker.get_waiter("endpoint_in_service")
    waiter.wait(EndpointName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    running = client.state().variants["green"]
    assert (running.release, running.faults) == (digest, ("PrimaryContainer.Environment has PYTHONPATH as well",))
    with pytest.raises(Refusal) as refused:
        client.shift({"blue": 0, "green": 100}, [admitted(digest)])
    assert "PYTHONPATH" in refused.value.reasons[0]
    sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=endpoint_part.holding_configuration_name)
    waiter.wait(EndpointName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})


def test_the_holding_model_answers_that_nothing_is_deployed(cloud: LocalCloud, endpoint_part: EndpointPart) -> None:
    with pytest.raises(OutsideFailure, match="503"):
        ask(cloud, endpoint_part)


def test_the_controllers_tags_win_over_the_templates(endpoint_part: EndpointPart) -> None:
    tags = {tag["Key"]: tag["Value"] for tag in configuration_request(STACK, endpoint_part, ())["Tags"]}
    assert tags["interlock:made-by"] == "controller"
    assert tags["interlock:stack"] == STACK
    assert tags["owner"] == "platform"
