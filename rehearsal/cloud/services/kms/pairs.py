"""Key pairs: what GenerateDataKeyPair makes, and the secret that two parties derive."""

from __future__ import annotations

import base64
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

_CURVES: dict[str, type[ec.EllipticCurve]] = {
    "ECC_NIST_P256": ec.SECP256R1,
    "ECC_NIST_P384": ec.SECP384R1,
    "ECC_NIST_P521": ec.SECP521R1,
    "ECC_SECG_P256K1": ec.SECP256K1,
}
PAIR_SPECS = ["RSA_2048", "RSA_3072", "RSA_4096", *_CURVES]
"""What GenerateDataKeyPair can make."""


def generate(spec: str) -> tuple[bytes, bytes]:
    """Return a new pair: the private key as DER PKCS #8, the public key as DER SubjectPublicKeyInfo."""
    key: Any = (
        rsa.generate_private_key(65537, int(spec[4:]))
        if spec.startswith("RSA_")
        else ec.generate_private_key(_CURVES[spec]())
    )
    private = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private, public_der(key.public_key())


def public_der(key: Any) -> bytes:
    """Return a public key as DER SubjectPublicKeyInfo (RFC 5280)."""
    encoded: bytes = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return encoded


def shared_secret(private: ec.EllipticCurvePrivateKey, public: bytes) -> bytes:
    """Return the raw ECDH secret with the holder of `public` (DER); raises ValueError if the curves differ."""
    other = serialization.load_der_public_key(public)
    if not isinstance(other, ec.EllipticCurvePublicKey):
        raise ValueError("the public key is not one of an elliptic curve")
    return private.exchange(ec.ECDH(), other)


def text(value: bytes) -> str:
    """Return bytes as KMS's JSON carries them."""
    return base64.b64encode(value).decode("ascii")
