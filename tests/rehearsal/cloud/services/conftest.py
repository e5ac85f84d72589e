"""What tests of inference share: a model, its data in S3, and names that no other test has."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow.sklearn
import numpy as np
import pandas as pd
import pytest
from mlflow.models import infer_signature
from moto.sagemaker.models import sagemaker_backends
from sklearn.linear_model import LogisticRegression

from rehearsal.cloud.server import LocalCloud
from tests.rehearsal.cloud.roles import granting
from tests.rehearsal.cloud.waiting import until

BUCKET = "models-of-the-inference-tests"
PREFIX = "releases/one/files/"
_count = itertools.count()


@dataclass(frozen=True)
class TrainedModel:
    """A saved model and what it predicts."""

    directory: Path
    inputs: pd.DataFrame
    predictions: list[int]

    def body(self, rows: int = 1) -> bytes:
        """Return an invocation of the first rows."""
        return json.dumps({"dataframe_split": self.inputs[:rows].to_dict(orient="split")}).encode()


@pytest.fixture(scope="session")
def trained_model(tmp_path_factory: pytest.TempPathFactory) -> TrainedModel:
    generator = np.random.default_rng(7)
    inputs = pd.DataFrame(generator.random((200, 3)), columns=["income", "debt", "rate"])
    approved = (inputs.income > inputs.debt).astype(int)
    model = LogisticRegression().fit(inputs, approved)
    directory = tmp_path_factory.mktemp("trained") / "model"
    predicted = model.predict(inputs)
    mlflow.sklearn.save_model(
        model, str(directory), signature=infer_signature(inputs, predicted), pip_requirements=["scikit-learn"]
    )
    return TrainedModel(directory, inputs, [int(one) for one in predicted])


@pytest.fixture(scope="session")
def role_arn(cloud: LocalCloud) -> str:
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "sagemaker.amazonaws.com"}}
        ],
    }
    role = cloud.client("iam").create_role(RoleName="inference-tests", AssumeRolePolicyDocument=json.dumps(trust))
    arn = str(role["Role"]["Arn"])
    granting(cloud, arn, "s3:GetObject", "s3:ListBucket")
    return arn


@pytest.fixture(scope="session")
def model_data(cloud: LocalCloud, trained_model: TrainedModel) -> str:
    """The URI of the model's files in S3."""
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": cloud.region})
    for file in trained_model.directory.rglob("*"):
        if file.is_file():
            s3.upload_file(str(file), BUCKET, f"{PREFIX}{file.relative_to(trained_model.directory)}")
    return f"s3://{BUCKET}/{PREFIX}"


@pytest.fixture(scope="session")
def image(cloud: LocalCloud) -> str:
    return f"{cloud.account_id}.dkr.ecr.{cloud.region}.amazonaws.com/interlock/serving:1"


class Inference:
    """Makes models, configurations and endpoints under names of their own, and takes them away again."""

    def __init__(self, cloud: LocalCloud, region: str, image: str, role_arn: str) -> None:
        self.sagemaker = cloud.client("sagemaker", region_name=region)
        self.runtime = cloud.client("sagemaker-runtime", region_name=region)
        self.image = image
        self.role_arn = role_arn
        self._endpoints: list[str] = []
        self._upcoming: str | None = None

    def name(self) -> str:
        return f"inference-{next(_count)}"

    def upcoming(self) -> str:
        """Return the name that the next endpoint will have."""
        self._upcoming = self._upcoming or self.name()
        return self._upcoming

    def model(self, data: str | None = None, **container: Any) -> str:
        """Make a model, with the S3 prefix `data` if it is given."""
        name = self.name()
        if data is not None:
            source = {"S3Uri": data, "S3DataType": "S3Prefix", "CompressionType": "None"}
            container["ModelDataSource"] = {"S3DataSource": source}
        self.sagemaker.create_model(
            ModelName=name, PrimaryContainer={"Image": self.image, **container}, ExecutionRoleArn=self.role_arn
        )
        return name

    def configuration(self, *variants: dict[str, Any], **options: Any) -> str:
        name = self.name()
        filled = [{"InstanceType": "ml.m6i.large", "InitialInstanceCount": 1, **variant} for variant in variants]
        self.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=filled, **options)
        return name

    def endpoint(self, configuration: str, wait: bool = True, **options: Any) -> str:
        name = self.upcoming()
        self._upcoming = None
        self._endpoints.append(name)
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=configuration, **options)
        if wait:
            self.settled(name)
        return name

    def describe(self, endpoint: str) -> dict[str, Any]:
        described: dict[str, Any] = self.sagemaker.describe_endpoint(EndpointName=endpoint)
        return described

    def settled(self, endpoint: str, seconds: float = 180.0) -> dict[str, Any]:
        """Wait until nothing is under way and return the endpoint's description."""
        return until(
            lambda: self.describe(endpoint), lambda seen: seen["EndpointStatus"] in ("InService", "Failed"), seconds
        )

    def gone(self, endpoint: str) -> bool:
        return endpoint not in {
            one["EndpointName"] for one in self.sagemaker.list_endpoints(MaxResults=100)["Endpoints"]
        }

    def close(self) -> None:
        for endpoint in [endpoint for endpoint in self._endpoints if not self.gone(endpoint)]:
            if self.describe(endpoint)["EndpointStatus"] != "Deleting":
                self.settled(endpoint)
                self.sagemaker.delete_endpoint(EndpointName=endpoint)
            until(lambda endpoint=endpoint: self.gone(endpoint), bool)  # type: ignore[misc]


@pytest.fixture(scope="session")
def inference(cloud: LocalCloud, image: str, role_arn: str) -> Iterator[Inference]:
    """For tests that run with all corrections, whose endpoints several tests may share."""
    made = Inference(cloud, cloud.region, image, role_arn)
    yield made
    made.close()


@pytest.fixture
def apart(
    cloud: LocalCloud, image: str, role_arn: str, left_out_correction: str | None
) -> Iterator[Callable[[], Inference]]:
    """For tests of corrections: without one, moto's records lie in a region that is emptied afterwards."""
    region = cloud.region if left_out_correction is None else "ap-south-1"
    made = Inference(cloud, region, image, role_arn)
    yield lambda: made
    if left_out_correction is None:
        made.close()
    else:
        sagemaker_backends[cloud.account_id][region].reset()
