"""The duties' roles in the program: where they are, and that every other role is held by a boundary."""

from __future__ import annotations

import json

import pytest

from interlock.duties.boundaries import DEPLOYING
from interlock.duties.duty import Role
from policy.recording.monitor import UNKNOWN, Recording, Registration, record
from stacks.program import provision
from tests.interlock.duties.landscapes import statements, values
from tests.provisioned.projects import config_of
from tests.stacks.configurations import as_handed_over

WORKLOAD, EVIDENCE = "123456789012", "210987654321"
NAMED = {
    "bucket_name": "interlock-prod-vault", "staging_bucket_name": "interlock-prod-staging",
    "recovery_bucket_name": "interlock-prod-vault-recovery",
    "recovery_staging_bucket_name": "interlock-prod-staging-recovery", "retention_days": 365,
}  # fmt: skip


@pytest.fixture(scope="module", params=[True, False], ids=["preview", "up"])
def registered(request: pytest.FixtureRequest) -> Recording:
    config = config_of("prod") | {"interlock:vault": NAMED}
    return record(lambda: provision(as_handed_over(config)), preview=bool(request.param), stack="prod")


def roles(recording: Recording, path: str) -> list[Registration]:
    return [one for one in recording.of_type("aws:iam/role:Role") if one.inputs.get("path", "/") == path]


def test_every_duty_has_its_role_but_those_that_have_to_be_there_before(registered: Recording) -> None:
    names = sorted(one.inputs["name"] for one in roles(registered, "/interlock/duties/"))
    assert names == sorted(f"interlock-prod-{role.value}" for role in Role if role not in DEPLOYING)


def test_a_duty_s_documents_name_their_boundary_and_are_known_before_anything_exists(registered: Recording) -> None:
    boundaries = {one.inputs["name"] for one in registered.of_type("aws:iam/policy:Policy")}
    rights = {one.inputs["name"]: one.inputs["policy"] for one in registered.of_type("aws:iam/rolePolicy:RolePolicy")
              if str(one.inputs.get("name", "")).startswith("interlock-prod-")}  # fmt: skip
    for one in roles(registered, "/interlock/duties/"):
        path, _, name = one.inputs["permissionsBoundary"].partition(":policy")[2].rpartition("/")
        assert (path, name in boundaries) == ("/interlock/boundaries", True)
        assert rights[one.inputs["name"]] != UNKNOWN
        assert one.inputs["assumeRolePolicy"] != UNKNOWN
        assert one.inputs["tags"]["interlock:role"] == one.inputs["name"].removeprefix("interlock-prod-")
        assert one.inputs["maxSessionDuration"] == 3600
    for policy in registered.of_type("aws:iam/policy:Policy"):
        assert policy.inputs["policy"] != UNKNOWN


def test_roles_that_the_platform_makes_lie_where_it_may_hand_them_over(registered: Recording) -> None:
    boundary = f"arn:aws:iam::{WORKLOAD}:policy/interlock/boundaries/interlock-prod-service"
    services = roles(registered, "/interlock/services/")
    assert len(services) >= 8
    assert {one.inputs["permissionsBoundary"] for one in services} == {boundary}


def test_what_replicates_the_vault_has_its_own_boundary_and_is_out_of_the_platform_s_hands(
    registered: Recording,
) -> None:
    assert roles(registered, "/") == []
    found = roles(registered, "/interlock/replication/")
    assert {one.name for one in found} == {"vault-to-recovery-role", "vault-from-recovery-role"}
    assert {one.provider for one in found} <= {"aws-evidence", "aws-evidence-recovery"}
    boundary = f"arn:aws:iam::{EVIDENCE}:policy/interlock/boundaries/interlock-prod-replication"
    assert {one.inputs["permissionsBoundary"] for one in found} == {boundary}


def test_buckets_of_the_foundation_have_names_and_policies_that_a_preview_knows() -> None:
    recording = record(lambda: provision(as_handed_over(config_of("prod"))), preview=True, stack="prod")
    buckets = {one.name: one.inputs["bucket"] for one in recording.of_type("aws:s3/bucket:Bucket")
               if one.name.startswith("vault")}  # fmt: skip
    assert buckets == {
        "vault-bucket": f"interlock-prod-vault-{EVIDENCE}-eu-west-1",
        "vault-staging-bucket": f"interlock-prod-staging-{EVIDENCE}-eu-west-1",
        "vault-recovery-bucket": f"interlock-prod-vault-{EVIDENCE}-eu-central-1",
        "vault-recovery-staging-bucket": f"interlock-prod-staging-{EVIDENCE}-eu-central-1",
    }
    policies = [one for one in recording.of_type("aws:s3/bucketPolicy:BucketPolicy") if one.name.startswith("vault")]
    assert len(policies) == 4
    assert all(one.inputs["policy"] != UNKNOWN for one in policies)


def test_an_emergency_is_told_of(registered: Recording) -> None:
    rule = registered.one("aws:cloudwatch/eventRule:EventRule", "emergency-rule")
    assert json.loads(rule.inputs["eventPattern"])["detail"]["requestParameters"] == {
        "roleArn": [f"arn:aws:iam::{WORKLOAD}:role/interlock/duties/interlock-prod-break-glass"]
    }
    assert registered.one("aws:cloudwatch/eventTarget:EventTarget", "emergency-target").inputs["rule"] is not None


def test_without_duties_roles_stay_as_they_were() -> None:
    without = ("interlock:duties", "interlock:ledger")
    config = {key: value for key, value in config_of("prod").items() if key not in without}
    recording = record(lambda: provision(as_handed_over(config)), preview=True, stack="prod")
    assert {one.inputs.get("path") for one in recording.of_type("aws:iam/role:Role")} == {None}
    assert recording.of_type("aws:iam/policy:Policy") == []


def test_keys_and_vault_obey_the_duties_roles_alone_once_they_are_bound() -> None:
    duties = config_of("prod")["interlock:duties"] | {"bind": True}
    config = config_of("prod") | {"interlock:duties": duties, "interlock:vault": NAMED}
    recording = record(lambda: provision(as_handed_over(config)), preview=False, stack="prod")

    def role(name: str, account: str = WORKLOAD) -> str:
        return f"arn:aws:iam::{account}:role/interlock/duties/interlock-prod-{name}"

    signing = {
        one.name: statements(one.inputs["policy"]).get("DenyOtherRoles")
        for one in recording.of_type("aws:kms/key:Key")
        if one.name.startswith("keys-") and not one.name.endswith("-key")
    }
    assert {name: one and one["Condition"]["ArnNotEquals"]["aws:PrincipalArn"] for name, one in signing.items()} == {
        "keys-builder": [role("builder")],
        "keys-deployer": [role("deployer")],
        "keys-responder": [role("rollback"), role("recovery-runner")],
        "keys-observer": [role("observer")],
        "keys-log": [role("sequencer", EVIDENCE)],
        "keys-witness": [role("witness", EVIDENCE)],
        "keys-approver-approver-1": [role("approver", EVIDENCE)],
        "keys-approver-approver-2": [role("approver", EVIDENCE)],
    }
    vaults = [one for one in recording.of_type("aws:s3/bucketPolicy:BucketPolicy") if "staging" not in one.name
              and one.name.startswith("vault")]  # fmt: skip
    assert len(vaults) == 2
    for one in vaults:
        found = statements(one.inputs["policy"])
        guarded = {
            entry["Resource"].partition("/")[2]: entry["Condition"]["ArnNotEquals"]["aws:PrincipalArn"]
            for sid, entry in found.items() if sid.startswith("DenyOthersIn")
        }  # fmt: skip
        assert guarded["releases/*"] == guarded["images/*"] == [role("builder")]
        assert guarded["approvals/*"] == [role("approver", EVIDENCE)]
        assert len(values(found["DenyBesidePrefixes"]["NotResource"])) == len(guarded) == 10


LEDGER = {"sequencer": "eu-west-1", "witness": "eu-central-1"}


def test_the_ledgers_functions_run_under_their_duties_each_in_its_region(registered: Recording) -> None:
    for duty, region in LEDGER.items():
        suffix = "-recovery" if region == "eu-central-1" else ""
        function = registered.one("aws:lambda/function:Function", f"ledger-{duty}{suffix}-function").inputs
        assert function["name"] == f"interlock-prod-{duty}"
        assert function["role"] == f"arn:aws:iam::{EVIDENCE}:role/interlock/duties/interlock-prod-{duty}"
        assert f".dkr.ecr.{region}." in function["imageUri"]
        variables = function["environment"]["variables"]
        assert (variables["LEDGER_DUTY"], variables["LEDGER_LOG"]) == (duty, "eu-west-1-1")


def test_in_one_region_the_witness_works_beside_the_sequencer() -> None:
    config = {key: value for key, value in config_of("dev").items() if key != "interlock:recovery"}
    recording = record(lambda: provision(as_handed_over(config)), preview=True, stack="dev")
    functions = [one for one in recording.of_type("aws:lambda/function:Function") if one.name.startswith("ledger-")]
    assert {one.inputs["name"] for one in functions} == {"interlock-dev-sequencer", "interlock-dev-witness"}
    assert len([one for one in recording.of_type("aws:kms/alias:Alias") if one.name.startswith("ledger-")]) == 1
