from __future__ import annotations

from typing import Any

import pytest

from policy.checkov.plan import Declared, PlanError, terraform_plan
from rehearsal.engine.aws.catalogue import Types
from rehearsal.engine.aws.descriptions import Descriptions
from rehearsal.engine.terraform.catalogue import Catalogue
from rehearsal.setup.tools import Tools

BUCKET = "aws:s3/bucket:Bucket"
BLOCK = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"


@pytest.fixture(scope="module")
def types(tools: Tools) -> Types:
    schemas = tools.cache / "schemas"
    return Types(Catalogue(tools.provider, schemas), Descriptions(schemas))


def declared(kind: str, name: str, inputs: dict[str, Any], **needs: list[str]) -> Declared:
    return Declared(f"urn:pulumi:prod::interlock::{kind}::{name}", kind, name, inputs, needs)


def resources(plan: dict[str, Any]) -> dict[str, Any]:
    return {one["address"]: one for one in plan["planned_values"]["root_module"]["resources"]}


def test_properties_stand_under_terraforms_names_with_blocks_as_lists(types: Types) -> None:
    inputs = {
        "engine": "postgres",
        "allocatedStorage": 100.0,
        "multiAz": True,
        "enabledCloudwatchLogsExports": ["postgresql"],
        "region": "eu-west-1",
    }
    versioning = {"bucket": "vault", "versioningConfiguration": {"status": "Enabled"}}
    plan = terraform_plan(
        [
            declared("aws:rds/instance:Instance", "database-postgres", inputs),
            declared("aws:s3/bucketVersioning:BucketVersioning", "vault-versioning", versioning),
        ],
        types,
    )
    found = resources(plan)
    database = found["aws_db_instance.database_postgres"]["values"]
    assert (database["allocated_storage"], database["multi_az"]) == (100, True)
    assert database["enabled_cloudwatch_logs_exports"] == ["postgresql"]
    configuration = found["aws_s3_bucket_versioning.vault_versioning"]["values"]["versioning_configuration"]
    assert [one["status"] for one in configuration] == ["Enabled"]


def test_what_nobody_gives_is_left_out_so_that_a_scanner_takes_the_default(types: Types) -> None:
    rule = {"id": "all", "status": "Enabled", "expiration": {"days": 3}}
    lifecycle = declared(
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration", "rules", {"bucket": "b", "rules": [rule]}
    )
    found = resources(terraform_plan([declared(BUCKET, "vault", {"forceDestroy": False}), lifecycle], types))
    bucket = found["aws_s3_bucket.vault"]["values"]
    assert bucket["force_destroy"] is False
    assert not {"arn", "bucket", "tags"} & set(bucket)
    (written,) = found["aws_s3_bucket_lifecycle_configuration.rules"]["values"]["rule"]
    assert written["expiration"] == [{"days": 3}]
    assert "prefix" not in written


def test_a_property_taken_from_another_resource_refers_to_it(types: Types) -> None:
    bucket = declared(BUCKET, "vault-bucket", {})
    block = declared(BLOCK, "vault-block", {"bucket": "vault-0123"}, bucket=[bucket.urn])
    plan = terraform_plan([bucket, block], types)
    (configured,) = [one for one in plan["configuration"]["root_module"]["resources"] if one["name"] == "vault_block"]
    references = ["aws_s3_bucket.vault_bucket.id", "aws_s3_bucket.vault_bucket"]
    assert configured["expressions"] == {"bucket": {"references": references}}


def test_two_resources_of_one_name_have_two_addresses(types: Types) -> None:
    one, other = declared(BUCKET, "the-vault", {}), declared(BUCKET, "the_vault", {})
    assert list(resources(terraform_plan([one, other], types))) == [
        "aws_s3_bucket.the_vault",
        "aws_s3_bucket.the_vault_2",
    ]


def test_providers_and_components_are_not_part_of_the_plan(types: Types) -> None:
    plan = terraform_plan([declared("pulumi:providers:aws", "aws", {"region": "eu-west-1"})], types)
    assert resources(plan) == {}


def test_properties_that_the_provider_does_not_take_are_all_named(types: Types) -> None:
    with pytest.raises(PlanError) as caught:
        terraform_plan([declared(BUCKET, "vault", {"buckett": "x", "forceDestroy": "perhaps"})], types)
    assert [problem.partition(": ")[0] for problem in caught.value.problems] == ["vault", "vault"]
