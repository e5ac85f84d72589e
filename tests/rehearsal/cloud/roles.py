"""Roles that the tests of the local cloud assume."""

from __future__ import annotations

import json
from typing import Any

from rehearsal.cloud.server import LocalCloud


def trusting(principal: str, **condition: Any) -> str:
    """Return a trust policy that lets an AWS principal in under a condition."""
    statement = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole", "Condition": condition}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def granting(cloud: LocalCloud, role_arn: str, *actions: str, account: str | None = None) -> None:
    """Give a role an inline policy that allows actions on everything."""
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    cloud.client("iam", account=account).put_role_policy(
        RoleName=role_arn.rpartition("/")[2],
        PolicyName="granted",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )
