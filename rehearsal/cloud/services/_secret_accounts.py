"""A secret of another account: reached by its ARN, if its key is not AWS's own.

Source: https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_examples_cross.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.secretsmanager.exceptions import SecretNotFoundException
from moto.secretsmanager.models import secretsmanager_backends
from moto.secretsmanager.responses import SecretsManagerResponse

from rehearsal.cloud.errors import json_error
from rehearsal.cloud.places import place_of

_READS = {"GetSecretValue"}
_OWN_KEY = "alias/aws/secretsmanager"


def crossing(
    original: Callable[[SecretsManagerResponse], Any], operation: str
) -> Callable[[SecretsManagerResponse], Any]:
    """Return an operation that goes to the account which the secret's ARN names, and never to another region."""

    def method(response: SecretsManagerResponse) -> Any:
        identifier = str(response._get_param("SecretId") or "")
        if identifier.startswith("arn:"):
            place = _place(identifier)
            if place.region != response.region:
                raise SecretNotFoundException
            if place.account_id != response.current_account:
                _check_key(operation, identifier)
                response.current_account = place.account_id
        return original(response)

    return method


def _place(identifier: str) -> Any:
    try:
        return place_of(identifier)
    except ValueError as problem:
        raise json_error("InvalidParameterException", f"Invalid ARN {identifier}") from problem


def _check_key(operation: str, arn: str) -> None:
    secret: Any = _place(arn).backend(secretsmanager_backends).secrets.get(arn)
    own = secret is None or (secret.kms_key_id or _OWN_KEY).endswith(_OWN_KEY)
    if operation in _READS and own:
        raise json_error(
            "InvalidRequestException",
            "You can't access a secret from a different AWS account if you encrypt the secret with the default KMS "
            "service key.",
        )
