"""Why a right is granted that was not used: a file of reasons, each for some actions of some roles.

schema_version: 1
reviewed: 2026-11-22
reasons:
  - roles: [deployer]
    actions: [sagemaker:DeleteModel]
    because: a release that is rolled back takes its model along
    sometimes: false
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Final, Literal

import yaml  # type: ignore[import-untyped]
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from interlock.duties.wrong_fields import wrong_fields
from interlock.failures import BadInput

SCHEMA_VERSION: Final = 1
ACTION: Final = r"^[a-z0-9-]+:[A-Z][A-Za-z0-9]*$"


class Reason(BaseModel):
    """Why some roles have some actions that they did not use."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    roles: tuple[str, ...] = Field(min_length=1)
    actions: tuple[Annotated[str, Field(pattern=ACTION)], ...] = Field(min_length=1)
    because: str = Field(min_length=10)
    sometimes: bool = False
    """Whether use is a matter of chance or timing, so that neither it nor its absence is worth a word."""


class Reasons(BaseModel):
    """All of a file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1]
    reviewed: date
    reasons: tuple[Reason, ...]

    def by_right(self) -> Mapping[tuple[str, str], Reason]:
        """Return the reasons by role and action."""
        return {(role, action): one for one in self.reasons for role in one.roles for action in one.actions}

    def given_twice(self) -> list[str]:
        """Return the rights that two reasons are about."""
        pairs = [(role, action) for one in self.reasons for role in one.roles for action in one.actions]
        return sorted({f"{role}: {action}" for role, action in pairs if pairs.count((role, action)) > 1})


def read_reasons(text: str, source: str) -> Reasons:
    """Read a file of reasons. Raises BadInput, which names every wrong field."""
    try:
        written: Any = yaml.safe_load(text)
        reasons = Reasons.model_validate(written)
    except yaml.YAMLError as error:
        raise BadInput(f"{source} is no YAML: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        raise BadInput(
            f"{source} holds no reasons of schema version {SCHEMA_VERSION}",
            reasons=wrong_fields(error),
        ) from error
    twice = reasons.given_twice()
    if twice:
        raise BadInput(f"{source} gives two reasons for one right; accepted is one", reasons=twice)
    return reasons
