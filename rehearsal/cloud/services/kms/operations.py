"""The operations of KMS that moto answers differently or not at all."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from moto.kms.models import Key
from moto.kms.responses import KmsResponse

from rehearsal.cloud.errors import json_error
from rehearsal.cloud.services.kms import imports, pairs, replicas, signatures
from rehearsal.cloud.services.kms.metadata import describe
from rehearsal.cloud.services.kms.requests import blob, choice, key_named, parameters
from rehearsal.cloud.services.kms.states import usage_refusal

_LONGEST_MESSAGE = 4096
_LONGEST_SIGNATURE = 6144
_DEFAULT_ROTATION_PERIOD = 365


def _signing_request(response: KmsResponse, operation: str) -> tuple[Key, str, bytes, bool]:
    message = blob(response, "Message", longest=_LONGEST_MESSAGE)
    algorithm = choice(response, "SigningAlgorithm", signatures.ALGORITHMS)
    is_digest = choice(response, "MessageType", ["RAW", "DIGEST"], "RAW") == "DIGEST"
    key = key_named(response, parameters(response)["KeyId"])
    refused = usage_refusal(operation, key.key_usage, key.key_spec)
    if refused:
        raise json_error(refused.code, f"{key.arn} {refused.reason}")
    if algorithm not in signatures.algorithms_of(key.key_spec):
        raise json_error(
            "InvalidKeyUsageException", f"Algorithm {algorithm} is incompatible with key spec {key.key_spec}."
        )
    if is_digest and len(message) != signatures.digest_length(algorithm):
        raise json_error("ValidationException", f"Digest is invalid length for algorithm {algorithm}.")
    return key, algorithm, message, is_digest


def sign(response: KmsResponse) -> str:
    """Answer Sign."""
    key, algorithm, message, is_digest = _signing_request(response, "Sign")
    signature = signatures.sign(key.private_key.private_key, algorithm, message, is_digest=is_digest)
    return json.dumps({"KeyId": key.arn, "Signature": pairs.text(signature), "SigningAlgorithm": algorithm})


def verify(response: KmsResponse) -> str:
    """Answer Verify."""
    signature = blob(response, "Signature", longest=_LONGEST_SIGNATURE)
    key, algorithm, message, is_digest = _signing_request(response, "Verify")
    public = key.private_key.private_key.public_key()
    if not signatures.is_valid(public, algorithm, message, signature, is_digest=is_digest):
        raise json_error("KMSInvalidSignatureException", "")
    return json.dumps({"KeyId": key.arn, "SignatureValid": True, "SigningAlgorithm": algorithm})


def get_public_key(response: KmsResponse) -> str:
    """Answer GetPublicKey."""
    key = key_named(response, parameters(response)["KeyId"])
    described = describe(key)
    shown = {name: described[name] for name in ("CustomerMasterKeySpec", "KeySpec", "KeyUsage")}
    shown |= {name: value for name, value in described.items() if name.endswith("Algorithms")}
    public = pairs.public_der(key.private_key.private_key.public_key())
    return json.dumps({"KeyId": key.arn, "PublicKey": pairs.text(public), **shown})


def replicate_key(response: KmsResponse) -> str:
    """Answer ReplicateKey."""
    asked = parameters(response)
    key = key_named(response, asked["KeyId"])
    replica = replicas.replicate(key, asked["ReplicaRegion"], asked)
    tags = [{"TagKey": tag["TagKey"], "TagValue": tag["TagValue"]} for tag in asked.get("Tags", [])]
    return json.dumps({"ReplicaKeyMetadata": describe(replica), "ReplicaPolicy": replica.policy, "ReplicaTags": tags})


def update_primary_region(response: KmsResponse) -> str:
    """Answer UpdatePrimaryRegion."""
    asked = parameters(response)
    replicas.move_primary(key_named(response, asked["KeyId"]), asked["PrimaryRegion"])
    return "{}"


def generate_data_key_pair(response: KmsResponse) -> str:
    """Answer GenerateDataKeyPair."""
    asked = parameters(response)
    spec = choice(response, "KeyPairSpec", pairs.PAIR_SPECS)
    key = key_named(response, asked["KeyId"])
    private, public = pairs.generate(spec)
    sealed, arn = response.kms_backend.encrypt(key.id, private, asked.get("EncryptionContext") or {})
    return json.dumps(
        {
            "KeyId": arn,
            "KeyPairSpec": spec,
            "PrivateKeyCiphertextBlob": pairs.text(sealed),
            "PrivateKeyPlaintext": pairs.text(private),
            "PublicKey": pairs.text(public),
        }
    )


def generate_sealed_pair(response: KmsResponse) -> str:
    """Answer GenerateDataKeyPairWithoutPlaintext."""
    answer = json.loads(generate_data_key_pair(response))
    del answer["PrivateKeyPlaintext"]
    return json.dumps(answer)


def derive_shared_secret(response: KmsResponse) -> str:
    """Answer DeriveSharedSecret."""
    choice(response, "KeyAgreementAlgorithm", ["ECDH"])
    public = blob(response, "PublicKey", longest=8192)
    key = key_named(response, parameters(response)["KeyId"])
    try:
        secret = pairs.shared_secret(key.private_key.private_key, public)
    except ValueError as problem:
        raise json_error("ValidationException", f"Invalid public key: {problem}") from problem
    return json.dumps(
        {"KeyId": key.arn, "SharedSecret": pairs.text(secret), "KeyAgreementAlgorithm": "ECDH", "KeyOrigin": key.origin}
    )


def enable_key_rotation(response: KmsResponse) -> str:
    """Answer EnableKeyRotation."""
    asked = parameters(response)
    key = key_named(response, asked["KeyId"])
    if key.key_spec != "SYMMETRIC_DEFAULT" or key.origin != "AWS_KMS":
        raise json_error("UnsupportedOperationException", f"{key.arn} does not support automatic rotation.")
    key.key_rotation_status = True
    key.rotation_period_in_days = asked.get(
        "RotationPeriodInDays", getattr(key, "rotation_period_in_days", _DEFAULT_ROTATION_PERIOD)
    )
    return "{}"


def get_key_rotation_status(response: KmsResponse) -> str:
    """Answer GetKeyRotationStatus."""
    key = key_named(response, parameters(response)["KeyId"])
    status: dict[str, Any] = {"KeyId": key.arn, "KeyRotationEnabled": key.key_rotation_status}
    if key.key_rotation_status:
        days = getattr(key, "rotation_period_in_days", _DEFAULT_ROTATION_PERIOD)
        status |= {"RotationPeriodInDays": days, "NextRotationDate": key.creation_date + days * 86400}
    return json.dumps(status)


def get_parameters_for_import(response: KmsResponse, now: datetime) -> str:
    """Answer GetParametersForImport."""
    algorithm = choice(response, "WrappingAlgorithm", imports.WRAPPING_ALGORITHMS)
    spec = choice(response, "WrappingKeySpec", imports.WRAPPING_SPECS)
    key = key_named(response, parameters(response)["KeyId"])
    offer = imports.offer(key, algorithm, spec, now)
    return json.dumps(
        {
            "KeyId": key.arn,
            "ImportToken": pairs.text(offer.token),
            "PublicKey": pairs.text(pairs.public_der(offer.wrapping_key.public_key())),
            "ParametersValidTo": offer.ends.timestamp(),
        }
    )


def import_key_material(response: KmsResponse, now: datetime) -> str:
    """Answer ImportKeyMaterial."""
    asked = parameters(response)
    model = choice(response, "ExpirationModel", imports.EXPIRATION_MODELS, imports.EXPIRATION_MODELS[0])
    if (model == "KEY_MATERIAL_EXPIRES") != ("ValidTo" in asked):
        raise json_error("ValidationException", f"ValidTo does not go with the expiration model {model}.")
    key = key_named(response, asked["KeyId"])
    token = blob(response, "ImportToken", longest=_LONGEST_SIGNATURE)
    imports.take(key, token, blob(response, "EncryptedKeyMaterial", longest=_LONGEST_SIGNATURE), now)
    return json.dumps({"KeyId": key.arn, "KeyMaterialId": describe(key).get("CurrentKeyMaterialId")})


def delete_imported_key_material(response: KmsResponse) -> str:
    """Answer DeleteImportedKeyMaterial."""
    key = key_named(response, parameters(response)["KeyId"])
    imports.forget(key)
    return json.dumps({"KeyId": key.arn})
