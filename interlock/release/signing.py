"""Signatures: ECDSA on P-256 over a SHA-256 digest, made by whoever keeps the key and verified with its public half."""

from __future__ import annotations

import hashlib
from typing import NewType, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

from interlock.release.digests import Sha256

EcdsaSignature = NewType("EcdsaSignature", bytes)
"""A signature as the DER encoding of `Ecdsa-Sig-Value` (RFC 3279, 2.2.3)."""


class Signer(Protocol):
    """Signs as one duty; the key never leaves its keeper."""

    key_id: str

    def sign(self, digest: Sha256) -> EcdsaSignature: ...


class PublicKey:
    """The public half of a signing key on P-256."""

    def __init__(self, key: ec.EllipticCurvePublicKey) -> None:
        if not isinstance(key.curve, ec.SECP256R1):
            raise ValueError(f"the key lies on the curve {key.curve.name}; signatures are made on P-256 (secp256r1)")
        self._key = key

    @classmethod
    def from_der(cls, content: bytes) -> PublicKey:
        """Read a DER SubjectPublicKeyInfo, as `kms:GetPublicKey` returns it. Raises ValueError."""
        return cls._checked(serialization.load_der_public_key(content))

    @classmethod
    def from_pem(cls, content: bytes) -> PublicKey:
        """Read a PEM SubjectPublicKeyInfo (`-----BEGIN PUBLIC KEY-----`). Raises ValueError."""
        return cls._checked(serialization.load_pem_public_key(content))

    @classmethod
    def _checked(cls, key: object) -> PublicKey:
        if not isinstance(key, ec.EllipticCurvePublicKey):
            raise ValueError(f"the key is of type {type(key).__name__}; signatures are made on P-256 (secp256r1)")
        return cls(key)

    @property
    def pem(self) -> str:
        """The key as a PEM SubjectPublicKeyInfo."""
        encoding, form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        return self._key.public_bytes(encoding, form).decode()

    @property
    def key_id(self) -> str:
        """The SHA-256 of the key's DER SubjectPublicKeyInfo, in hexadecimal digits."""
        encoding, form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        return hashlib.sha256(self._key.public_bytes(encoding, form)).hexdigest()

    def verifies(self, digest: Sha256, signature: EcdsaSignature) -> bool:
        """Say whether the private half of this key made `signature` over `digest`."""
        try:
            self._key.verify(signature, digest, ec.ECDSA(utils.Prehashed(hashes.SHA256())))
        except InvalidSignature:
            return False
        return True


class PrivateKeySigner:
    """Signs with a private key in memory: for those whose key lies in a file, and not in KMS."""

    def __init__(self, key: ec.EllipticCurvePrivateKey) -> None:
        self._key = key
        self._public_key = PublicKey(key.public_key())
        self.key_id = self._public_key.key_id

    @classmethod
    def from_pem(cls, content: bytes, passphrase: bytes) -> PrivateKeySigner:
        """Read an encrypted PEM private key. Raises ValueError, also if it is not encrypted."""
        if b"ENCRYPTED" not in content:
            raise ValueError("it holds no encrypted key; a private key in the open is not used")
        key = serialization.load_pem_private_key(content, passphrase)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise ValueError(f"the key is of type {type(key).__name__}; signatures are made on P-256 (secp256r1)")
        return cls(key)

    def public_key(self) -> PublicKey:
        """Return the public half of the key."""
        return self._public_key

    def sign(self, digest: Sha256) -> EcdsaSignature:
        """Return the key's signature over `digest`."""
        return EcdsaSignature(self._key.sign(digest, ec.ECDSA(utils.Prehashed(hashes.SHA256()))))
