"""The duties' table: what each role is given, what bounds it, and that nobody is given more."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

import pytest

from interlock.duties.boundaries import (
    BINDING,
    BOUNDED_BY,
    DEPLOYING,
    ROLE_CHANGES,
    SERVICES_ACTIONS,
    Boundary,
    boundary_arn,
    boundary_policy,
)
from interlock.duties.duty import Duty, Role, SigningDuty
from interlock.duties.duty_policy import (
    LARGEST_INLINE,
    LARGEST_MANAGED,
    identity_policy,
    managed_parts,
    merged,
    rights_policy,
    size_of,
)
from interlock.duties.landscape import reach
from interlock.duties.matrix import EXCLUDES, MATRIX, rows_of
from interlock.duties.people import PEOPLES_DUTIES
from interlock.duties.platform_rights import PLATFORM_RIGHTS
from interlock.duties.prefixes import WRITERS
from interlock.duties.rights import Bearer, Kind, Row
from tests.interlock.duties.landscapes import LAND, statements, values
from tests.interlock.duties.test_policies import DOCUMENTS as SERVICES_DOCUMENTS

NAMELESS = {
    "cloudwatch:GetMetricData", "application-autoscaling:DescribeScalableTargets",
    "application-autoscaling:DescribeScalingPolicies", "kms:CreateKey", "kms:ListAliases", "ecr:GetAuthorizationToken",
    "ecr:DescribeRegistry", "ecr:PutReplicationConfiguration", "sns:GetSubscriptionAttributes", "sns:Unsubscribe",
}  # fmt: skip
"""What AWS lets nobody name a resource for. Source: Service Authorization Reference."""

WITHOUT_RESOURCES = {action for right in PLATFORM_RIGHTS if right.sid == "See" for action in right.actions}
"""Of the layer platform; the table of what AWS names no resource for is held to by hand."""

rows = pytest.mark.parametrize("row", MATRIX.values(), ids=lambda row: row.role.value)


def granted(row: Row) -> set[str]:
    return {action for right in row.rights for action in right.actions}


def test_every_role_has_a_row_and_every_duty_a_role_of_its_name() -> None:
    assert set(MATRIX) == set(Role)
    assert [rows_of(duty)[0].role.value for duty in Duty] == [duty.value for duty in Duty]


@rows
def test_no_action_is_a_pattern_and_a_resource_is_left_open_only_where_aws_allows_nothing_else(row: Row) -> None:
    for one in statements(identity_policy(row, LAND)).values():
        actions = set(values(one["Action"]))
        assert not [action for action in actions if "*" in action or "?" in action]
        if one["Resource"] == "*":
            assert actions <= NAMELESS | WITHOUT_RESOURCES


@rows
def test_a_role_fits_into_what_iam_takes(row: Row) -> None:
    if row.role not in DEPLOYING:
        assert size_of(identity_policy(row, LAND)) <= LARGEST_INLINE
        return
    parts = managed_parts(row, LAND)
    assert [right for part in parts for right in part] == list(row.rights)
    assert all(0 < size_of(rights_policy(part, LAND)) <= LARGEST_MANAGED for part in parts)
    # More than ten managed policies a role does not take; one of them is about the state.
    assert len(parts) < 10


@pytest.mark.parametrize("boundary", Boundary)
def test_a_boundary_fits_into_what_iam_takes(boundary: Boundary) -> None:
    assert size_of(boundary_policy(boundary, LAND)) <= LARGEST_MANAGED


@rows
def test_a_boundary_lets_its_roles_do_what_they_are_given(row: Row) -> None:
    most = values(statements(boundary_policy(BOUNDED_BY[row.role], LAND))["Most"]["Action"])
    assert {action for action in granted(row) if not any(fnmatchcase(action, one) for one in most)} == set()


@rows
def test_every_task_is_among_the_rights(row: Row) -> None:
    for task in row.tasks:
        wanted = reach(task.kind, task.name, LAND).resources[0].replace("*", "x")
        held = [
            pattern
            for right in row.rights
            if task.action in right.actions
            for pattern in reach(right.kind, right.name, LAND).resources
        ]
        assert any(fnmatchcase(wanted, pattern) for pattern in held), task.words


@rows
def test_each_signs_with_the_key_of_its_duty_and_no_other(row: Row) -> None:
    keys = [right.name for right in row.rights if "kms:Sign" in right.actions]
    assert keys == ([row.signs_with] if row.signs_with else [])


def test_every_signing_key_has_a_role_that_signs_with_it() -> None:
    assert {row.signs_with for row in MATRIX.values()} == {*SigningDuty, "approver-*", None}


@rows
def test_each_adds_to_its_own_prefixes_of_the_vault_and_no_other(row: Row) -> None:
    added = {right.name for right in row.rights if right.kind is Kind.OBJECTS and "s3:PutObject" in right.actions}
    assert added == {prefix for prefix, roles in WRITERS.items() if row.role in roles}


@rows
def test_nobody_is_given_what_removes_evidence_or_administers_identities(row: Row) -> None:
    removing = re.compile(r"s3:Delete|s3:Bypass|s3:PutObjectLegalHold|kms:(ScheduleKeyDeletion|DisableKey|CreateGrant)")
    own = {right.kind for right in row.rights for action in right.actions if removing.match(action)}
    # The platform empties and deletes buckets and keys of its own, none of which holds evidence; the builder what it
    # has staged.
    # And the foundation has Lambda use the key of the ledger's functions, which encrypts no evidence either.
    held = {
        Role.PLATFORM: {Kind.OWN_BUCKETS, Kind.OWN_OBJECTS, Kind.OWN_KEYS},
        Role.BUILDER: {Kind.STAGED},
        Role.FOUNDATION: {Kind.LEDGER_KEY},
    }
    assert own <= held.get(row.role, set())
    changes = granted(row) & set(ROLE_CHANGES)
    assert not changes or row.role in (Role.FOUNDATION, Role.PLATFORM)


def test_only_the_deployer_the_rollback_function_and_an_emergency_move_traffic() -> None:
    moving = {role for role, row in MATRIX.items() if "sagemaker:UpdateEndpointWeightsAndCapacities" in granted(row)}
    assert moving == {Role.DEPLOYER, Role.ROLLBACK, Role.BREAK_GLASS}


def test_only_the_deployer_brings_up_another_model() -> None:
    # The platform makes the first one of an endpoint, which holds.
    assert {role for role, row in MATRIX.items() if "sagemaker:CreateModel" in granted(row)} <= {
        Role.DEPLOYER, Role.PLATFORM,
    }  # fmt: skip


def test_only_the_foundation_pushes_images_and_keeps_duties() -> None:
    for action in ("ecr:PutImage", "iam:PutRolePermissionsBoundary", "iam:CreatePolicyVersion", "iam:AttachRolePolicy"):
        assert {role for role, row in MATRIX.items() if action in granted(row)} <= {Role.FOUNDATION}, action


def test_the_boundary_of_services_lets_through_all_that_our_services_are_given() -> None:
    of_services = {
        action
        for name in ("flow logs", "task start", "artifacts", "serving", "replication")
        for one in statements(SERVICES_DOCUMENTS[name]).values()
        for action in values(one["Action"])
    }
    assert of_services - set(SERVICES_ACTIONS) == set()


def test_the_platform_makes_roles_only_in_the_boundary_of_services() -> None:
    found = statements(boundary_policy(Boundary.PLATFORM, LAND))
    unbound = found["DenyUnbound"]
    assert set(values(unbound["Action"])) == set(BINDING)
    assert unbound["Condition"] == {
        "StringNotEquals": {"iam:PermissionsBoundary": boundary_arn(Boundary.SERVICE, LAND)}
    }
    assert found["DenyForeignRoles"]["NotResource"] == "arn:aws:iam::*:role/interlock/services/*"
    assert "iam:PassRole" in found["DenyForeignRoles"]["Action"]


def test_nobody_unbinds_a_role() -> None:
    for boundary in (Boundary.PLATFORM, Boundary.FOUNDATION):
        assert statements(boundary_policy(boundary, LAND))["DenyUnbinding"] == {
            "Sid": "DenyUnbinding", "Effect": "Deny", "Action": "iam:DeleteRolePermissionsBoundary", "Resource": "*",
        }  # fmt: skip
    assert not [row.role for row in MATRIX.values() if "iam:DeleteRolePermissionsBoundary" in granted(row)]


def test_approving_excludes_making_and_deploying() -> None:
    for pair in ({Duty.APPROVER, Duty.CREATOR}, {Duty.APPROVER, Duty.DEPLOYER}, {Duty.FOUNDATION, Duty.PLATFORM}):
        assert frozenset(pair) in EXCLUDES


def test_duties_of_people_are_those_that_people_assume() -> None:
    assert {row.duty for row in MATRIX.values() if row.bearer is Bearer.PEOPLE} == set(PEOPLES_DUTIES)


def test_two_conditions_on_one_key_are_not_lost() -> None:
    with pytest.raises(ValueError, match="said twice"):
        merged({"StringEquals": {"aws:PrincipalArn": "one"}}, {"StringEquals": {"aws:PrincipalArn": "two"}})
