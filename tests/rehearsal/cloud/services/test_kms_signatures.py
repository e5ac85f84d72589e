"""KMS signs what it is given, and its signatures verify elsewhere."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from botocore.exceptions import ClientError
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rehearsal.cloud.server import LocalCloud


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
