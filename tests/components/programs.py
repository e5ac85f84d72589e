"""Each component with arguments that it accepts, as a program would give them; outputs stand for what is made late."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import pulumi
import pulumi_aws as aws

from components.alarm_topic import AlarmTopic
from components.artifact_store import ArtifactStore
from components.budgets import Budgets
from components.data_key import DataKey
from components.database_credentials import DatabaseCredentials
from components.database_standby import DatabaseStandby
from components.duty_roles import DutyRoles
from components.emergency_alarm import EmergencyAlarm
from components.endpoint_alarms import EndpointAlarms
from components.flow_logs import FlowLogs
from components.generated_secret import GeneratedSecret
from components.image_repositories import ImageRepositories
from components.internal_load_balancer import InternalLoadBalancer
from components.internet_access import InternetAccess
from components.ledger_function import LedgerFunction
from components.live_state import LiveState
from components.mlflow_server import MlflowServer
from components.mlflow_task import MlflowTask
from components.mlflow_users import MlflowUsers
from components.model_endpoint import ModelEndpoint
from components.network import Network
from components.private_bucket import PrivateBucket
from components.runner import Runner
from components.secret_guard import SecretGuard
from components.service_endpoints import ServiceEndpoints
from components.service_scaling import ServiceScaling
from components.signing_key_replicas import SigningKeyReplicas
from components.signing_keys import SigningKeys
from components.stack_manifest import StackManifest
from components.tracking_database import TrackingDatabase
from components.vault import Vault
from interlock.duties.duty import Duty, SigningDuty
from interlock.duties.people import Assignments, Person
from policy.recording.answers import ACCOUNT, RECOVERY_REGION, REGION
from tests.interlock.manifests import manifest_document

FOUNDATION_ROLE = f"arn:aws:iam::{ACCOUNT}:role/foundation"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
MULTI_REGION_KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/mrk-1234abcd12ab34cd56ef1234567890ab"
RECOVERY_KEY = f"arn:aws:kms:{RECOVERY_REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
READERS = f"arn:aws:iam::{ACCOUNT}:role*/server-role-???????"
SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:one-AbCdEf"
CERTIFICATE = f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/1234abcd-12ab"
IMAGE = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/interlock/image:1.0"
SUBNETS = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
PLACE: Mapping[str, Any] = {"account_id": ACCOUNT, "region": REGION}
INSIDE: Mapping[str, Any] = {"vpc_id": "vpc-0123456789abcdef0", "subnet_ids": SUBNETS, "cidr_block": "10.20.0.0/16"}
DATABASE_TARGET: Mapping[str, Any] = {
    "address": "db.example.internal",
    "port": 5432,
    "names": ["mlflow"],
    "secret_arn": SECRET,
    "client_security_group_id": "sg-0123456789abcdef0",
}


class Example(NamedTuple):
    """A component, its type, and arguments that it accepts under the name it is given."""

    component: Callable[..., pulumi.ComponentResource]
    type: str
    arguments: Callable[[str], dict[str, Any]]


EXAMPLES: Mapping[str, Example] = {
    "DutyRoles": Example(
        DutyRoles,
        "interlock:duties:DutyRoles",
        lambda name: {
            "stack": f"stack-{name}",
            "home": "workload",
            "workload_account_id": ACCOUNT,
            "evidence_account_id": "444455556666",
            "audit_account_id": "777788889999",
            "regions": ["eu-west-1", RECOVERY_REGION],
            "vault_bucket_names": ["vault-primary", "vault-recovery"],
            "staging_bucket_names": ["staging-primary", "staging-recovery"],
            "assignments": Assignments(
                (Person("creator-1", "creator-1", (Duty.CREATOR,), f"arn:aws:iam::{ACCOUNT}:user/creator-1"),)
            ),
        },
    ),
    "EmergencyAlarm": Example(
        EmergencyAlarm,
        "interlock:duties:EmergencyAlarm",
        lambda name: {
            "stack": f"stack-{name}",
            "role_arn": f"arn:aws:iam::{ACCOUNT}:role/interlock/duties/break-glass",
            "emails": ["owner@example.com"],
        },
    ),
    "DataKey": Example(
        DataKey,
        "interlock:keys:DataKey",
        lambda name: {**PLACE, "administrators": [FOUNDATION_ROLE], "alias": f"data-{name}", "for_logs": True},
    ),
    "SigningKeys": Example(
        SigningKeys,
        "interlock:keys:SigningKeys",
        lambda name: {
            **PLACE,
            "administrators": [FOUNDATION_ROLE],
            "alias_prefix": f"keys-{name}",
            "approvers": {"ana": "ana@example.com", "ben": "ben@example.com"},
            "multi_region": True,
        },
    ),
    "SigningKeyReplicas": Example(
        SigningKeyReplicas,
        "interlock:keys:SigningKeyReplicas",
        lambda name: {
            "account_id": ACCOUNT,
            "administrators": [FOUNDATION_ROLE],
            "alias_prefix": f"keys-{name}",
            "approvers": {"ana": "ana@example.com"},
            "primary_key_arns": {duty.value: late_multi_region_key(name) for duty in list(SigningDuty)[:1]}
            | {duty.value: MULTI_REGION_KEY for duty in list(SigningDuty)[1:]},
            "primary_approver_key_arns": {"ana": MULTI_REGION_KEY},
        },
    ),
    "ImageRepositories": Example(
        ImageRepositories,
        "interlock:images:ImageRepositories",
        lambda name: {
            **PLACE,
            "name_prefix": f"interlock/{name}",
            "encryption_key_arn": late_key(name),
            "administrators": [FOUNDATION_ROLE],
            "shared_with": ["444455556666"],
            "replicate_to": RECOVERY_REGION,
        },
    ),
    "GeneratedSecret": Example(
        GeneratedSecret,
        "interlock:keys:GeneratedSecret",
        lambda name: {"description": name, "encryption_key_arn": KEY, "username": "admin"},
    ),
    "SecretGuard": Example(
        SecretGuard,
        "interlock:keys:SecretGuard",
        lambda name: {"secret_arn": SECRET, "readers": [READERS], "administrators": [FOUNDATION_ROLE]},
    ),
    "PrivateBucket": Example(
        PrivateBucket, "interlock:storage:PrivateBucket", lambda name: {"encryption_key_arn": KEY}
    ),
    "ArtifactStore": Example(
        ArtifactStore, "interlock:storage:ArtifactStore", lambda name: {"encryption_key_arn": late_key(name)}
    ),
    "Vault": Example(
        Vault,
        "interlock:storage:Vault",
        lambda name: {
            "encryption_key_arn": late_key(name),
            "administrators": [FOUNDATION_ROLE],
            "shared_with": ["444455556666"],
            "recovery": {
                "provider": elsewhere(name),
                "account_id": ACCOUNT,
                "encryption_key_arn": RECOVERY_KEY,
            },
        },
    ),
    "Network": Example(
        Network,
        "interlock:network:Network",
        lambda name: {
            **PLACE,
            "cidr_block": "10.20.0.0/16",
            "subnets": {
                "eu-west-1a": "10.20.0.0/20",
                "eu-west-1b": "10.20.16.0/20",
                "eu-west-1c": "10.20.32.0/20",
            },
            "log_key_arn": late_key(name),
        },
    ),
    "FlowLogs": Example(
        FlowLogs,
        "interlock:network:FlowLogs",
        lambda name: {"account_id": ACCOUNT, "vpc_id": INSIDE["vpc_id"], "key_arn": KEY, "retention_days": 365},
    ),
    "ServiceEndpoints": Example(
        ServiceEndpoints,
        "interlock:network:ServiceEndpoints",
        lambda name: {**PLACE, **INSIDE, "route_table_ids": ["rtb-0123456789abcdef0"]},
    ),
    "InternetAccess": Example(
        InternetAccess,
        "interlock:network:InternetAccess",
        lambda name: {
            "vpc_id": INSIDE["vpc_id"],
            "public_subnets": {"eu-west-1a": "10.20.48.0/24", "eu-west-1b": "10.20.49.0/24"},
            "route_table_ids": {"eu-west-1a": "rtb-0123456789abcdef0", "eu-west-1b": "rtb-0123456789abcdef1"},
        },
    ),
    "LedgerFunction": Example(
        LedgerFunction,
        "interlock:ledger:LedgerFunction",
        lambda name: {
            **PLACE,
            "stack": name,
            "duty": "sequencer",
            "log": f"{REGION}-1",
            "bucket_name": f"vault-{name}",
            "signing_key_arn": MULTI_REGION_KEY,
            "role_arn": f"arn:aws:iam::{ACCOUNT}:role/interlock/duties/interlock-{name}-sequencer",
            "image": IMAGE,
            "encryption_key_arn": late_key(name),
        },
    ),
    "LiveState": Example(LiveState, "interlock:state:LiveState", lambda name: {"encryption_key_arn": late_key(name)}),
    "Budgets": Example(
        Budgets,
        "interlock:cost:Budgets",
        lambda name: {
            "account_id": ACCOUNT,
            "budget_name": f"interlock-{name}",
            "monthly_usd": 5000,
            "cost_centre": "4711",
            "encryption_key_arn": late_key(name),
        },
    ),
    "AlarmTopic": Example(
        AlarmTopic,
        "interlock:alarms:AlarmTopic",
        lambda name: {**PLACE, "encryption_key_arn": late_key(name), "emails": ["oncall@example.com"]},
    ),
    "Runner": Example(
        Runner,
        "interlock:runner:Runner",
        lambda name: {
            **PLACE,
            **INSIDE,
            "storage_prefix_list_id": "pl-6da54004",
            "image": IMAGE,
            "encryption_key_arn": late_key(name),
            "database": DATABASE_TARGET,
            "http_targets": {
                "tracking": {"address": "internal-one.elb.amazonaws.com", "server_name": "mlflow.example.com"}
            },
        },
    ),
    "ServiceScaling": Example(
        ServiceScaling,
        "interlock:tracking:ServiceScaling",
        lambda name: {
            "cluster_name": "shared",
            "service_name": f"service-{name}",
            "min_task_count": 2,
            "max_task_count": 8,
            "request_label": "app/front/0123456789abcdef/targetgroup/to/0123456789abcdef",
        },
    ),
    "InternalLoadBalancer": Example(
        InternalLoadBalancer,
        "interlock:network:InternalLoadBalancer",
        lambda name: {**INSIDE, "certificate_arn": CERTIFICATE, "target_port": 5000, "health_path": "/health"},
    ),
    "TrackingDatabase": Example(
        TrackingDatabase,
        "interlock:tracking:TrackingDatabase",
        lambda name: {
            **PLACE,
            **INSIDE,
            "identifier": f"database-{name}",
            "encryption_key_arn": late_key(name),
            "rotation_image": IMAGE,
        },
    ),
    "DatabaseCredentials": Example(
        DatabaseCredentials,
        "interlock:tracking:DatabaseCredentials",
        lambda name: {
            **PLACE,
            **INSIDE,
            "identifier": f"database-{name}",
            "address": "db.example.internal",
            "port": 5432,
            "database_names": ["mlflow", "mlflow_auth"],
            "first_secret_arn": SECRET,
            "database_security_group_id": "sg-0123456789abcdef0",
            "image": IMAGE,
            "encryption_key_arn": late_key(name),
        },
    ),
    "DatabaseStandby": Example(
        DatabaseStandby,
        "interlock:tracking:DatabaseStandby",
        lambda name: {
            "source_arn": f"arn:aws:rds:{REGION}:{ACCOUNT}:db:database-{name}",
            "identifier": f"database-{name}-standby",
            "vpc_id": INSIDE["vpc_id"],
            "subnet_ids": SUBNETS,
            "encryption_key_arn": late_key(name),
        },
    ),
    "MlflowUsers": Example(
        MlflowUsers, "interlock:tracking:MlflowUsers", lambda name: {"encryption_key_arn": late_key(name)}
    ),
    "MlflowTask": Example(
        MlflowTask,
        "interlock:tracking:MlflowTask",
        lambda name: {
            **PLACE,
            **_database(),
            "image": IMAGE,
            "size": "small",
            "allowed_hosts": "mlflow.example.com",
            "admin_secret_arn": SECRET,
            "flask_secret_arn": SECRET,
            "log_retention_days": 30,
        },
    ),
    "MlflowServer": Example(
        MlflowServer,
        "interlock:tracking:MlflowServer",
        lambda name: {
            **PLACE,
            **INSIDE,
            **_database(),
            "storage_prefix_list_id": "pl-6da54004",
            "domain": "mlflow.example.com",
            "certificate_arn": CERTIFICATE,
            "image": IMAGE,
            "database_client_security_group_id": "sg-0123456789abcdef0",
        },
    ),
    "EndpointAlarms": Example(
        EndpointAlarms,
        "interlock:serving:EndpointAlarms",
        lambda name: {
            "endpoint_name": name,
            "variants": ["blue", "green"],
            "p50_latency_limit_ms": 50,
            "p95_latency_limit_ms": 150,
            "p99_latency_limit_ms": 250,
        },
    ),
    "ModelEndpoint": Example(
        ModelEndpoint,
        "interlock:serving:ModelEndpoint",
        lambda name: {
            **PLACE,
            **INSIDE,
            "endpoint_name": f"interlock-{name}",
            "storage_prefix_list_id": "pl-6da54004",
            "image": IMAGE,
            "vault_bucket_name": "vault-0123456",
            "vault_bucket_arn": "arn:aws:s3:::vault-0123456",
            "vault_key_arn": KEY,
            "encryption_key_arn": late_key(name),
            "tags": {"owner": "risk"},
        },
    ),
    "StackManifest": Example(
        StackManifest,
        "interlock:manifest:StackManifest",
        lambda name: {"stack": name, "bucket_name": "staging-0123456", "document": manifest_document()},
    ),
}


def late_key(name: str) -> pulumi.Output[str]:
    """Return the ARN of a key that the program makes itself, so that a preview does not know it."""
    return aws.kms.Key(f"{name}-late").arn


def late_multi_region_key(name: str) -> pulumi.Output[str]:
    """Return the ARN of a multi-Region key that the program makes itself."""
    return aws.kms.Key(f"{name}-late", multi_region=True).arn


def elsewhere(name: str) -> aws.Provider:
    """Return a provider of the recovery region."""
    return aws.Provider(f"{name}-elsewhere", region=RECOVERY_REGION)


def make(kind: str, name: str = "one", **changed: Any) -> pulumi.ComponentResource:
    """Register an example under `name`, with some of its arguments changed; those changed to `...` are left out."""
    example = EXAMPLES[kind]
    arguments = {key: value for key, value in {**example.arguments(name), **changed}.items() if value is not ...}
    return example.component(name, arguments)


def _database() -> dict[str, Any]:
    return {
        "database_address": "db.example.internal",
        "database_port": 5432,
        "database_name": "mlflow",
        "auth_database_name": "mlflow_auth",
        "database_secret_arn": SECRET,
        "artifact_bucket_name": "artifacts-0123456",
        "artifact_bucket_arn": "arn:aws:s3:::artifacts-0123456",
        "encryption_key_arn": KEY,
    }
