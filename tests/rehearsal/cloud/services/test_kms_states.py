"""What a key of KMS does in which state."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from rehearsal.cloud.server import LocalCloud
from rehearsal.cloud.services.kms.states import CRYPTOGRAPHIC_OPERATIONS, GUARDED_OPERATIONS, refusal

OTHER_REGION = "eu-central-1"


@pytest.fixture
def kms(cloud: LocalCloud) -> Any:
    return cloud.client("kms")


def _new(kms: Any, **options: Any) -> dict[str, Any]:
    made: dict[str, Any] = kms.create_key(**options)["KeyMetadata"]
    return made


def _signing_key(kms: Any, spec: str = "ECC_NIST_P256", **options: Any) -> str:
    return str(_new(kms, KeySpec=spec, KeyUsage="SIGN_VERIFY", **options)["Arn"])


def _code(refused: pytest.ExceptionInfo[ClientError]) -> str:
    return str(refused.value.response["Error"]["Code"])


def _message(refused: pytest.ExceptionInfo[ClientError]) -> str:
    return str(refused.value.response["Error"]["Message"])


USES = {
    "sign": {"Message": b"x", "SigningAlgorithm": "ECDSA_SHA_256"},
    "verify": {"Message": b"x", "Signature": b"y", "SigningAlgorithm": "ECDSA_SHA_256"},
    "get_public_key": {},
}
SYMMETRIC_USES: dict[str, dict[str, Any]] = {
    "encrypt": {"Plaintext": b"x"},
    "generate_data_key": {"KeySpec": "AES_256"},
    "generate_data_key_without_plaintext": {"KeySpec": "AES_256"},
    "generate_data_key_pair": {"KeyPairSpec": "ECC_NIST_P256"},
    "enable_key_rotation": {},
}


@pytest.mark.corrects("kms.key-states")
@pytest.mark.parametrize("operation", [*USES, *SYMMETRIC_USES])
def test_a_disabled_key_is_not_used(cloud: LocalCloud, kms: Any, operation: str) -> None:
    key = _signing_key(kms) if operation in USES else _new(kms)["Arn"]
    kms.disable_key(KeyId=key)
    with pytest.raises(ClientError) as refused:
        getattr(kms, operation)(KeyId=key, **(USES | SYMMETRIC_USES)[operation])
    assert (_code(refused), _message(refused)) == ("DisabledException", f"{key} is disabled.")


@pytest.mark.corrects("kms.key-states")
@pytest.mark.parametrize("operation", [*USES, *SYMMETRIC_USES, "enable_key", "disable_key", "schedule_key_deletion"])
def test_a_key_pending_deletion_is_neither_used_nor_changed(cloud: LocalCloud, kms: Any, operation: str) -> None:
    key = _signing_key(kms) if operation in USES else _new(kms)["Arn"]
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    with pytest.raises(ClientError) as refused:
        getattr(kms, operation)(KeyId=key, **(USES | SYMMETRIC_USES).get(operation, {}))
    assert (_code(refused), _message(refused)) == ("KMSInvalidStateException", f"{key} is pending deletion.")


@pytest.mark.corrects("kms.key-states")
def test_what_a_disabled_key_encrypted_stays_sealed_until_it_is_enabled(cloud: LocalCloud, kms: Any) -> None:
    key = _new(kms)["KeyId"]
    sealed = kms.encrypt(KeyId=key, Plaintext=b"secret")["CiphertextBlob"]
    kms.disable_key(KeyId=key)
    with pytest.raises(ClientError) as refused:
        kms.decrypt(CiphertextBlob=sealed)
    assert _code(refused) == "DisabledException"
    kms.enable_key(KeyId=key)
    assert kms.decrypt(CiphertextBlob=sealed)["Plaintext"] == b"secret"


@pytest.mark.corrects("kms.schedule-deletion")
def test_scheduling_a_deletion_answers_when_and_cancelling_leaves_the_key_disabled(cloud: LocalCloud, kms: Any) -> None:
    key = _new(kms)
    scheduled = kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)
    assert scheduled["KeyId"] == key["Arn"]
    assert (scheduled["KeyState"], scheduled["PendingWindowInDays"]) == ("PendingDeletion", 7)
    assert kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["DeletionDate"] == scheduled["DeletionDate"]

    assert kms.cancel_key_deletion(KeyId=key["KeyId"])["KeyId"] == key["Arn"]
    described = kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
    assert (described["KeyState"], described["Enabled"]) == ("Disabled", False)
    with pytest.raises(ClientError) as refused:
        kms.cancel_key_deletion(KeyId=key["KeyId"])
    assert _code(refused) == "KMSInvalidStateException"


@pytest.mark.corrects("kms.schedule-deletion")
@pytest.mark.parametrize("days", [1, 6, 31])
def test_a_deletion_window_outside_7_to_30_days_is_refused(cloud: LocalCloud, kms: Any, days: int) -> None:
    key = _new(kms)["KeyId"]
    with pytest.raises(ClientError) as refused:
        kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=days)
    assert _code(refused) == "ValidationException"
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Enabled"


@pytest.mark.corrects("kms.key-arns")
def test_operations_take_a_keys_arn(cloud: LocalCloud, kms: Any) -> None:
    key = _new(kms)["Arn"]
    kms.disable_key(KeyId=key)
    kms.enable_key(KeyId=key)
    kms.schedule_key_deletion(KeyId=key)
    kms.cancel_key_deletion(KeyId=key)
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Disabled"


def test_the_inventory_counts_keys_until_their_deletion_is_scheduled(cloud: LocalCloud, kms: Any) -> None:
    key = _new(kms)
    kms.create_alias(AliasName="alias/counted", TargetKeyId=key["KeyId"])
    assert {key["Arn"], key["Arn"].split(":key/")[0] + ":alias/counted"} <= set(cloud.inventory()["kms"])
    kms.schedule_key_deletion(KeyId=key["KeyId"])
    assert key["Arn"] not in cloud.inventory()["kms"]


def test_every_cryptographic_operation_needs_an_enabled_key() -> None:
    states = ["Disabled", "PendingDeletion", "PendingImport", "PendingReplicaDeletion"]
    assert all(refusal(operation, state) for operation in CRYPTOGRAPHIC_OPERATIONS for state in states)
    assert not any(refusal(operation, "Enabled") for operation in set(GUARDED_OPERATIONS) - {"CancelKeyDeletion"})


def test_a_primary_waits_for_its_replicas_before_its_deletion(cloud: LocalCloud, kms: Any) -> None:
    key = _new(kms, MultiRegion=True)["KeyId"]
    kms.replicate_key(KeyId=key, ReplicaRegion=OTHER_REGION)
    assert kms.schedule_key_deletion(KeyId=key)["KeyState"] == "PendingReplicaDeletion"
