"""The stack manifest: what is provisioned, as one typed and versioned document.

It says where things are and proves nothing: what is trusted comes from the trust root, never from here.
Readers of older versions live in `READERS`; a document of a newer version is refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from interlock.duties.duty import SigningDuty

SCHEMA_VERSION: Final = 1


class ManifestError(ValueError):
    """A stack manifest that cannot be read; its text names every wrong field, its value and what is accepted."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())


class VaultPart(_Part):
    """The locked bucket, and the unlocked one beside it where bytes wait for admission."""

    bucket_name: str
    bucket_arn: str
    staging_bucket_name: str
    staging_bucket_arn: str
    retention_days: int = Field(ge=1)
    """Days that every object is locked at least."""
    encryption_key_arn: str


class SigningKeyPart(_Part):
    """One duty's key: ECC_NIST_P256, SIGN_VERIFY."""

    key_arn: str
    key_id: str
    alias: str
    signing_algorithm: Literal["ECDSA_SHA_256"] = "ECDSA_SHA_256"


class NetworkPart(_Part):
    vpc_id: str
    private_subnet_ids: tuple[str, ...]


class ArtifactStorePart(_Part):
    """The bucket that MLflow's server writes to."""

    bucket_name: str
    bucket_arn: str
    encryption_key_arn: str


class DatabasePart(_Part):
    """MLflow's PostgreSQL server; `name` holds runs and registry, `auth_name` users and permissions."""

    identifier: str
    address: str
    port: int = Field(ge=1, le=65535)
    name: str
    auth_name: str
    master_secret_arn: str


class TrackingPart(_Part):
    """The MLflow server; `admin_secret_arn` holds JSON {"username", "password"}."""

    uri: str
    domain: str
    admin_secret_arn: str
    database: DatabasePart
    cluster: str
    """Name of the ECS cluster."""
    service: str
    """Name of the ECS service."""
    load_balancer_arn: str


class ServingTemplatePart(_Part):
    """What the controller makes models and endpoint configurations from."""

    image: str
    instance_type: str
    min_instance_count: int = Field(ge=1)
    """What a variant starts with, and never falls below."""
    max_instance_count: int = Field(ge=1)
    execution_role_arn: str
    subnet_ids: tuple[str, ...]
    security_group_ids: tuple[str, ...]
    volume_key_arn: str
    network_isolation: bool
    model_data_bucket_name: str
    """The vault; model data lies under `model_data_prefix` and nowhere else."""
    model_data_prefix: str
    startup_timeout_seconds: int = Field(ge=60, le=3600)
    alarm_names: tuple[str, ...]
    tags: Mapping[str, str]


class EndpointPart(_Part):
    endpoint_name: str
    endpoint_arn: str
    variants: tuple[str, ...]
    holding_model_name: str
    holding_configuration_name: str
    serving_template: ServingTemplatePart


class StackManifest(_Part):
    """Everything that a script needs to know of one provisioned stack."""

    schema_version: Literal[1] = SCHEMA_VERSION
    stack: str
    environment: str
    account_id: str = Field(pattern=r"^\d{12}$")
    region: str
    vault: VaultPart
    signing_keys: Mapping[SigningDuty, SigningKeyPart]
    network: NetworkPart
    artifact_store: ArtifactStorePart
    tracking: TrackingPart
    endpoints: Mapping[str, EndpointPart]

    @model_validator(mode="after")
    def _every_duty_has_its_key(self) -> StackManifest:
        missing = [duty.value for duty in SigningDuty if duty not in self.signing_keys]
        if missing:
            raise ValueError(f"no signing key for {', '.join(missing)}")
        return self

    def to_json(self) -> str:
        """Return the document as stored: sorted keys, no white space, so that equal manifests are equal bytes."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


READERS: Final[Mapping[int, Callable[[Mapping[str, Any]], StackManifest]]] = {1: StackManifest.model_validate}
"""By schema version: how a document of that version becomes today's."""


def read_manifest(document: object) -> StackManifest:
    """Return the manifest that `document`, parsed JSON of any known schema version, holds.

    Raises ManifestError naming each wrong field.
    """
    if not isinstance(document, Mapping):
        raise ManifestError(f"the stack manifest is a JSON object, not {type(document).__name__}")
    version = document.get("schema_version")
    reader = READERS.get(version) if isinstance(version, int) else None
    if reader is None:
        known = ", ".join(map(str, sorted(READERS)))
        raise ManifestError(f"schema_version: {version!r} is not known; this version of interlock reads {known}")
    try:
        return reader(document)
    except ValidationError as error:
        raise ManifestError("the stack manifest is wrong:\n" + "\n".join(_lines(error))) from None


def _lines(error: ValidationError) -> list[str]:
    return [
        f"  {'.'.join(map(str, one['loc'])) or 'manifest'}: {one['msg']}"
        + ("" if one["type"] == "missing" or isinstance(one["input"], Mapping) else f" (received {one['input']!r})")
        for one in error.errors(include_url=False)
    ]
