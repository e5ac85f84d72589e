"""Who takes on a role: by trust, with a source identity, with a token of a provider, with a second factor."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from botocore import UNSIGNED
from botocore.config import Config

from rehearsal.cloud.accounts import WORKLOAD, credentials
from rehearsal.cloud.server import LocalCloud
from rehearsal.totp import code_at
from tests.rehearsal.cloud.policies import Case, allow, clients_of, deny, document, message_of, role_with
from tests.rehearsal.cloud.refusals import refusal


def test_a_source_identity_stays_through_every_role(cloud: LocalCloud) -> None:
    everything = Case("", (allow("*"),), print)
    first, second = role_with(cloud, everything), role_with(cloud, everything)
    session = clients_of(cloud, first, SourceIdentity="approver-1")

    def onwards(**more: str) -> Any:
        return session("sts").assume_role(RoleArn=second, RoleSessionName="next", **more)

    assert onwards()["SourceIdentity"] == "approver-1"
    assert "sts:SetSourceIdentity" in message_of(lambda: onwards(SourceIdentity="approver-2"))


def test_a_trust_policy_that_demands_a_source_identity_gets_one(cloud: LocalCloud) -> None:
    let_in = {
        "Effect": "Allow",
        "Principal": {"AWS": WORKLOAD},
        "Action": ["sts:AssumeRole", "sts:SetSourceIdentity"],
        "Condition": {"StringEquals": {"sts:SourceIdentity": "approver-1"}},
    }
    role = role_with(cloud, Case("", (allow("*"),), print), document(let_in))
    for asked in ({}, {"SourceIdentity": "somebody"}):
        assert "no role trust policy allows" in message_of(partial(clients_of, cloud, role, **asked))
    clients_of(cloud, role, SourceIdentity="approver-1")


ISSUER = "https://pipelines.example.com"


@pytest.fixture(scope="module")
def provider(cloud: LocalCloud) -> str:
    made = cloud.client("iam").create_open_id_connect_provider(
        Url=ISSUER, ClientIDList=["sts.amazonaws.com"], ThumbprintList=["a" * 40]
    )
    return str(made["OpenIDConnectProviderArn"])


def federate(cloud: LocalCloud, role: str, token: str) -> Any:
    nobody = cloud.client("sts", config=Config(signature_version=UNSIGNED))
    return nobody.assume_role_with_web_identity(RoleArn=role, RoleSessionName="release", WebIdentityToken=token)


def pipeline_role(cloud: LocalCloud, provider: str) -> str:
    let_in = {
        "Effect": "Allow",
        "Principal": {"Federated": provider},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {"pipelines.example.com:sub": "repo:example/models"}},
    }
    return role_with(cloud, Case("", (allow("sqs:ListQueues"),), print), document(let_in))


@pytest.mark.corrects("sts.web-identity")
def test_a_pipeline_takes_on_the_role_that_its_token_is_for(cloud: LocalCloud, provider: str) -> None:
    role = pipeline_role(cloud, provider)
    token = cloud.token(ISSUER, "sts.amazonaws.com", "repo:example/models")["token"]
    session = federate(cloud, role, token)
    assert session["SubjectFromWebIdentityToken"] == "repo:example/models"
    client: Callable[..., Any] = partial(cloud.client, **credentials(session))
    client("sqs").list_queues()
    assert "no identity-based policy" in message_of(lambda: client("sns").list_topics())


@pytest.mark.parametrize(
    ("issuer", "audience", "subject", "code"),
    [
        (ISSUER, "sts.amazonaws.com", "repo:example/another", "AccessDenied"),
        (ISSUER, "somebody.example.com", "repo:example/models", "InvalidIdentityToken"),
        ("https://unknown.example.com", "sts.amazonaws.com", "repo:example/models", "InvalidIdentityToken"),
    ],
    ids=["subject", "audience", "issuer"],
)
def test_a_token_for_something_else_is_refused(
    cloud: LocalCloud, provider: str, issuer: str, audience: str, subject: str, code: str
) -> None:
    role = pipeline_role(cloud, provider)
    token = cloud.token(issuer, audience, subject)["token"]
    assert refusal(lambda: federate(cloud, role, token)) == code


def test_a_token_that_was_altered_or_is_over_is_refused(cloud: LocalCloud, provider: str) -> None:
    role = pipeline_role(cloud, provider)
    issued = partial(cloud.context.issuer.token, ISSUER, "sts.amazonaws.com")
    other, good = issued("repo:example/models", cloud.context.now()), issued("repo:x/y", cloud.context.now())
    forged = ".".join([*other.split(".")[:2], good.split(".")[2]])
    old = issued("repo:example/models", cloud.context.now() - timedelta(hours=1))
    assert refusal(lambda: federate(cloud, role, forged)) == "InvalidIdentityToken"
    assert refusal(lambda: federate(cloud, role, old)) == "ExpiredTokenException"


def test_a_second_factor_counts_if_it_is_the_users_own_and_current(cloud: LocalCloud) -> None:
    iam, name = cloud.client("iam"), f"user-{uuid4().hex[:8]}"
    user = iam.create_user(UserName=name)["User"]["Arn"]
    key = iam.create_access_key(UserName=name)["AccessKey"]
    device = iam.create_virtual_mfa_device(VirtualMFADeviceName=name)["VirtualMFADevice"]
    serial, seed = device["SerialNumber"], device["Base32StringSeed"].decode()
    iam.enable_mfa_device(
        UserName=name, SerialNumber=serial, AuthenticationCode1="000000", AuthenticationCode2="000001"
    )
    let_in = {
        "Effect": "Allow",
        "Principal": {"AWS": user},
        "Action": "sts:AssumeRole",
        "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
    }
    needing = (allow("sqs:*", Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}}), deny("sns:*"))
    role = role_with(cloud, Case("", needing, print), document(let_in))
    sts = cloud.client("sts", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"])
    assume = partial(sts.assume_role, RoleArn=role, RoleSessionName=name)
    assert "no role trust policy allows" in message_of(assume)
    now = cloud.context.now()
    wrong = code_at(seed, now - timedelta(hours=1))
    assert "MultiFactorAuthentication failed" in message_of(partial(assume, SerialNumber=serial, TokenCode=wrong))
    session = assume(SerialNumber=serial, TokenCode=code_at(seed, cloud.context.now()))
    cloud.client("sqs", **credentials(session)).list_queues()
