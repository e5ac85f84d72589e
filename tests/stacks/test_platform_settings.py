"""Settings of the layer platform, and what they come to in the program."""

from __future__ import annotations

import json
from typing import Any

import pytest

from interlock.manifest import read_manifest
from policy.recording.monitor import Recording, record
from stacks.program import provision
from tests.stacks.configurations import local, section
from tests.stacks.test_settings import problems

IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/interlock/runner:0.1.0"
SUBNETS = ["subnet-0123456789abcdef1", "subnet-0123456789abcdef2"]
EXISTING_TRACKING = {
    "uri": "https://mlflow.example.com",
    "admin_secret_arn": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:mlflow-admin-AbCdEf",
}
VPC = "vpc-0123456789abcdef9"


def provisioned(**changed: Any) -> Recording:
    return record(lambda: provision(local(**changed)), preview=False, stack="local")


WRONG: dict[str, tuple[dict[str, Any], str, str]] = {
    "a way out of a zone without a private subnet": (
        {"network": section("network", internet_access={"eu-west-1a": "10.20.32.0/24"})},
        "network.internet_access",
        "one CIDR block for each of eu-west-1a, eu-west-1b",
    ),
    "a public subnet over a private one": (
        {"network": section("network", internet_access={"eu-west-1a": "10.20.0.0/24", "eu-west-1b": "10.20.33.0/24"})},
        "network.internet_access",
        "CIDR blocks that do not overlap",
    ),
    "a public subnet outside of the network": (
        {"network": section("network", internet_access={"eu-west-1a": "10.21.0.0/24", "eu-west-1b": "10.20.33.0/24"})},
        "network.internet_access",
        "CIDR blocks inside of 10.20.0.0/16",
    ),
    "existing subnets without a way to S3": (
        {"network": {"cidr_block": "10.20.0.0/16", "existing": {"vpc_id": VPC, "private_subnet_ids": SUBNETS}}},
        "network.existing.storage_prefix_list_id",
        "or route_table_ids for endpoints that are made",
    ),
    "an existing VPC and no subnets": (
        {"network": {"cidr_block": "10.20.0.0/16", "existing": {"vpc_id": VPC}}},
        "network.existing",
        "private_subnet_ids, or subnets beside existing",
    ),
    "a budget of nothing": ({"budget": {"monthly_usd": 0}}, "budget.monthly_usd", "from 1 to 10000000"),
    "somebody told who has no address": (
        {"budget": {"monthly_usd": 5, "emails": ["owner"]}},
        "budget.emails[0]",
        "an e-mail address such as",
    ),
    "an MLflow server without TLS": (
        {"tracking": ..., "existing_tracking": {**EXISTING_TRACKING, "uri": "http://mlflow.example.com"}},
        "existing_tracking.uri",
        "an HTTPS address",
    ),
    "a bucket that is there under another name": (
        {"artifacts": {"bucket_name": "one-bucket", "existing_bucket_name": "two-bucket"}},
        "artifacts.existing_bucket_name",
        "either existing_bucket_name or bucket_name, not both",
    ),
    "a runner that is public": ({"runner": {"image": "alpine"}}, "runner.image", "a private ECR image"),
}


@pytest.mark.parametrize("what", sorted(WRONG))
def test_what_is_wrong_is_named_with_what_would_be_accepted(what: str) -> None:
    changed, path, accepted = WRONG[what]
    found = problems(**changed)
    assert f"interlock:{path}" in found, found
    assert accepted in found[f"interlock:{path}"].accepted


def test_a_runner_that_is_asked_for_is_in_the_manifest_and_reaches_mlflow_and_its_database() -> None:
    recording = provisioned(runner={"image": IMAGE})
    stored = recording.one("aws:s3/bucketObjectv2:BucketObjectv2", "manifest-document")
    manifest = read_manifest(json.loads(stored.inputs["content"]))
    assert manifest.runner is not None
    assert manifest.runner.container == "runner"
    definition = recording.one("aws:ecs/taskDefinition:TaskDefinition", "runner-definition")
    (container,) = json.loads(definition.inputs["containerDefinitions"])
    targets = json.loads(container["entryPoint"][container["entryPoint"].index("--targets") + 1])
    assert targets["database"]["names"] == ["mlflow"]
    assert targets["http"]["tracking"]["server_name"] == "mlflow.interlock.example.com"
    assert not targets["http"]["tracking"]["address"].startswith("https")


def test_an_mlflow_server_that_there_is_already_takes_the_place_of_server_database_and_artifacts() -> None:
    recording = provisioned(tracking=..., existing_tracking=EXISTING_TRACKING, runner={"image": IMAGE})
    made = {one.type for one in recording.resources}
    assert made.isdisjoint({"aws:rds/instance:Instance", "aws:ecs/service:Service", "aws:lb/loadBalancer:LoadBalancer"})
    assert [one.name for one in recording.of_type("aws:s3/bucket:Bucket") if one.name.startswith("artifacts")] == []
    stored = recording.one("aws:s3/bucketObjectv2:BucketObjectv2", "manifest-document")
    manifest = read_manifest(json.loads(stored.inputs["content"]))
    assert manifest.tracking.model_dump(exclude_defaults=True) == {**EXISTING_TRACKING, "domain": "mlflow.example.com"}
    assert manifest.artifact_store is None
    assert set(manifest.endpoints) == {"credit"}


def test_two_mlflow_servers_are_one_too_many() -> None:
    found = problems(existing_tracking=EXISTING_TRACKING)
    assert found["interlock:existing_tracking"].accepted == "nothing beside tracking, or no section tracking"


def test_artifacts_and_state_that_there_are_already_are_used() -> None:
    table = "arn:aws:dynamodb:eu-west-1:123456789012:table/kept"
    recording = provisioned(
        artifacts={"existing_bucket_name": "mlflow-artifacts"},
        live_state={"primary": {"existing_table_arn": table}},
    )
    stored = recording.one("aws:s3/bucketObjectv2:BucketObjectv2", "manifest-document")
    manifest = read_manifest(json.loads(stored.inputs["content"]))
    assert manifest.artifact_store is not None
    assert manifest.artifact_store.bucket_name == "mlflow-artifacts"
    assert manifest.live_state is not None
    assert manifest.live_state.table_name == "kept"
    assert recording.of_type("aws:dynamodb/table:Table") == []


def test_live_state_is_in_the_manifest() -> None:
    stored = provisioned().one("aws:s3/bucketObjectv2:BucketObjectv2", "manifest-document")
    live_state = read_manifest(json.loads(stored.inputs["content"])).live_state
    assert live_state is not None
    assert live_state.table_arn.endswith(live_state.table_name)


def test_a_budget_watches_the_cost_centre_of_the_tags() -> None:
    budget = provisioned(budget={"monthly_usd": 700, "emails": ["owner@example.com"]}).one("aws:budgets/budget:Budget")
    assert budget.inputs["costFilters"][0]["values"] == ["user:cost-centre$4711"]


def test_subnets_are_made_in_a_vpc_that_there_is_already() -> None:
    network = {**section("network"), "existing": {"vpc_id": VPC}}
    recording = provisioned(network=network)
    assert recording.of_type("aws:ec2/vpc:Vpc") == []
    assert {one.inputs["vpcId"] for one in recording.of_type("aws:ec2/subnet:Subnet")} == {VPC}


def test_what_runs_in_the_network_reaches_the_buckets_of_both_accounts() -> None:
    accounts = {"evidence": {"account_id": "210987654321"}}
    recording = provisioned(accounts=accounts)
    policy = json.loads(recording.one("aws:ec2/vpcEndpoint:VpcEndpoint", "network-endpoints-s3").inputs["policy"])
    (own,) = [one for one in policy["Statement"] if one["Sid"] == "OwnBuckets"]
    assert own["Condition"]["StringEquals"]["aws:ResourceAccount"] == ["123456789012", "210987654321"]
