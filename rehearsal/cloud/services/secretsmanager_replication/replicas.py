"""A replica: what it last saw of its primary, under its own key, and how it follows, fails or is promoted.

Source: https://docs.aws.amazon.com/secretsmanager/latest/userguide/replicate-secrets.html
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from moto.kms.models import kms_backends
from moto.secretsmanager.models import FakeSecret, ReplicaSecret, SecretsManagerBackend, secretsmanager_backends

_DEFAULT_KEY = "alias/aws/secretsmanager"
_SUCCEEDED = "Replication succeeded"


class Replica(ReplicaSecret):  # type: ignore[misc]
    """A secret in another region that shows its primary as it was when it was last copied."""

    def __init__(self, source: FakeSecret, region: str, key_id: str | None, *, overwrites: bool) -> None:
        self.source = source
        self.region = region
        _, _, service, _, rest = source.arn.split(":", 4)
        self.arn = f"arn:aws:{service}:{region}:{rest}"
        self.kms_key_id = key_id or _DEFAULT_KEY
        self.overwrites = overwrites
        self.status, self.message = "InProgress", ""
        self.has_replica = False
        self.seen: dict[str, Any] = {}

    @property
    def config(self) -> dict[str, Any]:
        """A ReplicationStatusType of Secrets Manager's API."""
        told = {"Region": self.region, "KmsKeyId": self.kms_key_id, "Status": self.status}
        return {**told, "StatusMessage": self.message} if self.message else told

    @property
    def versions(self) -> dict[str, dict[str, Any]]:
        """The versions, by their ids."""
        versions: dict[str, dict[str, Any]] = self.seen["versions"]
        return versions

    @property
    def default_version_id(self) -> str | None:
        """The current version."""
        return next((name for name, known in self.versions.items() if "AWSCURRENT" in known["version_stages"]), None)

    @property
    def policy(self) -> str | None:
        """The resource policy, which is replicated too."""
        policy: str | None = self.seen["policy"]
        return policy

    @property
    def description(self) -> str | None:
        """The description."""
        description: str | None = self.seen["description"]
        return description

    @property
    def tags(self) -> list[dict[str, str]] | None:
        """The tags."""
        tags: list[dict[str, str]] | None = self.seen["tags"]
        return tags

    def to_dict(self) -> dict[str, Any]:
        """Return a SecretListEntry."""
        shown = {**self.seen["described"], "ARN": self.arn, "PrimaryRegion": self.source.region}
        shown.pop("KmsKeyId", None)
        return shown if self.kms_key_id == _DEFAULT_KEY else {**shown, "KmsKeyId": self.kms_key_id}

    def follow(self) -> None:
        """Copy the primary as it is now, or fail with the reason in the status."""
        here = backend_of(self)
        namesake = here.secrets.get(self.source.name)
        problem = key_problem(self.source.account_id, self.region, self.kms_key_id)
        if problem is None and namesake is not None and namesake is not self and not self.overwrites:
            problem = f"Secret name {self.source.name} already exists in region {self.region}."
        if problem is not None:
            self.status, self.message = "Failed", f"Replication failed: {problem}"
            return
        if namesake is not self:
            if namesake is not None:
                here.secrets.pop(self.source.name)
            here.secrets[self.arn] = self
        self.seen = _view(self.source)
        self.has_replica, self.status, self.message = True, "InSync", _SUCCEEDED

    def is_behind(self) -> bool:
        """Say whether the primary has changed since it was copied, or was not copied yet."""
        return self.status == "InProgress" or (self.has_replica and self.seen != _view(self.source))


def backend_of(replica: Replica) -> SecretsManagerBackend:
    """Return the records of the replica's region."""
    return secretsmanager_backends[replica.source.account_id][replica.region]


def detach(replica: Replica) -> None:
    """Take a replica away from its primary and out of its region."""
    replica.source.replicas.remove(replica)
    if replica.has_replica:
        dict.pop(backend_of(replica).secrets, replica.arn, None)


def promote(replica: Replica) -> FakeSecret:
    """Make a replica a secret of its own, with what it last saw of its primary; rotation is not among that."""
    backend = backend_of(replica)
    detach(replica)
    promoted = FakeSecret(
        account_id=replica.source.account_id,
        region_name=replica.region,
        secret_id=replica.source.name,
        secret_version={},
        version_id="",
        description=replica.description,
        tags=deepcopy(replica.tags),
        kms_key_id=replica.kms_key_id,
        created_date=replica.seen["described"]["CreatedDate"],
        last_changed_date=replica.seen["described"]["LastChangedDate"],
    )
    promoted.arn, promoted.policy = replica.arn, replica.policy
    promoted.versions = deepcopy(replica.versions)
    promoted.set_default_version_id(replica.default_version_id)
    backend.secrets[promoted.name] = promoted
    return promoted


def key_problem(account_id: str, region: str, identifier: str) -> str | None:
    """Return why a KMS key cannot encrypt a replica in a region, None if it can."""
    if identifier == _DEFAULT_KEY:
        return None
    if identifier.startswith("arn:") and identifier.split(":")[3] != region:
        return f"KMS key {identifier} is not in region {region}."
    backend = kms_backends[account_id][region]
    name = backend.get_alias_name(identifier)
    key_id = backend.get_key_id_from_alias(name) if name.startswith("alias/") else backend.get_key_id(name)
    if key_id not in backend.keys:
        return f"KMS key {identifier} does not exist in region {region}."
    if backend.keys[key_id].key_state != "Enabled":
        return f"KMS key {identifier} is not enabled."
    return None


def _view(source: FakeSecret) -> dict[str, Any]:
    described = {name: value for name, value in source.to_dict().items() if name != "ReplicationStatus"}
    view = {
        "described": described,
        "versions": source.versions,
        "policy": source.policy,
        "description": source.description,
        "tags": source.tags,
    }
    copy: dict[str, Any] = deepcopy(view)
    return copy
