"""KMS in the local cloud: signatures verify elsewhere, and a key does only what its state and kind allow."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_der_public_key
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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


@pytest.mark.corrects("kms.sign-digest")
def test_a_signature_of_a_digest_verifies_offline_against_the_message(cloud: LocalCloud, kms: Any) -> None:
    key = _signing_key(kms)
    message = b"a manifest" * 1000
    signature = kms.sign(
        KeyId=key, Message=hashlib.sha256(message).digest(), MessageType="DIGEST", SigningAlgorithm="ECDSA_SHA_256"
    )["Signature"]

    public = load_der_public_key(kms.get_public_key(KeyId=key)["PublicKey"])
    assert isinstance(public, ec.EllipticCurvePublicKey)
    public.verify(signature, message, ec.ECDSA(hashes.SHA256()))
    with pytest.raises(InvalidSignature):
        public.verify(signature, message + b".", ec.ECDSA(hashes.SHA256()))


@pytest.mark.parametrize("scheme", ["PSS", "PKCS1_V1_5"])
def test_an_rsa_signature_verifies_offline(cloud: LocalCloud, kms: Any, scheme: str) -> None:
    key = _signing_key(kms, "RSA_2048")
    algorithm = f"RSASSA_{scheme}_SHA_256"
    signature = kms.sign(KeyId=key, Message=b"message", SigningAlgorithm=algorithm)["Signature"]

    public = load_der_public_key(kms.get_public_key(KeyId=key)["PublicKey"])
    assert isinstance(public, rsa.RSAPublicKey)
    pss = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)
    public.verify(signature, b"message", pss if scheme == "PSS" else padding.PKCS1v15(), hashes.SHA256())
    kms.verify(KeyId=key, Message=b"message", Signature=signature, SigningAlgorithm=algorithm)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(message=st.binary(min_size=1, max_size=4096))
def test_what_sign_signs_as_a_message_verify_takes_as_its_digest(cloud: LocalCloud, message: bytes) -> None:
    kms = cloud.client("kms")
    key = _shared_key(kms)
    signature = kms.sign(KeyId=key, Message=message, SigningAlgorithm="ECDSA_SHA_256")["Signature"]
    digest = hashlib.sha256(message).digest()
    answer = kms.verify(
        KeyId=key, Message=digest, MessageType="DIGEST", Signature=signature, SigningAlgorithm="ECDSA_SHA_256"
    )
    assert answer["SignatureValid"] is True


def _shared_key(kms: Any) -> str:
    try:
        return str(kms.describe_key(KeyId="alias/shared-by-tests")["KeyMetadata"]["Arn"])
    except kms.exceptions.NotFoundException:
        key = _signing_key(kms)
        kms.create_alias(AliasName="alias/shared-by-tests", TargetKeyId=key)
        return key


@pytest.mark.corrects("kms.verify")
def test_a_signature_that_does_not_verify_is_an_error(cloud: LocalCloud, kms: Any) -> None:
    key = _signing_key(kms)
    signature = kms.sign(KeyId=key, Message=b"one", SigningAlgorithm="ECDSA_SHA_256")["Signature"]
    with pytest.raises(ClientError) as refused:
        kms.verify(KeyId=key, Message=b"other", Signature=signature, SigningAlgorithm="ECDSA_SHA_256")
    assert _code(refused) == "KMSInvalidSignatureException"


@pytest.mark.corrects("kms.sign-digest")
@pytest.mark.parametrize("length", [20, 31, 33, 64])
def test_a_digest_of_the_wrong_length_is_refused(cloud: LocalCloud, kms: Any, length: int) -> None:
    key = _signing_key(kms)
    with pytest.raises(ClientError) as refused:
        kms.sign(KeyId=key, Message=b"x" * length, MessageType="DIGEST", SigningAlgorithm="ECDSA_SHA_256")
    assert _code(refused) == "ValidationException"
    assert _message(refused) == "Digest is invalid length for algorithm ECDSA_SHA_256."


@pytest.mark.corrects("kms.sign-digest")
def test_a_message_over_4096_bytes_is_refused(cloud: LocalCloud, kms: Any) -> None:
    key = _signing_key(kms)
    kms.sign(KeyId=key, Message=b"x" * 4096, SigningAlgorithm="ECDSA_SHA_256")
    with pytest.raises(ClientError) as refused:
        kms.sign(KeyId=key, Message=b"x" * 4097, SigningAlgorithm="ECDSA_SHA_256")
    assert _code(refused) == "ValidationException"
    assert "length less than or equal to 4096" in _message(refused)


@pytest.mark.corrects("kms.sign-digest")
def test_an_algorithm_of_another_kind_of_key_is_refused(cloud: LocalCloud, kms: Any) -> None:
    key = _signing_key(kms)
    with pytest.raises(ClientError) as refused:
        kms.sign(KeyId=key, Message=b"x" * 48, MessageType="DIGEST", SigningAlgorithm="ECDSA_SHA_384")
    assert _code(refused) == "InvalidKeyUsageException"
    assert _message(refused) == "Algorithm ECDSA_SHA_384 is incompatible with key spec ECC_NIST_P256."


def test_an_unknown_algorithm_is_refused_with_those_that_exist(cloud: LocalCloud, kms: Any) -> None:
    with pytest.raises(ClientError) as refused:
        kms.sign(KeyId=_signing_key(kms), Message=b"x", SigningAlgorithm="ECDSA_SHA_1")
    assert _code(refused) == "ValidationException"
    assert "ECDSA_SHA_256" in _message(refused)


@pytest.mark.corrects("kms.key-usage")
def test_a_key_for_signing_does_not_encrypt(cloud: LocalCloud, kms: Any) -> None:
    key = _signing_key(kms)
    with pytest.raises(ClientError) as refused:
        kms.encrypt(KeyId=key, Plaintext=b"x")
    assert _code(refused) == "InvalidKeyUsageException"
    assert _message(refused) == f"{key} key usage is SIGN_VERIFY which is not valid for Encrypt."


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


@pytest.mark.corrects("kms.pending-import")
def test_a_key_without_material_waits_for_its_import(cloud: LocalCloud, kms: Any) -> None:
    key = _new(kms, Origin="EXTERNAL")
    assert (key["KeyState"], key["Enabled"]) == ("PendingImport", False)
    with pytest.raises(ClientError) as refused:
        kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")
    assert (_code(refused), _message(refused)) == ("KMSInvalidStateException", f"{key['Arn']} is pending import.")


def _wrapped(parameters: dict[str, Any], material: bytes) -> bytes:
    public = load_der_public_key(parameters["PublicKey"])
    assert isinstance(public, rsa.RSAPublicKey)
    oaep = padding.OAEP(mgf=padding.MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=None)
    return public.encrypt(material, oaep)


@pytest.mark.corrects("kms.pending-import")
def test_imported_material_makes_a_key_work_until_it_is_deleted(cloud: LocalCloud, kms: Any) -> None:
    key = _new(kms, Origin="EXTERNAL")["Arn"]
    wish = {"WrappingAlgorithm": "RSAES_OAEP_SHA_256", "WrappingKeySpec": "RSA_2048"}
    given = kms.get_parameters_for_import(KeyId=key, **wish)
    final = {"KeyId": key, "ImportToken": given["ImportToken"], "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"}
    kms.import_key_material(EncryptedKeyMaterial=_wrapped(given, b"m" * 32), **final)
    sealed = kms.encrypt(KeyId=key, Plaintext=b"secret")["CiphertextBlob"]

    kms.delete_imported_key_material(KeyId=key)
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "PendingImport"
    with pytest.raises(ClientError) as refused:
        kms.import_key_material(EncryptedKeyMaterial=_wrapped(given, b"n" * 32), **final)
    assert _code(refused) == "IncorrectKeyMaterialException"
    kms.import_key_material(EncryptedKeyMaterial=_wrapped(given, b"m" * 32), **final)
    assert kms.decrypt(CiphertextBlob=sealed)["Plaintext"] == b"secret"
    with pytest.raises(ClientError) as refused:
        kms.get_parameters_for_import(KeyId=_new(kms)["KeyId"], **wish)
    assert _code(refused) == "UnsupportedOperationException"


@pytest.mark.corrects("kms.random")
def test_random_bytes_are_asked_for_by_number(cloud: LocalCloud, kms: Any) -> None:
    assert len(kms.generate_random(NumberOfBytes=32)["Plaintext"]) == 32
    with pytest.raises(ClientError) as refused:
        kms.generate_random()
    assert _code(refused) == "ValidationException"


@pytest.mark.corrects("kms.metadata")
def test_metadata_has_what_a_keys_kind_has(cloud: LocalCloud, kms: Any) -> None:
    symmetric, signing = _new(kms), _new(kms, KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    assert (symmetric["MultiRegion"], symmetric["EncryptionAlgorithms"]) == (False, ["SYMMETRIC_DEFAULT"])
    assert len(symmetric["CurrentKeyMaterialId"]) == 64
    assert signing["SigningAlgorithms"] == ["ECDSA_SHA_256"]
    assert {"EncryptionAlgorithms", "CurrentKeyMaterialId"}.isdisjoint(signing)


@pytest.mark.corrects("kms.public-key")
def test_the_public_key_comes_with_its_keys_arn_and_spec(cloud: LocalCloud, kms: Any) -> None:
    key = _signing_key(kms)
    answer = kms.get_public_key(KeyId=key)
    assert (answer["KeyId"], answer["KeySpec"], answer["KeyUsage"]) == (key, "ECC_NIST_P256", "SIGN_VERIFY")


def test_a_symmetric_key_has_no_public_key(cloud: LocalCloud, kms: Any) -> None:
    with pytest.raises(ClientError) as refused:
        kms.get_public_key(KeyId=_new(kms)["KeyId"])
    assert _code(refused) == "UnsupportedOperationException"


@pytest.mark.corrects("kms.key-kinds")
@pytest.mark.parametrize(
    "kind",
    [
        {"KeySpec": "ECC_NIST_P256"},
        {"KeySpec": "ECC_NIST_P256", "KeyUsage": "ENCRYPT_DECRYPT"},
        {"KeyUsage": "SIGN_VERIFY"},
        {"KeySpec": "HMAC_256", "KeyUsage": "SIGN_VERIFY"},
    ],
)
def test_a_key_whose_usage_does_not_fit_its_spec_is_refused(cloud: LocalCloud, kms: Any, kind: dict[str, str]) -> None:
    with pytest.raises(ClientError) as refused:
        kms.create_key(**kind)
    assert _code(refused) == "ValidationException"


@pytest.mark.corrects("kms.incorrect-key")
@pytest.mark.parametrize("parameter", ["KeyId", "SourceKeyId"])
def test_decrypting_with_another_key_than_the_one_named_is_refused(cloud: LocalCloud, kms: Any, parameter: str) -> None:
    right, wrong = _new(kms)["KeyId"], _new(kms)["KeyId"]
    sealed = kms.encrypt(KeyId=right, Plaintext=b"secret")["CiphertextBlob"]
    operation = kms.decrypt if parameter == "KeyId" else kms.re_encrypt
    options = {"CiphertextBlob": sealed} | ({} if parameter == "KeyId" else {"DestinationKeyId": wrong})
    operation(**options, **{parameter: right})
    with pytest.raises(ClientError) as refused:
        operation(**options, **{parameter: wrong})
    assert _code(refused) == "IncorrectKeyException"


def test_another_encryption_context_does_not_decrypt(cloud: LocalCloud, kms: Any) -> None:
    sealed = kms.encrypt(KeyId=_new(kms)["KeyId"], Plaintext=b"secret", EncryptionContext={"a": "b"})["CiphertextBlob"]
    with pytest.raises(ClientError) as refused:
        kms.decrypt(CiphertextBlob=sealed, EncryptionContext={"a": "c"})
    assert _code(refused) == "InvalidCiphertextException"


@pytest.mark.corrects("kms.data-key-pairs")
def test_a_generated_pair_fits_and_its_private_key_can_be_decrypted(cloud: LocalCloud, kms: Any) -> None:
    pair = kms.generate_data_key_pair(KeyId=_new(kms)["KeyId"], KeyPairSpec="ECC_NIST_P384")
    private = load_der_private_key(pair["PrivateKeyPlaintext"], None)
    assert private.public_key() == load_der_public_key(pair["PublicKey"])
    opened = kms.decrypt(CiphertextBlob=pair["PrivateKeyCiphertextBlob"])["Plaintext"]
    assert opened == pair["PrivateKeyPlaintext"]

    sealed = kms.generate_data_key_pair_without_plaintext(KeyId=_new(kms)["KeyId"], KeyPairSpec="RSA_2048")
    assert "PrivateKeyPlaintext" not in sealed


@pytest.mark.corrects("kms.shared-secret")
def test_two_keys_derive_the_same_secret(cloud: LocalCloud, kms: Any) -> None:
    one, other = (_new(kms, KeySpec="ECC_NIST_P256", KeyUsage="KEY_AGREEMENT")["KeyId"] for _ in range(2))
    secrets = [
        kms.derive_shared_secret(
            KeyId=mine,
            KeyAgreementAlgorithm="ECDH",
            PublicKey=kms.get_public_key(KeyId=theirs)["PublicKey"],
        )["SharedSecret"]
        for mine, theirs in ((one, other), (other, one))
    ]
    assert secrets[0] == secrets[1]


@pytest.mark.corrects("kms.rotation")
def test_rotation_has_a_period_and_is_for_symmetric_keys(cloud: LocalCloud, kms: Any) -> None:
    key, signing = _new(kms)["KeyId"], _signing_key(kms)
    assert kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"] is False
    kms.enable_key_rotation(KeyId=key, RotationPeriodInDays=90)
    assert kms.get_key_rotation_status(KeyId=key)["RotationPeriodInDays"] == 90
    assert kms.get_key_rotation_status(KeyId=signing)["KeyRotationEnabled"] is False
    with pytest.raises(ClientError) as refused:
        kms.enable_key_rotation(KeyId=signing)
    assert _code(refused) == "UnsupportedOperationException"


@pytest.mark.corrects("kms.policy")
@pytest.mark.parametrize("policy", ["{", "[]", '{"Statement": [{"Effect": "Maybe"}]}'])
def test_a_malformed_key_policy_is_refused_and_the_old_one_stays(cloud: LocalCloud, kms: Any, policy: str) -> None:
    key = _new(kms)["KeyId"]
    before = kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"]
    with pytest.raises(ClientError) as refused:
        kms.put_key_policy(KeyId=key, PolicyName="default", Policy=policy)
    assert _code(refused) == "MalformedPolicyDocumentException"
    assert kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"] == before


def test_a_key_policy_is_read_back_as_it_was_stored(cloud: LocalCloud, kms: Any) -> None:
    policy = json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "kms:*"}]}
    )
    key = _new(kms, Policy=policy)["KeyId"]
    assert kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"] == policy


@pytest.mark.corrects("kms.multi-region-ids")
def test_a_multi_region_key_decrypts_what_it_encrypted_in_either_region(cloud: LocalCloud, kms: Any) -> None:
    key = _new(kms, MultiRegion=True)
    assert len(key["KeyId"]) == 36
    assert key["KeyId"].startswith("mrk-")
    sealed = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"secret")["CiphertextBlob"]
    kms.replicate_key(KeyId=key["KeyId"], ReplicaRegion=OTHER_REGION)
    there = cloud.client("kms", region_name=OTHER_REGION)
    assert there.decrypt(CiphertextBlob=sealed)["Plaintext"] == b"secret"


@pytest.mark.corrects("kms.replicas")
def test_a_replica_has_its_own_state_policy_and_aliases_and_can_become_the_primary(cloud: LocalCloud, kms: Any) -> None:
    there = cloud.client("kms", region_name=OTHER_REGION)
    key = _new(kms, MultiRegion=True, KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyId"]
    kms.create_alias(AliasName=f"alias/only-here-{key}", TargetKeyId=key)
    policy = json.dumps({"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"}]})
    kms.replicate_key(KeyId=key, ReplicaRegion=OTHER_REGION, Policy=policy, Description="replica")

    there.disable_key(KeyId=key)
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Enabled"
    assert there.get_key_policy(KeyId=key, PolicyName="default")["Policy"] == policy
    assert there.list_aliases(KeyId=key)["Aliases"] == []
    roles = [client.describe_key(KeyId=key)["KeyMetadata"]["MultiRegionConfiguration"] for client in (kms, there)]
    assert [role["MultiRegionKeyType"] for role in roles] == ["PRIMARY", "REPLICA"]
    assert [replica["Region"] for replica in roles[0]["ReplicaKeys"]] == [OTHER_REGION]

    with pytest.raises(ClientError) as refused:
        kms.update_primary_region(KeyId=key, PrimaryRegion=OTHER_REGION)
    assert _code(refused) == "KMSInvalidStateException"
    there.enable_key(KeyId=key)
    kms.update_primary_region(KeyId=key, PrimaryRegion=OTHER_REGION)
    role = there.describe_key(KeyId=key)["KeyMetadata"]["MultiRegionConfiguration"]
    assert role["MultiRegionKeyType"] == "PRIMARY"
    assert role["ReplicaKeys"][0]["Region"] == cloud.region


def test_a_primary_waits_for_its_replicas_before_its_deletion(cloud: LocalCloud, kms: Any) -> None:
    key = _new(kms, MultiRegion=True)["KeyId"]
    kms.replicate_key(KeyId=key, ReplicaRegion=OTHER_REGION)
    assert kms.schedule_key_deletion(KeyId=key)["KeyState"] == "PendingReplicaDeletion"


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
