from __future__ import annotations

import pytest

from interlock.aws.kms import KmsSigner, fetch_public_key
from interlock.failures import OutsideFailure
from interlock.release.digests import sha256
from interlock.release.envelope import open_envelope, seal
from interlock.release.signing import PublicKey
from interlock.release.statement import statement_about
from rehearsal.cloud.server import LocalCloud


def new_key(cloud: LocalCloud, spec: str = "ECC_NIST_P256") -> str:
    arn: str = cloud.client("kms").create_key(KeySpec=spec, KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    return arn


def test_an_envelope_that_kms_signed_opens_offline_with_the_exported_key(cloud: LocalCloud) -> None:
    signer = KmsSigner(cloud.client("kms"), new_key(cloud))
    statement = statement_about("ab" * 32, "urn:example:claim", {"payload": "x" * 10_000})
    content = seal(statement, signer).content
    key = PublicKey.from_pem(signer.public_key().pem.encode())
    assert open_envelope(content, {"builder": key}) == (statement, frozenset({"builder"}))


def test_a_disabled_key_does_not_sign_and_the_failure_says_what_kms_answered(cloud: LocalCloud) -> None:
    kms, arn = cloud.client("kms"), new_key(cloud)
    kms.disable_key(KeyId=arn)
    with pytest.raises(OutsideFailure, match="DisabledException"):
        KmsSigner(kms, arn).sign(sha256(b""))


def test_a_key_on_another_curve_is_no_signing_key(cloud: LocalCloud) -> None:
    with pytest.raises(OutsideFailure, match="P-256"):
        fetch_public_key(cloud.client("kms"), new_key(cloud, "ECC_NIST_P384"))


def test_a_signature_that_does_not_verify_is_not_believed(cloud: LocalCloud) -> None:
    kms = cloud.client("kms")
    signer = KmsSigner(kms, new_key(cloud))
    signer._public_key = fetch_public_key(kms, new_key(cloud))
    with pytest.raises(OutsideFailure, match="does not verify"):
        signer.sign(sha256(b"content"))
