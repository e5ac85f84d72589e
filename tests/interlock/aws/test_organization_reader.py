"""The organization's policies above an account, read where its own account asks, and nowhere else."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from interlock.aws.organization_reader import OrganizationReader
from interlock.duties.organization import under
from interlock.duties.world import Account, World
from rehearsal.cloud.accounts import MANAGEMENT
from rehearsal.cloud.server import LocalCloud

NAME = "read-nobody-leaves"
DOCUMENT = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Deny", "Action": "organizations:LeaveOrganization", "Resource": "*"}],
}


@pytest.fixture(scope="module")
def attached(cloud: LocalCloud) -> Iterator[None]:
    client = cloud.client("organizations", account="management")
    root = client.list_roots()["Roots"][0]["Id"]
    policy = client.create_policy(
        Name=NAME, Description="read", Type="SERVICE_CONTROL_POLICY", Content=json.dumps(DOCUMENT)
    )["Policy"]["PolicySummary"]["Id"]
    client.attach_policy(PolicyId=policy, TargetId=root)
    yield
    client.detach_policy(PolicyId=policy, TargetId=root)
    client.delete_policy(PolicyId=policy)


@pytest.mark.usefixtures("attached")
def test_policies_are_read_by_level_the_root_first(cloud: LocalCloud) -> None:
    found = OrganizationReader(cloud.client("organizations", account="management")).read(cloud.account_id)
    assert found is not None
    first, *_, last = found.scps
    assert DOCUMENT in [one.document for one in first]
    assert NAME not in {one.name for one in last}
    assert found.organization_id is not None
    assert found.organization_id.startswith("o-")
    world = under(World(accounts=(Account(id=cloud.account_id),)), {cloud.account_id: found})
    assert world.accounts[0].scps == found.scps


@pytest.mark.usefixtures("attached")
def test_the_organization_s_own_account_is_bound_by_none_of_its_policies(cloud: LocalCloud) -> None:
    found = OrganizationReader(cloud.client("organizations", account="management")).read(MANAGEMENT)
    assert found is not None
    world = under(World(accounts=(Account(id=MANAGEMENT),)), {MANAGEMENT: found})
    assert (world.management_account, world.accounts[0].scps) == (MANAGEMENT, ())


def test_the_organization_s_own_account_is_named_to_its_accounts(cloud: LocalCloud) -> None:
    assert OrganizationReader(cloud.client("organizations", account="management")).management_account() == MANAGEMENT


def test_whoever_may_not_ask_is_not_told_and_does_not_fail(cloud: LocalCloud) -> None:
    assert OrganizationReader(cloud.client("organizations", account="audit")).read(cloud.account_id) is None
