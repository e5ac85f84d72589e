"""The parts of a stack manifest: where one thing each is, and what a script needs to know to use it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from interlock.duties.duty import SigningDuty


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())


class VaultPart(Part):
    """The locked bucket, and the unlocked one beside it where bytes wait for admission."""

    bucket_name: str
    bucket_arn: str
    staging_bucket_name: str
    staging_bucket_arn: str
    retention_days: int = Field(ge=1)
    """Days that every object is locked at least."""
    encryption_key_arn: str


class SigningKeyPart(Part):
    """One duty's key: ECC_NIST_P256, SIGN_VERIFY."""

    key_arn: str
    key_id: str
    alias: str
    signing_algorithm: Literal["ECDSA_SHA_256"] = "ECDSA_SHA_256"


class ApproverKeyPart(SigningKeyPart):
    """One person's key, of the same kind as a duty's."""

    source_identity: str
    """Whoever signs with it bears this source identity."""


class NetworkPart(Part):
    vpc_id: str
    private_subnet_ids: tuple[str, ...]


class ArtifactStorePart(Part):
    """The bucket that MLflow's server writes to."""

    bucket_name: str
    bucket_arn: str
    encryption_key_arn: str


class DatabasePart(Part):
    """MLflow's PostgreSQL server; `name` holds runs and registry, `auth_name` users and permissions."""

    identifier: str
    address: str
    port: int = Field(ge=1, le=65535)
    name: str
    auth_name: str
    master_secret_arn: str
    secret_arn: str | None = None
    """JSON {"username", "password"} of the user that MLflow logs in as; its value rotates."""


class TrackingPart(Part):
    """The MLflow server; `admin_secret_arn` holds JSON {"username", "password"}.

    Of a server that was there already, nothing else is known.
    """

    uri: str
    domain: str
    admin_secret_arn: str
    user_secret_arns: Mapping[str, str] = Field(default_factory=dict)
    """By duty, each as the administrator's; empty for a server that was there already."""
    database: DatabasePart | None = None
    cluster: str | None = None
    """Name of the ECS cluster."""
    service: str | None = None
    """Name of the ECS service."""
    load_balancer_arn: str | None = None


class ScalingPart(Part):
    """By what the controller scales a variant, between the template's counts."""

    invocations_per_instance: int = Field(ge=1)
    """Requests a minute that one instance is to have on average."""
    scale_in_cooldown_seconds: int = Field(ge=0)
    scale_out_cooldown_seconds: int = Field(ge=0)


class DataCapturePart(Part):
    """Where requests and answers are kept, and how many of a hundred."""

    percent: int = Field(ge=1, le=100)
    uri: str
    encryption_key_arn: str


class ServingTemplatePart(Part):
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
    scaling: ScalingPart | None = None
    data_capture: DataCapturePart | None = None
    """Nothing is captured unless it is given."""
    tags: Mapping[str, str]


class EndpointPart(Part):
    endpoint_name: str
    endpoint_arn: str
    variants: tuple[str, ...]
    holding_model_name: str
    holding_configuration_name: str
    serving_template: ServingTemplatePart


class AccountsPart(Part):
    """The accounts' ids; a small company's may all be one."""

    workload: str = Field(pattern=r"^\d{12}$")
    evidence: str = Field(pattern=r"^\d{12}$")
    audit: str = Field(pattern=r"^\d{12}$")


class ImageRepositoryPart(Part):
    """A repository of images in the evidence account; a region's own host serves its replica."""

    name: str
    arn: str
    url: str
    """Without a tag: `<account>.dkr.ecr.<region>.amazonaws.com/<name>`."""


class LiveStatePart(Part):
    """A region's own table of rollout steps, leases and fences."""

    table_name: str
    table_arn: str
    encryption_key_arn: str


class RunnerPart(Part):
    """The task that acts inside of a region's network."""

    cluster: str
    """Name of the ECS cluster."""
    task_definition_arn: str
    container: str
    subnet_ids: tuple[str, ...]
    security_group_ids: tuple[str, ...]
    log_group: str


class DatabaseReplicaPart(Part):
    """The standby of MLflow's PostgreSQL server; names of databases and users are the primary's."""

    identifier: str
    address: str
    port: int = Field(ge=1, le=65535)
    master_secret_arn: str | None = None
    """The replica of the primary's secret, in this region."""


class RecoveryPart(Part):
    """What stands by in the recovery region."""

    region: str
    vault: VaultPart
    """The other half of the vault: each replicates into the other."""
    signing_keys: Mapping[SigningDuty, SigningKeyPart] = Field(default_factory=dict)
    """Replicas: the same key ids and material under ARNs of this region; empty where the keys are of one region."""
    approver_keys: Mapping[str, ApproverKeyPart] = Field(default_factory=dict)
    images: Mapping[str, ImageRepositoryPart] = Field(default_factory=dict)
    network: NetworkPart | None = None
    data_key_arn: str | None = None
    artifact_store: ArtifactStorePart | None = None
    database: DatabaseReplicaPart | None = None
    live_state: LiveStatePart | None = None
    runner: RunnerPart | None = None
    endpoints: Mapping[str, EndpointPart] = Field(default_factory=dict)
    """The primary region's by name; they hold until a failover."""
