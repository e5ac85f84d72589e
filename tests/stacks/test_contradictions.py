"""Settings that are right one by one and wrong together, and values of which the right one can be told."""

from __future__ import annotations

from typing import Any

import pytest

from components.validation import ArgumentError
from interlock.rules import Problem
from stacks.program import read_settings
from tests.stacks.configurations import local, prod, section

WORKLOAD, EVIDENCE, STRANGER = "123456789012", "210987654321", "999988887777"
ROLE = f"arn:aws:iam::{WORKLOAD}:role"
KEY = "key/1234abcd-12ab-34cd-56ef-1234567890ab"
SOURCE_TAG = f"src-{'0123456789' * 4}"
REGISTRY = f"{WORKLOAD}.dkr.ecr.eu-west-1.amazonaws.com/interlock/local"

Case = tuple[dict[str, Any], str, str, str]
"""What is changed; the path, part of what was received, and part of what would be accepted."""

APART: dict[str, Case] = {
    "everybody as administrators": ({"administrators": ["*"]}, "administrators", "'*'", "of one role or user, without"),
    "a pattern of roles": ({"administrators": [f"{ROLE}/*"]}, "administrators", "role/*", "without *"),
    "a pattern of accounts": (
        {"administrators": ["arn:aws:iam::*:role/foundation"]}, "administrators", "::*:", "without *",
    ),
    "an account as signer": (
        {"signers": {"builder": [f"arn:aws:iam::{WORKLOAD}:root"]}}, "signers.builder", ":root", "of one role or user",
    ),
    "a session as signer": (
        {"signers": {"builder": [f"arn:aws:sts::{WORKLOAD}:assumed-role/builder/ana"]}},
        "signers.builder", "assumed-role", f"name the role of that session, {ROLE}/builder",
    ),
    "a session as publisher": (
        {"images": {"publishers": [f"arn:aws:sts::{WORKLOAD}:assumed-role/ci/job"]}},
        "images.publishers", "assumed-role", f"{ROLE}/ci",
    ),
    "a signer of an account that nothing names": (
        {"signers": {"builder": [f"arn:aws:iam::{STRANGER}:role/builder"]}},
        "signers.builder", STRANGER, f"principals of accounts that the settings name: {WORKLOAD}",
    ),
    "an administrator who cannot administer": (
        {"accounts": {"audit": {"account_id": STRANGER}},
         "administrators": [f"{ROLE}/a", f"arn:aws:iam::{STRANGER}:role/a"]},
        "administrators", STRANGER, f"settings name: {WORKLOAD}",
    ),
    "a principal of another partition": (
        {"administrators": [f"arn:aws-cn:iam::{WORKLOAD}:role/foundation"]},
        "administrators", "aws-cn", "ARNs of the partition aws, which eu-west-1 is in",
    ),
    "a role of another partition": (
        {"role_arn": f"arn:aws-us-gov:iam::{WORKLOAD}:role/deploy"}, "role_arn", "aws-us-gov", "the partition aws",
    ),
    "a vault that is its own staging": (
        {"vault": {"bucket_name": "one-vault", "staging_bucket_name": "one-vault"}},
        "vault.staging_bucket_name", "'one-vault'", "a name of its own: one-vault is vault.bucket_name already",
    ),
    "a vault among the artifacts": (
        {"vault": {"recovery_bucket_name": "one-store"}, "artifacts": {"existing_bucket_name": "one-store"}},
        "artifacts.existing_bucket_name", "'one-store'", "is vault.recovery_bucket_name already",
    ),
    "a bucket with two periods": ({"vault": {"bucket_name": "a..b"}}, "vault.bucket_name", "'a..b'", "single periods"),
    "a bucket that is an address": (
        {"vault": {"bucket_name": "10.0.0.1"}}, "vault.bucket_name", "'10.0.0.1'", "a bucket's name: 3 to 63",
    ),
    "an evidence key of another region": (
        {"keys": {"existing_evidence_key_arn": f"arn:aws:kms:us-east-1:{WORKLOAD}:{KEY}"}},
        "keys.existing_evidence_key_arn", "us-east-1", f"one of account {WORKLOAD} in eu-west-1, where it is used",
    ),
    "a duty's key of another account": (
        {"keys": {"existing_key_arns": {"builder": f"arn:aws:kms:eu-west-1:{STRANGER}:{KEY}"}}},
        "keys.existing_key_arns.builder", STRANGER, f"one of account {WORKLOAD} in eu-west-1",
    ),
    "clients that are inside already": (
        {"tracking": section("tracking", client_cidr_blocks=["10.90.0.0/16", "10.20.0.0/16"])},
        "tracking.client_cidr_blocks[1]", "'10.20.0.0/16'", "outside of the network's own 10.20.0.0/16",
    ),
    "clients in one of its subnets": (
        {"tracking": section("tracking", client_cidr_blocks=["10.20.16.0/20"])},
        "tracking.client_cidr_blocks[0]", "'10.20.16.0/20'", "which is admitted anyway",
    ),
    "a host in place of a network": (
        {"network": section("network", cidr_block="10.20.1.0/16")},
        "network.cidr_block", "'10.20.1.0/16'", "10.20.1.0/16 names a host in the block 10.20.0.0/16",
    ),
    "a host in place of clients": (
        {"tracking": section("tracking", client_cidr_blocks=["10.90.3.4/16"])},
        "tracking.client_cidr_blocks[0]", "'10.90.3.4/16'", "in the block 10.90.0.0/16",
    ),
    "copies to nowhere": ({"images": {"replicates": ["two"]}}, "images.replicates", "two", "a section recovery"),
    "a text in place of a list": (
        {"endpoints": "hello"}, "endpoints", "'hello'", "a list, each a section with name, image",
    ),
    "a ledger of nobody's": (
        {"ledger": {"image": f"{REGISTRY}/ledger:1"}}, "duties", "nothing", "whose roles sequencer and witness",
    ),
    "a ledger of another stack's": (
        {"layers": ["platform"], "foundation_stack": "organization/interlock/base",
         "ledger": {"image": f"{REGISTRY}/ledger:1"}},
        "ledger", "ledger:1", "the foundation is another stack's",
    ),
    "a ledger that runs by the second": (
        {"ledger": {"image": f"{REGISTRY}/ledger:1", "minutes": 0}}, "ledger.minutes", "0", "from 1 to 60 minutes",
    ),
    "a rotation named after the server's content": (
        {"tracking": section("tracking", image=f"{REGISTRY}/mlflow:{SOURCE_TAG}")},
        "tracking.rotation.image", "nothing", "an image of its own",
    ),
    "a rotation named after the server's digest": (
        {"tracking": section("tracking", image=f"{REGISTRY}/mlflow@sha256:{'0' * 64}")},
        "tracking.rotation.image", "nothing", "an image of its own",
    ),
}  # fmt: skip

APART_IN_PROD: dict[str, Case] = {
    "two owners of one replication": (
        {"images": {"replicated_by": "one", "replicates": ["two"]}}, "images.replicates", "two", "as one has the images"
    ),
    "nobody named to sign": ({"signers": ...}, "signers", "nothing", "for builder, deployer, responder, observer, log"),
    "a duty without a signer": (
        {"signers": {"builder": [f"{ROLE}/builder"]}}, "signers", "builder", "for deployer, responder, observer, log",
    ),
    "nobody named to publish": ({"images": ...}, "images.publishers", "nothing", "who alone may push images"),
    "an empty list of publishers": ({"images": {"publishers": []}}, "images.publishers", "[]", "who alone may push"),
    "one principal for two duties": (
        {"signers": {duty: [f"{ROLE}/{'both' if duty in ('builder', 'deployer') else duty}"]
                     for duty in ("builder", "deployer", "responder", "observer", "log", "witness")}},
        "signers", "role/both", "has builder and deployer",
    ),
    "a publisher who deploys": (
        {"images": {"publishers": [f"{ROLE}/deployer"]}}, "signers", "role/deployer", "has deployer and builder",
    ),
}  # fmt: skip


def refused(config: dict[str, str]) -> list[Problem]:
    with pytest.raises(ArgumentError) as caught:
        read_settings("one", config)
    return list(caught.value.problems)


@pytest.mark.parametrize("what", sorted(APART))
def test_what_does_not_go_together_is_named_with_what_would(what: str) -> None:
    changed, path, received, accepted = APART[what]
    found = [one for one in refused(local(**changed)) if one.path == f"interlock:{path}"]
    assert any(received in one.received and accepted in one.accepted for one in found), found


@pytest.mark.parametrize("what", sorted(APART_IN_PROD))
def test_prod_demands_that_duties_are_apart(what: str) -> None:
    changed, path, received, accepted = APART_IN_PROD[what]
    found = refused(prod(**changed))
    assert any(
        one.path == f"interlock:{path}" and received in one.received and accepted in one.accepted for one in found
    ), found


@pytest.mark.parametrize(
    "right",
    [
        {"vault": {"bucket_name": "evidence.example-1", "staging_bucket_name": "staging.example-1"}},
        {"tracking": section("tracking", client_cidr_blocks=["10.0.0.0/8"])},
        {"administrators": [f"{ROLE}/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_0123456789abcdef"]},
        {
            "tracking": section(
                "tracking",
                image=f"{REGISTRY}/mlflow:{SOURCE_TAG}",
                rotation={"image": f"{REGISTRY}/rotation:{SOURCE_TAG}"},
            )
        },
    ],
    ids=["names with periods", "a company's whole range", "a role of the identity centre", "an image of its own"],
)
def test_what_does_go_together_is_accepted(right: dict[str, Any]) -> None:
    read_settings("one", local(**right))
