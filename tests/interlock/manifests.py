"""A stack manifest as a small stack has it."""

from __future__ import annotations

from typing import Any

from interlock.duties.duty import SigningDuty

ACCOUNT = "111122223333"
REGION = "eu-west-1"


def manifest_document() -> dict[str, Any]:
    """Return a manifest of today's schema as parsed JSON, of one account and region; the caller may change it."""
    accounts = dict.fromkeys(("workload", "evidence", "audit"), ACCOUNT)
    return {**manifest_document_of_version_1(), "schema_version": 2, "accounts": accounts}


def manifest_document_of_version_1() -> dict[str, Any]:
    """Return a manifest of schema version 1 as parsed JSON; the caller may change it."""
    key = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd"
    return {
        "schema_version": 1,
        "stack": "test",
        "environment": "dev",
        "account_id": ACCOUNT,
        "region": REGION,
        "vault": {
            "bucket_name": "vault-0123456",
            "bucket_arn": "arn:aws:s3:::vault-0123456",
            "staging_bucket_name": "staging-0123456",
            "staging_bucket_arn": "arn:aws:s3:::staging-0123456",
            "retention_days": 30,
            "encryption_key_arn": key,
        },
        "signing_keys": {
            duty.value: {"key_arn": key, "key_id": "1234abcd", "alias": f"alias/interlock-test-{duty.value}"}
            for duty in SigningDuty
        },
        "network": {"vpc_id": "vpc-01", "private_subnet_ids": ["subnet-01", "subnet-02"]},
        "artifact_store": {
            "bucket_name": "artifacts-0123456",
            "bucket_arn": "arn:aws:s3:::artifacts-0123456",
            "encryption_key_arn": key,
        },
        "tracking": {
            "uri": "https://internal-tracking.eu-west-1.elb.amazonaws.com",
            "domain": "mlflow.example.com",
            "admin_secret_arn": f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:admin",
            "database": {
                "identifier": "database-0123456",
                "address": "database-0123456.eu-west-1.rds.amazonaws.com",
                "port": 5432,
                "name": "mlflow",
                "auth_name": "mlflow_auth",
                "master_secret_arn": f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:master",
            },
            "cluster": "tracking-cluster-0123456",
            "service": "tracking-service-0123456",
            "load_balancer_arn": f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:loadbalancer/app/one/0123",
        },
        "endpoints": {
            "credit": {
                "endpoint_name": "interlock-test-credit",
                "endpoint_arn": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint/interlock-test-credit",
                "variants": ["blue", "green"],
                "holding_model_name": "credit-holding-0123456",
                "holding_configuration_name": "credit-holding-0123456",
                "serving_template": {
                    "image": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/interlock/serving:1.0",
                    "instance_type": "ml.m5.large",
                    "min_instance_count": 1,
                    "max_instance_count": 2,
                    "execution_role_arn": f"arn:aws:iam::{ACCOUNT}:role/credit-role-0123456",
                    "subnet_ids": ["subnet-01", "subnet-02"],
                    "security_group_ids": ["sg-01"],
                    "volume_key_arn": key,
                    "network_isolation": True,
                    "model_data_bucket_name": "vault-0123456",
                    "model_data_prefix": "releases/",
                    "startup_timeout_seconds": 600,
                    "alarm_names": ["credit-alarms-blue-p99-0123456"],
                    "tags": {"owner": "risk"},
                },
            }
        },
    }
