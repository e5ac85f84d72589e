"""The replication operations of Secrets Manager, and the thread by which replicas follow."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

from moto.secretsmanager.exceptions import OperationNotPermittedOnReplica, SecretNotFoundException
from moto.secretsmanager.models import FakeSecret, ReplicaSecret, SecretsManagerBackend, secretsmanager_backends
from moto.secretsmanager.responses import SecretsManagerResponse

from rehearsal.cloud.context import CloudContext
from rehearsal.cloud.errors import json_error
from rehearsal.cloud.places import visited
from rehearsal.cloud.service import Patches, Service, correction
from rehearsal.cloud.services.secretsmanager_replication.replicas import Replica, detach, key_problem, promote

_API = "https://docs.aws.amazon.com/secretsmanager/latest/apireference"
_GUIDE = "https://docs.aws.amazon.com/secretsmanager/latest/userguide"
_log = logging.getLogger(__name__)
_FOLLOW_EVERY_SECONDS = 0.5
"""Replicas are behind for about that long; Secrets Manager promises no time."""


class SecretReplication(Service):
    """Replicas of secrets in other regions."""

    name: ClassVar[str] = "secretsmanager-replication"

    def __init__(self, cloud: CloudContext) -> None:
        super().__init__(cloud)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="secret-replicas", daemon=True)

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def stop(self) -> None:
        """Follow no more."""
        self._closing.set()
        self._thread.join()

    @correction("secretsmanager-replication.replicas", f"{_GUIDE}/replicate-secrets.html")
    def make_replicas(self, patches: Patches) -> None:
        """A replica is a copy under its own region's key, which follows in a moment and says if it cannot."""
        patches.replace(FakeSecret, "create_replicas", _create_replicas)
        patches.replace(FakeSecret, "to_dict", _telling_region(FakeSecret.to_dict))
        patches.replace(SecretsManagerBackend, "replicate_secret_to_regions", _replicate)
        patches.replace(SecretsManagerBackend, "remove_regions_from_replication", _remove)

    @correction("secretsmanager-replication.promotion", f"{_API}/API_StopReplicationToReplica.html")
    def promote_replicas(self, patches: Patches) -> None:
        """A replica is made a secret of its own, in its region, with the same ARN."""
        patches.replace(SecretsManagerResponse, "stop_replication_to_replica", _stop_replication)

    @correction("secretsmanager-replication.refusals", f"{_GUIDE}/standalone-secret.html")
    def refuse_changes(self, patches: Patches) -> None:
        """Of a replica only the key can be changed, and of a primary with replicas nothing is deleted."""
        for operation, changed in (
            ("update_secret", _updating_key),
            ("update_secret_version_stage", _of_primaries),
            ("get_resource_policy", _telling_policy),
            ("delete_secret", _without_replicas),
        ):
            patches.replace(SecretsManagerBackend, operation, changed(getattr(SecretsManagerBackend, operation)))

    def _follow(self) -> None:
        while not self._closing.wait(_FOLLOW_EVERY_SECONDS):
            try:
                with self.cloud.turn("secretsmanager"):
                    for replica in _replicas():
                        if replica.is_behind():
                            replica.follow()
            except Exception:
                _log.exception("replicas do not follow")


def _replicas() -> Iterator[Replica]:
    for _, backend in visited(secretsmanager_backends):
        for secret in list(dict.values(backend.secrets)):
            if isinstance(secret, FakeSecret):
                yield from [replica for replica in secret.replicas if isinstance(replica, Replica)]


def _create_replicas(secret: FakeSecret, replica_regions: list[dict[str, str]], force_overwrite: bool) -> list[Replica]:
    regions = [asked["Region"] for asked in replica_regions]
    for asked in replica_regions:
        region, key_id = asked["Region"], asked.get("KmsKeyId")
        if region == secret.region:
            raise _invalid("Invalid replica region.")
        if regions.count(region) > 1:
            raise _invalid(f"Region {region} is named more than once.")
        if key_id is not None and key_problem(secret.account_id, region, key_id):
            raise _invalid(str(key_problem(secret.account_id, region, key_id)))
    return [
        Replica(secret, asked["Region"], asked.get("KmsKeyId"), overwrites=force_overwrite) for asked in replica_regions
    ]


def _replicate(
    backend: SecretsManagerBackend, secret_id: str, replica_regions: list[dict[str, str]], force_overwrite: bool
) -> tuple[str, list[dict[str, Any]]]:
    secret = _primary(backend, secret_id)
    made = secret.create_replicas(replica_regions, force_overwrite=force_overwrite)
    for asked in made:
        for known in [known for known in secret.replicas if known.region == asked.region]:
            if known.has_replica:
                raise _invalid(f"The secret is already replicated to region {asked.region}.")
            secret.replicas.remove(known)
    secret.replicas.extend(made)
    return secret.arn, [replica.config for replica in secret.replicas]


def _remove(
    backend: SecretsManagerBackend, secret_id: str, replica_regions: list[str]
) -> tuple[str, list[dict[str, Any]]]:
    secret = _primary(backend, secret_id)
    for replica in [replica for replica in secret.replicas if replica.region in replica_regions]:
        detach(replica)
    return secret.arn, [replica.config for replica in secret.replicas]


def _stop_replication(response: SecretsManagerResponse) -> str:
    secret = _known(response.backend, response._get_param("SecretId"))
    if not isinstance(secret, Replica):
        raise _invalid("Operation not permitted on a primary secret. Call must be made in replica secret's region.")
    return json.dumps({"ARN": promote(secret).arn})


def _updating_key(original: Callable[..., str]) -> Callable[..., str]:
    def update_secret(backend: SecretsManagerBackend, secret_id: str, *arguments: Any, **named: Any) -> str:
        secret = backend.secrets.get(secret_id)
        given = {name for name, value in named.items() if value is not None}
        # A client sends a token with every update, also with one that makes no version.
        if isinstance(secret, Replica) and given - {"client_request_token"} == {"kms_key_id"} and not arguments:
            problem = key_problem(secret.source.account_id, secret.region, named["kms_key_id"])
            if problem:
                raise _invalid(problem)
            secret.kms_key_id = named["kms_key_id"]
            return json.dumps({"ARN": secret.arn, "Name": secret.name})
        return original(backend, secret_id, *arguments, **named)

    return update_secret


def _of_primaries(original: Callable[..., Any]) -> Callable[..., Any]:
    def operation(backend: SecretsManagerBackend, secret_id: str, *arguments: Any, **named: Any) -> Any:
        if isinstance(backend.secrets.get(secret_id), ReplicaSecret):
            raise OperationNotPermittedOnReplica
        return original(backend, secret_id, *arguments, **named)

    return operation


def _telling_policy(original: Callable[..., str]) -> Callable[..., str]:
    def get_resource_policy(backend: SecretsManagerBackend, secret_id: str) -> str:
        secret = backend.secrets.get(secret_id)
        if not isinstance(secret, Replica):
            return original(backend, secret_id)
        policy = {"ResourcePolicy": secret.policy} if secret.policy is not None else {}
        return json.dumps({"ARN": secret.arn, "Name": secret.name, **policy})

    return get_resource_policy


def _without_replicas(original: Callable[..., Any]) -> Callable[..., Any]:
    def delete_secret(backend: SecretsManagerBackend, secret_id: str, *arguments: Any, **named: Any) -> Any:
        secret = backend.secrets.get(secret_id)
        if isinstance(secret, FakeSecret) and secret.replicas:
            regions = ", ".join(sorted(replica.region for replica in secret.replicas))
            raise _invalid(f"You can't delete secret {secret.arn} that still has replica regions [{regions}].")
        return original(backend, secret_id, *arguments, **named)

    return delete_secret


def _telling_region(original: Callable[[FakeSecret], dict[str, Any]]) -> Callable[[FakeSecret], dict[str, Any]]:
    def to_dict(secret: FakeSecret) -> dict[str, Any]:
        described = original(secret)
        return {**described, "PrimaryRegion": secret.region} if secret.replicas else described

    return to_dict


def _known(backend: SecretsManagerBackend, secret_id: str) -> FakeSecret | ReplicaSecret:
    secret = backend.secrets.get(secret_id)
    if secret is None:
        raise SecretNotFoundException
    return secret


def _primary(backend: SecretsManagerBackend, secret_id: str) -> FakeSecret:
    secret = _known(backend, secret_id)
    if isinstance(secret, ReplicaSecret):
        raise OperationNotPermittedOnReplica
    return secret


def _invalid(message: str) -> Exception:
    return json_error("InvalidParameterException", message)
