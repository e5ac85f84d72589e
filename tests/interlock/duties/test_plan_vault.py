"""What a preview sets a vault to, beside its lock, is held to what a vault is."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from interlock.duties.plan_vault import (
    BUCKET,
    CLOSED,
    ENCRYPTION,
    LIFECYCLE,
    OWNERSHIP,
    PUBLIC_ACCESS,
    REPLICATION,
    unlike_a_vault,
)
from interlock.duties.plan_world import read_plan
from interlock.duties.world import Resource, ResourceKind
from tests.interlock.duties.landscapes import LAND
from tests.interlock.duties.test_planned import EVIDENCE, UNKNOWN, preview, step, urn

KEY = "aws:kms/key:Key"
HERE, THERE = LAND.regions
ONE_REGION = replace(LAND, evidence=EVIDENCE, regions=(HERE,))
TWO_REGIONS = replace(LAND, evidence=EVIDENCE)
Steps = list[dict[str, Any]]
Edit = Callable[[dict[str, Any]], Any]


def key(name: str, region: str, alias: str = "alias/interlock-prod-evidence") -> Resource:
    return Resource(
        arn=f"arn:aws:kms:{region}:{EVIDENCE}:key/{name}",
        kind=ResourceKind.KEY,
        account_id=EVIDENCE,
        context={"kms:ResourceAliases": (alias,)},
        source=urn(KEY, name),
    )


KEYS = [key("evidence", HERE), key("evidence-there", THERE), key("platform", HERE, "alias/interlock-prod-platform")]


def half(name: str, region: str, own_key: str) -> Steps:
    of = {"bucket": [urn(BUCKET, name)]}
    rule = {"applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": UNKNOWN}}
    return [
        step(BUCKET, name, bucket=name, objectLockEnabled=True, region=region),
        step(ENCRYPTION, f"{name}-encryption", {**of, "rules": [urn(KEY, own_key)]}, bucket=UNKNOWN, rules=[rule]),
        step(PUBLIC_ACCESS, f"{name}-closed", of, bucket=UNKNOWN, **dict.fromkeys(CLOSED, True)),
        step(OWNERSHIP, f"{name}-owned", of, bucket=UNKNOWN, rule={"objectOwnership": "BucketOwnerEnforced"}),
    ]


def replication(name: str, other: str, replica_key: str) -> dict[str, Any]:
    rule = {
        "status": "Enabled", "filter": {}, "deleteMarkerReplication": {"status": "Disabled"},
        "destination": {
            "bucket": f"arn:aws:s3:::{other}", "encryptionConfiguration": {"replicaKmsKeyId": UNKNOWN},
        },
    }  # fmt: skip
    needs = {"bucket": [urn(BUCKET, name)], "rules": [urn(BUCKET, other), urn(KEY, replica_key)]}
    return step(REPLICATION, f"{name}-replicates", needs, bucket=UNKNOWN, rules=[rule])


ALONE = half("one", HERE, "evidence")
BOTH = [
    *ALONE, *half("two", THERE, "evidence-there"),
    replication("one", "two", "evidence-there"), replication("two", "one", "evidence"),
]  # fmt: skip
OF_KEYS = [step(KEY, one.source.rpartition("::")[2], region=one.region) for one in KEYS]


def wrong(steps: Steps, *, two: bool = False) -> list[str]:
    plan = read_plan(preview(*OF_KEYS, *steps))
    return list(unlike_a_vault(plan, TWO_REGIONS if two else ONE_REGION, KEYS))


def edited(steps: Steps, kind: str, edit: Edit) -> Steps:
    changed = copy.deepcopy(steps)
    first = next(one for one in changed if one["newState"]["type"] == kind)
    edit(first["newState"])
    return changed


def without(steps: Steps, kind: str) -> Steps:
    return [one for one in steps if one["newState"]["type"] != kind]


def default(state: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = state["inputs"]["rules"][0]["applyServerSideEncryptionByDefault"]
    return found


def test_a_vault_as_the_program_makes_it_is_one_in_one_region_and_in_two() -> None:
    assert wrong(ALONE) == []
    assert wrong(BOTH, two=True) == []


def test_a_key_that_is_there_already_counts_by_its_arn() -> None:
    known = edited(ALONE, ENCRYPTION, lambda state: default(state).update(kmsMasterKeyId=KEYS[0].arn))
    assert wrong(known) == []
    elsewhere = edited(ALONE, ENCRYPTION, lambda state: default(state).update(kmsMasterKeyId=KEYS[2].arn))
    assert wrong(elsewhere) == ["encryption of one under the key of evidence of its region"]


ENCRYPTED: dict[str, Edit] = {
    "not under KMS": lambda state: default(state).update(sseAlgorithm="AES256"),
    "under the platform's key": lambda state: state["propertyDependencies"].update(rules=[urn(KEY, "platform")]),
    "under another region's": lambda state: state["propertyDependencies"].update(rules=[urn(KEY, "evidence-there")]),
    "under an unknown key": lambda state: state["propertyDependencies"].update(rules=[]),
    "by unknown rules": lambda state: state["inputs"].update(rules=UNKNOWN),
    "by a rule that is none": lambda state: state["inputs"].update(rules=[UNKNOWN]),
}


@pytest.mark.parametrize("how", ENCRYPTED)
def test_a_vault_that_is_encrypted_otherwise_is_named(how: str) -> None:
    assert wrong(edited(ALONE, ENCRYPTION, ENCRYPTED[how])) == [
        "encryption of one under the key of evidence of its region"
    ]
    assert len(wrong(without(ALONE, ENCRYPTION))) == 1


@pytest.mark.parametrize("one", CLOSED)
def test_a_vault_that_is_not_closed_to_everybody_is_named(one: str) -> None:
    for value in (False, UNKNOWN, None):
        opened = edited(ALONE, PUBLIC_ACCESS, lambda state, now=value: state["inputs"].update({one: now}))  # type: ignore[misc]
        assert wrong(opened) == ["one with all public access blocked"]
    assert wrong(without(ALONE, PUBLIC_ACCESS)) == ["one with all public access blocked"]


def test_a_vault_whose_objects_expire_or_are_their_writers_is_named() -> None:
    expiring = step(LIFECYCLE, "expiring", {"bucket": [urn(BUCKET, "one")]}, bucket=UNKNOWN, rules=[{"id": "x"}])
    assert wrong([*ALONE, expiring]) == ["one without rules by which what lies in it expires or moves"]
    written = edited(ALONE, OWNERSHIP, lambda state: state["inputs"].update(rule={"objectOwnership": "ObjectWriter"}))
    assert wrong(written) == ["one whose owner owns all that lies in it"] == wrong(without(ALONE, OWNERSHIP))


def rule(state: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = state["inputs"]["rules"][0]
    return found


REPLICATED: dict[str, Edit] = {
    "to somebody else's bucket": lambda state: rule(state)["destination"].update(bucket="arn:aws:s3:::attackers"),
    "to itself": lambda state: rule(state)["destination"].update(bucket="arn:aws:s3:::one"),
    "to another account": lambda state: rule(state)["destination"].update(account="999999999999"),
    "with another owner": lambda state: rule(state)["destination"].update(accessControlTranslation={"owner": "x"}),
    "in part": lambda state: rule(state).update(filter={"prefix": "releases/"}),
    "not at present": lambda state: rule(state).update(status="Disabled"),
    "with delete markers": lambda state: rule(state).update(deleteMarkerReplication={"status": "Enabled"}),
    "under another key": lambda state: state["propertyDependencies"].update(rules=[urn(KEY, "platform")]),
    "nowhere": lambda state: state["inputs"].update(rules=[]),
}


@pytest.mark.parametrize("how", REPLICATED)
def test_a_vault_that_is_replicated_otherwise_is_named(how: str) -> None:
    (found,) = wrong(edited(BOTH, REPLICATION, REPLICATED[how]), two=True)
    assert found.startswith("replication of one into the stack's other vault")


def test_a_vault_replicates_into_the_other_region_if_there_is_one_and_nowhere_else() -> None:
    assert len(wrong(without(BOTH, REPLICATION), two=True)) == len(["one", "two"])
    assert wrong([*ALONE, replication("one", "two", "evidence-there")]) == ["replication of one nowhere"]
