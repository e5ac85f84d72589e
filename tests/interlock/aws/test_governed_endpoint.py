"""An endpoint whose image holds the fingerprint of a trust root: what its containers load, and what they refuse."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import mlflow.sklearn
import pandas as pd
import pytest
from sklearn.dummy import DummyRegressor

from interlock.aws.endpoint import EndpointClient
from interlock.aws.invocation import InvocationClient
from interlock.aws.vault import S3VaultWriter
from interlock.failures import OutsideFailure
from interlock.manifest_parts import EndpointPart
from interlock.release.acting import Written
from interlock.release.digests import sha256
from interlock.release.vault import StoredObject
from interlock.release.verification.admitted import Admitted
from rehearsal.cloud.server import LocalCloud
from tests.interlock.release.trust.people import NOW
from tests.interlock.release.verification.world import HOUR, World, approved_world, shown_world

WRITTEN = Written(StoredObject("decisions/", "", 0, "0" * 64), "0" * 64, anew=True)


def model_files(folder: Path, answer: float) -> dict[str, bytes]:
    """A tiny scikit-learn model that always answers the same."""
    rows = pd.DataFrame({"x": [0.0, 1.0]})
    model = DummyRegressor(strategy="constant", constant=answer).fit(rows, [answer, answer])
    mlflow.sklearn.save_model(model, folder, pip_requirements=["scikit-learn"])
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def upload(cloud: LocalCloud, endpoint: EndpointPart, world: World) -> None:
    writer = S3VaultWriter(cloud.client("s3"), endpoint.serving_template.model_data_bucket_name)
    for key, versions in world.vault.objects.items():
        writer.put(key, versions[-1][1], sha256(versions[-1][1]).hex())


@pytest.fixture
def image(cloud: LocalCloud, endpoint_part: EndpointPart) -> Iterator[Path]:
    """The image's folder, whose files say from where trust starts; afterwards the endpoint holds, as it did."""
    folder: Path = cloud.context.containers.images / "serving"
    before = {name: (folder / name).read_text() for name in ("trust-root.fingerprint", "environment")}
    yield folder
    for name, content in before.items():
        (folder / name).write_text(content)
    sagemaker, name = cloud.client("sagemaker"), endpoint_part.endpoint_name
    sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=endpoint_part.holding_configuration_name)
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})


def said(cloud: LocalCloud, endpoint: EndpointPart) -> str:
    """All that the endpoint's containers wrote."""
    logs, group = cloud.client("logs"), f"/aws/sagemaker/Endpoints/{endpoint.endpoint_name}"
    streams = [one["logStreamName"] for one in logs.describe_log_streams(logGroupName=group)["logStreams"]]
    events = (logs.get_log_events(logGroupName=group, logStreamName=one)["events"] for one in streams)
    return "\n".join(event["message"] for one in events for event in one)


def test_a_container_serves_what_two_people_approved_and_refuses_what_they_did_not(
    cloud: LocalCloud, endpoint_part: EndpointPart, image: Path, tmp_path: Path
) -> None:
    cloud.client("logs").create_log_group(logGroupName=f"/aws/sagemaker/Endpoints/{endpoint_part.endpoint_name}")
    approved = approved_world(files=model_files(tmp_path / "1", 1.0))
    verdict = approved.admit()
    approved.decide(verdict)
    upload(cloud, endpoint_part, approved)
    (image / "trust-root.fingerprint").write_text(f"{approved.roots[0].fingerprint}\n")
    (image / "environment").write_text("prod\n")
    client = EndpointClient(cloud.client("sagemaker"), "test", endpoint_part)

    state = client.deploy("blue", Admitted(verdict, WRITTEN), {"blue": 1, "green": 0})
    assert state.variants["blue"].release == approved.digest
    answer = InvocationClient(cloud.client("sagemaker-runtime"), endpoint_part.endpoint_name).predict(["x"], [[0.5]])
    assert (answer.variant, answer.predictions()) == ("blue", [1.0])

    # Whoever can create models, and nothing else, has it load what too few approved.
    refused = shown_world(files=model_files(tmp_path / "2", 2.0), roots_of=approved)
    refused.approve("approver-1")
    refused.sequence(NOW + 3 * HOUR)
    refused.decide(refused.admit(), passed=True)
    upload(cloud, endpoint_part, refused)
    with pytest.raises(OutsideFailure, match="did not become what was asked for"):
        client.deploy("green", Admitted(replace(verdict, digest=refused.digest), WRITTEN))
    assert client.state().variants["blue"].release == approved.digest
    assert f"release {refused.digest} is not loaded:" in said(cloud, endpoint_part)
    assert "[approval-missing] 1 of 2 approvals" in said(cloud, endpoint_part)
