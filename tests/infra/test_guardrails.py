"""What the organization refuses, applied to the local cloud."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace

import pytest

from interlock.duties.duty import Duty
from interlock.duties.duty_world import duty_world
from interlock.duties.organization import above_all, read_controls
from interlock.duties.people import Pipeline
from interlock.duties.proof.prove import prove
from rehearsal.infra import Infra, InfraError, Root
from rehearsal.session import Session
from tests.interlock.duties.landscapes import LAND, PEOPLE
from tests.interlock.duties.proof.organised import ORGANIZATION, WRITTEN


def test_a_second_plan_changes_nothing(guardrails: Root) -> None:
    assert guardrails.changes() is None


def test_a_destroy_refuses_every_policy(guardrails: Root) -> None:
    assert "module.guardrails.aws_organizations_policy.this" in guardrails.held_against_a_destroy()


def test_every_account_but_the_management_account_is_held_by_every_policy(session: Session, guardrails: Root) -> None:
    client = session.client("organizations", "management")
    root = client.list_roots()["Roots"][0]["Id"]
    unit = client.list_organizational_units_for_parent(ParentId=root)["OrganizationalUnits"][0]["Id"]
    held = {one["Id"] for one in client.list_accounts_for_parent(ParentId=unit)["Accounts"]}
    attached = {
        kind: {one["Name"] for one in client.list_policies_for_target(TargetId=unit, Filter=kind)["Policies"]}
        for kind in ("SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY")
    }

    assert held == {session.cloud.accounts[name] for name in ("workload", "evidence", "audit")}
    assert attached["SERVICE_CONTROL_POLICY"] >= {
        f"interlock-local-{name}" for name in ("vault", "trail", "boundaries", "regions")
    }
    assert "interlock-local-perimeter" in attached["RESOURCE_CONTROL_POLICY"]


def test_the_output_tells_the_documents_as_they_are_attached(session: Session, guardrails: Root) -> None:
    client = session.client("organizations", "management")
    documents = guardrails.outputs()["documents"]
    for kind, filtered in (
        ("service_control", "SERVICE_CONTROL_POLICY"),
        ("resource_control", "RESOURCE_CONTROL_POLICY"),
    ):
        made = {
            one["Name"].removeprefix("interlock-local-"): one["Id"]
            for one in client.list_policies(Filter=filtered)["Policies"]
            if not one["AwsManaged"]
        }
        read = {
            name: json.loads(client.describe_policy(PolicyId=id_)["Policy"]["Content"]) for name, id_ in made.items()
        }
        assert documents[kind] == read


def test_the_documents_that_mistakes_are_seeded_into_are_the_modules_own(guardrails: Root) -> None:
    found = json.dumps(guardrails.outputs()["documents"]).replace("interlock-local", "interlock-prod")
    found = re.sub(r'"o-[a-z0-9]{10,32}"', f'"{ORGANIZATION}"', found.replace("repo:example/", "repo:owner/"))
    assert json.loads(found) == json.loads(WRITTEN.read_text(encoding="utf-8"))


def test_the_documents_hold_whoever_may_do_everything_and_outsiders(guardrails: Root) -> None:
    vaults = ("interlock-local-vault-first", "interlock-local-vault-second")
    land = replace(LAND, stack="local", platform_stack="local", vaults=vaults)
    known = read_controls({"documents": guardrails.outputs()["documents"]}, "guardrails")
    # Of the owner whose workflows the example lets in.
    release = Pipeline("release", Duty.BUILDER, ("repo:example/models:ref:refs/heads/main",))
    world = above_all(duty_world(land, replace(PEOPLE, pipelines=(release,))), known)

    assert {one.claim.name: [v.words for v in one.violations] for one in prove(world) if not one.holds} == {}


@pytest.fixture
def without_resource_control(session: Session) -> Iterator[None]:
    client = session.client("organizations", "management")
    root = client.list_roots()["Roots"][0]["Id"]
    client.disable_policy_type(RootId=root, PolicyType="RESOURCE_CONTROL_POLICY")
    yield
    client.enable_policy_type(RootId=root, PolicyType="RESOURCE_CONTROL_POLICY")


def test_switched_off_policies_are_told_with_the_way_to_switch_them_on(
    infra: Infra, guardrails: Root, without_resource_control: None
) -> None:
    other = infra.root("guardrails/examples/organization")
    shutil.copytree(other.folder, other.folder.with_name("again"), symlinks=True, dirs_exist_ok=True)
    again = infra.root("guardrails/examples/again")
    (again.folder / "terraform.tfstate").unlink()

    with pytest.raises(InfraError) as refusal:
        again.run("plan", "-input=false")

    said = " ".join(str(refusal.value).replace("│", " ").split())
    assert "policies of type RESOURCE_CONTROL_POLICY switched off" in said
    assert "enable-policy-type --policy-type RESOURCE_CONTROL_POLICY --root-id r-" in said
