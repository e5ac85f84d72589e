"""A request that is not exactly one operation of its service is refused, and what was decided is what is done."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from rehearsal.cloud.accounts import ACCESS_KEY_ID, RECOVERY_REGION, REGION, SECRET_ACCESS_KEY, WORKLOAD, credentials
from rehearsal.cloud.server import LocalCloud

JSON = {"Content-Type": "application/x-amz-json-1.1"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
ADMINISTRATOR = Credentials(ACCESS_KEY_ID, SECRET_ACCESS_KEY)


@dataclass(frozen=True)
class Answer:
    status: int
    text: str


def send(
    cloud: LocalCloud,
    who: Credentials,
    service: str,
    body: str | bytes = "",
    headers: Mapping[str, str] | None = None,
    *,
    path: str = "/",
    method: str = "POST",
    region: str = REGION,
) -> Answer:
    """Send a request that no SDK would, signed as AWS has it."""
    request = AWSRequest(method, f"{cloud.endpoint_url}{path}", dict(headers or {}), body)
    SigV4Auth(who, service, region).add_auth(request)
    answer = urllib3.request(method, str(request.url), body=body, headers=dict(request.headers.items()))
    return Answer(answer.status, answer.data.decode())


def target(name: str) -> dict[str, str]:
    return {**JSON, "X-Amz-Target": name}


@pytest.fixture
def nobody(cloud: LocalCloud) -> Credentials:
    """Who has a role without any right."""
    return bearer(cloud, [])


def bearer(cloud: LocalCloud, statements: list[dict[str, Any]]) -> Credentials:
    iam, name = cloud.client("iam"), f"reader-{uuid4().hex[:8]}"
    let_in = {"Effect": "Allow", "Principal": {"AWS": WORKLOAD}, "Action": "sts:AssumeRole"}
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document([let_in]))["Role"]["Arn"]
    if statements:
        iam.put_role_policy(RoleName=name, PolicyName="granted", PolicyDocument=document(statements))
    given = credentials(cloud.client("sts").assume_role(RoleArn=arn, RoleSessionName="session"))
    return Credentials(*given.values())


def document(statements: list[dict[str, Any]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def allow(action: str, resource: str = "*") -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource}


@pytest.mark.parametrize(
    ("service", "request_", "status", "code"),
    [
        ("kms", {"headers": target("TrentService.NoSuchOperation"), "body": "{}"}, 400, "UnknownOperationException"),
        ("kms", {"headers": JSON, "body": "{}"}, 400, "UnknownOperationException"),
        ("kms", {"headers": target("TrentService.Sign"), "body": '["no object"]'}, 400, "SerializationException"),
        ("iam", {"headers": FORM, "body": "Action=NoSuchAction&Version=2010-05-08"}, 400, "InvalidAction"),
        ("iam", {"headers": FORM, "body": ""}, 400, "InvalidAction"),
        ("ec2", {"headers": FORM, "body": "Action=NoSuchAction"}, 400, "InvalidAction"),
        ("lambda", {"path": "/2015-03-31/no/such/path"}, 404, "UnknownOperationException"),
        ("sqs", {"headers": {"Content-Type": "application/json"}, "body": "{}"}, 400, "UnknownOperationException"),
        ("cloudformation", {"headers": JSON, "body": "{}"}, 400, "InvalidAction"),
        ("s3", {"path": "/", "method": "DELETE"}, 405, "MethodNotAllowed"),
    ],
)  # fmt: skip
def test_what_is_no_operation_is_refused_in_the_services_own_protocol(
    cloud: LocalCloud, nobody: Credentials, service: str, request_: dict[str, Any], status: int, code: str
) -> None:
    for who in (nobody, ADMINISTRATOR):
        answer = send(cloud, who, service, **request_)
        assert (answer.status, code in answer.text) == (status, True), answer


def test_an_operation_named_where_its_protocol_has_none_is_not_done(cloud: LocalCloud, nobody: Credentials) -> None:
    name = f"made-{uuid4().hex[:8]}"
    answer = send(cloud, nobody, "iam", f"UserName={name}", {**FORM, "X-Amz-Target": "Iam.CreateUser"})
    assert (answer.status, "InvalidAction" in answer.text) == (400, True)
    with pytest.raises(ClientError, match="NoSuchEntity"):
        cloud.client("iam").get_user(UserName=name)


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ("Action=CreateUser&UserName={mine}&UserName={other}", "/"),
        ("UserName={other}", "/?Action=CreateUser&UserName={mine}"),
        ("Action=GetUser&Action=CreateUser&UserName={other}", "/"),
    ],
    ids=["a parameter twice", "in the URL and in the body", "two actions"],
)
def test_who_says_a_thing_twice_is_refused(cloud: LocalCloud, body: str, path: str) -> None:
    mine, other = f"mine-{uuid4().hex[:8]}", f"other-{uuid4().hex[:8]}"
    who = bearer(cloud, [allow("iam:CreateUser", f"arn:aws:iam::{WORKLOAD}:user/{mine}"), allow("iam:GetUser")])
    names = {"mine": mine, "other": other}
    answer = send(cloud, who, "iam", body.format(**names), FORM, path=path.format(**names))
    assert (answer.status, "MalformedQueryString" in answer.text) == (400, True), answer
    with pytest.raises(ClientError, match="NoSuchEntity"):
        cloud.client("iam").get_user(UserName=other)


def test_a_parameter_in_the_url_of_a_protocol_that_has_none_there_is_refused(cloud: LocalCloud) -> None:
    who = bearer(cloud, [allow("ssm:PutParameter", "*")])
    answer = send(cloud, who, "ssm", '{"Name": "/mine"}', target("AmazonSSM.GetParameter"), path="/?Name=/other")
    assert (answer.status, "SerializationException" in answer.text) == (400, True), answer


@pytest.mark.corrects("iam.one-reading")
def test_what_a_json_body_holds_by_chance_is_no_parameter(cloud: LocalCloud) -> None:
    ssm, mine, other = cloud.client("ssm"), f"/mine/{uuid4().hex}", f"/other/{uuid4().hex}"
    for name in (mine, other):
        ssm.put_parameter(Name=name, Value=name, Type="String")
    who = bearer(cloud, [allow("ssm:GetParameter", f"arn:aws:ssm:{REGION}:{WORKLOAD}:parameter{mine}")])
    body = json.dumps({"Name": mine, "ignored": f"&Name={other}&"})
    answer = send(cloud, who, "ssm", body, target("AmazonSSM.GetParameter"))
    assert (answer.status, json.loads(answer.text).get("Parameter", {}).get("Value")) == (200, mine), answer


@pytest.mark.corrects("iam.one-reading")
def test_a_json_body_names_no_second_operation(cloud: LocalCloud) -> None:
    ssm, name = cloud.client("ssm"), f"/kept/{uuid4().hex}"
    ssm.put_parameter(Name=name, Value="kept", Type="String")
    who = bearer(cloud, [allow("ssm:DescribeParameters")])
    body = json.dumps({"ignored": f"&Action=DeleteParameter&Name={name}&"})
    answer = send(cloud, who, "ssm", body, target("AmazonSSM.DescribeParameters"))
    assert (answer.status, "Parameters" in answer.text) == (200, True), answer
    assert ssm.get_parameter(Name=name)["Parameter"]["Value"] == "kept"


@pytest.mark.corrects("iam.one-reading")
def test_a_resource_named_in_the_path_is_not_another_one_in_the_body(cloud: LocalCloud) -> None:
    mine, other = (cloud.client("appconfig").create_application(Name=uuid4().hex)["Id"] for _ in range(2))
    body = json.dumps({"ApplicationId": other})
    headers = {"Content-Type": "application/json"}
    answer = send(cloud, ADMINISTRATOR, "appconfig", body, headers, path=f"/applications/{mine}", method="GET")
    assert (answer.status, json.loads(answer.text)["Id"]) == (200, mine), answer


@pytest.mark.corrects("iam.one-reading")
def test_a_request_is_for_the_region_that_it_is_signed_for(cloud: LocalCloud) -> None:
    name = f"/there/{uuid4().hex}"
    cloud.client("ssm", region_name=RECOVERY_REGION).put_parameter(Name=name, Value="there", Type="String")
    who = bearer(cloud, [allow("ssm:GetParameter", f"arn:aws:ssm:{REGION}:{WORKLOAD}:parameter{name}")])
    headers = {**target("AmazonSSM.GetParameter"), "User-Agent": f"x region/{RECOVERY_REGION}"}
    answer = send(cloud, who, "ssm", json.dumps({"Name": name}), headers)
    assert (answer.status, "ParameterNotFound" in answer.text) == (400, True), answer


@pytest.mark.parametrize("namespace", ["", "com.amazonaws.cloudtrail.v20131101."])
def test_a_target_may_be_written_without_the_namespace(cloud: LocalCloud, nobody: Credentials, namespace: str) -> None:
    headers = target(f"{namespace}CloudTrail_20131101.DescribeTrails")
    refused = send(cloud, nobody, "cloudtrail", "{}", headers)
    assert (refused.status, "cloudtrail:DescribeTrails" in refused.text) == (400, True), refused
    assert send(cloud, ADMINISTRATOR, "cloudtrail", "{}", headers).status == 200


def test_a_presigned_url_is_for_the_region_that_it_is_signed_for(cloud: LocalCloud) -> None:
    s3, bucket = cloud.client("s3"), f"signed-{uuid4().hex[:12]}"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket=bucket, Key="k", Body=b"")
    elsewhere = {"Effect": "Deny", "Action": "*", "Resource": "*",
                 "Condition": {"StringNotEquals": {"aws:RequestedRegion": REGION}}}  # fmt: skip
    who = bearer(cloud, [allow("s3:GetObject"), elsewhere])
    reader = cloud.client(
        "s3",
        aws_access_key_id=who.access_key,
        aws_secret_access_key=who.secret_key,
        aws_session_token=who.token,
        config=Config(signature_version="s3v4"),
    )
    url = reader.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"})
    answer = urllib3.request("GET", url)
    assert answer.status == 200, answer.data


def test_a_compressed_body_is_read_before_it_is_decided(cloud: LocalCloud, nobody: Credentials) -> None:
    metric = "MetricData.member.1.MetricName=one&MetricData.member.1.Value=1"
    body = f"Action=PutMetricData&Version=2010-08-01&Namespace=Own&{metric}"
    headers = {**FORM, "Content-Encoding": "gzip"}
    refused = send(cloud, nobody, "monitoring", gzip.compress(body.encode()), headers)
    assert (refused.status, "cloudwatch:PutMetricData" in refused.text) == (403, True), refused
    broken = send(cloud, ADMINISTRATOR, "monitoring", body, headers)
    assert (broken.status, "MalformedQueryString" in broken.text) == (400, True), broken
    accepted = send(cloud, ADMINISTRATOR, "monitoring", gzip.compress(body.encode()), headers)
    assert accepted.status == 200, accepted


def test_unreadable_requests_are_counted(cloud: LocalCloud) -> None:
    send(cloud, ADMINISTRATOR, "kms", "{}", target("TrentService.NoSuchOperation"))
    page = cloud.context.authorizer.decisions.page()
    assert page["unreadable"]["kms"]["The request names no operation of kms."] >= 1


@pytest.mark.parametrize("prefix", ["", "com.amazonaws.cloudtrail.v20131101."])
def test_cloudtrail_is_known_with_its_package_and_without(cloud: LocalCloud, prefix: str) -> None:
    answer = send(cloud, ADMINISTRATOR, "cloudtrail", "{}", target(f"{prefix}CloudTrail_20131101.DescribeTrails"))

    assert answer.status == 200, answer.text
    assert "trailList" in answer.text
