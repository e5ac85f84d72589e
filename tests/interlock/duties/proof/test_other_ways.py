"""Whom and what a policy lets in or shuts out beside those that everybody thinks of."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from interlock.duties.duty_world import duty_world
from interlock.duties.proof.prove import PROPERTIES, prove
from interlock.duties.world import NamedDocument, Principal, Resource, World
from tests.interlock.duties.landscapes import DEPLOYING, EVIDENCE, LAND, WORKLOAD
from tests.interlock.duties.proof.lending import with_platform
from tests.interlock.duties.proof.opening import VAULTS
from tests.interlock.duties.proof.organised import guardrails, organised

ISSUER = "token.actions.githubusercontent.com"


@pytest.fixture(scope="module")
def world() -> World:
    return with_platform(duty_world(LAND, DEPLOYING))


def refuted(world: World, *names: str) -> set[str]:
    """Return which of some claims do not hold; the evaluator has decided every counterexample alike."""
    return {one.claim.name for one in prove(world, [one for one in PROPERTIES if one.name in names]) if not one.holds}


def thing(world: World, ending: str) -> Resource:
    return next(one for one in world.resources if one.arn.endswith(ending) or ending in one.arn)


def saying(world: World, resource: Resource, **statement: Any) -> World:
    """Return the world in which a thing's policy says something beside."""
    policy = copy.deepcopy(resource.policy) or {"Version": "2012-10-17", "Statement": []}
    policy["Statement"].append({"Sid": "More", "Resource": [resource.arn, f"{resource.arn}/*"], **statement})
    changed = resource.model_copy(update={"policy": policy})
    return world.model_copy(update={"resources": tuple(changed if one is resource else one for one in world.resources)})


def trusting(world: World, duty: str, edit: Any) -> World:
    (role, *_) = world.of_duty(duty)
    trust = copy.deepcopy(role.trust) or {}
    for statement in trust["Statement"]:
        edit(statement)
    changed = role.model_copy(update={"trust": trust})
    return world.model_copy(update={"principals": tuple(changed if one is role else one for one in world.principals)})


@pytest.mark.parametrize(
    "condition",
    [
        {"StringNotEquals": {"aws:PrincipalAccount": "999999999999"}},
        {"NumericLessThan": {"aws:PrincipalAccount": "500000000000"}},
        {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::2*:role/*"}},
        {"StringEquals": {"aws:PrincipalType": "Anonymous"}},
    ],
)
@pytest.mark.parametrize("ending", ["staging-primary", "table/interlock"])
def test_outsiders_are_of_any_account_or_of_none(world: World, ending: str, condition: dict[str, Any]) -> None:
    action = {"staging-primary": "s3:GetObjectVersion", "table/interlock": "dynamodb:GetItem"}[ending]
    opened = saying(
        world, thing(world, ending), Effect="Allow", Principal={"AWS": "*"}, Action=action, Condition=condition
    )
    assert refuted(opened, "outsiders-get-nothing")


@pytest.mark.parametrize(
    "condition",
    [
        {"StringLike": {"aws:SourceAccount": "1111*"}},
        {"StringEquals": {"aws:SourceAccount": [WORKLOAD, "222233334444"]}},
        {"NumericLessThan": {"aws:SourceAccount": "500000000000"}},
        {"StringNotEquals": {"aws:SourceAccount": "999999999999"}},
    ],
)
def test_a_service_for_any_other_account_is_for_whoever_asks_it(world: World, condition: dict[str, Any]) -> None:
    opened = trusting(world, "deployer", lambda statement: statement.update(Condition=condition))
    assert refuted(opened, "services-assigned")


@pytest.mark.parametrize("names", [["release", "approver-1"], ["release", "*-1"], ["r*"]])
def test_a_workflow_opens_no_session_under_a_persons_name(world: World, names: list[str]) -> None:
    def edit(statement: dict[str, Any]) -> None:
        if "Federated" in statement["Principal"]:
            for keys in statement["Condition"].values():
                keys.pop("sts:RoleSessionName", None)
            statement["Condition"].setdefault("StringLike", {})["sts:RoleSessionName"] = names

    assert refuted(trusting(world, "builder", edit), "named-and-known")


@pytest.mark.parametrize(
    "condition",
    [
        {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}},
        {"Bool": {"aws:MultiFactorAuthPresent": "false"}},
        {"Null": {"aws:MultiFactorAuthPresent": "true"}},
    ],
)
@pytest.mark.parametrize("ending", ["key/deployer", "key/builder"])
def test_a_denial_that_wants_a_factor_shuts_out_services_and_workflows(
    world: World, ending: str, condition: dict[str, Any]
) -> None:
    shut = saying(world, thing(world, ending), Effect="Deny", Principal="*", Action="kms:*", Condition=condition)
    assert refuted(shut, "duties-work")


@pytest.mark.parametrize(
    ("duty", "ending", "action"),
    [
        ("observer", "vault-primary", "s3:ListBucketVersions"),
        ("deployer", "table/interlock", "dynamodb:GetItem"),
        ("deployer", "key/builder", "kms:GetPublicKey"),
        ("foundation", "staging-primary", "s3:PutBucketPolicy"),
    ],
)
def test_a_thing_that_denies_one_duty_one_of_its_rights_is_refuted(
    world: World, duty: str, ending: str, action: str
) -> None:
    arns = [one.arn for one in world.of_duty(duty)]
    only = {"ArnEquals": {"aws:PrincipalArn": arns}}
    shut = saying(world, thing(world, ending), Effect="Deny", Principal="*", Action=action, Condition=only)
    assert refuted(shut, "things-keep-nothing-back")


@pytest.mark.parametrize(
    ("who", "ending", "action"),
    [
        (f"arn:aws:sts::{EVIDENCE}:assumed-role/interlock-prod-approver/approver-1", "key/evidence", "kms:CreateGrant"),
        (f"arn:aws:sts::{WORKLOAD}:assumed-role/interlock-prod-creator/creator-1", "emergency-topic", "sns:Publish"),
    ],
)
def test_what_one_session_is_given_by_name_is_refuted(world: World, who: str, ending: str, action: str) -> None:
    given = saying(world, thing(world, ending), Effect="Allow", Principal={"AWS": who}, Action=action)
    assert refuted(given, "nothing-by-name")


@pytest.mark.parametrize("operator", ["ArnNotLike", "StringNotLike"])
@pytest.mark.parametrize(("policy", "place"), [("vault", 0), ("trail", 0), ("regions", 2)])
def test_the_organisation_spares_no_root_user(world: World, operator: str, policy: str, place: int) -> None:
    documents = guardrails(VAULTS)
    documents["service_control"][policy]["Statement"][place]["Condition"] = {
        operator: {"aws:PrincipalArn": "arn:aws:iam::*:root"}
    }
    assert refuted(organised(world, documents), "organisation-suffices")


@pytest.mark.parametrize(
    "spared", ["arn:aws:iam::444455556666:*/x", "arn:aws:iam::444455556666:????/*", "arn:*:iam::444455556666:*/any*"]
)
@pytest.mark.parametrize("ending", ["key/builder", "repository/interlock/prod/deployer"])
def test_a_role_or_user_of_any_kind_that_a_denial_spares_is_tried(world: World, ending: str, spared: str) -> None:
    resource = thing(world, ending)
    policy = copy.deepcopy(resource.policy) or {}
    for statement in policy["Statement"]:
        named = statement.get("Condition", {}).get("ArnNotLike", {})
        if "aws:PrincipalArn" in named:
            named["aws:PrincipalArn"] = [*named["aws:PrincipalArn"], spared]
    changed = resource.model_copy(update={"policy": policy})
    resources = tuple(changed if one is resource else one for one in world.resources)
    assert refuted(world.model_copy(update={"resources": resources}), "keys-stay", "denials-suffice")


@pytest.mark.parametrize(
    "numbers",
    [
        {"NumericEquals": {"s3:object-lock-remaining-retention-days": "29"}},
        {
            "NumericLessThan": {"s3:object-lock-remaining-retention-days": "30"},
            "NumericGreaterThan": {"s3:object-lock-remaining-retention-days": "7"},
        },
    ],
)
def test_a_lock_for_fewer_days_is_denied_for_any_number_of_them(world: World, numbers: dict[str, Any]) -> None:
    vault = thing(world, "vault-primary")
    policy = copy.deepcopy(vault.policy) or {}
    for statement in policy["Statement"]:
        if statement["Sid"] == "DenyShortRetention":
            statement["Condition"] = numbers
    changed = vault.model_copy(update={"policy": policy})
    resources = tuple(changed if one is vault else one for one in world.resources)
    assert refuted(world.model_copy(update={"resources": resources}), "evidence-is-kept-long-enough")


@pytest.mark.parametrize(
    ("action", "on"),
    [
        ("iam:CreateLoginProfile", f"arn:aws:iam::{WORKLOAD}:user/approver-1"),
        ("iam:PutGroupPolicy", "*"),
        ("iam:DeactivateMFADevice", "*"),
        ("iam:DeleteOpenIDConnectProvider", "*"),
        ("ecr:PutLifecyclePolicy", "*"),
        ("ecr:CreatePullThroughCacheRule", "*"),
        ("lambda:InvokeAsync", "*"),
        ("sns:SetSubscriptionAttributes", "*"),
        ("ssm:PutParameter", "*"),
        ("elasticloadbalancing:CreateRule", "*"),
    ],
)
def test_a_role_of_no_duty_that_somebody_assumes_gains_nothing(world: World, action: str, on: str) -> None:
    creator = next(one for one in world.people if "creator" in one.duties)
    trust = {"Effect": "Allow", "Principal": {"AWS": creator.ways[0].principal}, "Action": "sts:AssumeRole"}
    given = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": on}]}
    account = EVIDENCE if action.startswith("ecr:") else WORKLOAD
    helper = Principal(
        arn=f"arn:aws:iam::{account}:role/helper", identity=(NamedDocument(name="more", document=given),),
        trust={"Version": "2012-10-17", "Statement": [trust]},
    )  # fmt: skip
    more = world.model_copy(update={"principals": (*world.principals, helper)})
    assert [one.claim.name for one in prove(world) if not one.holds] == []
    assert [one.claim.name for one in prove(more) if not one.holds]


@pytest.mark.parametrize("spared", ["role/interlock/duties/interlock-prod-builder", "role/aws-reserved/*"])
@pytest.mark.parametrize("ending", ["vault-primary", "staging-primary"])
def test_a_line_that_is_safe_for_all_but_one_role_is_refuted(world: World, ending: str, spared: str) -> None:
    bucket = thing(world, ending)
    policy = copy.deepcopy(bucket.policy) or {}
    (denial,) = (one for one in policy["Statement"] if one["Sid"] == "DenyPlainTransport")
    denial["Condition"]["ArnNotLike"] = {"aws:PrincipalArn": f"arn:aws:iam::*:{spared}"}
    changed = bucket.model_copy(update={"policy": policy})
    resources = tuple(changed if one is bucket else one for one in world.resources)
    assert refuted(world.model_copy(update={"resources": resources}), "evidence-is-read", "lines-are-safe")


def test_a_service_that_acts_on_a_buckets_objects_alone_is_asked_for_whom(world: World) -> None:
    bucket = thing(world, "vault-primary")
    config, objects = {"Service": "config.amazonaws.com"}, f"{bucket.arn}/*"
    opened = saying(world, bucket, Effect="Allow", Principal=config, Action="s3:GetObject", Resource=objects)
    assert refuted(opened, "services-act-for-us")
