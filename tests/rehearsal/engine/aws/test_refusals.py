"""A mistake is one clear message with the path of the property, whatever it is and however deep."""

from __future__ import annotations

from typing import Any

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2

from rehearsal.engine.aws.properties import Properties, Secret, encode
from rehearsal.engine.terraform.values import UNKNOWN
from tests.rehearsal.engine.aws.caller import Caller, RefusedError

BUCKET = "aws:s3/bucket:Bucket"
LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"

MISTAKES: list[tuple[str, Properties, list[str]]] = [
    (BUCKET, {"bukket": "a"}, ["bukket: ", "did you mean bucket?"]),
    (
        LIFECYCLE,
        {"bucket": "b", "rules": [{"id": "r", "status": "Enabled", "filter": {"prefixx": "logs/"}}]},
        ["rules[0].filter.prefixx: ", "did you mean prefix?"],
    ),
    (
        BUCKET,
        {"lifecycleRules": [{"enabled": True, "transitions": [{"dayz": 1, "storageClass": "GLACIER"}]}]},
        ["lifecycleRules[0].transitions[0].dayz: "],
    ),
    (
        "aws:s3/bucketVersioning:BucketVersioning",
        {"bucket": "b", "versioningConfiguration": {"status": "Enabledd"}},
        ["versioningConfiguration.status: ", '"Enabled"', "got Enabledd"],
    ),
    (
        LIFECYCLE,
        {"bucket": "b", "rules": [{"id": "r", "status": "On", "filter": {"prefix": ""}, "expiration": {"days": 1}}]},
        ["rules[0].status: ", '"Disabled" "Enabled"', '"On"'],
    ),
    (
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        {"role": "r", "policyArn": "not-an-arn"},
        ["policyArn: ", "not-an-arn", "invalid ARN"],
    ),
    ("aws:kms/alias:Alias", {}, ["targetKeyId: ", "is required"]),
    (
        "aws:lb/loadBalancer:LoadBalancer",
        {"subnets": ["subnet-1"], "accessLogs": {"enabled": True}},
        ["accessLogs.bucket: ", "is required"],
    ),
    (BUCKET, {"tags": ["x"]}, ["tags: expected a map, got a list"]),
    (BUCKET, {"forceDestroy": "maybe"}, ['forceDestroy: expected true or false, got the string "maybe"']),
    (BUCKET, {"bucket": 7}, ["bucket: expected a string, got the number 7"]),
    (BUCKET, {"arn": "arn:aws:s3:::b"}, ["arn: arn is set by the provider"]),
    (
        "aws:ec2/flowLog:FlowLog",
        {"tagFieldSpecifications": []},
        ["tagFieldSpecifications: ", "newer than the provider"],
    ),
    ("aws:ec2/vpc:Vpc", {"cidrBlock": "10.0.0.0/99"}, ["cidrBlock: ", "10.0.0.0/99"]),
    (
        "aws:rds/instance:Instance",
        {"instanceClass": "db.t3.micro", "allocatedStorage": "a lot"},
        ['allocatedStorage: expected a number, got the string "a lot"'],
    ),
    ("aws:lb/loadBalancer:LoadBalancer", {"subnets": ["s"], "name": "n" * 40}, ["name: ", "32"]),
    (LOG_GROUP, {"retentionInDays": "1_4"}, ['retentionInDays: expected a number, got the string "1_4"']),
    (LOG_GROUP, {"retentionInDays": "nan"}, ['retentionInDays: expected a number, got the string "nan"']),
    ("aws:ec2/securityGroup:SecurityGroup", {"ingress": ["x"]}, ['ingress[0]: expected an object, got the string "x"']),
    ("aws:lb/loadBalancer:LoadBalancer", {"subnets": [Secret(None)]}, ["subnets[0]: expected a value, got null"]),
    (
        "aws:sagemaker/endpoint:Endpoint",
        {
            "endpointConfigName": "c",
            "deploymentConfig": {
                "blueGreenUpdatePolicy": {"trafficRoutingConfiguration": {"type": "ALL", "waitIntervalInSeconds": 1}}
            },
        },
        ["deploymentConfig.blueGreenUpdatePolicy.trafficRoutingConfiguration.type: ", "got ALL"],
    ),
]


@pytest.mark.parametrize(
    ("token", "inputs", "told"), MISTAKES, ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_mistake_is_told_with_its_path(aws: Caller, token: str, inputs: Properties, told: list[str]) -> None:
    with pytest.raises(RefusedError) as refused:
        aws.preview(token, "thing", inputs)
    (reason,) = refused.value.reasons
    assert reason.startswith(told[0])
    assert all(part in reason for part in told)


def test_all_mistakes_of_a_resource_are_told_at_once(aws: Caller) -> None:
    with pytest.raises(RefusedError) as refused:
        aws.preview(BUCKET, "thing", {"tags": [], "forceDestroy": "maybe", "website": {"index": "i"}, "nope": 1})
    paths = sorted(reason.partition(":")[0] for reason in refused.value.reasons)
    assert paths == ["forceDestroy", "nope", "tags", "website.index"]


def test_terraform_s_names_do_not_reach_the_author(aws: Caller) -> None:
    with pytest.raises(RefusedError) as refused:
        aws.preview("aws:ec2/securityGroup:SecurityGroup", "thing", {"ingress": [{"protocol": "tcp"}]})
    assert "fromPort" in str(refused.value)
    assert "from_port" not in str(refused.value)


def test_unknown_values_are_let_pass_where_any_could_come(aws: Caller) -> None:
    inputs = {"subnets": [UNKNOWN], "securityGroups": UNKNOWN, "accessLogs": UNKNOWN}
    assert aws.check("aws:lb/loadBalancer:LoadBalancer", "thing", inputs)["subnets"] == [UNKNOWN]


def test_a_secret_is_not_quoted_in_a_refusal(aws: Caller) -> None:
    with pytest.raises(RefusedError) as refused:
        aws.preview(
            "aws:rds/instance:Instance",
            "thing",
            {"instanceClass": "db.t3.micro", "kmsKeyId": Secret("hunter2hunter2"), "allocatedStorage": Secret("many")},
        )
    assert "hunter2" not in str(refused.value)
    assert "many" not in str(refused.value)


@pytest.mark.parametrize(
    ("token", "told"),
    [
        ("aws:nope/thing:Thing", "pulumi-aws 7.51.1 has no resource aws:nope/thing:Thing"),
        ("aws:s3/bucketAbac:BucketAbac", "not to the Terraform AWS provider 5.100.0"),
    ],
)
def test_a_type_that_cannot_be_had_is_named_with_the_reason(aws: Caller, token: str, told: str) -> None:
    with pytest.raises(grpc.RpcError) as failed:
        aws.check(token, "thing", {})
    assert told in str(failed.value.details())


CONFIGURATIONS: list[tuple[dict[str, Any], str]] = [
    ({"regionn": "eu-west-1"}, "regionn: "),
    ({"defaultTags": '{"tags": {"a": "b"}, "other": 1}'}, "defaultTags.other: "),
    ({"assumeRoles": '[{"arn": "x"}]'}, "assumeRoles[0].arn: "),
]


@pytest.mark.parametrize(("configuration", "told"), CONFIGURATIONS)
def test_an_unknown_configuration_key_is_refused(aws: Caller, configuration: dict[str, Any], told: str) -> None:
    request = provider_pb2.CheckRequest(urn="urn:pulumi:s::p::pulumi:providers:aws::own", news=encode(configuration))
    (failure,) = aws.stub.CheckConfig(request).failures
    assert failure.reason.startswith(told)


def test_an_argument_that_a_function_has_not_is_refused(aws: Caller) -> None:
    with pytest.raises(RefusedError, match="acountId"):
        aws.invoke("aws:index/getCallerIdentity:getCallerIdentity", {"acountId": "1"})
