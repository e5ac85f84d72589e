"""Who assumes a duty's role, and under which name."""

from __future__ import annotations

import pytest

from interlock.duties.duty import Duty, Role
from interlock.duties.duty_policy import size_of
from interlock.duties.matrix import MATRIX
from interlock.duties.people import Assignments, Person, excluded
from interlock.duties.rights import Account, Row
from interlock.duties.trust import LARGEST_TRUST, role_trust_policy
from tests.interlock.duties.landscapes import LAND, PEOPLE, WORKLOAD, statements, values


def trust_of(role: Role, assignments: Assignments = PEOPLE) -> dict[str, dict[str, object]]:
    row = MATRIX[role]
    return statements(role_trust_policy(row, LAND, assignments, row.home))


def test_a_person_assumes_a_role_under_their_own_name_alone() -> None:
    found = trust_of(Role.APPROVER)
    assert {one["Principal"]["AWS"]: one["Condition"] for sid, one in found.items() if sid != "BearTheirName"} == {  # type: ignore[index]
        f"arn:aws:iam::{WORKLOAD}:user/{name}": {
            "StringEquals": {"sts:SourceIdentity": name, "sts:RoleSessionName": name}
        }
        for name in ("approver-1", "approver-2")
    }
    assert found["BearTheirName"]["Action"] == "sts:SetSourceIdentity"


def test_who_comes_by_single_sign_on_is_told_from_others_of_the_same_role() -> None:
    shared = f"arn:aws:iam::{WORKLOAD}:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_A_0123456789abcdef"
    people = Assignments((Person("one", "one", (Duty.APPROVER,), shared, "one@example.com"),))
    assert trust_of(Role.APPROVER, people)["Person1"]["Condition"] == {
        "StringEquals": {"sts:SourceIdentity": "one", "sts:RoleSessionName": "one"},
        "StringLike": {"aws:userid": "*:one@example.com"},
    }


def test_an_emergency_takes_a_fresh_mfa() -> None:
    condition = trust_of(Role.BREAK_GLASS)["Person1"]["Condition"]
    assert condition["Bool"] == {"aws:MultiFactorAuthPresent": "true"}  # type: ignore[index]
    assert condition["NumericLessThan"] == {"aws:MultiFactorAuthAge": "3600"}  # type: ignore[index]


def test_a_pipeline_comes_from_one_ref_of_one_repository() -> None:
    found = trust_of(Role.BUILDER)
    assert list(found) == ["PipelineRelease"]
    assert found["PipelineRelease"]["Action"] == "sts:AssumeRoleWithWebIdentity"
    assert found["PipelineRelease"]["Condition"] == {
        "StringEquals": {
            "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
            "token.actions.githubusercontent.com:sub": "repo:owner/models:ref:refs/heads/main",
            "sts:RoleSessionName": "release",
        }
    }


def test_a_service_assumes_its_role_for_this_account_alone() -> None:
    (only,) = trust_of(Role.DEPLOYER).values()
    assert only["Principal"] == {"Service": "ecs-tasks.amazonaws.com"}
    assert only["Condition"] == {"StringEquals": {"aws:SourceAccount": WORKLOAD}}


@pytest.mark.parametrize("row", MATRIX.values(), ids=lambda row: row.role.value)
def test_without_people_nobody_assumes_a_persons_role(row: Row) -> None:
    found = trust_of(row.role, Assignments())
    if row.service is None:
        assert [one["Effect"] for one in found.values()] == ["Deny"]


@pytest.mark.parametrize("row", MATRIX.values(), ids=lambda row: row.role.value)
def test_no_trust_leaves_a_principal_open(row: Row) -> None:
    for one in trust_of(row.role).values():
        if one["Effect"] == "Allow":
            principals = [value for kind in one["Principal"].values() for value in values(kind)]  # type: ignore[attr-defined]
            assert not [value for value in principals if "*" in value or value.endswith(":root")]


def test_a_trust_policy_of_five_people_fits_into_what_iam_takes() -> None:
    names = [f"responder-{number}" for number in range(5)]
    people = Assignments(
        tuple(Person(one, one, (Duty.RESPONDER,), f"arn:aws:iam::{WORKLOAD}:user/{one}") for one in names)
    )
    text = role_trust_policy(MATRIX[Role.RESPONDER], LAND, people, Account.WORKLOAD)
    assert size_of(text) <= LARGEST_TRUST


def test_each_person_has_the_roles_of_their_duties() -> None:
    roles = PEOPLE.roles_by_person()
    assert roles["responder-1"] == (Role.RESPONDER, Role.RECOVERER, Role.BREAK_GLASS)
    assert not [name for name, held in roles.items() if {Role.APPROVER, Role.CREATOR} <= set(held)]


def test_duties_that_exclude_each_other_are_told_with_the_reason() -> None:
    assert excluded([Duty.CREATOR, Duty.RESPONDER, Duty.APPROVER]) == [
        (Duty.CREATOR, Duty.APPROVER, "nobody approves what they made")
    ]
