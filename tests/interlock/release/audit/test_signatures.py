"""The verifier's own arithmetic on P-256, before outside judges: Wycheproof's vectors, and OpenSSL."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.release.audit import verify
from interlock.release.signing import PublicKey as OurKey

VECTORS = json.loads(Path(__file__).with_name("wycheproof.json").read_text())
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
KEY = ec.generate_private_key(ec.SECP256R1())
PEM = OurKey(KEY.public_key()).pem


def test_every_vector_of_wycheproof_is_judged_as_it_says() -> None:
    wrong = []
    for group in VECTORS["groups"]:
        key = verify.PublicKey.from_pem(group["pem"])
        for number, message, signature, valid in group["tests"]:
            digest = hashlib.sha256(bytes.fromhex(message)).digest()
            if key.verifies(digest, bytes.fromhex(signature)) is not valid:
                wrong.append(number)
    assert wrong == []
    assert sum(len(group["tests"]) for group in VECTORS["groups"]) == 484


def openssl_accepts(key: ec.EllipticCurvePublicKey, digest: bytes, signature: bytes) -> bool:
    try:
        key.verify(signature, digest, ec.ECDSA(utils.Prehashed(hashes.SHA256())))
    except InvalidSignature:
        return False
    return True


@settings(max_examples=60, deadline=None)
@given(message=st.binary(max_size=80), high=st.booleans(), flipped=st.none() | st.integers(0, 8 * 70 - 1))
def test_openssl_judges_signatures_and_their_mutations_alike(message: bytes, high: bool, flipped: int | None) -> None:
    digest = hashlib.sha256(message).digest()
    r, s = utils.decode_dss_signature(KEY.sign(digest, ec.ECDSA(utils.Prehashed(hashes.SHA256()))))
    signature = bytearray(utils.encode_dss_signature(r, max(s, ORDER - s) if high else min(s, ORDER - s)))
    if flipped is not None and flipped // 8 < len(signature):
        signature[flipped // 8] ^= 1 << flipped % 8
    expected = openssl_accepts(KEY.public_key(), digest, bytes(signature))
    assert verify.PublicKey.from_pem(PEM).verifies(digest, bytes(signature)) is expected


@given(garbage=st.binary(max_size=80))
@settings(max_examples=100)
def test_what_is_no_signature_is_refused_and_raises_nothing(garbage: bytes) -> None:
    assert not verify.PublicKey.from_pem(PEM).verifies(hashlib.sha256(b"").digest(), garbage)


def test_a_point_beside_the_curve_or_beyond_the_field_is_no_key() -> None:
    spki = bytearray(base64.b64decode("".join(PEM.splitlines()[1:-1])))
    spki[-1] ^= 1
    with pytest.raises(ValueError, match="not on the curve"):
        verify.PublicKey(bytes(spki))
    with pytest.raises(ValueError, match="not on the curve"):
        verify.PublicKey(bytes(spki[:-64]) + b"\xff" * 64)
    with pytest.raises(ValueError, match="no uncompressed public key"):
        verify.PublicKey(bytes(spki[:-1]))


def test_a_key_is_known_by_the_same_name_as_in_the_library() -> None:
    assert verify.PublicKey.from_pem(PEM).key_id == OurKey(KEY.public_key()).key_id
