"""Actions, resources and principals of a statement against those of a request."""

from __future__ import annotations

from typing import Any

import pytest

from interlock.duties.evaluator.logic import Truth
from interlock.duties.evaluator.matching import (
    Naming,
    action_matches,
    named,
    principal_matches,
    resource_matches,
)
from interlock.duties.evaluator.policy import NamedPrincipal, PolicyKind, PolicyStatement, PrincipalType
from interlock.duties.evaluator.request import Principal, Request, identity_provider, role_session, root, service
from tests.interlock.duties.evaluator.shorthand import (
    ACCOUNT,
    ALICE,
    OTHER,
    ROLE,
    SESSION,
    SESSION_ARN,
    policy,
    statement,
)

ROOT_ARN = f"arn:aws:iam::{ACCOUNT}:root"


def written(kind: PolicyKind = PolicyKind.IDENTITY, **elements: Any) -> PolicyStatement:
    return policy(kind, statement(**elements)).statements[0]


@pytest.mark.parametrize(
    ("pattern", "action", "matches"),
    [
        ("s3:GetObject", "S3:getobject", True),
        ("s3:Get*", "s3:GetObject", True),
        ("s3:Get?bject", "s3:GetObject", True),
        ("s3:Get*", "s3:PutObject", False),
        ("s3:*", "s3express:GetObject", False),
        ("*", "anything:AtAll", True),
    ],
)
def test_an_action_matches_whatever_the_case_of_its_letters(pattern: str, action: str, matches: bool) -> None:
    assert action_matches(written(action=pattern), action) is matches
    assert action_matches(written(action=None, NotAction=pattern), action) is not matches


@pytest.mark.parametrize(
    ("pattern", "resource", "truth"),
    [
        ("*", "*", Truth.YES),
        ("arn:aws:s3:::*", "*", Truth.NO),
        ("arn:aws:s3:::b/*", "arn:aws:s3:::b/a/c", Truth.YES),
        ("arn:aws:s3:::b/*", "arn:aws:s3:::B/a", Truth.NO),
        ("arn:aws:logs:*:*:log-group:a:*", f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:a:log-stream:x", Truth.YES),
        ("arn:aws:iam::*:role/a", f"arn:aws:iam::{ACCOUNT}:role/a", Truth.YES),
        ("arn:aws:iam::1*3:role/a", f"arn:aws:iam::{ACCOUNT}:role/a", Truth.YES),
        ("arn:aws:iam:*1:role/a:role/a", f"arn:aws:iam::{ACCOUNT}1:role/a:role/a", Truth.NO),
        ("arn:aws:s3:*", "arn:aws:s3:::b/a", Truth.YES),
        ("arn:aws:s3:*:b/a", "arn:aws:s3:::b/a", Truth.NO),
        ("arn:aws:ec2:*:*:*:i", f"arn:aws:ec2:eu-west-1:{ACCOUNT}:instance:x:i", Truth.YES),
        ("arn:aws:sqs", f"arn:aws:sqs:eu-west-1:{ACCOUNT}:q", Truth.YES),
        ("arn:aws:sqs:us-east-1", f"arn:aws:sqs:eu-west-1:{ACCOUNT}:q", Truth.NO),
        ("arn:aws:s3:::${aws:PrincipalTag/Team}/*", "arn:aws:s3:::a/b", Truth.UNKNOWN),
    ],
)
def test_a_wildcard_of_a_resource_stands_within_a_part_of_the_arn_and_goes_on_where_it_ends_one(
    pattern: str, resource: str, truth: Truth
) -> None:
    request = Request(SESSION, "s3:GetObject", resource, resource_account=ACCOUNT)
    assert resource_matches(written(resource=pattern), request) is truth
    assert resource_matches(written(resource=None, NotResource=pattern), request) is truth.negated


@pytest.mark.parametrize(
    ("name", "principal", "naming"),
    [
        ("*", SESSION, Naming.DIRECT),
        (SESSION_ARN, SESSION, Naming.DIRECT),
        (ROLE, SESSION, Naming.ENTITY),
        (ACCOUNT, SESSION, Naming.ACCOUNT),
        (ROOT_ARN, SESSION, Naming.ACCOUNT),
        (ROOT_ARN, root(ACCOUNT), Naming.DIRECT),
        (ACCOUNT, root(ACCOUNT), Naming.DIRECT),
        (OTHER, SESSION, Naming.NOT),
        (f"arn:aws:iam::{OTHER}:root", SESSION, Naming.NOT),
        (ALICE.name, ALICE, Naming.DIRECT),
        (ALICE.name, SESSION, Naming.NOT),
        (f"arn:aws:iam::{ACCOUNT}:role/deployer", SESSION, Naming.NOT),
        ("AROAEXAMPLE", role_session(ROLE, "ana", "AROAEXAMPLE:ana"), Naming.ENTITY),
        ("AROAOTHER", role_session(ROLE, "ana", "AROAEXAMPLE:ana"), Naming.NOT),
        (ROOT_ARN, service("lambda.amazonaws.com"), Naming.NOT),
    ],
)
def test_a_principal_is_named_directly_by_its_role_or_by_its_account(
    name: str, principal: Principal, naming: Naming
) -> None:
    assert named(NamedPrincipal(PrincipalType.AWS, name), principal) is naming


def test_services_and_identity_providers_are_named_by_their_own_type_only() -> None:
    assert named(NamedPrincipal(PrincipalType.SERVICE, "a.amazonaws.com"), service("a.amazonaws.com")) is Naming.DIRECT
    assert named(NamedPrincipal(PrincipalType.SERVICE, "a.amazonaws.com"), identity_provider("a.amazonaws.com")) is (
        Naming.NOT
    )
    assert named(NamedPrincipal(PrincipalType.FEDERATED, "a.b"), identity_provider("a.b")) is Naming.DIRECT
    assert named(NamedPrincipal(PrincipalType.FEDERATED, "a.b"), SESSION) is Naming.NOT


@pytest.mark.parametrize(
    ("listed", "principal", "truth"),
    [
        ([SESSION_ARN, ROLE, ROOT_ARN], SESSION, Truth.NO),
        ([ROLE, ROOT_ARN], SESSION, Truth.UNKNOWN),
        ([SESSION_ARN, ROLE], SESSION, Truth.UNKNOWN),
        ([SESSION_ARN, ROOT_ARN], SESSION, Truth.UNKNOWN),
        ([ROOT_ARN], SESSION, Truth.YES),
        ([f"arn:aws:iam::{OTHER}:root"], SESSION, Truth.YES),
        ([ALICE.name, ACCOUNT], ALICE, Truth.NO),
        ([ALICE.name], ALICE, Truth.UNKNOWN),
        ([ROOT_ARN], root(ACCOUNT), Truth.NO),
    ],
)
def test_not_principal_exempts_only_whom_it_lists_with_role_and_account(
    listed: list[str], principal: Principal, truth: Truth
) -> None:
    denying = written(PolicyKind.RESOURCE, effect="Deny", NotPrincipal={"AWS": listed})
    assert principal_matches(denying, principal)[0] is truth
