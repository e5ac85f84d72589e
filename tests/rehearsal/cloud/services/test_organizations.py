"""The organization of the local cloud's accounts."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest

from rehearsal.cloud.accounts import AUDIT, EVIDENCE, MANAGEMENT, WORKLOAD
from rehearsal.cloud.server import LocalCloud
from rehearsal.cloud.services.organizations import UNIT


def test_all_accounts_but_the_management_account_are_in_one_unit(cloud: LocalCloud) -> None:
    client = cloud.client("organizations", account="management")
    root = client.list_roots()["Roots"][0]
    units = {
        one["Name"]: one["Id"]
        for one in client.list_organizational_units_for_parent(ParentId=root["Id"])["OrganizationalUnits"]
    }

    members = client.list_accounts_for_parent(ParentId=units[UNIT])["Accounts"]

    assert {one["Id"] for one in members} == {WORKLOAD, EVIDENCE, AUDIT}
    assert {one["Id"] for one in client.list_accounts()["Accounts"]} == {WORKLOAD, EVIDENCE, AUDIT, MANAGEMENT}
    assert {one["Type"] for one in root["PolicyTypes"]} == {"SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"}


@pytest.mark.parametrize("account", ["workload", "evidence", "audit"])
def test_a_member_knows_its_organization(cloud: LocalCloud, account: str) -> None:
    known = cloud.client("organizations", account=account).describe_organization()["Organization"]

    assert known["MasterAccountId"] == MANAGEMENT


def test_a_policy_counts_until_it_is_deleted(cloud: LocalCloud) -> None:
    client = cloud.client("organizations", account="management")
    statement = {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    policy = client.create_policy(
        Name=f"policy-{uuid4().hex}", Description="", Type="SERVICE_CONTROL_POLICY", Content=document
    )["Policy"]["PolicySummary"]
    assert policy["Arn"] in cloud.inventory()["organizations"]

    client.delete_policy(PolicyId=policy["Id"])

    assert policy["Arn"] not in cloud.inventory()["organizations"]
