"""KMS's corrections."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any
from uuid import uuid4

import moto.kms.models
from moto.core.utils import camelcase_to_underscores
from moto.kms.models import Key, KmsBackend, kms_backends
from moto.kms.responses import KmsResponse

from rehearsal.cloud.authorization.keys import is_managed_by_aws
from rehearsal.cloud.errors import constraint_error, json_error
from rehearsal.cloud.service import Patches, Service, correction
from rehearsal.cloud.services.kms import accounts, operations, replicas
from rehearsal.cloud.services.kms.metadata import describe
from rehearsal.cloud.services.kms.requests import key_named, keys_of, keys_of_ciphertext, parameters
from rehearsal.cloud.services.kms.states import (
    CRYPTOGRAPHIC_OPERATIONS,
    GUARDED_OPERATIONS,
    Refusal,
    kind_refusal,
    refusal,
    usage_refusal,
)

_API = "https://docs.aws.amazon.com/kms/latest/APIReference"
_GUIDE = "https://docs.aws.amazon.com/kms/latest/developerguide"
_LONGEST_POLICY = 32768

_Handler = Callable[[KmsResponse], Any]


class KeyManagement(Service):
    """AWS KMS."""

    name = "kms"

    def inventory(self) -> Sequence[str]:
        """Return the callers' keys that are not pending deletion, and their aliases."""
        made = []
        for _, _, backend in kms_backends.iter_backends():
            for key in backend.keys.values():
                if key.key_state in ("PendingDeletion", "PendingReplicaDeletion") or is_managed_by_aws(key):
                    continue
                made += [key.arn, *(alias.alias_arn for alias in key.aliases.values())]
        return made

    @correction("kms.sign-digest", f"{_API}/API_Sign.html")
    def sign_digests(self, patches: Patches) -> None:
        """MessageType decides whether the message is hashed; lengths and algorithms are checked."""
        patches.replace(KmsResponse, "sign", operations.sign)

    @correction("kms.verify", f"{_API}/API_Verify.html")
    def verify_digests(self, patches: Patches) -> None:
        """As for Sign; a signature that does not verify is an error, not an answer of false."""
        patches.replace(KmsResponse, "verify", operations.verify)

    @correction("kms.metadata", f"{_API}/API_KeyMetadata.html")
    def describe_keys(self, patches: Patches) -> None:
        """Metadata has the members that a key's kind has."""
        patches.replace(Key, "to_dict", lambda key: {"KeyMetadata": describe(key)})

    @correction("kms.public-key", f"{_API}/API_GetPublicKey.html")
    def tell_public_keys(self, patches: Patches) -> None:
        """GetPublicKey answers the ARN and the key's spec."""
        patches.replace(KmsResponse, "get_public_key", operations.get_public_key)

    @correction("kms.key-arns", f"{_GUIDE}/concepts.html#key-id")
    def accept_arns(self, patches: Patches) -> None:
        """Every operation takes a key's ARN for its id."""
        for operation in ("disable_key", "enable_key", "cancel_key_deletion", "schedule_key_deletion"):
            original = getattr(KmsBackend, operation)
            patches.replace(KmsBackend, operation, _with_plain_id(original))

    @correction("kms.schedule-deletion", f"{_API}/API_ScheduleKeyDeletion.html")
    def schedule_deletion(self, patches: Patches) -> None:
        """The window is 7 to 30 days, and the answer tells the state; so does CancelKeyDeletion's tell the ARN."""
        original = patches.replace(KmsResponse, "schedule_key_deletion", None)
        patches.replace(KmsResponse, "schedule_key_deletion", lambda response: _schedule_deletion(response, original))
        cancel = patches.replace(KmsResponse, "cancel_key_deletion", None)
        patches.replace(KmsResponse, "cancel_key_deletion", lambda response: _with_arn(response, cancel))

    @correction("kms.multi-region-ids", f"{_GUIDE}/multi-region-keys-overview.html")
    def shorten_multi_region_ids(self, patches: Patches) -> None:
        """A multi-Region key's id is mrk- and 32 hexadecimal digits."""
        original = patches.replace(moto.kms.models, "generate_key_id", None)
        patches.replace(
            moto.kms.models,
            "generate_key_id",
            lambda multi_region=False: f"mrk-{uuid4().hex}" if multi_region else original(False),
        )
        validate = patches.replace(KmsResponse, "_validate_cmk_id", None)
        patches.replace(
            KmsResponse,
            "_validate_cmk_id",
            lambda response, key_id: None if key_id in response.kms_backend.keys else validate(response, key_id),
        )

    @correction("kms.replicas", f"{_GUIDE}/multi-region-keys-replicate.html")
    def replicate(self, patches: Patches) -> None:
        """A replica has its own policy, aliases and state, and can become the primary."""
        patches.replace(KmsResponse, "replicate_key", operations.replicate_key)
        patches.replace(KmsResponse, "update_primary_region", operations.update_primary_region)
        patches.replace(KmsBackend, "describe_key", _described)

    @correction("kms.key-usage", f"{_API}/API_CreateKey.html")
    def refuse_wrong_usage(self, patches: Patches) -> None:
        """A key does only what its usage says."""
        for operation in [*CRYPTOGRAPHIC_OPERATIONS, "GetPublicKey"]:
            _guard(patches, operation, lambda key, asked: usage_refusal(asked, key.key_usage, key.key_spec))

    @correction("kms.data-key-pairs", f"{_API}/API_GenerateDataKeyPair.html")
    def generate_pairs(self, patches: Patches) -> None:
        """GenerateDataKeyPair, with and without the private key in the clear."""
        patches.replace(KmsResponse, "generate_data_key_pair", operations.generate_data_key_pair)
        patches.replace(KmsResponse, "generate_data_key_pair_without_plaintext", operations.generate_sealed_pair)

    @correction("kms.shared-secret", f"{_API}/API_DeriveSharedSecret.html")
    def derive_secrets(self, patches: Patches) -> None:
        """DeriveSharedSecret by ECDH."""
        patches.replace(KmsResponse, "derive_shared_secret", operations.derive_shared_secret)

    @correction("kms.incorrect-key", f"{_API}/API_ReEncrypt.html")
    def refuse_incorrect_keys(self, patches: Patches) -> None:
        """A named decryption key has to be the one that encrypted."""
        for operation, parameter in (("decrypt", "KeyId"), ("re_encrypt", "SourceKeyId")):
            original = getattr(KmsResponse, operation)
            patches.replace(KmsResponse, operation, _after_naming_the_right_key(original, parameter))

    @correction("kms.rotation", f"{_API}/API_GetKeyRotationStatus.html")
    def rotate(self, patches: Patches) -> None:
        """Rotation has a period and is for symmetric keys with AWS's material."""
        patches.replace(KmsResponse, "enable_key_rotation", operations.enable_key_rotation)
        patches.replace(KmsResponse, "get_key_rotation_status", operations.get_key_rotation_status)

    @correction("kms.policy", f"{_API}/API_PutKeyPolicy.html")
    def check_policies(self, patches: Patches) -> None:
        """A key policy is a JSON document of statements, of at most 32 KB."""
        for operation in ("create_key", "put_key_policy", "replicate_key"):
            original = getattr(KmsResponse, operation)
            patches.replace(KmsResponse, operation, _after_checking_policy(original))

    @correction("kms.key-kinds", f"{_API}/API_CreateKey.html")
    def refuse_impossible_kinds(self, patches: Patches) -> None:
        """A key's spec and usage have to fit; a symmetric key encrypts unless told otherwise."""
        original = patches.replace(KmsResponse, "create_key", None)

        def create_key(response: KmsResponse) -> Any:
            asked = parameters(response)
            spec = asked.get("KeySpec") or asked.get("CustomerMasterKeySpec") or "SYMMETRIC_DEFAULT"
            refused = kind_refusal(asked.get("KeyUsage"), spec)
            if refused:
                raise json_error(refused.code, refused.reason)
            return original(response)

        patches.replace(KmsResponse, "create_key", create_key)
        make = patches.replace(KmsBackend, "create_key", None)
        patches.replace(
            KmsBackend,
            "create_key",
            lambda backend, policy, usage, *rest: make(backend, policy, usage or "ENCRYPT_DECRYPT", *rest),
        )

    @correction("kms.pending-import", f"{_GUIDE}/importing-keys-create-cmk.html")
    def await_material(self, patches: Patches) -> None:
        """A key of EXTERNAL origin waits for its material, which can be imported and deleted."""
        now = self.cloud.now
        patches.replace(
            KmsResponse,
            "get_parameters_for_import",
            lambda response: operations.get_parameters_for_import(response, now()),
        )
        patches.replace(
            KmsResponse, "import_key_material", lambda response: operations.import_key_material(response, now())
        )
        patches.replace(KmsResponse, "delete_imported_key_material", operations.delete_imported_key_material)
        original = patches.replace(KmsBackend, "create_key", None)

        def create_key(backend: KmsBackend, *arguments: Any, **named: Any) -> Key:
            key = original(backend, *arguments, **named)
            if key.origin == "EXTERNAL":
                key.key_state, key.enabled = "PendingImport", False
            return key

        patches.replace(KmsBackend, "create_key", create_key)

    @correction("kms.random", f"{_API}/API_GenerateRandom.html")
    def ask_for_a_number(self, patches: Patches) -> None:
        """GenerateRandom is told how much."""
        original = patches.replace(KmsResponse, "generate_random", None)

        def generate_random(response: KmsResponse) -> Any:
            if parameters(response).get("NumberOfBytes") is None:
                raise json_error("ValidationException", "NumberOfBytes is required.")
            return original(response)

        patches.replace(KmsResponse, "generate_random", generate_random)

    @correction("kms.key-states", f"{_GUIDE}/key-state.html")
    def refuse_by_state(self, patches: Patches) -> None:
        """A key that is disabled, pending deletion or pending import refuses what AWS's table says."""
        for operation in GUARDED_OPERATIONS:
            _guard(patches, operation, lambda key, asked: refusal(asked, key.key_state))

    @correction("kms.other-accounts", f"{_GUIDE}/key-policy-modifying-external-accounts.html")
    def cross_accounts(self, patches: Patches) -> None:
        """A key's ARN reaches it from another account if its policy allows, and from another region never."""
        accounts.cross(patches)


def _described(backend: KmsBackend, identifier: str) -> Key:
    """Return a key without moto's marking of replicas, which would mark the primary too."""
    key_id = backend.any_id_to_key_id(identifier)
    if key_id not in backend.keys:
        raise json_error("NotFoundException", f"Key '{identifier}' does not exist")
    return backend.keys[key_id]


def _guard(patches: Patches, operation: str, judge: Callable[[Key, str], Refusal | None]) -> None:
    method = camelcase_to_underscores(operation)
    original: _Handler | None = patches.replace(KmsResponse, method, None)
    if original is None:
        return

    def guarded(response: KmsResponse) -> Any:
        for key in keys_of(response, operation):
            refused = judge(key, operation)
            if refused:
                raise json_error(refused.code, f"{key.arn} {refused.reason}")
        return original(response)

    patches.replace(KmsResponse, method, guarded)


def _with_plain_id(original: Callable[..., Any]) -> Callable[..., Any]:
    def method(backend: KmsBackend, key_id: str, *arguments: Any) -> Any:
        return original(backend, backend.get_key_id(key_id), *arguments)

    return method


def _schedule_deletion(response: KmsResponse, original: _Handler) -> str:
    days = parameters(response).get("PendingWindowInDays", 30)
    if not 7 <= days <= 30:
        bound = "greater than or equal to 7" if days < 7 else "less than or equal to 30"
        raise constraint_error("pendingWindowInDays", days, f"Member must have value {bound}")
    key = key_named(response, parameters(response)["KeyId"])
    waits_for_replicas = bool(replicas.living_replicas(key))
    answer = json.loads(original(response))
    if waits_for_replicas:
        key.key_state, key.pending_window_in_days = "PendingReplicaDeletion", days
        del answer["DeletionDate"]
    return json.dumps(answer | {"KeyId": key.arn, "KeyState": key.key_state, "PendingWindowInDays": days})


def _with_arn(response: KmsResponse, original: _Handler) -> str:
    key = key_named(response, parameters(response)["KeyId"])
    return json.dumps(json.loads(original(response)) | {"KeyId": key.arn})


def _after_naming_the_right_key(original: _Handler, parameter: str) -> _Handler:
    def method(response: KmsResponse) -> Any:
        named = parameters(response).get(parameter)
        encrypted_by = keys_of_ciphertext(response)
        if named is not None and encrypted_by and key_named(response, named).id not in encrypted_by:
            raise json_error(
                "IncorrectKeyException",
                "The key ID in the request does not identify a CMK that can perform this operation.",
            )
        return original(response)

    return method


def _after_checking_policy(original: _Handler) -> _Handler:
    def method(response: KmsResponse) -> Any:
        policy = parameters(response).get("Policy")
        if policy is not None:
            _check_policy(policy)
        return original(response)

    return method


def _check_policy(policy: str) -> None:
    if len(policy) > _LONGEST_POLICY:
        raise json_error("LimitExceededException", f"The key policy exceeds {_LONGEST_POLICY} bytes")
    try:
        statements = json.loads(policy)["Statement"]
        sound = all(statement["Effect"] in ("Allow", "Deny") for statement in _listed(statements))
    except (ValueError, KeyError, TypeError):
        sound = False
    if not sound:
        raise json_error("MalformedPolicyDocumentException", "The policy document is not a valid key policy.")


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
