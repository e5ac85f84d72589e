"""The platform's half in the recovery region: what stands by there, and through which provider."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from interlock.manifest import read_manifest
from interlock.manifest_parts import RecoveryPart
from policy.recording.monitor import Recording, record
from stacks.layers.region import image_in
from stacks.program import provision
from tests.stacks.configurations import LOCAL, as_handed_over, local

RECOVERY = {
    "region": "eu-central-1",
    "network": {
        "cidr_block": "10.30.0.0/16",
        "subnets": {"eu-central-1a": "10.30.0.0/20", "eu-central-1b": "10.30.16.0/20"},
    },
}
RUNNER = {"image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/interlock/runner:0.1.0"}


def provisioned(*, preview: bool = False, **changed: Any) -> Recording:
    settings = {"recovery": RECOVERY, "runner": RUNNER, **changed}
    return record(lambda: provision(local(**settings)), preview=preview, stack="local")


@pytest.fixture(scope="module")
def recording() -> Recording:
    return provisioned()


@pytest.fixture(scope="module")
def part(recording: Recording) -> RecoveryPart:
    stored = recording.one("aws:s3/bucketObjectv2:BucketObjectv2", "manifest-document")
    found = read_manifest(json.loads(stored.inputs["content"])).recovery
    assert found is not None
    return found


def test_network_key_state_runner_artifacts_and_endpoints_stand_by(part: RecoveryPart) -> None:
    assert part.region == "eu-central-1"
    assert part.network is not None
    assert len(part.network.private_subnet_ids) == 2
    assert part.live_state is not None
    assert part.runner is not None
    assert part.artifact_store is not None
    assert set(part.endpoints) == {"credit"}


def test_nothing_of_one_region_is_the_other_regions(recording: Recording, part: RecoveryPart) -> None:
    stored = recording.one("aws:s3/bucketObjectv2:BucketObjectv2", "manifest-document")
    primary = read_manifest(json.loads(stored.inputs["content"]))
    assert part.data_key_arn != primary.data_key_arn
    assert part.live_state != primary.live_state
    assert part.artifact_store is not None
    assert primary.artifact_store is not None
    assert part.artifact_store.bucket_name != primary.artifact_store.bucket_name
    template = part.endpoints["credit"].serving_template
    assert template.model_data_bucket_name == part.vault.bucket_name != primary.vault.bucket_name
    assert template.volume_key_arn == part.data_key_arn


def test_a_preview_registers_what_an_up_registers(recording: Recording) -> None:
    assert [one.urn for one in provisioned(preview=True).resources] == [one.urn for one in recording.resources]


def test_names_of_the_primary_region_stay_when_a_recovery_region_comes(recording: Recording) -> None:
    alone = {one.urn for one in provisioned(recovery=...).resources}
    assert alone <= {one.urn for one in recording.resources}


def test_images_are_pulled_from_the_registry_of_the_region_that_runs_them(recording: Recording) -> None:
    hosts = {
        json.loads(one.inputs["containerDefinitions"])[0]["image"].split("/")[0]
        for one in recording.of_type("aws:ecs/taskDefinition:TaskDefinition")
        if one.name == "runner-recovery-definition"
    }
    assert hosts == {"123456789012.dkr.ecr.eu-central-1.amazonaws.com"}
    assert recording.one("aws:sagemaker/model:Model", "credit-recovery-holding").inputs["primaryContainer"] == {
        "image": image_in(json.loads(local()["interlock:endpoints"])[0]["image"], "eu-central-1")
    }


def test_the_log_groups_of_the_recovery_region_are_encrypted_with_its_own_key(recording: Recording) -> None:
    keys = {
        one.name: one.property_dependencies["kmsKeyId"]
        for one in recording.of_type("aws:cloudwatch/logGroup:LogGroup")
        if "-recovery" in one.name
    }
    assert keys
    for name, urns in keys.items():
        assert all(urn.endswith("platform-key-recovery-key") for urn in urns), name


def test_a_destroy_comes_to_the_vault_only_when_the_standby_is_gone(recording: Recording) -> None:
    vaults = {one.urn for one in recording.of_type("aws:s3/bucket:Bucket") if one.name in ("vault-bucket",)}
    tops = [one for one in recording.resources if one.name.endswith("-recovery") and one.type.startswith("interlock:")]
    tops = [one for one in tops if one.name in ("network-recovery", "live-state-recovery", "credit-recovery")]
    assert len(tops) == 3
    for one in tops:
        assert vaults <= one.dependencies, one.name


def test_a_stack_that_stays_protects_what_holds_something_in_both_regions() -> None:
    with (LOCAL.parent / "Pulumi.prod.yaml").open() as file:
        settings = as_handed_over(yaml.safe_load(file)["config"])
    recording = record(lambda: provision(settings), preview=False, stack="prod")
    holding = {
        "Key", "ReplicaKey", "Bucket", "Instance", "Table", "Secret", "Repository", "Vpc", "Subnet", "Alias",
    }  # fmt: skip
    kept = [one for one in recording.resources if one.custom and one.type.rpartition(":")[2] in holding]
    assert {one.type.rpartition(":")[2] for one in kept} >= {"Key", "Bucket", "Instance", "Table", "Secret", "Vpc"}
    assert [one.urn for one in kept if not one.protected] == []
