"""Names are made up as pulumi-aws documents it, and kept."""

from __future__ import annotations

import re
from typing import Any

import pytest
from pulumi.runtime.proto import provider_pb2

from rehearsal.engine.aws.properties import Properties
from tests.rehearsal.engine.aws.caller import Caller, RefusedError

ASSUMED = '{"Version":"2012-10-17","Statement":[]}'
Autonaming = provider_pb2.CheckRequest.AutonamingOptions

NAMES: list[tuple[str, Properties, str, str, str]] = [
    ("aws:s3/bucket:Bucket", {}, "MyBucket", "bucket", r"mybucket-[0-9a-f]{7}"),
    ("aws:iam/role:Role", {"assumeRolePolicy": ASSUMED}, "Role", "name", r"Role-[0-9a-f]{7}"),
    ("aws:kms/alias:Alias", {"targetKeyId": "k"}, "main", "name", r"alias/main-[0-9a-f]{7}"),
    ("aws:sqs/queue:Queue", {"fifoQueue": True}, "q", "name", r"q-[0-9a-f]{7}\.fifo"),
    ("aws:sns/topic:Topic", {}, "t", "name", r"t-[0-9a-f]{7}"),
    ("aws:rds/instance:Instance", {"instanceClass": "db.t3.micro"}, "db", "identifier", r"db[0-9a-f]{7}"),
    (
        "aws:rds/instance:Instance",
        {"instanceClass": "a", "engine": "sqlserver"},
        "db",
        "identifier",
        r"db[0-9a-f]{3}",
    ),
    ("aws:iot/topicRule:TopicRule", {"enabled": True, "sql": "s", "sqlVersion": "1"}, "rule", "name", r"rule"),
    ("aws:batch/computeEnvironment:ComputeEnvironment", {"type": "UNMANAGED"}, "c", "name", r"c-[0-9a-f]{7}"),
    (
        "aws:cloudwatch/metricAlarm:MetricAlarm",
        {"comparisonOperator": "GreaterThanThreshold", "evaluationPeriods": 1, "threshold": 1},
        "alarm",
        "name",
        r"alarm-[0-9a-f]{7}",
    ),
    ("aws:glue/catalogDatabase:CatalogDatabase", {}, "Data", "name", r"data_[a-z]{8}"),
    ("aws:s3/bucketObjectv2:BucketObjectv2", {"bucket": "b", "content": "x"}, "folder/key", "key", r"folder/key"),
    ("aws:ecs/cluster:Cluster", {}, "c", "name", r"c-[0-9a-f]{7}"),
    ("aws:ssm/parameter:Parameter", {"type": "String", "value": "v"}, "p", "name", r"p-[0-9a-f]{7}"),
]


@pytest.mark.parametrize(("token", "inputs", "name", "called", "pattern"), NAMES)
def test_a_name_is_made_of_the_logical_one(
    aws: Caller, token: str, inputs: Properties, name: str, called: str, pattern: str
) -> None:
    checked = aws.check(token, name, inputs)
    assert re.fullmatch(pattern, checked[called])
    assert called in checked["__defaults"]


def test_a_name_that_was_made_up_stays_until_the_resource_is_replaced(aws: Caller) -> None:
    first = aws.check("aws:s3/bucket:Bucket", "b", {})
    assert aws.check("aws:s3/bucket:Bucket", "b", {}, first)["bucket"] == first["bucket"]
    assert aws.check("aws:s3/bucket:Bucket", "b", {})["bucket"] != first["bucket"]


def test_a_given_name_is_left_alone_and_giving_it_up_makes_one_up(aws: Caller) -> None:
    given = aws.check("aws:s3/bucket:Bucket", "b", {"bucket": "given-name"})
    assert given["bucket"] == "given-name"
    assert re.fullmatch(r"b-[0-9a-f]{7}", aws.check("aws:s3/bucket:Bucket", "b", {}, given)["bucket"])


@pytest.mark.parametrize(
    ("token", "inputs", "absent"),
    [
        ("aws:s3/bucket:Bucket", {"bucketPrefix": "p-"}, "bucket"),
        ("aws:iam/role:Role", {"namePrefix": "p-", "assumeRolePolicy": ASSUMED}, "name"),
    ],
)
def test_a_prefix_leaves_the_name_to_the_provider(aws: Caller, token: str, inputs: Properties, absent: str) -> None:
    assert absent not in aws.check(token, "thing", inputs)


def test_a_name_that_would_be_too_long_is_refused_before_anything_is_made(aws: Caller) -> None:
    with pytest.raises(RefusedError, match=r"name: .* has 38 characters and may have 32"):
        aws.preview("aws:lb/loadBalancer:LoadBalancer", "n" * 30, {"subnets": ["s"]})


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (Autonaming(proposed_name="Wanted", mode=Autonaming.PROPOSE), "wanted"),
        (Autonaming(proposed_name="exactly", mode=Autonaming.ENFORCE), "exactly"),
    ],
)
def test_the_stack_s_own_naming_is_followed(aws: Caller, options: Any, expected: str) -> None:
    assert aws.check("aws:s3/bucket:Bucket", "b", {}, autonaming=options)["bucket"] == expected


def test_a_stack_that_wants_no_names_made_up_has_to_give_them(aws: Caller) -> None:
    options = Autonaming(mode=Autonaming.DISABLE)
    with pytest.raises(RefusedError, match=r"bucket: missing, and the stack's configuration forbids"):
        aws.preview("aws:s3/bucket:Bucket", "b", {}, autonaming=options)


def test_the_region_and_a_description_are_filled_in(aws: Caller) -> None:
    checked = aws.check("aws:ec2/securityGroup:SecurityGroup", "g", {})
    assert (checked["region"], checked["description"]) == ("eu-west-1", "Managed by Pulumi")


def test_a_global_type_has_no_region(aws: Caller) -> None:
    assert "region" not in aws.check("aws:iam/role:Role", "r", {"assumeRolePolicy": ASSUMED})
