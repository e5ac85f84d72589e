"""What each component takes in place of something new: the arguments that say it, and what then is not registered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from policy.recording.answers import ACCOUNT, RECOVERY_REGION, REGION
from tests.components.programs import KEY, SECRET, SUBNETS

REPLICA = f"arn:aws:kms:{RECOVERY_REGION}:{ACCOUNT}:key/mrk-00000000000000000000000000000001"
CLUSTER = f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/shared"
TABLE = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/shared"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:shared"
VPC = "vpc-0123456789abcdef9"

DATABASE: Mapping[str, Any] = {
    "identifier": "database-before",
    "address": "before.example.internal",
    "port": 5432,
    "secret_arn": SECRET,
    "client_security_group_id": "sg-0123456789abcdef0",
}


class Adoption(NamedTuple):
    """An argument that adopts something."""

    value: Any
    not_made: tuple[tuple[str, str], ...]
    """Type and name of what the component registers without it."""
    outputs: Mapping[str, Any]
    """What the component then gives; of an output that is a mapping, a part of it."""
    beside: Mapping[str, Any] = {}
    """What other arguments have to be then; those that are `...` have to be left out."""


ADOPTIONS: Mapping[tuple[str, str], Adoption] = {
    ("DataKey", "existing_key_arn"): Adoption(
        KEY, (("aws:kms/key:Key", "one-key"), ("aws:kms/alias:Alias", "one-alias")), {"keyArn": KEY}
    ),
    ("SigningKeys", "existing_key_arns"): Adoption(
        {"builder": KEY}, (("aws:kms/key:Key", "one-builder"),), {"keys": {"builder": {"key_arn": KEY}}}
    ),
    ("SigningKeys", "existing_evidence_key_arn"): Adoption(
        KEY, (("aws:kms/key:Key", "one-evidence-key"),), {"evidenceKeyArn": KEY}
    ),
    ("SigningKeyReplicas", "existing_replica_arns"): Adoption(
        {"log": REPLICA}, (("aws:kms/replicaKey:ReplicaKey", "one-log"),), {"keys": {"log": {"key_arn": REPLICA}}}
    ),
    ("ImageRepositories", "existing_repository_names"): Adoption(
        {"mlflow": "tools/mlflow"},
        (
            ("aws:ecr/repository:Repository", "one-mlflow"),
            ("aws:ecr/repositoryPolicy:RepositoryPolicy", "one-mlflow-policy"),
        ),
        {"repositories": {"mlflow": {"name": "tools/mlflow"}}},
    ),
    ("ArtifactStore", "existing_bucket_name"): Adoption(
        "shared-artifacts",
        (("interlock:storage:PrivateBucket", "one-store"), ("aws:s3/bucket:Bucket", "one-store-bucket")),
        {"bucketName": "shared-artifacts", "bucketArn": "arn:aws:s3:::shared-artifacts"},
    ),
    ("Network", "existing"): Adoption(
        {"vpc_id": VPC, "private_subnet_ids": SUBNETS, "storage_prefix_list_id": "pl-6da54004"},
        (
            ("aws:ec2/vpc:Vpc", "one-vpc"),
            ("aws:ec2/subnet:Subnet", "one-private-eu-west-1a"),
            ("interlock:network:ServiceEndpoints", "one-endpoints"),
        ),
        {"vpcId": VPC, "privateSubnetIds": SUBNETS, "storagePrefixListId": "pl-6da54004"},
        beside={"subnets": ...},
    ),
    ("LiveState", "existing_table_arn"): Adoption(
        TABLE,
        (("aws:dynamodb/table:Table", "one-table"),),
        {"tableArn": TABLE, "tableName": "shared"},
        beside={"encryption_key_arn": ...},
    ),
    ("Budgets", "existing_topic_arn"): Adoption(
        TOPIC, (("aws:sns/topic:Topic", "one-topic"),), {"topicArn": TOPIC}, beside={"encryption_key_arn": ...}
    ),
    ("AlarmTopic", "existing_topic_arns"): Adoption(
        [TOPIC],
        (
            ("aws:sns/topic:Topic", "one-topic"),
            ("aws:sns/topicPolicy:TopicPolicy", "one-topic-policy"),
            ("aws:sns/topicSubscription:TopicSubscription", "one-oncall@example.com"),
        ),
        {"topicArns": [TOPIC]},
        beside={"encryption_key_arn": ..., "emails": ...},
    ),
    ("Runner", "existing_cluster_arn"): Adoption(
        CLUSTER, (("aws:ecs/cluster:Cluster", "one-cluster"),), {"clusterArn": CLUSTER, "clusterName": "shared"}
    ),
    ("TrackingDatabase", "existing"): Adoption(
        DATABASE,
        (
            ("aws:rds/instance:Instance", "one-postgres"),
            ("aws:rds/parameterGroup:ParameterGroup", "one-parameters"),
            ("interlock:tracking:DatabaseCredentials", "one-credentials"),
        ),
        {
            "identifier": "database-before",
            "address": "before.example.internal",
            "port": 5432,
            "databaseName": "mlflow",
            "authDatabaseName": "mlflow_auth",
            "secretArn": SECRET,
            "masterSecretArn": SECRET,
            "clientSecurityGroupId": "sg-0123456789abcdef0",
        },
    ),
    ("MlflowServer", "existing_cluster_arn"): Adoption(
        CLUSTER, (("aws:ecs/cluster:Cluster", "one-cluster"),), {"clusterName": "shared"}
    ),
}
