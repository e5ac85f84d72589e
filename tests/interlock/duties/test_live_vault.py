"""What the accounts' vaults are set to, beside their locks, is held to what a vault is."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import pytest

from interlock.duties.live_vault import CLOSED, VaultReading, unlike_a_live_vault
from interlock.duties.world import Resource, ResourceKind
from tests.interlock.duties.landscapes import EVIDENCE, LAND

HERE, THERE = LAND.regions
Answers = dict[str, Any]


def key(name: str, region: str, alias: str) -> Resource:
    return Resource(
        arn=f"arn:aws:kms:{region}:{EVIDENCE}:key/{name}", kind=ResourceKind.KEY, account_id=EVIDENCE,
        context={"kms:ResourceAliases": (f"alias/interlock-prod-{alias}",)},
    )  # fmt: skip


KEYS = [key("one", HERE, "evidence"), key("two", THERE, "evidence"), key("other", HERE, "platform")]


def vault(name: str, region: str, own: str, other: str, theirs: str) -> VaultReading:
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": own}
    rule = {
        "Status": "Enabled", "Filter": {"Prefix": ""}, "DeleteMarkerReplication": {"Status": "Disabled"},
        "Destination": {
            "Bucket": f"arn:aws:s3:::{other}", "EncryptionConfiguration": {"ReplicaKmsKeyID": theirs},
        },
    }  # fmt: skip
    return VaultReading(
        name,
        region,
        encryption={"ServerSideEncryptionConfiguration": {"Rules": [{"ApplyServerSideEncryptionByDefault": default}]}},
        public_access={"PublicAccessBlockConfiguration": dict.fromkeys(CLOSED, True)},
        ownership={"OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}},
        replication={"ReplicationConfiguration": {"Rules": [rule]}},
    )


FIRST = vault("first", HERE, KEYS[0].arn, "second", KEYS[1].arn)
SECOND = vault("second", THERE, "two", "first", f"arn:aws:kms:{HERE}:{EVIDENCE}:alias/interlock-prod-evidence")


def lacking(first: VaultReading, *others: VaultReading) -> list[str]:
    return list(unlike_a_live_vault([first, *others], LAND, KEYS))


def test_two_vaults_that_are_set_to_what_vaults_are_lack_nothing() -> None:
    assert lacking(FIRST, SECOND) == []


def test_one_vault_of_one_region_is_replicated_nowhere() -> None:
    land = replace(LAND, regions=(HERE,))
    assert list(unlike_a_live_vault([replace(FIRST, replication=None)], land, KEYS)) == []
    assert list(unlike_a_live_vault([FIRST], land, KEYS)) == ["replication of first nowhere"]


def test_a_region_without_a_vault_is_named() -> None:
    assert lacking(FIRST)[0] == f"a vault with object lock in {THERE}"


ENCRYPTION = "encryption of first under the key of evidence of its region"
OPEN = "first with all public access blocked"
OWNED = "first whose owner owns all that lies in it"
EXPIRING = "first without rules by which what lies in it expires or moves"
REPLICATION = "replication of first into the stack's other vault, whole, under its key, and without delete markers"


def default_of(answers: Answers) -> Answers:
    (rule,) = answers["encryption"]["ServerSideEncryptionConfiguration"]["Rules"]
    found: Answers = rule["ApplyServerSideEncryptionByDefault"]
    return found


def rule_of(answers: Answers) -> Answers:
    (rule,) = answers["replication"]["ReplicationConfiguration"]["Rules"]
    found: Answers = rule
    return found


CHANGES: list[tuple[str, Callable[[Answers], Any]]] = [
    (ENCRYPTION, lambda answers: answers.update(encryption=None)),
    (ENCRYPTION, lambda answers: default_of(answers).update(SSEAlgorithm="AES256")),
    (ENCRYPTION, lambda answers: default_of(answers).update(KMSMasterKeyID=KEYS[2].arn)),
    (ENCRYPTION, lambda answers: default_of(answers).update(KMSMasterKeyID=KEYS[1].arn)),
    (ENCRYPTION, lambda answers: default_of(answers).pop("KMSMasterKeyID")),
    (EXPIRING, lambda answers: answers.update(lifecycle={"Rules": [{"Status": "Disabled"}]})),
    (OPEN, lambda answers: answers.update(public_access=None)),
    *[
        (OPEN, lambda answers, one=one: answers["public_access"]["PublicAccessBlockConfiguration"].update({one: False}))
        for one in CLOSED
    ],
    (OWNED, lambda answers: answers.update(ownership=None)),
    (
        OWNED,
        lambda answers: answers["ownership"]["OwnershipControls"]["Rules"][0].update(ObjectOwnership="ObjectWriter"),
    ),
    (REPLICATION, lambda answers: answers.update(replication=None)),
    (REPLICATION, lambda answers: rule_of(answers).update(Status="Disabled")),
    (REPLICATION, lambda answers: rule_of(answers).update(Filter={"Prefix": "releases/"})),
    (REPLICATION, lambda answers: rule_of(answers).update(Filter={"Tag": {"Key": "a", "Value": "b"}})),
    (REPLICATION, lambda answers: rule_of(answers).update(Prefix="releases/")),
    (REPLICATION, lambda answers: rule_of(answers)["DeleteMarkerReplication"].update(Status="Enabled")),
    (REPLICATION, lambda answers: rule_of(answers).pop("DeleteMarkerReplication")),
    (REPLICATION, lambda answers: rule_of(answers)["Destination"].update(Bucket="arn:aws:s3:::elsewhere")),
    (REPLICATION, lambda answers: rule_of(answers)["Destination"].update(Bucket="arn:aws:s3:::first")),
    (REPLICATION, lambda answers: rule_of(answers)["Destination"].update(Account="999988887777")),
    (REPLICATION, lambda answers: rule_of(answers)["Destination"].pop("EncryptionConfiguration")),
    (REPLICATION, lambda answers: answers["replication"]["ReplicationConfiguration"]["Rules"].append({})),
]


@pytest.mark.parametrize(("said", "change"), CHANGES, ids=[f"{said}-{at}" for at, (said, _) in enumerate(CHANGES)])
def test_a_setting_that_weakens_a_vault_is_named(said: str, change: Callable[[Answers], Any]) -> None:
    answers = copy.deepcopy(asdict(FIRST))
    change(answers)
    assert lacking(VaultReading(**answers), SECOND) == [said]
