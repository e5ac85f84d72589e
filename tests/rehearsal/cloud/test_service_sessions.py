"""Sessions that a service begins for what it runs, as the page `service-session` gives them."""

from __future__ import annotations

import json
from typing import Any

import boto3

from rehearsal.cloud.server import LocalCloud

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"},
    ],
}


def role_for_tasks(cloud: LocalCloud, name: str) -> str:
    iam = cloud.client("iam")
    return str(iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"])


def test_a_service_acts_in_a_role_that_trusts_it(cloud: LocalCloud) -> None:
    arn = role_for_tasks(cloud, "controller-of-a-session")
    given: Any = cloud.service_session(arn, "ecs-tasks.amazonaws.com", "controller")
    sts = boto3.client(
        "sts",
        endpoint_url=cloud.endpoint_url,
        region_name=cloud.region,
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )
    assert sts.get_caller_identity()["Arn"].endswith(":assumed-role/controller-of-a-session/controller")


def test_a_service_gets_no_role_that_does_not_trust_it(cloud: LocalCloud) -> None:
    arn = role_for_tasks(cloud, "controller-of-no-session")
    for role, service in ((arn, "lambda.amazonaws.com"), (f"{arn}-of-nobody", "ecs-tasks.amazonaws.com")):
        assert cloud.service_session(role, service, "x") == {"refused": f"{service} may not assume {role}"}
