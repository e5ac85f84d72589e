"""The defaults are the policy: what a component does when it is told nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from policy.recording.monitor import Recording, record
from tests.components.programs import EXAMPLES, IMAGE, KEY, make


def recorded(kind: str, preview: bool = False, **changed: Any) -> Recording:
    def program() -> None:
        make(kind, **changed)

    return record(program, preview=preview)


@pytest.mark.parametrize("preview", [True, False], ids=["preview", "up"])
def test_no_key_is_deleted_or_disabled_but_by_an_administrator(preview: bool) -> None:
    recording = recorded("SigningKeys", preview=preview)
    for key in recording.of_type("aws:kms/key:Key"):
        (denial,) = [s for s in json.loads(key.inputs["policy"])["Statement"] if s["Sid"] == "DenyTakingAway"]
        assert {"kms:ScheduleKeyDeletion", "kms:DisableKey", "kms:PutKeyPolicy"} <= set(denial["Action"])
        assert denial["Condition"] == {
            "ArnNotLike": {"aws:PrincipalArn": ["arn:aws:iam::111122223333:role/foundation"]}
        }


def test_a_key_that_there_is_already_takes_the_place_of_a_new_one() -> None:
    recording = recorded("SigningKeys", existing_key_arns={"builder": KEY})
    assert "one-builder" not in {one.name for one in recording.of_type("aws:kms/key:Key")}
    alias = recording.one("aws:kms/alias:Alias", "one-builder-alias")
    assert alias.inputs["targetKeyId"] == KEY.rpartition("/")[2]
    assert recording.outputs_of("interlock:keys:SigningKeys")["keys"]["builder"]["key_arn"] == KEY


def test_signers_who_are_named_are_the_only_ones() -> None:
    role = "arn:aws:iam::111122223333:role/builder"
    recording = recorded("SigningKeys", signers={"builder": [role]})
    policy = json.loads(recording.one("aws:kms/key:Key", "one-builder").inputs["policy"])
    allowed = [s["Principal"] for s in policy["Statement"] if s["Effect"] == "Allow" and s["Action"] == "kms:Sign"]
    assert allowed == [{"AWS": [role]}]


def test_the_network_has_no_way_to_the_internet() -> None:
    recording = recorded("Network")
    assert len(recording.of_type("aws:ec2/subnet:Subnet")) == 3
    assert not any(one.inputs["mapPublicIpOnLaunch"] for one in recording.of_type("aws:ec2/subnet:Subnet"))
    assert "routes" not in recording.one("aws:ec2/routeTable:RouteTable").inputs
    gateways = [one for one in recording.resources if "Gateway" in one.type]
    assert gateways == []


def test_the_network_logs_every_connection_encrypted() -> None:
    recording = recorded("Network")
    assert recording.one("aws:ec2/flowLog:FlowLog").inputs["trafficType"] == "ALL"
    assert recording.one("aws:cloudwatch/logGroup:LogGroup").inputs["kmsKeyId"].startswith("arn:aws:kms:")


def test_services_are_reached_through_endpoints_that_admit_own_principals_alone() -> None:
    recording = recorded("Network")
    endpoints = {one.inputs["serviceName"]: one.inputs for one in recording.of_type("aws:ec2/vpcEndpoint:VpcEndpoint")}
    assert endpoints["com.amazonaws.eu-west-1.s3"]["vpcEndpointType"] == "Gateway"
    assert {"com.amazonaws.eu-west-1.kms", "com.amazonaws.eu-west-1.secretsmanager"} <= set(endpoints)
    for name, inputs in endpoints.items():
        statements = json.loads(inputs["policy"])["Statement"]
        assert all("Condition" in s or s["Sid"] == "ImageLayers" for s in statements), name


def test_a_network_that_there_is_already_is_used_as_it_is() -> None:
    existing = {
        "vpc_id": "vpc-0123456789abcdef9",
        "private_subnet_ids": ["subnet-0123456789abcdef1", "subnet-0123456789abcdef2"],
        "storage_prefix_list_id": "pl-6da54004",
    }
    recording = recorded("Network", existing=existing, subnets=..., log_key_arn=...)
    assert [one for one in recording.resources if one.custom and one.name != "one-late"] == []
    outputs = recording.outputs_of("interlock:network:Network")
    assert outputs["vpcId"] == existing["vpc_id"]
    assert outputs["privateSubnetIds"] == existing["private_subnet_ids"]


def test_the_database_is_encrypted_private_highly_available_and_speaks_tls_alone() -> None:
    recording = recorded("TrackingDatabase")
    database = recording.one("aws:rds/instance:Instance").inputs
    assert database["storageEncrypted"] is True
    assert database["publiclyAccessible"] is False
    assert database["multiAz"] is True
    assert database["deletionProtection"] is True
    assert database["skipFinalSnapshot"] is False
    assert database["backupRetentionPeriod"] == 35
    parameters = {
        p["name"]: p["value"] for p in recording.one("aws:rds/parameterGroup:ParameterGroup").inputs["parameters"]
    }
    assert parameters["rds.force_ssl"] == "1"


def test_the_administrator_s_first_password_is_a_secret_of_the_state_and_rotated_at_once() -> None:
    recording = recorded("TrackingDatabase")
    database = recording.one("aws:rds/instance:Instance")
    assert "password" in database.secrets
    rotations = recording.of_type("aws:secretsmanager/secretRotation:SecretRotation")
    assert {one.name for one in rotations} == {"one-credentials-user-rotation", "one-credentials-master-rotation"}
    assert all(one.inputs.get("rotateImmediately") is not False for one in rotations)
    assert {one.inputs["rotationRules"]["automaticallyAfterDays"] for one in rotations} == {30}


def test_a_generated_secret_is_secret_and_drawn_once() -> None:
    version = recorded("GeneratedSecret").one("aws:secretsmanager/secretVersion:SecretVersion")
    assert "secretString" in version.secrets
    assert version.ignored_changes == ("secretString",)
    assert json.loads(version.inputs["secretString"]) == {"username": "admin", "password": "p" * 40}


def test_the_server_gets_its_passwords_from_secrets_and_no_argument_holds_one() -> None:
    recording = recorded("MlflowServer")
    containers = json.loads(recording.one("aws:ecs/taskDefinition:TaskDefinition").inputs["containerDefinitions"])
    for container in containers:
        secrets = {one["name"] for one in container["secrets"]}
        own = {name for name in secrets if not name.startswith("PASSWORD_OF_")}
        assert own == {"ADMIN_USERNAME", "ADMIN_PASSWORD", "FLASK_SECRET_KEY"}
        # The server itself knows its users from its database alone.
        assert bool(secrets - own) is (container["name"] == "upgrade")
        assert [one["name"] for one in container["environment"]] == ["AWS_REGION"]
        assert container["command"][1:3] == ["--host", "0.0.0.0"]
    assert "p" * 40 not in json.dumps(containers)


def test_the_databases_are_upgraded_before_the_server_starts() -> None:
    recording = recorded("MlflowServer")
    task = json.loads(recording.one("aws:ecs/taskDefinition:TaskDefinition").inputs["containerDefinitions"])
    server, upgrade = task
    assert (server["command"][0], upgrade["command"][0]) == ("serve", "upgrade")
    assert server["command"][1:] == upgrade["command"][1:]
    assert (server["essential"], upgrade["essential"]) == (True, False)
    assert server["dependsOn"] == [{"containerName": "upgrade", "condition": "SUCCESS"}]


def test_the_server_stands_behind_tls_and_undoes_a_deployment_that_fails() -> None:
    recording = recorded("MlflowServer")
    listener = recording.one("aws:lb/listener:Listener").inputs
    assert (listener["port"], listener["protocol"]) == (443, "HTTPS")
    assert recording.one("aws:lb/loadBalancer:LoadBalancer").inputs["internal"] is True
    service = recording.one("aws:ecs/service:Service").inputs
    assert service["deploymentCircuitBreaker"] == {"enable": True, "rollback": True}
    assert service["networkConfiguration"]["assignPublicIp"] is False
    assert service["waitForSteadyState"] is True


def test_the_role_that_starts_the_server_reads_its_own_secrets_alone() -> None:
    recording = recorded("MlflowServer")
    policy = recording.one("aws:iam/rolePolicy:RolePolicy", "one-task-start-policy").inputs["policy"]
    (read,) = [s for s in json.loads(policy)["Statement"] if s["Sid"] == "ReadSecrets"]
    assert len(read["Resource"]) == 7
    assert all(arn.startswith("arn:aws:secretsmanager:") and "*" not in arn for arn in read["Resource"])


def test_the_running_server_reads_the_database_s_secret_and_no_other() -> None:
    recording = recorded("MlflowServer")
    policy = recording.one("aws:iam/rolePolicy:RolePolicy", "one-task-run-access").inputs["policy"]
    (read,) = [s for s in json.loads(policy)["Statement"] if s["Sid"] == "ReadSecret"]
    task = json.loads(recording.one("aws:ecs/taskDefinition:TaskDefinition").inputs["containerDefinitions"])
    command = task[0]["command"]
    assert read["Resource"] == command[command.index("--database-secret") + 1]


def test_both_variants_hold_until_the_first_release_and_all_traffic_is_blue() -> None:
    recording = recorded("ModelEndpoint")
    configuration = recording.one("aws:sagemaker/endpointConfiguration:EndpointConfiguration").inputs
    weights = {v["variantName"]: v["initialVariantWeight"] for v in configuration["productionVariants"]}
    assert weights == {"blue": 1, "green": 0}
    model = recording.one("aws:sagemaker/model:Model").inputs
    assert model["primaryContainer"] == {"image": IMAGE}
    assert model["enableNetworkIsolation"] is True


def test_what_serves_is_not_the_programs_to_change() -> None:
    recording = recorded("ModelEndpoint")
    assert "endpointConfigName" in recording.one("aws:sagemaker/endpoint:Endpoint").ignored_changes
    holding = recording.one("aws:sagemaker/endpointConfiguration:EndpointConfiguration")
    assert "productionVariants" in holding.ignored_changes
    assert "primaryContainer" in recording.one("aws:sagemaker/model:Model").ignored_changes


def test_serving_reads_releases_with_what_admits_them_and_pulls_one_repository() -> None:
    recording = recorded("ModelEndpoint")
    policy = json.loads(recording.one("aws:iam/rolePolicy:RolePolicy").inputs["policy"])
    granted = {s["Sid"]: s["Resource"] for s in policy["Statement"]}
    prefixes = ("releases", "approvals", "decisions", "trust")
    assert granted["ReadReleases"] == [f"arn:aws:s3:::vault-0123456/{one}/*" for one in prefixes]
    assert granted["PullImage"] == "arn:aws:ecr:eu-west-1:111122223333:repository/interlock/image"
    assert not any(s["Action"] == "*" for s in policy["Statement"])


def test_each_variant_alarms_on_its_slowest_hundredth_in_microseconds_and_on_errors_by_their_count() -> None:
    recording = recorded("EndpointAlarms")
    alarms = {one.name: one.inputs for one in recording.of_type("aws:cloudwatch/metricAlarm:MetricAlarm")}
    assert set(alarms) == {
        f"one-{variant}-{what}" for variant in ("blue", "green") for what in ("p50", "p95", "p99", "5xx", "4xx")
    }
    assert alarms["one-blue-p99"]["threshold"] == 250_000
    assert alarms["one-blue-p99"]["extendedStatistic"] == "p99"
    queries = {query["id"]: query for query in alarms["one-green-5xx"]["metricQueries"]}
    assert {queries[one]["metric"]["stat"] for one in ("errors", "requests")} == {"Sum"}
    assert queries["share"]["expression"] == "100 * errors / requests"
    assert alarms["one-green-5xx"]["threshold"] == 1


def test_the_manifest_is_found_through_a_parameter_that_pins_version_and_digest() -> None:
    recording = recorded("StackManifest")
    stored = recording.one("aws:s3/bucketObjectv2:BucketObjectv2")
    parameter = recording.one("aws:ssm/parameter:Parameter")
    pointer = json.loads(parameter.inputs["value"])
    outputs = recording.outputs_of("interlock:manifest:StackManifest")
    assert parameter.inputs["name"] == "/interlock/one/manifest"
    assert pointer == {
        "uri": "s3://staging-0123456/stacks/one/manifest.json",
        "version_id": outputs["versionId"],
        "sha256": outputs["sha256"],
    }
    assert json.loads(stored.inputs["content"])["stack"] == "test"


def test_the_artifact_store_has_versions_and_no_lock() -> None:
    recording = recorded("ArtifactStore")
    assert recording.one("aws:s3/bucketVersioning:BucketVersioning").inputs["versioningConfiguration"] == {
        "status": "Enabled"
    }
    assert recording.of_type("aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration") == []
    rules = recording.one("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration").inputs["rules"]
    assert [rule["id"] for rule in rules] == ["noncurrent", "cold"]


def test_every_example_is_a_component_of_ours() -> None:
    assert {example.type.split(":")[0] for example in EXAMPLES.values()} == {"interlock"}
