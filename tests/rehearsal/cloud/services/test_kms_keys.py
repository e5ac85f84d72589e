"""The kinds of keys that KMS has, and what each does."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_der_public_key

from rehearsal.cloud.server import LocalCloud

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


@pytest.mark.corrects("kms.replicas")
def test_grants_of_a_key_that_is_not_there_are_not_found(cloud: LocalCloud, kms: Any) -> None:
    with pytest.raises(ClientError) as refused:
        kms.list_grants(KeyId=str(uuid4()))
    assert _code(refused) == "NotFoundException"
