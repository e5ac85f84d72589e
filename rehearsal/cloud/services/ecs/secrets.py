"""Fetches what a container's `secrets` name, as the ECS agent does with the task's execution role.

Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-secrets-manager.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from rehearsal.cloud.places import place_of

if TYPE_CHECKING:
    from rehearsal.cloud.context import CloudContext

_PULLING = "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: "


class SecretUnavailable(RuntimeError):
    """A secret cannot be given to a container; the message is the task's stoppedReason."""


def fetch(
    cloud: CloudContext, region: str, wanted: Sequence[Mapping[str, str]], credentials: Mapping[str, str]
) -> dict[str, str]:
    """Return the values of a container definition's `secrets` by variable name. Raises SecretUnavailable.

    An ARN is asked for in its own region, a plain name in `region`.
    """
    found: dict[str, str] = {}
    for secret in wanted:
        reference = secret["valueFrom"]
        is_parameter = ":ssm:" in reference or not reference.startswith("arn:")
        get = _parameter if is_parameter else _secret
        asked = place_of(reference).region if reference.startswith("arn:") else region
        found[secret["name"]] = get(
            _client(cloud, "ssm" if is_parameter else "secretsmanager", asked, credentials), reference
        )
    return found


def _secret(client: Any, reference: str) -> str:
    # arn:aws:secretsmanager:region:account:secret:name-suffix[:json-key:version-stage:version-id]
    parts = reference.split(":")
    arn, (key, stage, version) = ":".join(parts[:7]), ([*parts[7:], "", "", ""])[:3]
    chosen = {name: value for name, value in (("VersionStage", stage), ("VersionId", version)) if value}
    try:
        answer = client.get_secret_value(SecretId=arn, **chosen)
    except ClientError as error:
        raise SecretUnavailable(
            f"{_PULLING}unable to retrieve secret from asm: service call has been retried 1 time(s): failed to fetch "
            f"secret {arn} from secrets manager: {_told(error)}"
        ) from error
    text = answer.get("SecretString")
    if text is None:
        text = answer["SecretBinary"].decode()
    return str(text) if not key else _value_of(arn, str(text), key)


def _value_of(arn: str, text: str, key: str) -> str:
    asm = f"{_PULLING}unable to retrieve secret from asm: "
    try:
        document = json.loads(text)
    except ValueError as error:
        raise SecretUnavailable(f"{asm}failed to fetch secret {arn}: the secret is not a JSON document") from error
    if not isinstance(document, dict) or key not in document:
        raise SecretUnavailable(f"{asm}retrieved secret from Secrets Manager did not contain json key {key}")
    value = document[key]
    return value if isinstance(value, str) else json.dumps(value)


def _parameter(client: Any, reference: str) -> str:
    name = reference.partition(":parameter")[2] or reference
    try:
        answer = client.get_parameters(Names=[name], WithDecryption=True)
    except ClientError as error:
        raise SecretUnavailable(
            f"{_PULLING}unable to retrieve secrets from ssm: service call has been retried 1 time(s): {_told(error)}"
        ) from error
    if not answer["Parameters"]:
        raise SecretUnavailable(f"{_PULLING}unable to retrieve secrets from ssm: invalid parameters: {name}")
    return str(answer["Parameters"][0]["Value"])


def _told(error: ClientError) -> str:
    return f"{error.response['Error']['Code']}: {error.response['Error']['Message']}"


def _client(cloud: CloudContext, service: str, region: str, credentials: Mapping[str, str]) -> Any:
    return boto3.session.Session().client(  # type: ignore[call-overload]
        service,
        region_name=region,
        endpoint_url=cloud.endpoint_url,
        config=Config(retries={"total_max_attempts": 1}),
        **credentials,
    )
