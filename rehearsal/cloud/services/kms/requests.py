"""Reading a KMS request inside moto's handler: its parameters, checked, and the keys that it is about."""

from __future__ import annotations

import base64
import binascii
import json
import struct
from collections.abc import Sequence
from typing import Any

from moto.kms.models import Key, KmsBackend
from moto.kms.responses import KmsResponse
from moto.kms.utils import _deserialize_ciphertext_blob

from rehearsal.cloud.errors import constraint_error, json_error

_KEY_PARAMETERS = {
    "CreateAlias": ("TargetKeyId",),
    "UpdateAlias": ("TargetKeyId",),
    "ReEncrypt": ("DestinationKeyId",),
}


def parameters(response: KmsResponse) -> dict[str, Any]:
    """Return the request's parameters as they came."""
    read: dict[str, Any] = json.loads(response.body)
    return read


def blob(response: KmsResponse, name: str, *, longest: int) -> bytes:
    """Return a binary parameter of 1 to `longest` bytes; raises AWS's ValidationException outside that."""
    try:
        value = base64.b64decode(parameters(response).get(name, ""), validate=True)
    except binascii.Error as problem:
        raise json_error("SerializationException", f"{name} is not valid base64") from problem
    field = name[0].lower() + name[1:]
    if not value:
        raise constraint_error(field, None, "Member must have length greater than or equal to 1")
    if len(value) > longest:
        raise constraint_error(field, None, f"Member must have length less than or equal to {longest}")
    return value


def choice(response: KmsResponse, name: str, allowed: Sequence[str], default: str | None = None) -> str:
    """Return a parameter that has to be one of `allowed`."""
    value = parameters(response).get(name, default)
    if value not in allowed:
        field = name[0].lower() + name[1:]
        raise constraint_error(field, value, f"Member must satisfy enum value set: [{', '.join(allowed)}]")
    return str(value)


def key_named(response: KmsResponse, identifier: str) -> Key:
    """Return the key of this region by id, ARN or alias; raises AWS's NotFoundException."""
    response._validate_key_id(identifier)
    backend: KmsBackend = response.kms_backend
    return backend.keys[backend.any_id_to_key_id(identifier)]


def keys_of(response: KmsResponse, operation: str) -> list[Key]:
    """Return the keys that a request uses; unknown ones are left to the operation to refuse."""
    backend: KmsBackend = response.kms_backend
    asked = parameters(response)
    names = [asked[name] for name in _KEY_PARAMETERS.get(operation, ("KeyId",)) if asked.get(name)]
    if operation in ("Decrypt", "ReEncrypt"):
        names += _key_of_ciphertext(asked.get("CiphertextBlob", ""))
    identifiers = [backend.any_id_to_key_id(name) for name in names if _is_known(backend, name)]
    return [backend.keys[identifier] for identifier in identifiers]


def keys_of_ciphertext(response: KmsResponse) -> list[str]:
    """Return the id of the key that encrypted the request's CiphertextBlob, or nothing if it cannot be told."""
    return _key_of_ciphertext(parameters(response).get("CiphertextBlob", ""))


def _is_known(backend: KmsBackend, name: str) -> bool:
    alias = backend.get_alias_name(name)
    if alias.startswith("alias/"):
        return backend.get_key_id_from_alias(alias) is not None
    return backend.get_key_id(name) in backend.keys


def _key_of_ciphertext(encoded: str) -> list[str]:
    try:
        return [_deserialize_ciphertext_blob(base64.b64decode(encoded)).key_id]
    except (ValueError, struct.error):
        return []
