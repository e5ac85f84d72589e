"""What guards a resource by itself: its own policy, a key's grants, and the tags that conditions ask for."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from moto.awslambda.models import lambda_backends
from moto.dynamodb.models import dynamodb_backends
from moto.ecr.models import ecr_backends
from moto.ecs.models import ecs_backends
from moto.kms.models import Key, kms_backends
from moto.rds.models import rds_backends
from moto.s3.models import s3_backends
from moto.secretsmanager.models import secretsmanager_backends
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends

from interlock.duties.evaluator.policy import Policy, PolicyKind
from interlock.duties.evaluator.request import Grant
from rehearsal.cloud.authorization.documents import document_text, read
from rehearsal.cloud.authorization.layers import role_of, trust_of
from rehearsal.cloud.places import Place

_PARTITION: Final = "aws"
UNMADE: Final = "00000000-0000-0000-0000-000000000000"
"""Stands for the id that a key gets when it is made; until then the account's IAM policies decide."""


def policy_of(arn: str) -> Policy | None:
    """Return the policy that a resource has, a role's trust policy included. Raises PolicyError or NotModelled."""
    parts = arn.split(":", 5)
    if len(parts) < 6 or parts[0] != "arn":
        return None
    if parts[2] == "iam" and parts[5].startswith("role/"):
        role = role_of(arn)
        return trust_of(role) if role is not None else None
    find = _POLICIES.get(parts[2])
    try:
        document = find(Place(parts[4], parts[3]), parts[5]) if find is not None else None
    except KeyError:
        # In a region that there is not lies nothing.
        return None
    return read(document_text(document), PolicyKind.RESOURCE, f"policy of {arn}") if document else None


def key_of(arn: str) -> Key | None:
    """Return the KMS key of an ARN, None if there is none."""
    parts = arn.split(":", 5)
    if len(parts) < 6 or parts[2] != "kms" or not parts[5].startswith("key/"):
        return None
    try:
        keys: dict[str, Key] = kms_backends[parts[4]][parts[3]].keys
    except KeyError:
        return None
    return keys.get(parts[5].removeprefix("key/"))


def grants_of(arn: str) -> tuple[Grant, ...]:
    """Return the grants of a KMS key."""
    key = key_of(arn)
    return tuple(_grant(arn, grant) for grant in list(key.grants.values())) if key is not None else ()


def tags_of(arn: str) -> Mapping[str, str]:
    """Return a resource's tags, of those services whose tags our conditions ask for."""
    parts = arn.split(":", 5)
    if len(parts) < 6:
        return {}
    find = _TAGS.get(parts[2])
    if find is None:
        return {}
    try:
        tags = find(arn)
    except KeyError:
        return {}
    return {str(tag.get("Key", tag.get("key"))): str(tag.get("Value", tag.get("value", ""))) for tag in tags}


def _grant(arn: str, grant: Any) -> Grant:
    constraints = grant.constraints or {}
    return Grant(
        arn,
        grant.grantee_principal,
        frozenset(grant.operations),
        tuple(sorted(constraints.get("EncryptionContextEquals", {}).items())),
        tuple(sorted(constraints.get("EncryptionContextSubset", {}).items())),
    )


def _bucket_policy(place: Place, named: str) -> Any:  # noqa: ARG001 (a bucket's ARN has no place)
    name = named.partition("/")[0]
    _, owner = s3_backends.bucket_accounts.get(name, ("", ""))
    bucket = s3_backends[owner][_PARTITION].buckets.get(name) if owner else None
    return bucket.policy if bucket is not None else None


def _key_policy(place: Place, named: str) -> Any:
    if named == f"key/{UNMADE}":
        root = f"arn:{_PARTITION}:iam::{place.account_id}:root"
        statement = {"Effect": "Allow", "Principal": {"AWS": root}, "Action": "kms:*", "Resource": "*"}
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    key = kms_backends[place.account_id][place.region].keys.get(named.removeprefix("key/"))
    return key.policy if key is not None else None


def _secret_policy(place: Place, named: str) -> Any:
    arn = f"arn:{_PARTITION}:secretsmanager:{place.region}:{place.account_id}:{named}"
    secrets = secretsmanager_backends[place.account_id][place.region].secrets
    secret = next((one for one in list(dict.values(secrets)) if one.arn == arn), None)
    return secret.policy if secret is not None else None


def _repository_policy(place: Place, named: str) -> Any:
    repository = ecr_backends[place.account_id][place.region].repositories.get(named.removeprefix("repository/"))
    return repository.policy if repository is not None else None


def _table_policy(place: Place, named: str) -> Any:
    # What is done to an index is judged by its table's policy.
    table = "/".join(named.split("/")[:2])
    arn = f"arn:{_PARTITION}:dynamodb:{place.region}:{place.account_id}:{table}"
    policy = dynamodb_backends[place.account_id][place.region].resource_policies.get(arn)
    return policy.policy_doc if policy is not None else None


def _topic_policy(place: Place, named: str) -> Any:
    arn = f"arn:{_PARTITION}:sns:{place.region}:{place.account_id}:{named}"
    topic = sns_backends[place.account_id][place.region].topics.get(arn)
    return topic.policy if topic is not None else None


def _queue_policy(place: Place, named: str) -> Any:
    queue = sqs_backends[place.account_id][place.region].queues.get(named)
    return queue.policy if queue is not None else None


def _function_policy(place: Place, named: str) -> Any:
    name = named.removeprefix("function:").partition(":")[0]
    functions = lambda_backends[place.account_id][place.region].list_functions()
    function = next((one for one in functions if one.function_name == name), None)
    # One statement of an id: what AddPermission keeps.
    written = list(function.policy.statements) if function is not None else []
    statements = list({statement.get("Sid"): statement for statement in written}.values())
    return json.dumps({"Version": "2012-10-17", "Statement": statements}) if statements else None


_POLICIES: Final[Mapping[str, Callable[[Place, str], Any]]] = {
    "dynamodb": _table_policy,
    "ecr": _repository_policy,
    "kms": _key_policy,
    "lambda": _function_policy,
    "s3": _bucket_policy,
    "secretsmanager": _secret_policy,
    "sns": _topic_policy,
    "sqs": _queue_policy,
}


def _role_tags(arn: str) -> Any:
    role = role_of(arn) if ":role/" in arn else None
    return role.tags if role is not None else []


def _secret_tags(arn: str) -> Any:
    _, _, _, region, account_id, _ = arn.split(":", 5)
    secrets = secretsmanager_backends[account_id][region].secrets
    secret = next((one for one in list(dict.values(secrets)) if one.arn == arn), None)
    return (secret.tags or []) if secret is not None else []


def _database_tags(arn: str) -> Any:
    _, _, _, region, account_id, named = arn.split(":", 5)
    kind, _, name = named.partition(":")
    instance = rds_backends[account_id][region].databases.get(name) if kind == "db" else None
    return instance.tags if instance is not None else []


def _ecs_tags(arn: str) -> Any:
    _, _, _, region, account_id, named = arn.split(":", 5)
    services = ecs_backends[account_id][region].services.values() if named.startswith("service/") else ()
    return next((one.tags or [] for one in list(services) if one.arn == arn), [])


_TAGS: Final[Mapping[str, Callable[[str], Any]]] = {
    "ecs": _ecs_tags,
    "iam": _role_tags,
    "rds": _database_tags,
    "secretsmanager": _secret_tags,
}
