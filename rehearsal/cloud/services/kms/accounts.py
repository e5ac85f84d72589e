"""A key of another account: which operations reach it, and that they are carried out there.

Source: https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-modifying-external-accounts.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import botocore.session
from moto.core.utils import camelcase_to_underscores
from moto.kms.models import Key, KmsBackend, kms_backends
from moto.kms.responses import KmsResponse

from rehearsal.cloud.callers import caller_of
from rehearsal.cloud.errors import json_error
from rehearsal.cloud.places import Place, place_of
from rehearsal.cloud.service import Patches
from rehearsal.cloud.services.kms.requests import keys_of_ciphertext, parameters

_Handler = Callable[[KmsResponse], Any]

CROSS_ACCOUNT_OPERATIONS = frozenset({
    "CreateGrant", "Decrypt", "DeriveSharedSecret", "DescribeKey", "Encrypt", "GenerateDataKey", "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext", "GenerateDataKeyWithoutPlaintext", "GenerateMac", "GetKeyRotationStatus",
    "GetPublicKey", "ListGrants", "ReEncrypt", "RetireGrant", "RevokeGrant", "Sign", "Verify", "VerifyMac",
})  # fmt: skip
"""What a key policy can allow to another account."""
_NAMES = ("KeyId", "SourceKeyId", "DestinationKeyId", "TargetKeyId")


def cross(patches: Patches) -> None:
    """Have every operation on a key go to the account and stay in the region which the key's ARN names."""
    model = botocore.session.get_session().get_service_model("kms")
    for operation in model.operation_names:
        method = camelcase_to_underscores(operation)
        original = getattr(KmsResponse, method, None)
        inputs = model.operation_model(operation).input_shape
        if original is not None and inputs is not None and not set(_NAMES).isdisjoint(inputs.members):
            patches.replace(KmsResponse, method, _crossing(original, operation))


def _crossing(original: _Handler, operation: str) -> _Handler:
    def method(response: KmsResponse) -> Any:
        owners = [_owner(response, operation, name) for name in _named(response)] or [None]
        if len(set(owners)) > 1 and operation == "ReEncrypt":
            raise json_error(
                "UnsupportedOperationException", "The local cloud re-encrypts between keys of one account only."
            )
        if owners[0] is not None:
            response.current_account = owners[0]
        return original(response)

    return method


def _named(response: KmsResponse) -> list[str]:
    asked = parameters(response)
    names = [str(asked[name]) for name in _NAMES if asked.get(name)]
    if not any(asked.get(name) for name in ("KeyId", "SourceKeyId")):
        names += [_arn_of_foreign(response, key_id) for key_id in keys_of_ciphertext(response)]
    return names


def _arn_of_foreign(response: KmsResponse, key_id: str) -> str:
    """Return the ARN of the key that encrypted, in whichever account it is; a ciphertext names its key by itself."""
    if key_id in response.kms_backend.keys:
        return key_id
    for account_id, regions in list(kms_backends.items()):
        key = regions[response.region].keys.get(key_id) if response.region in list(regions) else None
        if key is not None and account_id != response.current_account:
            return str(key.arn)
    return key_id


def _owner(response: KmsResponse, operation: str, name: str) -> str | None:
    """Return the other account that a key is in, None where it is the caller's own. Raises AWS's refusals."""
    if not name.startswith("arn:"):
        return None
    try:
        place = place_of(name)
    except ValueError as problem:
        raise json_error("InvalidArnException", f"Invalid arn {name}") from problem
    if place.region != response.region:
        raise json_error("NotFoundException", f"Invalid arn {place.region}")
    if place.account_id == response.current_account:
        return None
    if operation not in CROSS_ACCOUNT_OPERATIONS or _key(place, name) is None:
        caller = caller_of(response.get_access_key())
        raise json_error(
            "AccessDeniedException",
            f"User: {caller.arn} is not authorized to perform: kms:{operation} on resource: {name} because no "
            f"resource-based policy allows the kms:{operation} action",
        )
    return place.account_id


def _key(place: Place, arn: str) -> Key | None:
    backend: KmsBackend = place.backend(kms_backends)
    alias = backend.get_alias_name(arn)
    key_id = backend.get_key_id_from_alias(alias) if alias.startswith("alias/") else backend.get_key_id(arn)
    return backend.keys.get(key_id)
