"""A stack manifest in a file, of a stack whose parts were made by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from interlock.duties.duty import SigningDuty
from interlock.manifest import StackManifest
from interlock.manifest_parts import EndpointPart
from rehearsal.cloud.server import LocalCloud
from tests.interlock.conftest import new_vault
from tests.interlock.mlflow_server import RunningServer


@pytest.fixture(scope="session")
def manifest(
    cloud: LocalCloud, endpoint_part: EndpointPart, mlflow: RunningServer, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A stack manifest in a file, of a stack whose parts were made by hand."""
    kms, secrets = cloud.client("kms"), cloud.client("secretsmanager")
    vault = new_vault(cloud)
    key = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]
    credentials = {"username": mlflow.admin.username, "password": mlflow.admin.password}
    secret = secrets.create_secret(Name="mlflow-admin", SecretString=json.dumps(credentials))["ARN"]
    signing = {"key_arn": key["Arn"], "key_id": key["KeyId"], "alias": "alias/builder"}
    document = StackManifest.model_validate(
        {
            "stack": "test",
            "environment": "local",
            "account_id": cloud.context.account_id,
            "accounts": dict.fromkeys(("workload", "evidence", "audit"), cloud.context.account_id),
            "region": cloud.context.region,
            "vault": {
                "bucket_name": vault, "bucket_arn": f"arn:aws:s3:::{vault}", "retention_days": 30,
                "staging_bucket_name": "staging", "staging_bucket_arn": "arn:aws:s3:::staging",
                "encryption_key_arn": key["Arn"],
            },
            "signing_keys": {duty.value: signing for duty in SigningDuty},
            "network": {"vpc_id": "vpc-1", "private_subnet_ids": ["subnet-1"]},
            "artifact_store": {
                "bucket_name": "artifacts", "bucket_arn": "arn:aws:s3:::artifacts", "encryption_key_arn": key["Arn"],
            },
            "tracking": {
                "uri": mlflow.uri, "domain": "mlflow.example.com", "admin_secret_arn": secret, "cluster": "c",
                "service": "s", "load_balancer_arn": "arn:aws:elasticloadbalancing:::lb",
                "database": {
                    "identifier": "d", "address": "127.0.0.1", "port": 5432, "name": "mlflow",
                    "auth_name": "mlflow_auth", "master_secret_arn": secret,
                },
            },
            "endpoints": {"credit": endpoint_part.model_dump()},
        }
    )  # fmt: skip
    path = Path(tmp_path_factory.mktemp("stack")) / "manifest.json"
    path.write_text(document.to_json())
    return path
