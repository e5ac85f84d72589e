"""What a key's state and kind allow: AWS's table of key states as a function."""

from __future__ import annotations

from typing import NamedTuple


class Refusal(NamedTuple):
    """An AWS error: its code, and the message after the key's ARN."""

    code: str
    reason: str


CRYPTOGRAPHIC_OPERATIONS = {
    "Encrypt": "ENCRYPT_DECRYPT",
    "Decrypt": "ENCRYPT_DECRYPT",
    "ReEncrypt": "ENCRYPT_DECRYPT",
    "GenerateDataKey": "ENCRYPT_DECRYPT",
    "GenerateDataKeyWithoutPlaintext": "ENCRYPT_DECRYPT",
    "GenerateDataKeyPair": "ENCRYPT_DECRYPT",
    "GenerateDataKeyPairWithoutPlaintext": "ENCRYPT_DECRYPT",
    "Sign": "SIGN_VERIFY",
    "Verify": "SIGN_VERIFY",
    "GenerateMac": "GENERATE_VERIFY_MAC",
    "VerifyMac": "GENERATE_VERIFY_MAC",
    "DeriveSharedSecret": "KEY_AGREEMENT",
}
"""The operations that use key material, and the key usage each needs."""

_ONLY_ENABLED = {*CRYPTOGRAPHIC_OPERATIONS, "GetPublicKey", "CreateGrant", "ReplicateKey", "UpdatePrimaryRegion"}
_ROTATION = {"EnableKeyRotation", "DisableKeyRotation", "RotateKeyOnDemand"}
_SWITCHES = {"EnableKey", "DisableKey"}
_NOT_WHILE_PENDING_DELETION = {
    *_ONLY_ENABLED,
    *_ROTATION,
    *_SWITCHES,
    "CreateAlias",
    "UpdateAlias",
    "ScheduleKeyDeletion",
    "TagResource",
    "UntagResource",
    "UpdateKeyDescription",
    "ImportKeyMaterial",
    "GetParametersForImport",
}
_NOT_WHILE_PENDING_IMPORT = {*_ONLY_ENABLED, *_SWITCHES}

GUARDED_OPERATIONS = sorted({*_NOT_WHILE_PENDING_DELETION, "CancelKeyDeletion"})
"""All operations that some state forbids."""


def refusal(operation: str, state: str) -> Refusal | None:
    """Return how KMS refuses `operation` on a key in `state`, or None where it does not.

    Source: https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
    """
    pending_deletion = state in ("PendingDeletion", "PendingReplicaDeletion")
    if operation == "CancelKeyDeletion":
        return None if pending_deletion else Refusal("KMSInvalidStateException", "is not pending deletion.")
    if pending_deletion and operation in _NOT_WHILE_PENDING_DELETION:
        return Refusal("KMSInvalidStateException", "is pending deletion.")
    if state == "PendingImport" and operation in _NOT_WHILE_PENDING_IMPORT:
        return Refusal("KMSInvalidStateException", "is pending import.")
    if state == "Disabled" and operation in _ONLY_ENABLED | _ROTATION:
        return Refusal("DisabledException", "is disabled.")
    return None


def usage_refusal(operation: str, usage: str, spec: str) -> Refusal | None:
    """Return how KMS refuses `operation` on a key that is meant for something else, or None.

    Source: https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateKey.html, KeyUsage
    """
    needed = CRYPTOGRAPHIC_OPERATIONS.get(operation)
    if needed is not None and usage != needed:
        return Refusal("InvalidKeyUsageException", f"key usage is {usage} which is not valid for {operation}.")
    if operation.startswith("GenerateDataKey") and spec != "SYMMETRIC_DEFAULT":
        return Refusal("InvalidKeyUsageException", f"key spec is {spec} which is not valid for {operation}.")
    if operation == "GetPublicKey" and (spec == "SYMMETRIC_DEFAULT" or spec.startswith("HMAC")):
        return Refusal("UnsupportedOperationException", f"key spec is {spec} which is not valid for GetPublicKey.")
    return None


def kind_refusal(usage: str | None, spec: str) -> Refusal | None:
    """Return how CreateKey refuses a key of this usage (None where the caller named none) and spec, or None.

    The reason is the whole message. Source: https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateKey.html
    """
    if usage is None and spec != "SYMMETRIC_DEFAULT":
        kind = "an HMAC key" if spec.startswith("HMAC") else "an asymmetric CMK"
        return Refusal("ValidationException", f"You must specify a KeyUsage value for {kind}.")
    fitting = {
        "ENCRYPT_DECRYPT": spec == "SYMMETRIC_DEFAULT" or spec.startswith("RSA_"),
        "SIGN_VERIFY": spec.startswith(("RSA_", "ECC_")),
        "GENERATE_VERIFY_MAC": spec.startswith("HMAC_"),
        "KEY_AGREEMENT": spec.startswith("ECC_NIST_"),
    }
    if usage is not None and not fitting.get(usage, False):
        return Refusal("ValidationException", f"KeyUsage {usage} is not compatible with KeySpec {spec}")
    return None
