"""Signatures as KMS makes them: over a message or over its digest."""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

_HASHES: dict[str, type[hashes.HashAlgorithm]] = {
    "SHA_256": hashes.SHA256,
    "SHA_384": hashes.SHA384,
    "SHA_512": hashes.SHA512,
}
_RSA_ALGORITHMS = [f"RSASSA_{scheme}_{name}" for scheme in ("PKCS1_V1_5", "PSS") for name in _HASHES]
_ECDSA_ALGORITHMS = {
    "ECC_NIST_P256": "ECDSA_SHA_256",
    "ECC_SECG_P256K1": "ECDSA_SHA_256",
    "ECC_NIST_P384": "ECDSA_SHA_384",
    "ECC_NIST_P521": "ECDSA_SHA_512",
}
ALGORITHMS = [*_RSA_ALGORITHMS, *sorted(set(_ECDSA_ALGORITHMS.values()))]
"""Every signing algorithm of KMS outside China."""


def algorithms_of(spec: str) -> list[str]:
    """Return the signing algorithms that a key of this spec can be used with."""
    return _RSA_ALGORITHMS if spec.startswith("RSA_") else [_ECDSA_ALGORITHMS[spec]]


def digest_length(algorithm: str) -> int:
    """Return the bytes of the digest that `algorithm` signs."""
    return _hash(algorithm).digest_size


def sign(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, algorithm: str, message: bytes, *, is_digest: bool
) -> bytes:
    """Return the signature: PKCS #1 or PSS with a salt as long as the digest (RFC 8017), or ECDSA in DER (RFC 3279)."""
    hashed = Prehashed(_hash(algorithm)) if is_digest else _hash(algorithm)
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(message, _padding(algorithm), hashed)
    return key.sign(message, ec.ECDSA(hashed))


def is_valid(
    key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey,
    algorithm: str,
    message: bytes,
    signature: bytes,
    *,
    is_digest: bool,
) -> bool:
    """Say whether `signature` is one of `message` (or of the digest `message`) by the holder of the key."""
    hashed = Prehashed(_hash(algorithm)) if is_digest else _hash(algorithm)
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, message, _padding(algorithm), hashed)
        else:
            key.verify(signature, message, ec.ECDSA(hashed))
    except InvalidSignature:
        return False
    return True


def _hash(algorithm: str) -> hashes.HashAlgorithm:
    return _HASHES[algorithm[-7:]]()


def _padding(algorithm: str) -> padding.PSS | padding.PKCS1v15:
    if "_PSS_" not in algorithm:
        return padding.PKCS1v15()
    return padding.PSS(mgf=padding.MGF1(_hash(algorithm)), salt_length=padding.PSS.DIGEST_LENGTH)
