"""Roles with policies of a test's own, and what they are told when they may not."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError
from moto.iam.models import iam_backends

from rehearsal.cloud.accounts import WORKLOAD, credentials
from rehearsal.cloud.server import LocalCloud

Statement = Mapping[str, Any]


def allow(actions: Any, resources: Any = "*", **more: Any) -> Statement:
    return {"Effect": "Allow", "Action": actions, "Resource": resources, **more}


def deny(actions: Any, resources: Any = "*", **more: Any) -> Statement:
    return {"Effect": "Deny", "Action": actions, "Resource": resources, **more}


def document(*statements: Statement) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


@dataclass(frozen=True)
class Case:
    """A role with policies, what it does, and the end of what it is told: empty if it may."""

    name: str
    identity: tuple[Statement, ...]
    call: Callable[[Callable[..., Any]], Any]
    told: str = ""
    boundary: tuple[Statement, ...] = ()
    session: str = ""
    assuming: Mapping[str, Any] = field(default_factory=dict)


def role_with(cloud: LocalCloud, case: Case, trust: str | None = None) -> str:
    iam, name = cloud.client("iam"), f"role-{uuid4().hex[:8]}"
    let_in = {"Effect": "Allow", "Principal": {"AWS": WORKLOAD}, "Action": ["sts:AssumeRole", "sts:SetSourceIdentity",
              "sts:TagSession"]}  # fmt: skip
    more = {}
    if case.boundary:
        made = iam.create_policy(PolicyName=f"{name}-boundary", PolicyDocument=document(*case.boundary))
        more = {"PermissionsBoundary": made["Policy"]["Arn"]}
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust or document(let_in), **more)["Role"]["Arn"]
    put_policy(cloud, name, document(*case.identity))
    return str(arn)


def put_policy(cloud: LocalCloud, role_name: str, text: str) -> None:
    """Give a role a policy, one that IAM would not store included."""
    backend = iam_backends[WORKLOAD]["aws"]
    backend.get_role(role_name).policies["granted"] = text
    assert cloud.client("iam").get_role_policy(RoleName=role_name, PolicyName="granted")


def clients_of(cloud: LocalCloud, role_arn: str, **asked: Any) -> Callable[..., Any]:
    """Assume a role and return what makes clients of the session."""
    session = cloud.client("sts").assume_role(RoleArn=role_arn, RoleSessionName="session", **asked)
    return partial(cloud.client, **credentials(session))


def message_of(call: Callable[[], Any]) -> str:
    with pytest.raises(ClientError) as refused:
        call()
    assert refused.value.response["Error"]["Code"] in ("AccessDenied", "AccessDeniedException", "AuthorizationError")
    return str(refused.value.response["Error"]["Message"])
