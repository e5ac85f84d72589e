"""Signing keys: one a duty and an approver, in one region or in two."""

from __future__ import annotations

import json
from typing import Any

import pytest

from interlock.duties.duty import SigningDuty
from policy.recording.answers import ACCOUNT, RECOVERY_REGION, REGION
from policy.recording.monitor import Recording, record
from tests.components.programs import MULTI_REGION_KEY, make

KEY, REPLICA, ALIAS = "aws:kms/key:Key", "aws:kms/replicaKey:ReplicaKey", "aws:kms/alias:Alias"
PEOPLE = ("ana", "ben")


@pytest.fixture(params=[True, False], ids=["preview", "up"])
def preview(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def made(preview: bool, **changed: Any) -> Recording:
    return record(lambda: _make("SigningKeys", changed), preview=preview)


def replicated(preview: bool, **changed: Any) -> Recording:
    return record(lambda: _make("SigningKeyReplicas", changed), preview=preview)


def policy_of(recording: Recording, kind: str, name: str) -> dict[str, dict[str, Any]]:
    return {one["Sid"]: one for one in json.loads(recording.one(kind, name).inputs["policy"])["Statement"]}


def test_every_duty_and_every_approver_has_an_elliptic_key_and_an_alias(preview: bool) -> None:
    recording = made(preview)
    keys = {one.name: one.inputs for one in recording.of_type(KEY) if one.inputs.get("keyUsage") == "SIGN_VERIFY"}
    assert set(keys) == {*(f"one-{duty}" for duty in SigningDuty), *(f"one-approver-{person}" for person in PEOPLE)}
    assert {one["customerMasterKeySpec"] for one in keys.values()} == {"ECC_NIST_P256"}
    aliases = {one.inputs["name"] for one in recording.of_type(ALIAS)}
    assert {"alias/keys-one-builder", "alias/keys-one-approver-ana", "alias/keys-one-evidence"} <= aliases


def test_keys_are_of_several_regions_only_when_asked_for() -> None:
    several = [one.inputs["multiRegion"] for one in made(True).of_type(KEY) if "multiRegion" in one.inputs]
    assert several == [True] * 8
    for asked in (False, ...):
        assert [one for one in made(True, multi_region=asked).of_type(KEY) if "multiRegion" in one.inputs] == []


def test_an_approvers_key_signs_for_that_person_alone(preview: bool) -> None:
    found = policy_of(made(preview), KEY, "one-approver-ben")
    assert found["DenyOthers"]["Condition"] == {"StringNotEquals": {"aws:SourceIdentity": "ben@example.com"}}
    assert found["SignAsThisPerson"]["Condition"] == {"StringEquals": {"aws:SourceIdentity": "ben@example.com"}}


def test_the_outputs_name_each_key_and_whose_it_is() -> None:
    recording = made(False)
    outputs = recording.outputs_of("interlock:keys:SigningKeys")
    assert set(outputs["keys"]) == {duty.value for duty in SigningDuty}
    assert outputs["approverKeys"]["ana"]["source_identity"] == "ana@example.com"
    assert outputs["approverKeys"]["ana"]["alias"] == "alias/keys-one-approver-ana"


def test_without_approvers_there_is_no_key_of_a_person() -> None:
    assert made(False, approvers=...).outputs_of("interlock:keys:SigningKeys")["approverKeys"] == {}


def test_a_key_that_there_is_already_takes_the_place_of_a_new_one(preview: bool) -> None:
    arn = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-0000"
    recording = made(preview, existing_key_arns={"builder": arn}, existing_evidence_key_arn=arn)
    assert "one-builder" not in {one.name for one in recording.of_type(KEY)}
    assert not [one for one in recording.of_type(KEY) if one.inputs.get("enableKeyRotation")]
    assert recording.one(ALIAS, "one-builder-alias").inputs["targetKeyId"] == "1234abcd-0000"
    outputs = recording.outputs_of("interlock:keys:SigningKeys")
    assert outputs["evidenceKeyArn"] == arn


def test_the_key_that_encrypts_evidence_rotates(preview: bool) -> None:
    assert made(preview).one(KEY, "one-evidence-key").inputs["enableKeyRotation"] is True


def test_a_replica_is_the_same_key_with_its_own_policy_and_alias(preview: bool) -> None:
    recording = replicated(preview)
    replicas = {one.name: one.inputs for one in recording.of_type(REPLICA)}
    assert set(replicas) == {*(f"one-{duty}" for duty in SigningDuty), "one-approver-ana"}
    assert replicas["one-witness"]["primaryKeyArn"] == MULTI_REGION_KEY
    assert "DenyTakingAway" in policy_of(recording, REPLICA, "one-witness")
    assert "DenyOthers" in policy_of(recording, REPLICA, "one-approver-ana")
    assert len(recording.of_type(ALIAS)) == len(replicas)


def test_a_replicas_arn_is_of_its_own_region() -> None:
    keys = replicated(False).outputs_of("interlock:keys:SigningKeyReplicas")["keys"]
    assert keys["witness"]["key_id"] == MULTI_REGION_KEY.rpartition("/")[2]
    assert keys["witness"]["key_arn"].split(":")[3] == RECOVERY_REGION


def test_a_replica_that_there_is_already_takes_the_place_of_a_new_one(preview: bool) -> None:
    arn = MULTI_REGION_KEY.replace(REGION, RECOVERY_REGION)
    recording = replicated(preview, existing_replica_arns={"log": arn})
    assert "one-log" not in {one.name for one in recording.of_type(REPLICA)}
    assert recording.one(ALIAS, "one-log-alias").inputs["targetKeyId"] == arn.rpartition("/")[2]


def _make(kind: str, changed: dict[str, Any]) -> None:
    make(kind, **changed)
