"""The local cloud decides every call by all policies that have a say, and says which of them refused it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from rehearsal.cloud.accounts import AUDIT, EVIDENCE, WORKLOAD
from rehearsal.cloud.server import LocalCloud
from tests.rehearsal.cloud.policies import Case, allow, clients_of, deny, document, message_of, role_with

ENDPOINT = f"arn:aws:sagemaker:eu-west-1:{WORKLOAD}:endpoint/credit"
DUTY = f"arn:aws:iam::{WORKLOAD}:role/interlock/duties/interlock-test-approver"


def update_endpoint(client: Callable[..., Any]) -> Any:
    return client("sagemaker").update_endpoint(EndpointName="credit", EndpointConfigName="other")


def put_role_policy(client: Callable[..., Any]) -> Any:
    role = DUTY.rpartition("/")[2]
    return client("iam").put_role_policy(RoleName=role, PolicyName="more", PolicyDocument=document(allow("*")))


CASES = (
    Case(
        "an approver cannot deploy",
        (allow("sagemaker:DescribeEndpoint"), allow("s3:*")),
        update_endpoint,
        f"sagemaker:UpdateEndpoint on resource: {ENDPOINT} because no identity-based policy allows the "
        "sagemaker:UpdateEndpoint action",
    ),
    Case(
        "a right on one endpoint is none on another",
        (allow("sagemaker:UpdateEndpoint", f"{ENDPOINT}-two"),),
        update_endpoint,
        "because no identity-based policy allows the sagemaker:UpdateEndpoint action",
    ),
    Case(
        "a right to an endpoint is none to its configuration",
        (allow("sagemaker:UpdateEndpoint", ENDPOINT),),
        update_endpoint,
        "endpoint-config/other because no identity-based policy allows the sagemaker:UpdateEndpoint action",
    ),
    Case(
        "a boundary keeps duty roles from the platform",
        (allow("*"),),
        put_role_policy,
        f"iam:PutRolePolicy on resource: {DUTY} with an explicit deny in a permissions boundary",
        boundary=(allow("*"), deny("iam:*", "arn:aws:iam::*:role/interlock/duties/*")),
    ),
    Case(
        "what a boundary does not name nobody has",
        (allow("*"),),
        lambda client: client("kms").create_key(),
        "because no permissions boundary allows the kms:CreateKey action",
        boundary=(allow("s3:*"),),
    ),
    Case(
        "a session policy narrows",
        (allow("*"),),
        lambda client: client("sns").create_topic(Name="narrowed"),
        "because no session policy allows the sns:CreateTopic action",
        session=document(allow("s3:*")),
    ),
    Case(
        "a role is passed to the service that a right names",
        (allow("*"), deny("iam:PassRole", Condition={"StringNotEquals": {"iam:PassedToService": "ecs.amazonaws.com"}})),
        lambda client: client("sagemaker").create_model(
            ModelName="m", PrimaryContainer={"Image": "i"}, ExecutionRoleArn=DUTY
        ),
        f"iam:PassRole on resource: {DUTY} with an explicit deny in an identity-based policy",
    ),
    Case(
        "whoever may tag the account's keys makes one with tags",
        (allow("kms:CreateKey"), allow("kms:TagResource", f"arn:aws:kms:*:{WORKLOAD}:key/*")),
        lambda client: client("kms").create_key(Tags=[{"TagKey": "owner", "TagValue": "risk"}]),
    ),
    Case(
        "whoever may tag one key makes none with tags",
        (allow("kms:CreateKey"), allow("kms:TagResource", f"arn:aws:kms:*:{WORKLOAD}:key/mrk-0123")),
        lambda client: client("kms").create_key(Tags=[{"TagKey": "owner", "TagValue": "risk"}]),
        "because no identity-based policy allows the kms:TagResource action",
    ),
    Case(
        "who has not said who they are signs nothing",
        (allow("*"), deny("kms:*", Condition={"Null": {"aws:SourceIdentity": "true"}})),
        lambda client: client("kms").create_key(),
        "with an explicit deny in an identity-based policy",
    ),
    Case(
        "who has said who they are may",
        (allow("*"), deny("kms:*", Condition={"Null": {"aws:SourceIdentity": "true"}})),
        lambda client: client("kms").create_key(),
        assuming={"SourceIdentity": "approver-1"},
    ),
    Case(
        "a session's tag is a condition of what it does",
        (allow("sqs:*"), deny("kms:*"), allow("sns:*", Condition={"StringEquals": {"aws:PrincipalTag/team": "risk"}})),
        lambda client: client("sns").create_topic(Name="tagged"),
        assuming={"Tags": [{"Key": "team", "Value": "risk"}]},
    ),
    Case(
        "a service that the table lacks is decided by its action",
        (allow("sqs:ListQueues"),),
        lambda client: client("sqs").create_queue(QueueName="q"),
        "because no identity-based policy allows the sqs:CreateQueue action",
    ),
    Case(
        "a listing of all takes a right to all",
        (allow("s3:*", "arn:aws:s3:::one"),),
        lambda client: client("s3").list_buckets(),
        "s3:ListAllMyBuckets on resource: * because no identity-based policy allows the s3:ListAllMyBuckets action",
    ),
    Case("who may list all may", (allow("s3:ListAllMyBuckets"),), lambda client: client("s3").list_buckets()),
    Case("an action that is granted somewhere is granted", (allow("sqs:List*"),), lambda c: c("sqs").list_queues()),
    Case(
        "a denied region holds for a service that the table lacks",
        (allow("*"), deny("*", Condition={"StringNotEquals": {"aws:RequestedRegion": "eu-central-1"}})),
        lambda client: client("sqs").list_queues(),
        "with an explicit deny in an identity-based policy",
    ),
    Case(
        "what cannot be evaluated is denied and says so",
        (allow("*", Condition={"StringResembles": {"aws:PrincipalArn": "x"}}),),
        lambda client: client("sns").list_topics(),
        "StringResembles",
    ),
)


@pytest.fixture(scope="module", autouse=True)
def _duty(cloud: LocalCloud) -> None:
    """A duty's role, which nobody here may touch."""
    path, _, name = DUTY.partition(":role")[2].rpartition("/")
    nobody = {"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    cloud.client("iam").create_role(Path=f"{path}/", RoleName=name, AssumeRolePolicyDocument=document(nobody))


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_what_a_role_may(cloud: LocalCloud, case: Case) -> None:
    role = role_with(cloud, case)
    asked = {**case.assuming, **({"Policy": case.session} if case.session else {})}
    client = clients_of(cloud, role, **asked)
    if not case.told:
        case.call(client)
        return
    said = message_of(lambda: case.call(client))
    assert said.startswith(f"User: arn:aws:sts::{WORKLOAD}:assumed-role/")
    assert case.told in said


@pytest.mark.corrects("iam.decisions")
def test_a_role_without_rights_has_none(cloud: LocalCloud) -> None:
    client = clients_of(cloud, role_with(cloud, Case("", (allow("sts:GetCallerIdentity"),), print)))
    assert "because no identity-based policy allows" in message_of(lambda: client("sqs").list_queues())


def test_a_key_that_was_never_issued_is_nobodys(cloud: LocalCloud) -> None:
    stranger = partial(cloud.client, aws_access_key_id="AKIAAAAAAAAAAAAAAAAA", aws_secret_access_key="x")
    codes = []
    for call in (stranger("sqs").list_queues, stranger("iam").list_roles, stranger("ec2").describe_vpcs):
        with pytest.raises(ClientError) as refused:
            call()
        codes.append(refused.value.response["Error"]["Code"])
    assert codes == ["UnrecognizedClientException", "InvalidClientTokenId", "AuthFailure"]


def signing_key(cloud: LocalCloud, owner: str) -> str:
    """A key of the evidence account whose policy lets only `owner` sign, by source identity."""
    role = f"arn:aws:iam::{WORKLOAD}:root"
    administer = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{EVIDENCE}:root"}, "Action": "kms:*",
                  "Resource": "*"}  # fmt: skip
    sign = {"Effect": "Allow", "Principal": {"AWS": role}, "Action": "kms:Sign", "Resource": "*",
            "Condition": {"StringEquals": {"aws:SourceIdentity": owner}}}  # fmt: skip
    made = cloud.client("kms", account="evidence").create_key(
        KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY", Policy=document(administer, sign)
    )
    return str(made["KeyMetadata"]["Arn"])


def test_an_approver_signs_with_their_own_key_only(cloud: LocalCloud) -> None:
    first, second = signing_key(cloud, "approver-1"), signing_key(cloud, "approver-2")
    client = clients_of(cloud, role_with(cloud, Case("", (allow("kms:Sign"),), print)), SourceIdentity="approver-1")

    def sign(key: str) -> Any:
        return client("kms").sign(KeyId=key, Message=b"d" * 32, MessageType="DIGEST", SigningAlgorithm="ECDSA_SHA_256")

    assert sign(first)["KeyId"] == first
    assert f"kms:Sign on resource: {second}" in message_of(lambda: sign(second))


def test_across_accounts_both_sides_have_to_allow(cloud: LocalCloud) -> None:
    bucket = f"both-{uuid4().hex[:12]}"
    owners = cloud.client("s3", account="evidence")
    owners.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    objects = f"arn:aws:s3:::{bucket}/*"
    without = clients_of(cloud, role_with(cloud, Case("", (allow("sqs:*"),), print)))
    having = clients_of(cloud, role_with(cloud, Case("", (allow("s3:PutObject", objects),), print)))

    def put(client: Callable[..., Any]) -> Any:
        return client("s3").put_object(Bucket=bucket, Key="k", Body=b"")

    assert "no resource-based policy allows" in message_of(lambda: put(having))
    opened = {"Effect": "Allow", "Principal": {"AWS": WORKLOAD}, "Action": "s3:PutObject", "Resource": objects}
    owners.put_bucket_policy(Bucket=bucket, Policy=document(opened))
    assert "no identity-based policy allows" in message_of(lambda: put(without))
    put(having)


@pytest.fixture
def organization(cloud: LocalCloud) -> Any:
    """A client of the management account; policies that a test attaches are detached after it."""
    client = cloud.client("organizations", account="management")
    before = {one["Id"] for kind in KINDS for one in client.list_policies(Filter=kind)["Policies"]}
    yield client
    for kind in KINDS:
        for one in client.list_policies(Filter=kind)["Policies"]:
            if one["Id"] not in before:
                for target in client.list_targets_for_policy(PolicyId=one["Id"])["Targets"]:
                    client.detach_policy(PolicyId=one["Id"], TargetId=target["TargetId"])
                client.delete_policy(PolicyId=one["Id"])


KINDS = ("SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY")


@pytest.mark.parametrize(
    ("kind", "principal", "words"),
    [
        ("SERVICE_CONTROL_POLICY", {}, "with an explicit deny in a service control policy"),
        ("RESOURCE_CONTROL_POLICY", {"Principal": "*"}, "with an explicit deny in a resource control policy"),
    ],
)
def test_an_organizations_policies_hold_for_its_administrators_too(
    cloud: LocalCloud, organization: Any, kind: str, principal: dict[str, str], words: str
) -> None:
    made = organization.create_policy(
        Name=f"guard-{uuid4().hex}",
        Description="",
        Type=kind,
        Content=document({**deny("kms:ListKeys"), **principal}),
    )["Policy"]["PolicySummary"]["Id"]
    auditors = cloud.client("kms", account="audit")
    auditors.list_keys()
    organization.attach_policy(PolicyId=made, TargetId=AUDIT)
    assert words in message_of(auditors.list_keys)
    cloud.client("kms", account="evidence").list_keys()


def test_decisions_are_counted_by_who_and_how(cloud: LocalCloud) -> None:
    role = role_with(cloud, Case("", (allow("sqs:ListQueues"), allow("sns:ListTopics")), print))
    client = clients_of(cloud, role)
    client("sqs").list_queues()
    message_of(update := partial(update_endpoint, client))
    message_of(update)

    page = cloud.context.authorizer.decisions.page()

    counts = page["principals"][role]
    assert (counts["sqs:ListQueues"]["how"], counts["sqs:ListQueues"]["allowed"]) == ("action level", 1)
    refused = counts["sagemaker:UpdateEndpoint"]
    assert (refused["how"], refused["denied"], refused["allowed"]) == ("exact", 2, 0)
    assert ENDPOINT in refused["first_refusal"]
    assert "sqs:ListQueues" in page["decided_at_action_level"]
