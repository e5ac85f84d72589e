"""Whom the organization's policies leave out by name is tried wherever somebody else could come to be called so."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from interlock.duties.duty_world import duty_world
from interlock.duties.world import World
from tests.interlock.duties.landscapes import LAND, PEOPLE
from tests.interlock.duties.proof.opening import VAULTS
from tests.interlock.duties.proof.organised import guardrails, organised
from tests.interlock.duties.proof.worlds import refutations

EVERYWHERE = "arn:aws:iam::*:role/"


@pytest.fixture(scope="module")
def world() -> World:
    return duty_world(LAND, PEOPLE)


def sparing(world: World, kind: str, policy: str, sid: str, condition: dict[str, Any]) -> World:
    """Return the world with one condition more in one denial of the organization's."""
    documents = copy.deepcopy(guardrails(VAULTS))
    statement = next(one for one in documents[kind][policy]["Statement"] if one["Sid"] == sid)
    statement["Condition"] = {**statement.get("Condition", {}), **condition}
    return organised(world, documents)


def test_roles_that_nobody_else_may_make_or_let_others_into_are_left_out_without_harm(world: World) -> None:
    documents = guardrails(VAULTS)
    assert refutations(organised(world, documents), "organisation-suffices") == ()
    assert refutations(organised(world, documents), "outsiders-stay-out") == ()
    assert refutations(organised(world, documents), "services-stay-services") == ()


@pytest.mark.parametrize(
    "spared",
    [
        {"ArnNotLike": {"aws:PrincipalArn": f"{EVERYWHERE}*admin*"}},
        {"ArnNotLike": {"aws:PrincipalArn": [f"{EVERYWHERE}OrganizationAccountAccessRole", f"{EVERYWHERE}x*"]}},
        {"ArnNotEquals": {"aws:PrincipalArn": f"{EVERYWHERE}helper"}},
        {"StringNotLike": {"aws:PrincipalArn": f"{EVERYWHERE}team/?/*"}},
        {"StringNotEquals": {"aws:PrincipalArn": f"arn:aws:iam::{LAND.evidence}:role/helper"}},
        {"ArnNotLike": {"aws:PrincipalArn": f"{EVERYWHERE}OrganizationAccountAccessRole*"}},
    ],
)
@pytest.mark.parametrize("sid", ["DenyRemoval", "DenyEndingSigningKeys"])
def test_somebody_makes_a_role_of_the_name_that_a_service_control_policy_spares(
    world: World, sid: str, spared: dict[str, Any]
) -> None:
    found = refutations(sparing(world, "service_control", "vault", sid, spared), "organisation-suffices")
    assert found
    assert [one.calls[0].action for one in found] == ["iam:CreateRole"] * len(found)
    assert all(one.call is not None and one.call.session == one.chain[-1].to for one in found)


def test_a_user_of_a_spared_name_is_made_only_where_users_may_be_given_keys(world: World) -> None:
    documents = copy.deepcopy(guardrails(VAULTS))
    vault, boundaries = (documents["service_control"][one]["Statement"] for one in ("vault", "boundaries"))
    vault[0]["Condition"] = {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/*admin*"}}
    assert refutations(organised(world, documents), "organisation-suffices") == ()
    (lasting,) = (one for one in boundaries if one["Sid"] == "DenyLongLivedKeys")
    lasting["Action"].remove("iam:CreateAccessKey")
    found = refutations(organised(world, documents), "organisation-suffices")
    assert [one for one in found if [step.to.arn for step in one.chain if "admin" in step.to.arn]]


def test_a_role_that_makes_roles_of_the_spared_name_leads_there_by_two_steps(world: World) -> None:
    documents = copy.deepcopy(guardrails(VAULTS))
    vault, boundaries = (documents["service_control"][one]["Statement"] for one in ("vault", "boundaries"))
    vault[0]["Condition"] = {"ArnNotLike": {"aws:PrincipalArn": f"{EVERYWHERE}second"}}
    kept = {"Action": ["iam:CreateRole", "iam:UpdateAssumeRolePolicy"], "Resource": f"{EVERYWHERE}second"}
    first = {"ArnNotLike": {"aws:PrincipalArn": f"{EVERYWHERE}first*"}}
    boundaries.append({"Sid": "DenySecond", "Effect": "Deny", **kept, "Condition": first})
    found = refutations(organised(world, documents), "organisation-suffices")
    assert found
    assert [len(one.chain) for one in found] == [2] * len(found)


@pytest.mark.parametrize(
    "spared",
    [
        {"ArnNotLikeIfExists": {"aws:PrincipalArn": f"{EVERYWHERE}*admin*"}},
        {"ArnNotLikeIfExists": {"aws:PrincipalArn": "arn:aws:iam::999988887777:role/partner"}},
        {"StringNotEqualsIfExists": {"aws:PrincipalAccount": "999988887777", "aws:PrincipalOrgID": "o-exampleorgid"}},
        {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": ["o-exampleorgid", "o-somebodyelse"]}},
    ],
)
def test_an_outsider_whom_a_resource_control_policy_spares_is_found(world: World, spared: dict[str, Any]) -> None:
    opened = sparing(world, "resource_control", "perimeter", "DenyOutsiders", spared)
    assert refutations(opened, "outsiders-stay-out")


def test_whoever_is_spared_by_name_comes_into_no_service(world: World) -> None:
    spared = {"ArnNotLike": {"aws:PrincipalArn": f"{EVERYWHERE}x*"}}
    opened = sparing(world, "resource_control", "perimeter", "DenyPeopleInServices", spared)
    assert refutations(opened, "services-stay-services")
