from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from interlock.release.digests import canonical_json
from interlock.release.envelope import (
    InvalidEnvelope,
    open_envelope,
    pre_authentication_encoding,
    seal,
    signed_digest,
)
from interlock.release.signing import PublicKey
from interlock.release.statement import PAYLOAD_TYPE, Statement, statement_about
from tests.interlock.release.memory import LocalSigner

DIGEST = "ab" * 32


def claim() -> Statement:
    return statement_about(DIGEST, "urn:example:claim", {"passed": "true"})


def sealed(signer: LocalSigner) -> dict[str, object]:
    document: dict[str, object] = json.loads(seal(claim(), signer).content)
    return document


def test_the_encoding_is_the_one_of_the_specification() -> None:
    # The example of DSSE's protocol.md.
    encoded = pre_authentication_encoding("http://example.com/HelloWorld", b"hello world")
    assert encoded == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"


def test_lengths_count_bytes_and_not_characters() -> None:
    assert pre_authentication_encoding("é", "ü".encode()) == b"DSSEv1 2 \xc3\xa9 2 \xc3\xbc"


def test_an_envelope_opens_with_the_key_that_sealed_it_and_says_whose_it_was() -> None:
    signer, other = LocalSigner(), LocalSigner()
    keys = {"builder": signer.public_key, "deployer": other.public_key}
    statement, signers = open_envelope(seal(claim(), signer).content, keys)
    assert statement == claim()
    assert signers == {"builder"}


def test_the_statement_is_an_in_toto_statement_v1() -> None:
    payload = base64.b64decode(str(sealed(LocalSigner())["payload"]))
    assert json.loads(payload) == {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "release", "digest": {"sha256": DIGEST}}],
        "predicateType": "urn:example:claim",
        "predicate": {"passed": "true"},
    }


def test_openssl_verifies_the_signature(tmp_path: Path) -> None:
    signer = LocalSigner()
    document = sealed(signer)
    payload = base64.b64decode(str(document["payload"]))
    signature = base64.b64decode(json.loads(seal(claim(), signer).content)["signatures"][0]["sig"])
    (tmp_path / "signed").write_bytes(pre_authentication_encoding(PAYLOAD_TYPE, payload))
    (tmp_path / "signature").write_bytes(signature)
    (tmp_path / "key.pem").write_text(signer.public_key.pem)
    command = ["openssl", "dgst", "-sha256", "-verify", "key.pem", "-signature", "signature", "signed"]
    assert subprocess.run(command, cwd=tmp_path, check=True, capture_output=True).stdout == b"Verified OK\n"


@pytest.mark.parametrize("field", ["payload", "payloadType", "sig"])
def test_no_part_of_an_envelope_can_be_exchanged(field: str) -> None:
    signer = LocalSigner()
    document = json.loads(seal(claim(), signer).content)
    other = json.loads(seal(statement_about("cd" * 32, "urn:example:claim", {}), LocalSigner()).content)
    if field == "sig":
        document["signatures"] = other["signatures"]
    elif field == "payload":
        document["payload"] = other["payload"]
    else:
        document["payloadType"] = "text/plain"
    with pytest.raises(InvalidEnvelope, match="no signature was made by a known key"):
        open_envelope(json.dumps(document).encode(), {"builder": signer.public_key})


def test_the_name_of_a_key_inside_the_envelope_proves_nothing() -> None:
    forged = seal(claim(), LocalSigner("builder")).content
    with pytest.raises(InvalidEnvelope, match="known key"):
        open_envelope(forged, {"builder": LocalSigner("builder").public_key})


def test_an_envelope_signed_around_something_else_than_a_statement_is_refused() -> None:
    signer = LocalSigner()
    payload = b'{"_type": "https://in-toto.io/Statement/v0.1"}'
    document = {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [{"sig": base64.b64encode(signer.sign(signed_digest(PAYLOAD_TYPE, payload))).decode()}],
    }
    with pytest.raises(InvalidEnvelope, match="not a statement"):
        open_envelope(json.dumps(document).encode(), {"builder": signer.public_key})


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b'{"payload":"!","payloadType":"t","signatures":[{"sig":"!"}]}', b"\xff"]
)
def test_what_is_no_envelope_is_refused_and_not_a_crash(content: bytes) -> None:
    with pytest.raises(InvalidEnvelope):
        open_envelope(content, {})


def test_only_keys_on_p256_are_taken() -> None:
    encoding, form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    for key in (ec.generate_private_key(ec.SECP384R1()), rsa.generate_private_key(65537, 2048)):
        with pytest.raises(ValueError, match="P-256"):
            PublicKey.from_der(key.public_key().public_bytes(encoding, form))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**53])
def test_what_canonical_json_cannot_hold_exactly_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="canonical"):
        canonical_json({"metric": value})
