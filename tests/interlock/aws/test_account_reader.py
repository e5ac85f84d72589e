"""Accounts are read as they are: what the generators wrote, put there and read back, proves as it did before."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.iam.models import iam_backends

from interlock.aws.account_reader import AccountReader
from interlock.duties.duty_world import duty_world
from interlock.duties.landscape import LIVE_STATE_TABLES
from interlock.duties.live import AccountReading, live_world
from interlock.duties.live_vault import CLOSED
from interlock.duties.proof.prove import prove
from interlock.duties.world import NamedDocument, Principal, ResourceKind, World
from interlock.failures import BadInput, OutsideFailure
from interlock.settings.model import Settings
from interlock.settings.reading import read_settings
from rehearsal.cloud.accounts import (
    ADMINISTRATOR_ACCESS,
    ORGANIZATION_ROLE,
    WORKLOAD,
    accounts,
    credentials,
    organization_role,
    organization_trust,
)
from rehearsal.cloud.server import LocalCloud
from tests.interlock.duties.landscapes import LAND
from tests.interlock.duties.proof.worlds import refutations
from tests.provisioned.projects import config_of
from tests.stacks.configurations import as_handed_over

STACK = "read"
REGIONS = ("eu-west-1", "eu-central-1")
VAULTS = ("read-vault", "read-vault-recovery")
"""One in each region, in their order."""
ACCOUNTS = {"workload": "555566667777", "evidence": "666677778888", "audit": "777788889999"}
"""Accounts of these tests alone: one is read whole, or not at all, so that what others leave in it counts."""


@pytest.fixture(scope="module")
def cloud(cloud: LocalCloud) -> LocalCloud:
    """The local cloud, whose organization has the accounts of these tests."""
    for each in ACCOUNTS.values():
        iam = iam_backends[each]["aws"]
        iam.create_role(ORGANIZATION_ROLE, organization_trust(cloud.account_id), "/", None, "", [], "3600")
        iam.attach_role_policy(ADMINISTRATOR_ACCESS, ORGANIZATION_ROLE)
    return cloud


def client_of(cloud: LocalCloud, service: str, account: str, **options: Any) -> Any:
    """Return a client of an account's administrator."""
    role = organization_role(ACCOUNTS[account])
    session = cloud.client("sts").assume_role(RoleArn=role, RoleSessionName="administrator")
    return cloud.client(service, **credentials(session), **options)


@pytest.fixture(scope="module")
def settings() -> Settings:
    values = json.dumps(as_handed_over(config_of("prod")))
    for name, known in accounts(WORKLOAD).items():
        values = values.replace(known, ACCOUNTS.get(name, known))
    return read_settings(STACK, json.loads(values))


@pytest.fixture(scope="module")
def written(cloud: LocalCloud, settings: Settings) -> World:
    """A stack's documents as the generators write them, in the cloud's accounts."""
    land = replace(
        LAND, stack=STACK, platform_stack=STACK, workload=ACCOUNTS["workload"], evidence=ACCOUNTS["evidence"],
        audit=ACCOUNTS["audit"], regions=REGIONS, vaults=VAULTS, staging=("read-staging",),
        endpoints=tuple(f"interlock-{STACK}-{one.name}" for one in settings.endpoints), tables=LIVE_STATE_TABLES,
        environment=settings.environment.value,
    )  # fmt: skip
    assert settings.duties is not None
    world = duty_world(land, settings.duties.assignments(), retention_days=365)
    put(cloud, world)
    return world


def account(account_id: str) -> str:
    return next(name for name, known in ACCOUNTS.items() if known == account_id)


def put(cloud: LocalCloud, world: World) -> None:
    """Make in the cloud what a world holds."""
    managed = {one.editable_arn: one for one in world.boundaries}
    managed |= {one.boundary.editable_arn: one.boundary for one in world.principals if one.boundary}
    managed |= {one.editable_arn: one for each in world.principals for one in each.identity if one.editable_arn}
    for arn, one in managed.items():
        path, _, name = str(arn).partition(":policy")[2].rpartition("/")
        iam = client_of(cloud, "iam", account(str(arn).split(":")[4]))
        iam.create_policy(PolicyName=name, Path=f"{path}/", PolicyDocument=json.dumps(one.document))
    for role in world.principals:
        iam = client_of(cloud, "iam", account(role.account_id))
        assert role.boundary is not None
        iam.create_role(
            RoleName=role.name, Path="/interlock/duties/", AssumeRolePolicyDocument=json.dumps(role.trust),
            MaxSessionDuration=role.longest_session_seconds or 3600,
            PermissionsBoundary=role.boundary.editable_arn,
            Tags=[{"Key": key, "Value": value} for key, value in role.tags.items()],
        )  # fmt: skip
        for one in role.identity:
            if one.editable_arn:
                iam.attach_role_policy(RoleName=role.name, PolicyArn=one.editable_arn)
            else:
                iam.put_role_policy(RoleName=role.name, PolicyName=one.name, PolicyDocument=json.dumps(one.document))
    for key in world.of_kind(ResourceKind.KEY):
        kms = client_of(cloud, "kms", "evidence", region_name=key.region)
        usage = key.attributes["usage"]
        spec = "ECC_NIST_P256" if usage == "SIGN_VERIFY" else "SYMMETRIC_DEFAULT"
        made = kms.create_key(KeyUsage=usage, KeySpec=spec)["KeyMetadata"]["KeyId"]
        kms.create_alias(AliasName=key.context["kms:ResourceAliases"][0], TargetKeyId=made)
        # Last, because it lets no administrator of these tests point an alias at the key.
        kms.put_key_policy(
            KeyId=made, PolicyName="default", Policy=json.dumps(key.policy), BypassPolicyLockoutSafetyCheck=True
        )
    for bucket in world.of_kind(ResourceKind.BUCKET):
        name, evidence = bucket.arn.rpartition(":")[2], bucket.attributes.get("evidence") == "true"
        region = REGIONS[VAULTS.index(name)] if evidence else REGIONS[0]
        s3 = client_of(cloud, "s3", "evidence", region_name=region)
        here = {"LocationConstraint": region}
        s3.create_bucket(Bucket=name, ObjectLockEnabledForBucket=evidence, CreateBucketConfiguration=here)
        retention = {"Mode": "COMPLIANCE", "Days": 365}
        if evidence:
            s3.put_object_lock_configuration(
                Bucket=name,
                ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": retention}},
            )
            set_up(s3, name, region)
    for name in VAULTS:
        replicate(client_of(cloud, "s3", "evidence", region_name=REGIONS[VAULTS.index(name)]), name)
    for bucket in world.of_kind(ResourceKind.BUCKET):
        s3 = client_of(cloud, "s3", "evidence")
        s3.put_bucket_policy(Bucket=bucket.arn.rpartition(":")[2], Policy=json.dumps(bucket.policy))
    put_kept(cloud, world)


def evidence_key(region: str) -> str:
    return f"arn:aws:kms:{region}:{ACCOUNTS['evidence']}:alias/interlock-{STACK}-evidence"


def set_up(s3: Any, name: str, region: str) -> None:
    """Set a vault to what a vault has to be, beside its lock and its replication."""
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": evidence_key(region)}
    s3.put_bucket_encryption(
        Bucket=name,
        ServerSideEncryptionConfiguration={"Rules": [{"ApplyServerSideEncryptionByDefault": default}]},
    )
    s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=dict.fromkeys(CLOSED, True))
    s3.put_bucket_ownership_controls(
        Bucket=name, OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    )


def replicate(s3: Any, name: str) -> None:
    """Have one vault replicated into the other."""
    here = VAULTS.index(name)
    rule = {
        "ID": "whole", "Status": "Enabled", "Priority": 0, "Filter": {"Prefix": ""},
        "DeleteMarkerReplication": {"Status": "Disabled"},
        "SourceSelectionCriteria": {"SseKmsEncryptedObjects": {"Status": "Enabled"}},
        "Destination": {
            "Bucket": f"arn:aws:s3:::{VAULTS[1 - here]}",
            "EncryptionConfiguration": {"ReplicaKmsKeyID": evidence_key(REGIONS[1 - here])},
        },
    }  # fmt: skip
    role = f"arn:aws:iam::{ACCOUNTS['evidence']}:role/interlock/replication/interlock-{STACK}-vault-to-recovery"
    s3.put_bucket_replication(Bucket=name, ReplicationConfiguration={"Role": role, "Rules": [rule]})


def put_kept(cloud: LocalCloud, world: World) -> None:
    for one in (*world.of_kind(ResourceKind.SECRET), *world.of_kind(ResourceKind.TABLE)):
        client = client_of(cloud, "secretsmanager" if one.kind is ResourceKind.SECRET else "dynamodb", "workload",
                           region_name=one.region)  # fmt: skip
        if one.kind is ResourceKind.SECRET:
            name = named(one.arn)
            client.create_secret(Name=name, SecretString="{}", Tags=[{"Key": "interlock:stack", "Value": STACK}])
            client.put_resource_policy(SecretId=name, ResourcePolicy=json.dumps(one.policy))
        else:
            client.create_table(
                TableName=one.arn.rpartition("/")[2], BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
                KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            )  # fmt: skip
            client.put_resource_policy(ResourceArn=one.arn, Policy=json.dumps(one.policy))


def named(arn: str) -> str:
    """Return the name of a secret, without the letters that its ARN ends with."""
    return arn.rpartition(":")[2].rpartition("-")[0]


def reader(cloud: LocalCloud, name: str, client: Callable[[str, str], Any] | None = None) -> AccountReader:
    def of_account(service: str, region: str) -> Any:
        return client_of(cloud, service, name, region_name=region)

    return AccountReader(ACCOUNTS[name], client or of_account, REGIONS, STACK, {})


@pytest.fixture(scope="module")
def readings(cloud: LocalCloud, written: World) -> tuple[AccountReading, ...]:
    return tuple(only_of_the_stack(reader(cloud, name).read()) for name in ("workload", "evidence"))


def only_of_the_stack(reading: AccountReading) -> AccountReading:
    """Return what belongs to the stack: the role that administers an account does not."""
    ours = f"interlock-{STACK}-"
    return replace(
        reading,
        principals=tuple(one for one in reading.principals if one.name.startswith(ours)),
        boundaries=tuple(one for one in reading.boundaries if one.name.startswith(ours)),
    )  # fmt: skip


def test_what_is_read_is_what_was_written_and_proves(
    readings: tuple[AccountReading, ...], written: World, settings: Settings
) -> None:
    world = live_world(STACK, settings, readings)
    found = {one.arn: one for one in world.principals}
    assert set(found) == {one.arn for one in written.principals}
    for one in written.principals:
        live = found[one.arn]
        assert (live.trust, live.duty) == (one.trust, one.duty)
        assert live.boundary is not None
        assert one.boundary is not None
        assert live.boundary.document == one.boundary.document
        assert [each.document for each in live.identity] == [each.document for each in one.identity]
    for kind in (ResourceKind.SECRET, ResourceKind.TABLE):
        kept = {(one.region, named(one.arn)): one.policy for one in world.of_kind(kind)}
        assert kept == {(one.region, named(one.arn)): one.policy for one in written.of_kind(kind)}
    owners = sorted(str(one.owner) for one in world.of_kind(ResourceKind.KEY))
    assert owners == sorted(str(one.owner) for one in written.of_kind(ResourceKind.KEY))
    vaults = [one for one in world.of_kind(ResourceKind.BUCKET) if one.attributes.get("evidence") == "true"]
    assert [(one.attributes["lock_mode"], one.attributes["retention_days"]) for one in vaults] == [
        ("COMPLIANCE", "365")
    ] * len(VAULTS)
    assert {one.name: one.longest_session_seconds for one in world.principals} == {
        one.name: one.longest_session_seconds or 3600 for one in written.principals
    }
    assert {one.claim.name: [each.words for each in one.violations] for one in prove(world) if not one.holds} == {}


def test_a_right_that_somebody_added_by_hand_is_found(
    cloud: LocalCloud, readings: tuple[AccountReading, ...], settings: Settings
) -> None:
    iam = client_of(cloud, "iam", "workload")
    name = f"interlock-{STACK}-creator"
    trust = {"Sid": "Anybody", "Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    before = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
    iam.update_assume_role_policy(
        RoleName=name, PolicyDocument=json.dumps({**before, "Statement": [*before["Statement"], trust]})
    )
    again = tuple(only_of_the_stack(reader(cloud, one).read()) for one in ("workload", "evidence"))
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(before))
    holding = {one.claim.name for one in prove(live_world(STACK, settings, readings)) if one.holds}
    still = {one.claim.name for one in prove(live_world(STACK, settings, again)) if one.holds}
    assert holding - still >= {"duties-assigned"}


def test_a_session_that_somebody_made_longer_is_found(cloud: LocalCloud, written: World, settings: Settings) -> None:
    iam = client_of(cloud, "iam", "workload")
    name = f"interlock-{STACK}-deployer"
    iam.update_role(RoleName=name, MaxSessionDuration=7200)
    again = tuple(only_of_the_stack(reader(cloud, one).read()) for one in ("workload", "evidence"))
    iam.update_role(RoleName=name, MaxSessionDuration=3600)
    (longer,) = refutations(live_world(STACK, settings, again), "sessions-are-short")
    assert f"{name} lasts 7200 s at most, not 3600" in longer.words


def refusing(cloud: LocalCloud, service: str, operation: str) -> Callable[[str, str], Any]:
    """Return clients of which one refuses one operation, as AWS does where a right is missing."""

    def refuse(**_: Any) -> Iterator[None]:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "not authorized"}}, operation)

    def client(name: str, region: str) -> Any:
        made = client_of(cloud, name, "evidence", region_name=region)
        if name == service:
            made.meta.events.register(f"before-call.{service}.{operation}", refuse)
        return made

    return client


def test_what_could_not_be_read_is_named_and_nothing_is_proved(cloud: LocalCloud, written: World) -> None:
    with pytest.raises(OutsideFailure, match="read in part only") as failure:
        reader(cloud, "evidence", refusing(cloud, "s3", "GetBucketPolicy")).read()
    assert "policy of bucket read-vault: AccessDenied" in failure.value.reasons


def test_who_may_read_no_identities_is_told_so(cloud: LocalCloud) -> None:
    with pytest.raises(OutsideFailure, match=r"AWS refused to read account .*AccessDenied"):
        reader(cloud, "evidence", refusing(cloud, "iam", "GetAccountAuthorizationDetails")).read()


def test_an_account_without_a_role_of_a_duty_is_none_of_the_stack_s(settings: Settings) -> None:
    with pytest.raises(BadInput, match="no role of a duty is in 555566667777"):
        live_world(STACK, settings, (AccountReading(ACCOUNTS["workload"], (), (), (), ()),))


def test_a_role_of_iam_identity_center_is_in_the_world(
    readings: tuple[AccountReading, ...], settings: Settings
) -> None:
    anything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    account_id = ACCOUNTS["workload"]
    path = "aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Everything_0123456789abcdef"
    everything = (NamedDocument(name="AdministratorAccess", document=anything),)
    role = Principal(arn=f"arn:aws:iam::{account_id}:role/{path}", identity=everything)
    linked = Principal(arn=f"arn:aws:iam::{account_id}:role/aws-service-role/ecs.amazonaws.com/Linked")
    first, *rest = readings
    world = live_world(STACK, settings, (replace(first, principals=(*first.principals, role, linked)), *rest))
    assert world.principal(role.arn) == role
    assert world.principal(linked.arn) is None
    refuted = [words for one in prove(world) for words in (each.words for each in one.violations)]
    assert any("AWSReservedSSO_Everything" in words for words in refuted)


def test_administrators_are_set_apart_and_a_locked_bucket_beside_the_vaults_is_a_record(
    readings: tuple[AccountReading, ...], settings: Settings
) -> None:
    anything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    everything = (NamedDocument(name="AdministratorAccess", document=anything),)
    administrator = Principal(arn=f"arn:aws:iam::{ACCOUNTS['workload']}:role/Administrator", identity=everything)
    duty = next(one for one in readings[0].principals if one.duty == "creator")
    vault = next(one for one in readings[1].resources if one.attributes.get("evidence") == "true")
    trail = vault.model_copy(update={"arn": "arn:aws:s3:::read-trail"})
    first, second = readings
    more = (
        replace(first, principals=(*first.principals, administrator)),
        replace(second, resources=(*second.resources, trail)),
    )
    world = live_world(STACK, settings, more, (administrator.arn, duty.arn))
    assert world.trusted == (administrator,)
    assert world.principal(duty.arn) is not None
    kinds = {one.arn: set(one.attributes) & {"evidence", "record"} for one in world.of_kind(ResourceKind.BUCKET)}
    assert (kinds[trail.arn], kinds[vault.arn]) == ({"record"}, {"evidence"})


def test_a_policy_of_aws_that_is_only_a_boundary_is_read() -> None:
    trust = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}  # fmt: skip
    arn = "arn:aws:iam::aws:policy/PowerUserAccess"
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}]}
    page = {
        "RoleDetailList": [
            {"Arn": "arn:aws:iam::555566667777:role/dev", "AssumeRolePolicyDocument": trust,
             "PermissionsBoundary": {"PermissionsBoundaryArn": arn}},
        ],
        "UserDetailList": [], "GroupDetailList": [],
        "Policies": [
            {"Arn": arn, "AttachmentCount": 0, "PermissionsBoundaryUsageCount": 1,
             "PolicyVersionList": [{"IsDefaultVersion": True, "Document": document}]},
        ],
        "Roles": [{"Arn": "arn:aws:iam::555566667777:role/dev", "MaxSessionDuration": 900}],
    }  # fmt: skip

    class Answering:
        def get_paginator(self, _: str) -> Answering:
            return self

        def paginate(self) -> list[Any]:
            return [page]

    (role,) = AccountReader("555566667777", lambda *_: Answering(), REGIONS, STACK, {}).principals()
    assert role.boundary is not None
    assert role.boundary.document == document
    assert role.longest_session_seconds == 900


def test_only_whom_the_proof_is_told_of_by_name_and_who_has_no_duty_is_set_apart(
    readings: tuple[AccountReading, ...], settings: Settings
) -> None:
    account_id, anything = ACCOUNTS["workload"], {"Effect": "Allow", "Action": "*", "Resource": "*"}
    everything = (NamedDocument(name="all", document={"Version": "2012-10-17", "Statement": [anything]}),)
    assert settings.duties is not None
    own_way = next(
        one.principal for one in settings.duties.assignments().people if one.principal.split(":")[4] == account_id
    )
    named = f"arn:aws:iam::{account_id}:role/Administrator"
    first, *rest = readings
    beside = tuple(
        Principal(arn=arn, identity=everything)
        for arn in (named, own_way)
        if arn not in {one.arn for one in first.principals}
    )
    with_them = (replace(first, principals=(*first.principals, *beside)), *rest)
    elsewhere = "arn:aws:iam::222233334444:role/Admins"
    told = live_world(STACK, settings, with_them, [named, own_way, elsewhere])
    assert [one.arn for one in told.trusted] == [named]
    assert told.trusted_elsewhere == (elsewhere,)
    assert told.principal(own_way) is not None
    assert live_world(STACK, settings, with_them, [f"arn:aws:iam::{account_id}:*"]).trusted == ()
