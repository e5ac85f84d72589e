"""Secrets Manager: secrets that stay away once deleted, versions with their stages, and errors in AWS's words."""

from __future__ import annotations

import json
import re
import secrets
import string
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import moto.secretsmanager.models
from moto.core.utils import camelcase_to_underscores
from moto.kms.models import kms_backends
from moto.secretsmanager.exceptions import SecretNotFoundException, SecretsManagerClientError
from moto.secretsmanager.models import FakeSecret, SecretsManagerBackend, secretsmanager_backends
from moto.secretsmanager.responses import SecretsManagerResponse

from rehearsal.cloud.errors import constraint_error, json_error
from rehearsal.cloud.places import Place, place_of
from rehearsal.cloud.service import Patches, Service, correction
from rehearsal.cloud.services._secret_accounts import crossing

_API = "https://docs.aws.amazon.com/secretsmanager/latest/apireference"
_GUIDE = "https://docs.aws.amazon.com/secretsmanager/latest/userguide"
_OF_A_SECRET = (
    "CancelRotateSecret", "DeleteResourcePolicy", "DeleteSecret", "DescribeSecret", "GetResourcePolicy",
    "GetSecretValue", "ListSecretVersionIds", "PutResourcePolicy", "PutSecretValue", "RestoreSecret", "RotateSecret",
    "TagResource", "UntagResource", "UpdateSecret", "UpdateSecretVersionStage",
)  # fmt: skip
_LONGEST_VALUE = 65536
_PREFIX = re.compile(r"^(\w+: )?An error occurred \(\w+\) when calling the \w+ operation:\s*")
_DELETED = "You can't perform this operation on the secret because it was marked for deletion."
_CHANGES = ("put_secret_value", "update_secret", "rotate_secret", "put_resource_policy", "update_secret_version_stage")


class SecretsManager(Service):
    """AWS Secrets Manager."""

    name: ClassVar[str] = "secretsmanager"

    def inventory(self) -> Sequence[str]:
        """Return the secrets that are not deleted, nor waiting for it."""
        return [
            secret.arn
            for _, _, backend in secretsmanager_backends.iter_backends()
            for secret in list(dict.values(backend.secrets))
            if not secret.is_deleted()
        ]

    @correction("secretsmanager.error-texts", f"{_API}/CommonErrors.html")
    def word_errors(self, patches: Patches) -> None:
        """A message says what is wrong, once and without line breaks."""
        original = patches.replace(SecretsManagerClientError, "__init__", None)

        def initialise(error: SecretsManagerClientError, code: str, message: str, *rest: Any, **more: Any) -> None:
            text = _PREFIX.sub("", " ".join(message.split()))
            original(error, code, _DELETED if "marked deleted" in text else text, *rest, **more)

        patches.replace(SecretsManagerClientError, "__init__", initialise)

    @correction("secretsmanager.deleted", f"{_API}/API_DeleteSecret.html")
    def keep_deleted_secrets_away(self, patches: Patches) -> None:
        """A secret waiting for its deletion is not changed, and its name not given to another."""
        for operation in _CHANGES:
            original = getattr(SecretsManagerBackend, operation)
            patches.replace(SecretsManagerBackend, operation, _of_the_living(original))
        create = patches.replace(SecretsManagerBackend, "create_secret", None)

        def create_secret(backend: SecretsManagerBackend, name: str, *arguments: Any, **named: Any) -> str:
            existing = backend.secrets.get(name)
            if existing is not None and existing.is_deleted():
                raise json_error(
                    "InvalidRequestException",
                    "You can't create this secret because a secret with this name is already scheduled for deletion.",
                )
            answer: str = create(backend, name, *arguments, **named)
            return answer

        patches.replace(SecretsManagerBackend, "create_secret", create_secret)

    @correction("secretsmanager.versions", f"{_API}/API_ListSecretVersionIds.html")
    def list_versions(self, patches: Patches) -> None:
        """A version without a stage is deprecated: it is listed only when asked for."""
        patches.replace(SecretsManagerResponse, "list_secret_version_ids", _list_secret_version_ids)
        patches.replace(
            FakeSecret,
            "_form_version_ids_to_stages",
            lambda secret: {
                name: known["version_stages"] for name, known in secret.versions.items() if known["version_stages"]
            },
        )

    @correction("secretsmanager.limits", f"{_API}/API_CreateSecret.html")
    def hold_to_limits(self, patches: Patches) -> None:
        """Names, sizes and keys are checked."""
        for operation in ("create_secret", "put_secret_value", "update_secret"):
            patches.replace(SecretsManagerResponse, operation, _checked(getattr(SecretsManagerResponse, operation)))

    @correction("secretsmanager.resource-policy", f"{_API}/API_PutResourcePolicy.html")
    def check_policies(self, patches: Patches) -> None:
        """A resource policy is a JSON document of statements."""
        original = patches.replace(SecretsManagerResponse, "put_resource_policy", None)

        def put(response: SecretsManagerResponse) -> Any:
            try:
                sound = bool(json.loads(response._get_param("ResourcePolicy"))["Statement"])
            except (ValueError, KeyError, TypeError):
                sound = False
            if not sound:
                raise json_error("MalformedPolicyDocumentException", "This resource policy contains invalid Json")
            return original(response)

        patches.replace(SecretsManagerResponse, "put_resource_policy", put)

    @correction("secretsmanager.random-password", f"{_API}/API_GetRandomPassword.html")
    def draw_passwords(self, patches: Patches) -> None:
        """A password is drawn from the system's randomness, with a character of each included type anywhere in it."""
        patches.replace(moto.secretsmanager.models, "random_password", draw_password)

    @correction("secretsmanager.other-accounts", f"{_GUIDE}/auth-and-access_examples_cross.html")
    def cross_accounts(self, patches: Patches) -> None:
        """A secret's ARN reaches it from another account if its policy allows, and from another region never."""
        for operation in _OF_A_SECRET:
            method = camelcase_to_underscores(operation)
            original = getattr(SecretsManagerResponse, method)
            patches.replace(SecretsManagerResponse, method, crossing(original, operation))


def draw_password(
    length: int,
    exclude_characters: str,
    exclude_numbers: bool,
    exclude_punctuation: bool,
    exclude_uppercase: bool,
    exclude_lowercase: bool,
    include_space: bool,
    require_each_included_type: bool,
) -> str:
    """Return a password of `length` characters. Raises AWS's InvalidParameterException if no character is left."""
    types = [
        (string.ascii_lowercase, not exclude_lowercase),
        (string.ascii_uppercase, not exclude_uppercase),
        (string.digits, not exclude_numbers),
        (string.punctuation, not exclude_punctuation),
        (" ", include_space),
    ]
    included = ["".join(set(characters) - set(exclude_characters)) for characters, wanted in types if wanted]
    pools = [characters for characters in included if characters]
    if not pools:
        raise json_error("InvalidParameterException", "The password can't be generated: every character is excluded.")
    drawn = [secrets.choice(pool) for pool in pools] if require_each_included_type else []
    drawn += [secrets.choice("".join(pools)) for _ in range(length - len(drawn))]
    secrets.SystemRandom().shuffle(drawn)
    return "".join(drawn[:length])


def _of_the_living(original: Callable[..., Any]) -> Callable[..., Any]:
    def operation(backend: SecretsManagerBackend, *arguments: Any, **named: Any) -> Any:
        secret = backend.secrets.get(named["secret_id"] if "secret_id" in named else arguments[0])
        if secret is not None and secret.is_deleted():
            raise json_error("InvalidRequestException", _DELETED)
        return original(backend, *arguments, **named)

    return operation


def _list_secret_version_ids(response: SecretsManagerResponse) -> str:
    secret = response.backend.secrets.get(response._get_param("SecretId"))
    if secret is None:
        raise SecretNotFoundException
    deprecated = bool(response._get_param("IncludeDeprecated"))
    versions = [
        {"CreatedDate": known["createdate"], "VersionId": name, "VersionStages": known["version_stages"]}
        for name, known in secret.versions.items()
        if known["version_stages"] or deprecated
    ]
    return json.dumps({"ARN": secret.arn, "Name": secret.name, "Versions": versions})


def _checked(original: Callable[[SecretsManagerResponse], Any]) -> Callable[[SecretsManagerResponse], Any]:
    def operation(response: SecretsManagerResponse) -> Any:
        name = response._get_param("Name")
        if name is not None and not re.fullmatch(r"[A-Za-z0-9/_+=.@-]{1,512}", name):
            raise json_error(
                "ValidationException",
                "Invalid name. Must be a valid name containing alphanumeric characters, "
                "or any of the following: -/_+=.@!",
            )
        for parameter, field in (("SecretString", "secretString"), ("SecretBinary", "secretBinary")):
            if len(response._get_param(parameter) or "") > _LONGEST_VALUE:
                raise constraint_error(field, None, f"Member must have length less than or equal to {_LONGEST_VALUE}")
        _check_key(response, response._get_param("KmsKeyId"))
        return original(response)

    return operation


def _check_key(response: SecretsManagerResponse, identifier: str | None) -> None:
    if identifier is None:
        return
    named = identifier.startswith("arn:")
    place = place_of(identifier) if named else Place(response.current_account, response.region)
    backend = place.backend(kms_backends)
    name = backend.get_alias_name(identifier)
    key_id = backend.get_key_id_from_alias(name) if name.startswith("alias/") else backend.get_key_id(name)
    if key_id not in backend.keys:
        raise json_error("InvalidParameterException", f"The KMS key {identifier} does not exist.")
    if backend.keys[key_id].key_state != "Enabled":
        raise json_error("InvalidRequestException", f"The KMS key {identifier} is not enabled.")
