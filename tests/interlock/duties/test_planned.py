"""A preview becomes a world: what is known of it, what is taken for more, and what must not be open."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from interlock.duties.planned import planned_world
from interlock.duties.proof import demanding
from interlock.duties.proof.prove import prove
from interlock.duties.world import World
from interlock.failures import BadInput

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
STACKS = Path(__file__).resolve().parents[3] / "stacks"
EVIDENCE, WORKLOAD = "210987654321", "123456789012"
POLICY = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]})
PEOPLE = {
    "people": [
        {
            "name": name,
            "source_identity": name,
            "duties": [name.partition("-")[0]],
            "user_arn": f"arn:aws:iam::{WORKLOAD}:user/{name}",
        }
        for name in ("approver-1", "approver-2", "foundation-1", "foundation-2")
    ]
}
PROVIDER = "urn:pulumi:prod::interlock::pulumi:providers:aws::evidence"


def urn(kind: str, name: str) -> str:
    return f"urn:pulumi:prod::interlock::{kind}::{name}"


def step(kind: str, called: str, needs: Mapping[str, list[str]] | None = None, /, **inputs: Any) -> dict[str, Any]:
    state = {
        "type": kind, "urn": urn(kind, called), "custom": True, "inputs": inputs, "provider": f"{PROVIDER}::id",
        "propertyDependencies": dict(needs or {}),
    }  # fmt: skip
    return {"op": "create", "urn": urn(kind, called), "newState": state}


OF_A_FOUNDATION = ("interlock:duties", "interlock:ledger")


def preview(*steps: dict[str, Any], assigned: bool = True) -> dict[str, Any]:
    settings = yaml.safe_load((STACKS / "Pulumi.prod.yaml").read_text())["config"]
    settings = {**settings, "interlock:duties": PEOPLE}
    if not assigned:
        settings = {key: value for key, value in settings.items() if key not in OF_A_FOUNDATION}
    provider = {
        "type": "pulumi:providers:aws", "urn": PROVIDER, "custom": True,
        "inputs": {"allowedAccountIds": json.dumps([EVIDENCE]), "region": "eu-west-1"},
    }  # fmt: skip
    config = {key: value if isinstance(value, str) else json.dumps(value) for key, value in settings.items()}
    return {"steps": [{"op": "create", "urn": PROVIDER, "newState": provider}, *steps], "config": config}


ROLE = "aws:iam/role:Role"
TRUST = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"}]}
)
BOUNDARY = f"arn:aws:iam::{EVIDENCE}:policy/interlock/boundaries/bound"
BOUND = step("aws:iam/policy:Policy", "bound", name="bound", path="/interlock/boundaries/", policy=POLICY)


def role(**inputs: Any) -> dict[str, Any]:
    return step(ROLE, "worker", name="worker", path="/team/", assumeRolePolicy=TRUST, **inputs)


def open_policy() -> dict[str, Any]:
    return step(
        "aws:iam/rolePolicy:RolePolicy", "rights", {"role": [urn(ROLE, "worker")]}, role=UNKNOWN, policy=UNKNOWN
    )


def test_a_policy_that_is_open_counts_as_all_that_its_role_s_boundary_allows() -> None:
    planned = planned_world(preview(BOUND, role(permissionsBoundary=BOUNDARY), open_policy()))
    (worker,) = [one for one in planned.world.principals if one.source != "infra/bootstrap"]
    assert worker.arn == f"arn:aws:iam::{EVIDENCE}:role/team/worker"
    assert worker.identity[0].document["Statement"][0]["Action"] == "*"
    assert worker.boundary is not None
    assert planned.assumed == ("rights",)


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        ([role(), open_policy()], "rights: its policy is not known before it is made, and its role has no boundary"),
        ([role(permissionsBoundary=BOUNDARY)], f"worker: its boundary, {BOUNDARY}, is not in the preview"),
        ([step(ROLE, "worker", name="worker", assumeRolePolicy=UNKNOWN)], "worker: its trust policy is not known"),
        ([step("aws:kms/key:Key", "keys-builder", policy=UNKNOWN)], "keys-builder: its key policy is not known"),
        (
            [step("aws:s3/bucket:Bucket", "vault", bucket="v", objectLockEnabled=True)],
            "vault: its bucket policy is not",
        ),
    ],
)
def test_a_document_that_has_to_be_known_and_is_not_is_named(steps: list[dict[str, Any]], told: str) -> None:
    with pytest.raises(BadInput, match="leaves policy documents open") as refused:
        planned_world(preview(*steps))
    assert any(reason.startswith(told) for reason in refused.value.reasons)


def test_a_malformed_policy_names_its_resource_and_property() -> None:
    with pytest.raises(BadInput, match=r"worker: assumeRolePolicy: received '\{broken', which is no JSON"):
        planned_world(preview(step(ROLE, "worker", name="worker", assumeRolePolicy="{broken")))


def test_the_roles_that_deploy_are_those_that_bootstrap_makes() -> None:
    world = planned_world(preview(BOUND)).world
    made = {one.arn: one for one in world.principals if one.source == "infra/bootstrap"}
    named = "arn:aws:iam::{}:role/interlock/duties/interlock-prod-{}"
    assert set(made) == {
        named.format(EVIDENCE, "foundation"), named.format(WORKLOAD, "foundation"), named.format(WORKLOAD, "platform")
    }  # fmt: skip
    assert all(one.boundary is not None and one.identity for one in made.values())


def test_nobody_assigned_is_refused() -> None:
    with pytest.raises(BadInput, match="interlock:duties: nobody is assigned to any duty"):
        planned_world(preview(BOUND, assigned=False))


def test_a_key_is_its_alias_s_and_a_locked_bucket_is_the_vault() -> None:
    key, bucket = urn("aws:kms/key:Key", "k"), urn("aws:s3/bucket:Bucket", "vault")
    world: World = planned_world(
        preview(
            step("aws:kms/key:Key", "k", policy=POLICY, keyUsage="SIGN_VERIFY"),
            step("aws:kms/alias:Alias", "a", {"targetKeyId": [key]}, name="alias/interlock-prod-builder"),
            step("aws:s3/bucket:Bucket", "vault", bucket="vault-1", objectLockEnabled=True),
            step("aws:s3/bucketPolicy:BucketPolicy", "p", {"bucket": [bucket]}, bucket=UNKNOWN, policy=POLICY),
            step(
                "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration", "l", bucket="vault-1",
                rule={"defaultRetention": {"mode": "COMPLIANCE", "days": 365}},
            ),
        )
    ).world  # fmt: skip
    signing, vault = world.resources
    assert (signing.owner, signing.used_by) == ("builder", ("builder",))
    assert signing.context == {"kms:ResourceAliases": ("alias/interlock-prod-builder",)}
    assert vault.attributes == {"evidence": "true", "lock_mode": "COMPLIANCE", "retention_days": "365"}


def of_two_stacks() -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the previews of a platform and of the foundation that it stands on, a stack of its own."""
    whole = preview(BOUND, role(permissionsBoundary=BOUNDARY))
    moved = json.loads(json.dumps(whole).replace("pulumi:prod::", "pulumi:base::"))
    duties = {**PEOPLE, "platform_stack": "prod"}
    foundation = {
        "steps": moved["steps"],
        "config": {
            **{key: value for key, value in whole["config"].items() if key not in ("interlock:network",)},
            "interlock:layers": '["foundation"]',
            "interlock:duties": json.dumps(duties),
        },
    }
    platform = {
        "steps": preview()["steps"],
        "config": {
            **{key: value for key, value in whole["config"].items() if key not in OF_A_FOUNDATION},
            "interlock:layers": '["platform"]',
            "interlock:foundation_stack": "organization/interlock/base",
        },
    }
    return platform, foundation


@pytest.mark.parametrize("order", [1, -1])
def test_a_platform_and_its_foundation_are_one_world_in_either_order(order: int) -> None:
    apart = planned_world(*of_two_stacks()[::order]).world
    together = planned_world(preview(BOUND, role(permissionsBoundary=BOUNDARY))).world
    assert apart.stack == "prod"
    assert apart.people == together.people
    assert {one.arn for one in apart.principals} == {one.arn for one in together.principals}


def test_a_foundation_alone_goes_by_the_names_of_its_platform_and_lacks_what_its_settings_demand() -> None:
    _, foundation = of_two_stacks()
    world = planned_world(foundation).world
    assert world.stack == "base"
    assert "an enabled key with the alias alias/interlock-prod-builder in eu-west-1" in world.missing
    assert {one.name for one in world.principals if one.duty == "platform"} == {"interlock-prod-platform"}
    assert set(world.entitlements) == {one.arn for one in world.principals if one.duty is not None}


def test_endpoints_that_only_the_platform_s_settings_name_do_not_narrow_what_the_foundation_gives() -> None:
    platform, foundation = of_two_stacks()
    del foundation["config"]["interlock:endpoints"]
    text = json.dumps([one.model_dump() for one in planned_world(platform, foundation).world.entitlements.values()])
    assert "endpoint/interlock-prod-*" in text


def test_previews_that_do_not_stand_on_each_other_are_refused() -> None:
    platform, foundation = of_two_stacks()
    platform["config"]["interlock:foundation_stack"] = "organization/interlock/other"
    with pytest.raises(
        BadInput, match=r"received the previews of prod, base; accepted is .* interlock:foundation_stack"
    ):
        planned_world(platform, foundation)


SECRET = "aws:secretsmanager/secret:Secret"
TABLE = "aws:dynamodb/table:Table"
FUNCTION = "aws:lambda/function:Function"


def test_secrets_tables_and_functions_have_their_own_policies() -> None:
    world = planned_world(
        preview(
            step(SECRET, "database-credentials-user", replicas=[{"region": "eu-central-1"}]),
            step("aws:secretsmanager/secretPolicy:SecretPolicy", "s",
                 {"secretArn": [urn(SECRET, "database-credentials-user")]}, secretArn=UNKNOWN, policy=POLICY),
            step(TABLE, "live-state-table", name="live-state-table-1"),
            step("aws:dynamodb/resourcePolicy:ResourcePolicy", "t", {"resourceArn": [urn(TABLE, "live-state-table")]},
                 resourceArn=UNKNOWN, policy=POLICY),
            step(FUNCTION, "rotation", name="rotation"),
            step("aws:lambda/permission:Permission", "p", {"function": [urn(FUNCTION, "rotation")]},
                 function="rotation", principal="secretsmanager.amazonaws.com", action="lambda:InvokeFunction",
                 sourceAccount=EVIDENCE, sourceArn=UNKNOWN),
        )
    ).world  # fmt: skip
    first, second, table, function = world.resources
    assert [one.region for one in (first, second)] == ["eu-west-1", "eu-central-1"]
    assert first.policy == second.policy == table.policy == json.loads(POLICY)
    assert function.policy is not None
    (permission,) = function.policy["Statement"]
    assert permission["Condition"] == {"StringEquals": {"AWS:SourceAccount": EVIDENCE}}
    assert permission["Principal"] == {"Service": "secretsmanager.amazonaws.com"}


def test_a_secret_s_policy_that_is_open_is_named() -> None:
    needs = {"secretArn": [urn(SECRET, "s")]}
    policy = step("aws:secretsmanager/secretPolicy:SecretPolicy", "guard", needs, secretArn=UNKNOWN, policy=UNKNOWN)
    with pytest.raises(BadInput) as refused:
        planned_world(preview(step(SECRET, "s"), policy))
    assert "guard: its policy is not known before it is made" in refused.value.reasons


def test_what_the_settings_demand_and_the_preview_lacks_is_named_and_refutes() -> None:
    vault = step("aws:s3/bucket:Bucket", "vault", bucket="vault", objectLockEnabled=False)
    world = planned_world(preview(BOUND, vault)).world
    assert "a vault with object lock in eu-west-1" in world.missing
    assert "an enabled key with the alias alias/interlock-prod-builder in eu-west-1" in world.missing
    assert any("every assumption of" in one and "break-glass" in one for one in world.missing)
    assert any(one.endswith("role/interlock/duties/interlock-prod-approver") for one in world.missing)
    (found,) = [one for one in demanding.PROPERTIES if one.name == "what-is-demanded-is-there"]
    (outcome,) = prove(world, [found])
    assert len(outcome.violations) == len(world.missing)


def test_policies_of_a_role_s_own_inputs_are_read() -> None:
    inline = {"name": "more", "policy": POLICY}
    planned = planned_world(
        preview(BOUND, role(permissionsBoundary=BOUNDARY, inlinePolicies=[inline],
                            managedPolicyArns=["arn:aws:iam::aws:policy/AdministratorAccess"]))
    )  # fmt: skip
    (worker,) = [one for one in planned.world.principals if one.source != "infra/bootstrap"]
    assert [one.document["Statement"][0]["Action"] for one in worker.identity] == ["*", "s3:*"]
    assert planned.assumed == ("worker",)


def test_a_managed_policy_outside_of_the_preview_of_a_role_without_a_boundary_is_not_proved() -> None:
    with pytest.raises(BadInput, match="leaves policy documents open"):
        planned_world(preview(role(managedPolicyArns=["arn:aws:iam::aws:policy/AdministratorAccess"])))
