"""A local cloud and an MLflow server, with the parts that library and commands act on."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from interlock.duties.bucket_policy import vault_policy
from interlock.manifest_parts import EndpointPart, ServingTemplatePart
from rehearsal.cloud.server import LocalCloud
from tests.interlock.mlflow_server import RunningServer, mlflow_server
from tests.rehearsal.cloud.roles import granting

RETENTION_DAYS = 30


@pytest.fixture(scope="session")
def mlflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with mlflow_server(Path(tmp_path_factory.mktemp("mlflow"))) as running:
        yield running


@pytest.fixture(scope="session")
def registered(mlflow: RunningServer) -> str:
    """The name of a registered model with one version."""
    import mlflow as client
    import pandas as pd
    from sklearn.dummy import DummyRegressor

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_USERNAME", mlflow.admin.username)
        patch.setenv("MLFLOW_TRACKING_PASSWORD", mlflow.admin.password)
        client.set_tracking_uri(mlflow.uri)
        client.set_registry_uri(mlflow.uri)
        model = DummyRegressor(strategy="constant", constant=1.0).fit(pd.DataFrame({"x": [0.0]}), [1.0])
        with client.start_run():
            client.sklearn.log_model(
                model, name="model", registered_model_name="credit", pip_requirements=["scikit-learn"]
            )
        client.MlflowClient().set_registered_model_alias("credit", "candidate", "1")
    return "credit"


def new_vault(cloud: LocalCloud, **place: str) -> str:
    """Make a vault as the stack configures it: versioned, locked by default, with the vault's policy."""
    s3 = cloud.client("s3", **place)
    name = f"vault-{uuid.uuid4().hex[:12]}"
    s3.create_bucket(
        Bucket=name,
        ObjectLockEnabledForBucket=True,
        CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name},
    )
    s3.put_object_lock_configuration(
        Bucket=name,
        ObjectLockConfiguration={
            "ObjectLockEnabled": "Enabled",
            "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": RETENTION_DAYS}},
        },
    )
    s3.put_bucket_policy(Bucket=name, Policy=vault_policy(f"arn:aws:s3:::{name}", RETENTION_DAYS, []))
    return name


@pytest.fixture
def vault_bucket(cloud: LocalCloud) -> str:
    """A vault of the test's own."""
    return new_vault(cloud)


@pytest.fixture(scope="session")
def serving_role(cloud: LocalCloud) -> str:
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    arn: str = cloud.client("iam").create_role(
        RoleName=f"serving-{uuid.uuid4().hex[:8]}", AssumeRolePolicyDocument=json.dumps(trust)
    )["Role"]["Arn"]
    granting(cloud, arn, "s3:GetObject", "s3:ListBucket", "kms:Decrypt")
    return arn


@pytest.fixture(scope="session")
def serving_image(cloud: LocalCloud) -> str:
    return f"{cloud.context.account_id}.dkr.ecr.{cloud.context.region}.amazonaws.com/interlock/serving:0.1.0"


@pytest.fixture(scope="session")
def endpoint_part(cloud: LocalCloud, serving_role: str, serving_image: str) -> Iterator[EndpointPart]:
    """An endpoint with blue and green on a holding model, as the stack provisions it; a test leaves it so."""
    sagemaker = cloud.client("sagemaker")
    ec2 = cloud.client("ec2")
    name = f"credit-{uuid.uuid4().hex[:8]}"
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.0.0/20")["Subnet"]["SubnetId"]
    group = ec2.create_security_group(GroupName=name, Description="serving", VpcId=vpc)["GroupId"]
    key = cloud.client("kms").create_key()["KeyMetadata"]["Arn"]
    holding = f"{name}-holding"
    sagemaker.create_model(ModelName=holding, PrimaryContainer={"Image": serving_image}, ExecutionRoleArn=serving_role)
    sagemaker.create_endpoint_config(
        EndpointConfigName=holding,
        ProductionVariants=[
            {
                "VariantName": variant,
                "ModelName": holding,
                "InstanceType": "ml.m5.large",
                "InitialInstanceCount": 1,
                "InitialVariantWeight": weight,
            }
            for variant, weight in (("blue", 1.0), ("green", 0.0))
        ],
    )
    arn = sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=holding)["EndpointArn"]
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 90})
    yield EndpointPart(
        endpoint_name=name,
        endpoint_arn=arn,
        variants=("blue", "green"),
        holding_model_name=holding,
        holding_configuration_name=holding,
        serving_template=ServingTemplatePart(
            image=serving_image,
            instance_type="ml.m5.large",
            min_instance_count=1,
            max_instance_count=2,
            execution_role_arn=serving_role,
            subnet_ids=(subnet,),
            security_group_ids=(group,),
            volume_key_arn=key,
            network_isolation=True,
            model_data_bucket_name=new_vault(cloud),
            model_data_prefix="releases/",
            startup_timeout_seconds=120,
            alarm_names=(),
            tags={"owner": "platform"},
        ),
    )
    sagemaker.delete_endpoint(EndpointName=name)
