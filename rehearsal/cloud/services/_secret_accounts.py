"""A secret of another account: reached by its ARN, if its policy lets the caller and its key is not AWS's own.

Source: https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_examples_cross.html
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from moto.secretsmanager.exceptions import SecretNotFoundException
from moto.secretsmanager.models import secretsmanager_backends
from moto.secretsmanager.responses import SecretsManagerResponse

from rehearsal.cloud.callers import caller_of
from rehearsal.cloud.errors import json_error
from rehearsal.cloud.places import place_of
from rehearsal.cloud.policies import Request, caller_values, judge

_READS = {"GetSecretValue"}


def crossing(
    original: Callable[[SecretsManagerResponse], Any], operation: str, now: Callable[[], datetime]
) -> Callable[[SecretsManagerResponse], Any]:
    """Return an operation that goes to the account which the secret's ARN names, and never to another region."""

    def method(response: SecretsManagerResponse) -> Any:
        identifier = str(response._get_param("SecretId") or "")
        if identifier.startswith("arn:"):
            place = _place(identifier)
            if place.region != response.region:
                raise SecretNotFoundException
            if place.account_id != response.current_account:
                _check(response, operation, identifier, now())
                response.current_account = place.account_id
        return original(response)

    return method


def _place(identifier: str) -> Any:
    try:
        return place_of(identifier)
    except ValueError as problem:
        raise json_error("InvalidParameterException", f"Invalid ARN {identifier}") from problem


def _check(response: SecretsManagerResponse, operation: str, arn: str, now: datetime) -> None:
    caller = caller_of(response.get_access_key(), response.current_account)
    permission = f"secretsmanager:{operation}"
    secret: Any = _place(arn).backend(secretsmanager_backends).secrets.get(arn)
    values = caller_values(caller, response.region, now)
    policy = secret.policy if secret is not None else None
    if not judge(policy, Request(caller, permission, arn, values)).permits:
        raise json_error(
            "AccessDeniedException",
            f"User: {caller.arn} is not authorized to perform: {permission} on resource: {arn} because no "
            f"resource-based policy allows the {permission} action",
        )
    if operation in _READS and (secret.kms_key_id or "alias/aws/secretsmanager").endswith("alias/aws/secretsmanager"):
        raise json_error(
            "InvalidRequestException",
            "You can't access a secret from a different AWS account if you encrypt the secret with the default KMS "
            "service key.",
        )
