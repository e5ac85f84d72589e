"""Key material of a caller's own: wrapped with a key made for it, and taken once for good."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap_with_padding
from moto.kms.models import Key

from rehearsal.cloud.errors import json_error

WRAPPING_SPECS = ["RSA_2048", "RSA_3072", "RSA_4096"]
WRAPPING_ALGORITHMS = [
    "RSAES_OAEP_SHA_1",
    "RSAES_OAEP_SHA_256",
    "RSA_AES_KEY_WRAP_SHA_1",
    "RSA_AES_KEY_WRAP_SHA_256",
]
EXPIRATION_MODELS = ["KEY_MATERIAL_EXPIRES", "KEY_MATERIAL_DOES_NOT_EXPIRE"]
_TOKEN_LIFE = timedelta(hours=24)
_MATERIAL_BYTES = 32


@dataclass(frozen=True)
class Offer:
    """What GetParametersForImport gave out: `token` names it, `wrapping_key` opens what comes back, until `ends`."""

    token: bytes
    wrapping_key: rsa.RSAPrivateKey
    algorithm: str
    ends: datetime


def offer(key: Key, algorithm: str, spec: str, now: datetime) -> Offer:
    """Make, and remember with the key, the parameters of an import.

    Source: https://docs.aws.amazon.com/kms/latest/APIReference/API_GetParametersForImport.html
    """
    _check_origin(key)
    made = Offer(os.urandom(64), rsa.generate_private_key(65537, int(spec[4:])), algorithm, now + _TOKEN_LIFE)
    vars(key)["import_offer"] = made
    return made


def take(key: Key, token: bytes, wrapped: bytes, now: datetime) -> None:
    """Give a key the material that came wrapped for it. Raises AWS's errors where token or material are wrong.

    Source: https://docs.aws.amazon.com/kms/latest/APIReference/API_ImportKeyMaterial.html
    """
    _check_origin(key)
    known: Offer | None = vars(key).get("import_offer")
    if known is None or known.token != token:
        raise json_error("InvalidImportTokenException", "The provided import token is not the one for this key.")
    if now > known.ends:
        raise json_error("ExpiredImportTokenException", "The provided import token is expired.")
    try:
        material = _unwrapped(known, wrapped)
    except (ValueError, InvalidUnwrap) as problem:
        raise json_error("InvalidCiphertextException", "The key material could not be unwrapped.") from problem
    if len(material) != _MATERIAL_BYTES:
        raise json_error("IncorrectKeyMaterialException", f"The key material has to be {_MATERIAL_BYTES} bytes long.")
    before = vars(key).get("imported_material")
    if before not in (None, material):
        raise json_error("IncorrectKeyMaterialException", "The key material is not the one imported before.")
    vars(key)["imported_material"] = key.key_material = material
    key.key_state, key.enabled = "Enabled", True


def forget(key: Key) -> None:
    """Take its material from a key, which then waits for the same material again."""
    _check_origin(key)
    key.key_state, key.enabled = "PendingImport", False


def _check_origin(key: Key) -> None:
    if key.origin != "EXTERNAL":
        raise json_error(
            "UnsupportedOperationException", f"{key.arn} origin is {key.origin} which is not valid for this operation."
        )


def _unwrapped(known: Offer, wrapped: bytes) -> bytes:
    hashed: Callable[[], Any] = hashes.SHA256 if known.algorithm.endswith("SHA_256") else hashes.SHA1
    oaep = padding.OAEP(mgf=padding.MGF1(hashed()), algorithm=hashed(), label=None)
    if not known.algorithm.startswith("RSA_AES_KEY_WRAP"):
        return known.wrapping_key.decrypt(wrapped, oaep)
    size = known.wrapping_key.key_size // 8
    return aes_key_unwrap_with_padding(known.wrapping_key.decrypt(wrapped[:size], oaep), wrapped[size:])
