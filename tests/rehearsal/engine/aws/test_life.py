"""Resources are made, compared, changed, read, imported and deleted in a real local cloud."""

from __future__ import annotations

import base64
import json
import threading
import time
from dataclasses import replace
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2
from moto.logs.exceptions import InvalidParameterException
from moto.logs.models import LogsBackend

from rehearsal.cloud.server import LocalCloud
from rehearsal.engine.aws.properties import Asset, Properties, Secret, reveal
from rehearsal.engine.terraform.values import UNKNOWN
from tests.rehearsal.engine.aws.caller import Caller, InitializationError, Made
from tests.rehearsal.engine.conftest import OpenCaller

BUCKET = "aws:s3/bucket:Bucket"
OBJECT = "aws:s3/bucketObjectv2:BucketObjectv2"
KEY = "aws:kms/key:Key"
ALIAS = "aws:kms/alias:Alias"
PARAMETER = "aws:ssm/parameter:Parameter"
GROUP = "aws:cloudwatch/logGroup:LogGroup"
ROLE = "aws:iam/role:Role"


def assumed_by(service: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_what_was_made_is_there_and_comparing_it_again_finds_nothing(aws: Caller, cloud: LocalCloud) -> None:
    inputs = {"description": "made", "tags": {"a": "1"}}
    key = aws.create(KEY, "made", inputs)
    assert cloud.client("kms").describe_key(KeyId=key.identifier)["KeyMetadata"]["Description"] == "made"
    assert aws.diff(key, inputs).paths == {}


def test_exactly_the_changed_paths_are_named(aws: Caller) -> None:
    key = aws.create(KEY, "paths", {"description": "one", "tags": {"a": "1", "b": "2"}})
    changes = aws.diff(key, {"description": "one", "tags": {"a": "1", "b": "3", "c": "4"}})
    assert changes.paths == {"tags.b": "UPDATE", "tags.c": "ADD"}
    assert aws.diff(key, {"description": "one", "enableKeyRotation": True}).paths == {
        "tags": "DELETE",
        "enableKeyRotation": "ADD",
    }


def test_elements_of_a_set_are_compared_without_regard_to_order(aws: Caller) -> None:
    vpc = aws.create("aws:ec2/vpc:Vpc", "sets", {"cidrBlock": "10.9.0.0/16"})
    rules = [
        {"protocol": "tcp", "fromPort": port, "toPort": port, "cidrBlocks": ["10.9.0.0/16"]} for port in (443, 5432)
    ]
    group = aws.create("aws:ec2/securityGroup:SecurityGroup", "sets", {"vpcId": vpc.identifier, "ingress": rules})
    assert aws.diff(group, {"vpcId": vpc.identifier, "ingress": rules[::-1]}).paths == {}
    changed = [rules[1], {**rules[0], "toPort": 444}]
    assert aws.diff(group, {"vpcId": vpc.identifier, "ingress": changed}).paths == {"ingress[1].toPort": "UPDATE"}


def test_what_cannot_change_in_place_is_replaced(aws: Caller) -> None:
    bucket = aws.create(BUCKET, "replaced", {})
    assert aws.diff(bucket, {"bucket": "another-name"}).replaces == ["bucket"]
    assert aws.diff(bucket, {"tags": {"a": "1"}}).replaces == []


def test_a_replacement_under_the_same_given_name_waits_for_the_old_one_to_go(aws: Caller) -> None:
    named = aws.create(PARAMETER, "named", {"name": "/given/name", "type": "String", "value": "1"})
    assert not aws.diff(named, {"name": "/given/other", "type": "String", "value": "1"}).delete_first
    given = aws.create(GROUP, "given", {"name": "/given/group"})
    assert aws.diff(given, {"name": "/given/group", "region": "us-east-1"}).delete_first
    made_up = aws.create(GROUP, "made-up", {})
    assert not aws.diff(made_up, {"region": "us-east-1"}).delete_first


def test_equivalent_policies_are_no_change(aws: Caller) -> None:
    role = aws.create(ROLE, "policies", {"assumeRolePolicy": assumed_by("ecs-tasks.amazonaws.com")})
    spaced = json.dumps(json.loads(assumed_by("ecs-tasks.amazonaws.com")), indent=4, sort_keys=True)
    assert aws.diff(role, {"assumeRolePolicy": spaced}).paths == {}
    assert "assumeRolePolicy" in aws.diff(role, {"assumeRolePolicy": assumed_by("lambda.amazonaws.com")}).paths


def test_an_update_leaves_the_name_that_was_made_up(aws: Caller) -> None:
    group = aws.create(GROUP, "kept", {"retentionInDays": 7})
    changed = aws.update(group, {"retentionInDays": 14})
    assert changed.outputs["name"] == group.outputs["name"]
    assert changed.outputs["retentionInDays"] == 14


def test_refreshing_what_nobody_touched_changes_neither_inputs_nor_outputs(aws: Caller) -> None:
    group = aws.create(GROUP, "untouched", {"retentionInDays": 7, "tags": {"a": "1"}})
    assert aws.refresh(group) == group


def test_a_change_from_outside_comes_in_with_a_refresh_and_is_undone_by_the_next_update(
    aws: Caller, cloud: LocalCloud
) -> None:
    group = aws.create(GROUP, "drifted", {"retentionInDays": 7})
    cloud.client("logs").put_retention_policy(logGroupName=group.outputs["name"], retentionInDays=30)
    drifted = aws.refresh(group)
    assert drifted is not None
    assert (drifted.inputs["retentionInDays"], drifted.outputs["retentionInDays"]) == (30, 30)
    assert aws.diff(drifted, {"retentionInDays": 7}).paths == {"retentionInDays": "UPDATE"}
    restored = aws.update(drifted, {"retentionInDays": 7})
    groups = cloud.client("logs").describe_log_groups(logGroupNamePrefix=restored.outputs["name"])["logGroups"]
    assert groups[0]["retentionInDays"] == 7


def test_something_added_from_outside_is_found_although_the_program_never_spoke_of_it(
    aws: Caller, cloud: LocalCloud
) -> None:
    group = aws.create(GROUP, "tagged", {})
    cloud.client("logs").tag_resource(resourceArn=group.outputs["arn"], tags={"owner": "somebody"})
    drifted = aws.refresh(group)
    assert drifted is not None
    assert drifted.outputs["tags"] == {"owner": "somebody"}
    assert "tags" in {path.partition(".")[0] for path in aws.diff(drifted, {}).paths}


def test_an_element_added_to_a_set_from_outside_leaves_the_declared_ones_as_they_are(
    aws: Caller, cloud: LocalCloud
) -> None:
    rules = [{"protocol": "tcp", "fromPort": port, "toPort": port, "cidrBlocks": ["10.0.0.0/8"]} for port in (80, 90)]
    group = aws.create("aws:ec2/securityGroup:SecurityGroup", "open", {"ingress": rules})
    ec2 = cloud.client("ec2")
    opened = {"GroupId": group.outputs["id"], "IpProtocol": "tcp", "CidrIp": "0.0.0.0/0"}
    ec2.authorize_security_group_ingress(**opened, FromPort=22, ToPort=22)
    drifted = aws.refresh(group)
    assert drifted is not None
    assert drifted.inputs["ingress"][:2] == rules
    assert aws.diff(drifted, {"ingress": rules}).paths == {"ingress[2]": "DELETE"}
    closed = {"GroupId": group.outputs["id"], "IpProtocol": "tcp", "CidrIp": "10.0.0.0/8"}
    ec2.revoke_security_group_ingress(**closed, FromPort=80, ToPort=80)
    swapped = aws.refresh(group)
    assert swapped is not None
    assert swapped.inputs["ingress"][1] == rules[1]
    assert swapped.inputs["ingress"][0]["fromPort"] == 22


def test_what_was_deleted_from_outside_is_gone_after_a_refresh(aws: Caller, cloud: LocalCloud) -> None:
    group = aws.create(GROUP, "vanished", {})
    cloud.client("logs").delete_log_group(logGroupName=group.outputs["name"])
    assert aws.refresh(group) is None


def test_what_is_gone_when_it_is_updated_is_said_to_be_gone(aws: Caller, cloud: LocalCloud) -> None:
    topic = aws.create("aws:sns/topic:Topic", "vanishing", {})
    queue = "arn:aws:sqs:eu-west-1:123456789012:vanishing"
    inputs = {"topic": topic.identifier, "protocol": "sqs", "endpoint": queue}
    subscription = aws.create("aws:sns/topicSubscription:TopicSubscription", "vanishing", inputs)
    cloud.client("sns").unsubscribe(SubscriptionArn=subscription.identifier)
    with pytest.raises(grpc.RpcError) as failed:
        # A property of Terraform's alone: nothing is asked of SNS before the subscription is read back.
        aws.update(subscription, {**inputs, "confirmationTimeoutInMinutes": 2})
    told = str(failed.value.details())
    assert told.startswith(f"{subscription.token} {subscription.identifier} was not there any more")
    assert "pulumi refresh" in told


def test_deleting_takes_the_resource_away(aws: Caller, cloud: LocalCloud) -> None:
    bucket = aws.create(BUCKET, "deleted", {})
    aws.delete(bucket)
    assert bucket.identifier not in [found["Name"] for found in cloud.client("s3").list_buckets()["Buckets"]]


def test_an_existing_resource_is_imported_with_the_inputs_that_would_make_it(aws: Caller, cloud: LocalCloud) -> None:
    cloud.client("logs").create_log_group(logGroupName="/there/before", tags={"a": "1"})
    cloud.client("logs").put_retention_policy(logGroupName="/there/before", retentionInDays=30)
    found = aws.read(GROUP, "/there/before")
    assert found is not None
    declared = {"name": "/there/before", "retentionInDays": 30, "tags": {"a": "1"}}
    assert {name: found.inputs.get(name) for name in declared} == declared
    assert aws.diff(found, {**declared, "skipDestroy": False}).paths == {}


def test_what_does_not_exist_cannot_be_imported(aws: Caller) -> None:
    assert aws.read(GROUP, "/never/was") is None


def test_a_preview_knows_what_is_given_and_leaves_open_what_the_cloud_decides(aws: Caller) -> None:
    shown = aws.preview(GROUP, "shown", {"retentionInDays": 5, "kmsKeyId": UNKNOWN})
    assert shown["retentionInDays"] == 5
    assert shown["name"].startswith("shown-")
    assert shown["arn"] is UNKNOWN
    assert shown["kmsKeyId"] is UNKNOWN


def test_an_ignored_path_is_no_change_but_its_neighbour_is(aws: Caller) -> None:
    key = aws.create(KEY, "ignored", {"description": "one", "tags": {"a": "1", "b": "1"}})
    changed: Properties = {"description": "two", "tags": {"a": "2", "b": "2"}}
    assert aws.diff(key, changed, ["description", "tags.a"]).paths == {"tags.b": "UPDATE"}
    assert aws.diff(key, changed, ["description", 'tags["b"]', "tags.a"]).paths == {}
    assert aws.diff(key, changed, ["*"]).paths == {}


def test_a_resource_lives_in_its_own_region_and_moves_by_replacement(aws: Caller, cloud: LocalCloud) -> None:
    group = aws.create(GROUP, "abroad", {"region": "us-east-1"})
    assert group.outputs["region"] == "us-east-1"
    assert ":us-east-1:" in group.outputs["arn"]
    assert aws.refresh(group) == group
    assert aws.diff(group, {"region": "eu-west-1"}).replaces == ["region"]
    aws.delete(group)
    assert aws.refresh(group) is None


def test_an_instance_works_in_its_own_region_with_its_own_default_tags(open_caller: OpenCaller) -> None:
    caller = open_caller({"region": "us-east-2", "defaultTags": json.dumps({"tags": {"team": "risk"}})})
    group = caller.create(GROUP, "own", {"tags": {"a": "1"}})
    assert ":us-east-2:" in group.outputs["arn"]
    assert group.outputs["tags"] == {"a": "1"}
    assert group.outputs["tagsAll"] == {"a": "1", "team": "risk"}
    assert caller.diff(group, {"tags": {"a": "1"}}).paths == {}
    assert caller.refresh(group) == group


def test_new_default_tags_change_the_resources_that_have_them(open_caller: OpenCaller, aws: Caller) -> None:
    group = aws.create(GROUP, "default-tags", {"tags": {"a": "1"}})
    other = open_caller({"defaultTags": json.dumps({"tags": {"team": "risk"}})})
    assert list(other.diff(group, {"tags": {"a": "1"}}).paths) == ["tagsAll.team"]


def test_an_instance_that_assumes_a_role_acts_in_the_role_s_account(open_caller: OpenCaller) -> None:
    roles = [{"roleArn": "arn:aws:iam::210987654321:role/OrganizationAccountAccessRole", "sessionName": "rehearsal"}]
    caller = open_caller({"assumeRoles": json.dumps(roles)})
    identity = caller.invoke("aws:index/getCallerIdentity:getCallerIdentity", {})
    assert identity["accountId"] == "210987654321"


def test_functions_answer_as_the_sdk_expects_them(aws: Caller) -> None:
    assert aws.invoke("aws:index/getPartition:getPartition", {})["partition"] == "aws"
    assert aws.invoke("aws:index/getRegion:getRegion", {})["region"] == "eu-west-1"
    zones = aws.invoke("aws:index/getAvailabilityZones:getAvailabilityZones", {"state": "available"})
    assert zones["names"] == ["eu-west-1a", "eu-west-1b", "eu-west-1c"]
    statements = [{"actions": ["s3:GetObject"], "resources": ["*"], "conditions": []}]
    document = aws.invoke("aws:iam/getPolicyDocument:getPolicyDocument", {"statements": statements})
    assert json.loads(document["json"])["Statement"][0]["Action"] == "s3:GetObject"


def test_an_asset_is_what_it_holds_and_is_not_opened_again(aws: Caller, cloud: LocalCloud) -> None:
    bucket = aws.create(BUCKET, "assets", {})

    def text(content: str, digest: str) -> Asset:
        return Asset(False, (("hash", digest * 64), ("text", content)))

    def stored(made: Made, digest: str) -> Made:
        only_hash = Asset(False, (("hash", digest * 64),))
        return replace(made, inputs={**made.inputs, "source": only_hash}, outputs={**made.outputs, "source": only_hash})

    inputs: dict[str, Any] = {"bucket": bucket.identifier, "key": "k", "source": text("one", "1")}
    kept = stored(aws.create(OBJECT, "asset", inputs), "1")
    assert cloud.client("s3").get_object(Bucket=bucket.identifier, Key="k")["Body"].read() == b"one"
    assert aws.diff(kept, inputs).paths == {}
    assert aws.diff(kept, kept.inputs).paths == {}
    assert aws.diff(kept, {**inputs, "source": text("two", "2")}).paths == {"source": "UPDATE"}
    aws.update(kept, {**inputs, "source": text("two", "2")})
    assert cloud.client("s3").get_object(Bucket=bucket.identifier, Key="k")["Body"].read() == b"two"


def test_a_secret_input_is_a_secret_output_wherever_it_turns_up(aws: Caller) -> None:
    made = aws.create(PARAMETER, "secret", {"type": "SecureString", "value": Secret("sesame-open-7")})
    assert made.outputs["value"] == Secret("sesame-open-7")
    assert "sesame" not in repr(made)
    again = aws.refresh(made)
    assert again is not None
    assert "sesame" not in repr(again)


def test_what_the_provider_calls_sensitive_is_secret_without_being_asked(aws: Caller) -> None:
    made = aws.create(PARAMETER, "sensitive", {"type": "String", "value": "visible-in-inputs"})
    assert isinstance(made.outputs["value"], Secret)


def test_a_write_only_value_reaches_the_cloud_and_no_state(aws: Caller, cloud: LocalCloud) -> None:
    inputs = {"type": "SecureString", "valueWo": Secret("first-and-secret"), "valueWoVersion": 1}
    made = aws.create(PARAMETER, "written", inputs)
    assert "first-and-secret" not in str(reveal(made.outputs))
    assert aws.diff(made, inputs).paths == {}
    aws.update(made, {**inputs, "valueWo": Secret("second-and-secret"), "valueWoVersion": 2})
    found = cloud.client("ssm").get_parameter(Name=made.identifier, WithDecryption=True)
    assert found["Parameter"]["Value"] == "second-and-secret"


def test_a_resource_that_failed_halfway_is_kept_and_then_replaced(
    aws: Caller, cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise InvalidParameterException(constraint="none", parameter="retentionInDays", value="7")

    with monkeypatch.context() as broken:
        broken.setattr(LogsBackend, "put_retention_policy", refuse)
        with pytest.raises(InitializationError) as failed:
            aws.create(GROUP, "halfway", {"retentionInDays": 7})
    made = failed.value.made
    assert "retentionInDays" in failed.value.reasons[0]
    assert cloud.client("logs").describe_log_groups(logGroupNamePrefix=made.outputs["name"])["logGroups"]
    assert aws.refresh(made) is not None
    changes = aws.diff(made, {"retentionInDays": 7})
    assert changes.replaces == ["id"]
    assert changes.delete_first
    aws.delete(made)
    assert aws.refresh(made) is None


def test_an_update_that_failed_halfway_keeps_what_is_true(
    aws: Caller, cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise InvalidParameterException(constraint="none", parameter="retentionInDays", value="14")

    group = aws.create(GROUP, "half-updated", {"retentionInDays": 7})
    with monkeypatch.context() as broken:
        broken.setattr(LogsBackend, "put_retention_policy", refuse)
        with pytest.raises(InitializationError) as failed:
            aws.update(group, {"retentionInDays": 14})
    assert failed.value.made.outputs["retentionInDays"] == 7
    again = aws.update(failed.value.made, {"retentionInDays": 14})
    assert again.outputs["retentionInDays"] == 14


def test_a_timeout_is_the_provider_s(aws: Caller) -> None:
    made = aws.create(BUCKET, "timed", {}, timeout=1234)
    assert aws.diff(made, {}).paths == {}
    assert "1234000000000" in base64.b64decode(json.loads(made.outputs["__meta"])["private"]).decode()


def test_a_change_can_be_broken_off(aws: Caller, open_caller: OpenCaller, cloud: LocalCloud) -> None:
    caller = open_caller({"maxRetries": 3})
    done: list[BaseException | Made] = []

    def create() -> None:
        try:
            done.append(caller.create("aws:sqs/queue:Queue", "broken-off", {}))
        except (grpc.RpcError, InitializationError) as problem:
            done.append(problem)

    thread = threading.Thread(target=create)
    thread.start()
    while not [url for url in cloud.client("sqs").list_queues().get("QueueUrls", []) if "broken-off" in url]:
        time.sleep(0.05)
    caller.stub.Cancel(empty_pb2.Empty())
    thread.join(20)
    assert not thread.is_alive()
    (problem,) = done
    assert isinstance(problem, InitializationError)
    aws.delete(problem.made)
