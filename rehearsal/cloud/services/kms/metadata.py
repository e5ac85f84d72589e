"""A key as DescribeKey tells it."""

from __future__ import annotations

import hashlib
from typing import Any

from moto.core.utils import unix_time
from moto.kms.models import Key

from rehearsal.cloud.services.kms import signatures

_RSA_ENCRYPTION = ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"]


def describe(key: Key) -> dict[str, Any]:
    """Return the KeyMetadata of a key, with the members that its kind has and no others.

    Source: https://docs.aws.amazon.com/kms/latest/APIReference/API_KeyMetadata.html
    """
    described: dict[str, Any] = {
        "AWSAccountId": key.account_id,
        "Arn": key.arn,
        "CreationDate": key.creation_date,
        "CustomerMasterKeySpec": key.key_spec,
        "Description": key.description,
        "Enabled": key.key_state == "Enabled",
        "KeyId": key.id,
        "KeyManager": key.key_manager,
        "KeySpec": key.key_spec,
        "KeyState": key.key_state,
        "KeyUsage": key.key_usage,
        "MultiRegion": bool(key.multi_region),
        "Origin": key.origin,
    }
    described |= _algorithms(key)
    if key.multi_region:
        described["MultiRegionConfiguration"] = key.multi_region_configuration
    if key.key_state == "PendingDeletion":
        described["DeletionDate"] = unix_time(key.deletion_date)
    if key.key_state == "PendingReplicaDeletion":
        described["PendingDeletionWindowInDays"] = key.pending_window_in_days
    if key.key_spec == "SYMMETRIC_DEFAULT" and key.key_state != "PendingImport":
        described["CurrentKeyMaterialId"] = hashlib.sha256(key.key_material).hexdigest()
    return described


def _algorithms(key: Key) -> dict[str, list[str]]:
    if key.key_usage == "SIGN_VERIFY":
        return {"SigningAlgorithms": signatures.algorithms_of(key.key_spec)}
    if key.key_usage == "GENERATE_VERIFY_MAC":
        return {"MacAlgorithms": [key.key_spec.replace("HMAC_", "HMAC_SHA_")]}
    if key.key_usage == "KEY_AGREEMENT":
        return {"KeyAgreementAlgorithms": ["ECDH"]}
    symmetric = key.key_spec == "SYMMETRIC_DEFAULT"
    return {"EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"] if symmetric else _RSA_ENCRYPTION}
