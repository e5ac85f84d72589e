"""What the sections of the settings are made of: their base, closed sets, and values that several of them hold."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Strict, ValidationInfo

from interlock import rules
from interlock.settings.refusals import Must, refuse

PREFIX: Final = "interlock:"
"""Of a setting's key in a stack's configuration."""


class Environment(StrEnum):
    LOCAL = "local"
    DEV = "dev"
    STAGING = "staging"
    PROD = "prod"


LASTING: Final = (Environment.STAGING, Environment.PROD)
"""Environments that must survive the loss of a region."""


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


@dataclass(frozen=True)
class Means:
    """What a setting decides, in words: of a Boolean, what holds when it is true; of a quantity, what it counts."""

    words: str


Flag = Annotated[bool, Strict()]
AccountId = Annotated[str, Must(rules.account_id)]
Region = Annotated[str, Must(rules.region)]
RoleArn = Annotated[str, Must(rules.role_arn)]
LogDays = Annotated[int, Must(rules.log_retention_days)]
CidrBlock = Annotated[str, Must(rules.cidr_block)]
Image = Annotated[str, Must(rules.image)]
BucketName = Annotated[str, Must(rules.bucket_name)]
Principals = Annotated[list[str], Must(rules.some(rules.iam_principal))]
TagValue = Annotated[str, Must(rules.text(r"[\w .:/=+@-]{1,256}", "1 to 256 letters, digits, spaces and .:/=+-@_"))]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True, validate_default=True)


def at_least_minimum(maximum: int, info: ValidationInfo) -> int:
    """Return `maximum`; refuses one below the section's `min`."""
    minimum = info.data.get("min")
    if minimum is not None and maximum < minimum:
        refuse(f"{minimum}, which is min, or more")
    return maximum
