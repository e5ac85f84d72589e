"""The settings of a stack: everything that differs between environments, checked before anything is created."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from components import validation
from components.mlflow_task import ServerSize
from components.vault import MINIMUM_RETENTION_DAYS
from interlock.duties.duty import SigningDuty
from stacks.refusals import Must, contained, not_overlapping, refuse

PREFIX: Final = "interlock:"
"""Of a setting's key in a stack's configuration."""


class Environment(StrEnum):
    LOCAL = "local"
    DEV = "dev"
    STAGING = "staging"
    PROD = "prod"


class Layer(StrEnum):
    """`foundation`: keys and vault; `platform`: everything else."""

    FOUNDATION = "foundation"
    PLATFORM = "platform"


class Tier(StrEnum):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class DataClass(StrEnum):
    PUBLIC = "public"
    INTERNAL = "internal"
    CONFIDENTIAL = "confidential"
    RESTRICTED = "restricted"


Days = Annotated[int, Must(validation.integer(1, 3650, "days"))]
LogDays = Annotated[int, Must(validation.log_retention_days)]
CidrBlock = Annotated[str, Must(validation.cidr_block)]
Image = Annotated[str, Must(validation.image)]
Principals = Annotated[list[str], Must(validation.some(validation.principal))]
TagValue = Annotated[
    str, Must(validation.text(r"[\w .:/=+@-]{1,256}", "1 to 256 letters, digits, spaces and .:/=+-@_"))
]


def _at_least_minimum(maximum: int, info: ValidationInfo) -> int:
    minimum = info.data.get("min")
    if minimum is not None and maximum < minimum:
        refuse(f"{minimum}, which is min, or more")
    return maximum


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True, validate_default=True)


class Tags(Section):
    """What everything of the stack is tagged with, beside its environment and its stack."""

    owner: TagValue
    tier: Tier
    data_class: DataClass
    cost_centre: TagValue


class VaultSettings(Section):
    retention_days: Annotated[int, Must(validation.integer(MINIMUM_RETENTION_DAYS, 36500, "days"))] = (
        MINIMUM_RETENTION_DAYS
    )


class ExistingNetworkSettings(Section):
    vpc_id: Annotated[str, Must(validation.vpc_id)]
    private_subnet_ids: Annotated[list[str], Must(validation.some(validation.subnet_id, at_least=2))]
    storage_prefix_list_id: Annotated[str, Must(validation.prefix_list_id)]


class NetworkSettings(Section):
    cidr_block: CidrBlock
    subnets: dict[Annotated[str, Must(validation.zone)], CidrBlock] = Field(default_factory=dict)
    """By availability zone: the CIDR block of its private subnet."""
    existing: ExistingNetworkSettings | None = None
    """A network to use in place of a new one."""

    @field_validator("subnets")
    @classmethod
    def _fit(cls, subnets: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        not_overlapping(subnets)
        if "cidr_block" in info.data:
            contained(subnets, info.data["cidr_block"])
        return subnets

    @field_validator("existing")
    @classmethod
    def _either(cls, existing: ExistingNetworkSettings | None, info: ValidationInfo) -> ExistingNetworkSettings | None:
        if existing is not None and info.data.get("subnets"):
            refuse("either subnets or existing, not both")
        return existing


class ArtifactSettings(Section):
    cold_storage_days: Annotated[int, Must(validation.integer(30, 3650, "days"))] = 90


class StorageSettings(Section):
    """GiB at first, and how far it grows by itself."""

    min: Annotated[int, Must(validation.integer(20, 65536, "GiB"))] = 100
    max: Annotated[int, Must(validation.integer(20, 65536, "GiB"))] = 1000

    @field_validator("max")
    @classmethod
    def _ordered(cls, maximum: int, info: ValidationInfo) -> int:
        return _at_least_minimum(maximum, info)


class DatabaseSettings(Section):
    instance_class: Annotated[str, Must(validation.instance_class)] = "db.m7g.large"
    storage_gib: StorageSettings = StorageSettings()
    multi_az: bool = True
    backup_retention_days: Annotated[int, Must(validation.integer(1, 35, "days"))] = 35


class TrackingSettings(Section):
    domain: Annotated[str, Must(validation.domain)]
    certificate_arn: Annotated[str, Must(validation.certificate_arn)] | None = None
    """Found by the domain unless given."""
    image: Image
    size: ServerSize = ServerSize.MEDIUM
    task_count: Annotated[int, Must(validation.integer(1, 100))] = 2
    database: DatabaseSettings = DatabaseSettings()


class InstanceSettings(Section):
    """Instances of one variant."""

    min: Annotated[int, Must(validation.integer(1, 1000))] = 1
    max: Annotated[int, Must(validation.integer(1, 1000))] = 8

    @field_validator("max")
    @classmethod
    def _ordered(cls, maximum: int, info: ValidationInfo) -> int:
        return _at_least_minimum(maximum, info)


class EndpointSettings(Section):
    name: Annotated[str, Must(validation.name)]
    image: Image
    instance_type: Annotated[str, Must(validation.instance_type)] = "ml.m5.large"
    instances: InstanceSettings = InstanceSettings()
    p99_latency_limit_ms: Annotated[int, Must(validation.integer(1, 60000, "ms"))] = 500


class Settings(Section):
    """All settings of one stack, as `interlock:<name>` in `Pulumi.<stack>.yaml`."""

    environment: Environment
    account_id: Annotated[str, Must(validation.account_id)]
    region: Annotated[str, Must(validation.region)]
    layers: list[Layer] = Field(default_factory=lambda: list(Layer), min_length=1)
    foundation_stack: str | None = None
    """Full name of the stack whose foundation this one's platform stands on, when it has none of its own."""
    tags: Tags
    disposable: bool = False
    """Whether `pulumi destroy` may take everything: nothing protected, no final snapshot, buckets emptied."""
    administrators: Principals | None = None
    """The only principals who may configure vault and keys: in prod, the foundation's roles.

    Unless given: nobody may configure the vault once it stands, and whoever ran `pulumi up` first the keys.
    """
    signers: dict[SigningDuty, Principals] = Field(default_factory=dict)
    """By duty: the only principals who may sign with its key; the account's IAM policies decide unless given."""
    vault: VaultSettings = VaultSettings()
    log_retention_days: LogDays = 365
    network: NetworkSettings | None = None
    artifacts: ArtifactSettings = ArtifactSettings()
    tracking: TrackingSettings | None = None
    endpoints: list[EndpointSettings] = Field(default_factory=list)

    @field_validator("layers")
    @classmethod
    def _once(cls, layers: list[Layer]) -> list[Layer]:
        if len(set(layers)) != len(layers):
            refuse("each layer once")
        return layers

    def resource_tags(self, stack: str) -> dict[str, str]:
        """Return the tags of everything in stack `stack`."""
        return {
            "interlock:stack": stack,
            "owner": self.tags.owner,
            "environment": self.environment.value,
            "tier": self.tags.tier.value,
            "data-class": self.tags.data_class.value,
            "cost-centre": self.tags.cost_centre,
        }


def parse(config: Mapping[str, str]) -> dict[str, Any]:
    """Return what `interlock:*` keys of a stack's configuration hold; sections are JSON objects or lists."""
    return {
        key.removeprefix(PREFIX): _value(text)  # a key of another namespace is another program's business
        for key, text in config.items()
        if key.startswith(PREFIX)
    }


def _value(text: str) -> Any:
    # Scalars stay text: an account's id is digits, and no number.
    if text[:1] not in ("{", "["):
        return text
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text
