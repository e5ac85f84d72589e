"""The whole program: what its layers register, on which settings."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.validation import ArgumentError
from interlock.manifest import read_manifest
from policy.recording.monitor import Recording, record
from stacks.program import provision
from tests.stacks.configurations import local, prod, recovery_network, section


def provisioned(*, preview: bool = False, **changed: Any) -> Recording:
    return record(lambda: provision(local(**changed)), preview=preview, stack="local")


@pytest.fixture(scope="module")
def recording() -> Recording:
    return provisioned()


def test_a_preview_registers_what_an_up_registers(recording: Recording) -> None:
    assert [one.urn for one in provisioned(preview=True).resources] == [one.urn for one in recording.resources]


def test_the_manifest_that_is_stored_can_be_read_and_names_what_was_registered(recording: Recording) -> None:
    stored = recording.one("aws:s3/bucketObjectv2:BucketObjectv2", "manifest-document")
    manifest = read_manifest(json.loads(stored.inputs["content"]))
    assert manifest.stack == "local"
    assert manifest.endpoints["credit"].endpoint_name == "interlock-local-credit"
    assert manifest.endpoints["credit"].serving_template.tags["interlock:stack"] == "local"
    assert manifest.tracking.uri.startswith("https://")
    assert stored.inputs["bucket"] == manifest.vault.staging_bucket_name


def test_no_output_of_the_stack_holds_a_password(recording: Recording) -> None:
    assert "p" * 40 not in json.dumps(recording.outputs)


def test_everything_is_tagged_through_a_provider_that_is_pinned_to_account_and_region(recording: Recording) -> None:
    provider = recording.one("pulumi:providers:aws").inputs
    assert json.loads(provider["allowedAccountIds"]) == ["123456789012"]
    assert provider["region"] == "eu-west-1"
    assert set(json.loads(provider["defaultTags"])["tags"]) == {
        "interlock:stack", "owner", "environment", "tier", "data-class", "cost-centre",
    }  # fmt: skip


def test_a_disposable_stack_protects_nothing(recording: Recording) -> None:
    assert [one.urn for one in recording.resources if one.protected] == []


HOLDING = (
    "aws:kms/key:Key", "aws:kms/replicaKey:ReplicaKey", "aws:s3/bucket:Bucket", "aws:rds/instance:Instance",
    "aws:dynamodb/table:Table", "aws:ecr/repository:Repository", "aws:secretsmanager/secret:Secret",
    "aws:ec2/vpc:Vpc", "aws:ec2/subnet:Subnet", "aws:sagemaker/endpoint:Endpoint",
)  # fmt: skip
"""What holds what cannot be made again, the addresses that all of it stands on, and what serves."""


def test_a_stack_that_stays_protects_all_that_holds_something() -> None:
    recording = record(lambda: provision(prod()), preview=False, stack="prod")
    assert {one.type for one in recording.resources if one.type in HOLDING} == set(HOLDING)
    assert [one.urn for one in recording.resources if one.type in HOLDING and not one.protected] == []
    databases = recording.of_type("aws:rds/instance:Instance")
    assert {one.name for one in databases} == {"database-postgres", "database-standby-postgres"}
    assert all(one.inputs["deletionProtection"] for one in databases)
    # RDS takes no final snapshot of a replica.
    assert recording.one("aws:rds/instance:Instance", "database-postgres").inputs["skipFinalSnapshot"] is False
    assert all(one.inputs["deletionProtectionEnabled"] for one in recording.of_type("aws:dynamodb/table:Table"))
    assert not any(one.inputs["forceDestroy"] for one in recording.of_type("aws:s3/bucket:Bucket"))
    assert not any(one.inputs["forceDelete"] for one in recording.of_type("aws:ecr/repository:Repository"))
    assert all(
        one.inputs["deletionWindowInDays"] == 30
        for one in recording.resources
        if "kms/" in one.type and "deletionWindowInDays" in one.inputs
    )
    assert all(
        one.inputs["recoveryWindowInDays"] == 30 for one in recording.of_type("aws:secretsmanager/secret:Secret")
    )


def test_a_destroy_comes_to_the_vault_only_when_the_platform_is_gone(recording: Recording) -> None:
    vault = recording.one("aws:s3/bucket:Bucket", "vault-bucket")
    stack = {one.parent for one in recording.resources if one.type == "interlock:storage:Vault"}
    tops = [one for one in recording.resources if one.parent in stack and not one.custom]
    of_foundation = ("keys:SigningKeys", "storage:Vault", "images:ImageRepositories")
    platform = [one for one in tops if one.type.removeprefix("interlock:") not in of_foundation]
    assert {one.name for one in platform} == {
        "platform-key", "network", "live-state", "artifacts", "database", "tracking", "runner", "credit", "budgets",
        "manifest",
    }  # fmt: skip
    assert [one.name for one in platform if vault.urn not in one.dependencies] == []


def test_a_foundation_alone_is_keys_vault_and_images() -> None:
    recording = provisioned(layers=["foundation"], network=..., tracking=..., endpoints=...)
    kinds = {
        one.type.split(":")[1].split("/")[0]
        for one in recording.resources
        if one.custom and one.type.startswith("aws:")
    }
    assert kinds == {"kms", "s3", "ecr"}


def test_a_platform_alone_stands_on_the_foundation_of_another_stack(recording: Recording) -> None:
    foundation = next(outputs["foundation"] for outputs in recording.outputs.values() if "foundation" in outputs)
    other = record(
        lambda: provision(local(layers=["platform"], foundation_stack="organization/interlock/base")),
        preview=False,
        stack="local",
        stacks={"organization/interlock/base": {"foundation": foundation}},
    )
    assert other.of_type("interlock:storage:Vault") == []
    stored = other.one("aws:s3/bucketObjectv2:BucketObjectv2", "manifest-document")
    assert read_manifest(json.loads(stored.inputs["content"])).vault.bucket_name == foundation["vault"]["bucket_name"]


def test_a_network_that_there_is_already_is_used() -> None:
    existing = {
        "vpc_id": "vpc-0123456789abcdef9",
        "private_subnet_ids": ["subnet-0123456789abcdef1", "subnet-0123456789abcdef2"],
        "storage_prefix_list_id": "pl-6da54004",
    }
    recording = provisioned(network={"cidr_block": "10.20.0.0/16", "existing": existing})
    assert recording.of_type("aws:ec2/vpc:Vpc") == []
    assert recording.one("aws:lb/loadBalancer:LoadBalancer").inputs["subnets"] == existing["private_subnet_ids"]


TWO_REGIONS: dict[str, Any] = {
    "accounts": {"evidence": {"account_id": "210987654321", "role_arn": "arn:aws:iam::210987654321:role/Foundation"}},
    "recovery": {"region": "eu-central-1", "network": recovery_network()},
    "approvers": [{"name": "ana", "source_identity": "ana@example.com"}],
}
EVERY_REPOSITORY = {"mlflow", "serving", "runner", "rotation", "controller", "ledger"}


@pytest.fixture(scope="module")
def spread() -> Recording:
    """A stack in two regions whose evidence has an account of its own."""
    return provisioned(**TWO_REGIONS)


def providers(recording: Recording) -> dict[str, dict[str, Any]]:
    return {one.name: dict(one.inputs) for one in recording.of_type("pulumi:providers:aws")}


def test_each_account_and_region_has_one_provider_pinned_to_it(spread: Recording) -> None:
    found = providers(spread)
    assert {name: (json.loads(p["allowedAccountIds"]), p["region"]) for name, p in found.items()} == {
        "aws": (["123456789012"], "eu-west-1"),
        "aws-evidence": (["210987654321"], "eu-west-1"),
        "aws-evidence-recovery": (["210987654321"], "eu-central-1"),
        "aws-recovery": (["123456789012"], "eu-central-1"),
    }
    assert "assumeRoles" not in found["aws"]
    (role,) = json.loads(found["aws-evidence-recovery"]["assumeRoles"])
    assert role == {"roleArn": "arn:aws:iam::210987654321:role/Foundation", "sessionName": "interlock-local"}
    assert len({p["defaultTags"] for p in found.values()}) == 1


def test_evidence_lies_in_its_own_account_and_in_both_regions(spread: Recording) -> None:
    places = {one.name: one.provider for one in spread.resources if one.custom and one.type.startswith("aws:")}
    assert {places[name] for name in ("keys-builder", "keys-approver-ana", "vault-bucket", "images-serving")} == {
        "aws-evidence"
    }
    there = ("key-replicas-builder", "key-replicas-approver-ana", "vault-recovery-bucket", "evidence-recovery-key")
    assert {places[name] for name in (*there, "vault-recovery-staging-bucket", "images-recovery-serving")} == {
        "aws-evidence-recovery"
    }
    assert {places[name] for name in ("network-vpc", "database-postgres", "platform-key-key")} == {"aws"}


def test_the_foundation_of_two_regions_says_where_both_halves_are(spread: Recording) -> None:
    foundation = next(outputs["foundation"] for outputs in spread.outputs.values() if "foundation" in outputs)
    recovery = foundation["recovery"]
    assert recovery["vault"]["bucket_name"] != foundation["vault"]["bucket_name"]
    assert set(recovery["signing_keys"]) == set(foundation["signing_keys"])
    assert recovery["approver_keys"]["ana"]["source_identity"] == "ana@example.com"
    assert set(recovery["images"]) == set(foundation["images"]) == EVERY_REPOSITORY


def test_a_platform_of_two_regions_refuses_a_foundation_of_one(recording: Recording) -> None:
    foundation = next(outputs["foundation"] for outputs in recording.outputs.values() if "foundation" in outputs)
    with pytest.raises(ArgumentError, match=r"interlock:recovery: received a foundation of one region"):
        record(
            lambda: provision(
                local(
                    layers=["platform"],
                    foundation_stack="organization/interlock/base",
                    recovery={"region": "eu-central-1", "network": recovery_network()},
                )
            ),
            preview=False,
            stack="local",
            stacks={"organization/interlock/base": {"foundation": foundation}},
        )


def test_keys_that_were_made_for_one_region_stay_as_they_are_when_a_second_one_comes() -> None:
    recording = provisioned(**TWO_REGIONS, keys={"multi_region": False})
    assert recording.of_type("aws:kms/replicaKey:ReplicaKey") == []
    assert [one.name for one in recording.of_type("aws:kms/key:Key") if "multiRegion" in one.inputs] == []
    assert recording.one("aws:s3/bucket:Bucket", "vault-recovery-bucket")


def test_keys_repositories_and_bucket_names_that_there_are_already_are_taken() -> None:
    key = "arn:aws:kms:eu-west-1:210987654321:key/mrk-0123456789abcdef0123456789abcdef"
    recording = provisioned(
        **TWO_REGIONS,
        keys={
            "existing_key_arns": {"builder": key},
            "existing_replica_arns": {"builder": key.replace("west", "central")},
            "existing_evidence_key_arn": key,
        },
        images={"existing_repository_names": {"mlflow": "tools/mlflow"}},
        vault={"bucket_name": "our-vault", "recovery_bucket_name": "our-other-vault"},
    )
    made = {one.name for one in recording.resources if one.custom}
    assert made.isdisjoint({"keys-builder", "key-replicas-builder", "keys-evidence-key", "images-mlflow"})
    assert {"keys-builder-alias", "key-replicas-builder-alias", "images-serving"} <= made
    assert recording.one("aws:s3/bucket:Bucket", "vault-bucket").inputs["bucket"] == "our-vault"
    assert recording.one("aws:s3/bucket:Bucket", "vault-recovery-bucket").inputs["bucket"] == "our-other-vault"


def test_without_a_second_region_no_key_names_multi_region(recording: Recording) -> None:
    assert [one.name for one in recording.of_type("aws:kms/key:Key") if "multiRegion" in one.inputs] == []


def test_a_certificate_that_is_named_is_not_looked_up() -> None:
    arn = "arn:aws:acm:eu-west-1:123456789012:certificate/named-1234"
    recording = provisioned(tracking=section("tracking", certificate_arn=arn))
    assert recording.one("aws:lb/listener:Listener").inputs["certificateArn"] == arn


def test_wrong_settings_stop_the_program_before_it_registers_anything() -> None:
    found: list[Recording] = []

    def program() -> None:
        with pytest.raises(ArgumentError):
            provision(local(vault={"retention_days": 1}))

    found.append(record(program, preview=False))
    assert found[0].resources == []


@pytest.mark.parametrize("count", [2, 5])
def test_each_endpoint_of_the_settings_is_one_in_the_manifest(count: int) -> None:
    one = json.loads(local()["interlock:endpoints"])[0]
    recording = provisioned(endpoints=[{**one, "name": f"model-{number}"} for number in range(count)])
    stored = recording.one("aws:s3/bucketObjectv2:BucketObjectv2", "manifest-document")
    assert len(read_manifest(json.loads(stored.inputs["content"])).endpoints) == count
