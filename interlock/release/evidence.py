"""Evidence: what a gate measured of a release, on which data, against which limits."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from interlock.release.digests import HexDigest, canonical_json, sha256
from interlock.release.numbers import Number, decimal_text
from interlock.release.signed_documents import VersionOne
from interlock.release.times import Moment

GateName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=60)]
MeasureName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$", max_length=60)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Outcome(StrEnum):
    """How a gate ended. Only `passed` counts; a gate that crashed or could not decide has failed."""

    PASSED = "passed"
    FAILED = "failed"


class Bound(StrEnum):
    """Which end of a measure a limit is compared with."""

    POINT = "point"
    LOWER = "lower"
    UPPER = "upper"


class Limit(_Model):
    """What a measure is compared with: exactly one of the four, at a bound."""

    at_least: Number | None = None
    at_most: Number | None = None
    above: Number | None = None
    below: Number | None = None
    bound: Bound = Bound.POINT

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        given = [one for one in (self.at_least, self.at_most, self.above, self.below) if one is not None]
        if len(given) != 1:
            raise ValueError("accepted is exactly one of at_least, at_most, above, below")
        return self

    def holds(self, number: Decimal) -> bool:
        """Say whether `number` is on the right side; on the limit itself only `at_least` and `at_most` hold."""
        if self.at_least is not None:
            return number >= self.at_least
        if self.at_most is not None:
            return number <= self.at_most
        if self.above is not None:
            return number > self.above
        assert self.below is not None
        return number < self.below

    def __str__(self) -> str:
        words = {"at_least": "≥", "at_most": "≤", "above": ">", "below": "<"}
        found = next((sign, getattr(self, name)) for name, sign in words.items() if getattr(self, name) is not None)
        where = "" if self.bound is Bound.POINT else f" at its {self.bound} bound"
        return f"{found[0]} {decimal_text(found[1])}{where}"


class Slice(_Model):
    """The part of the data that a measure is of."""

    attribute: Annotated[str, Field(max_length=200)]
    value: Annotated[str, Field(max_length=200)]


class Measure(_Model):
    """One number that a gate measured, with its interval where it has one.

    `value` is None where the number must not be told (`suppressed`: a cell of so few that it would tell of people) or
    does not exist; such a measure holds against no limit.
    """

    name: MeasureName
    value: Number | None = None
    low: Number | None = None
    high: Number | None = None
    count: int | None = Field(default=None, ge=0)
    """How many rows it was measured on."""
    of: Slice | None = None
    unit: Annotated[str, Field(max_length=30)] = ""
    suppressed: bool = False
    limit: Limit | None = None
    holds: bool | None = None
    """Whether it is within its limit; None where it has none."""

    def at(self, bound: Bound) -> Decimal | None:
        """Return the measure's value or an end of its interval, or None where it has none."""
        return {Bound.POINT: self.value, Bound.LOWER: self.low, Bound.UPPER: self.high}[bound]

    def against(self, limit: Limit) -> Measure:
        """Return the measure with its verdict."""
        number = self.at(limit.bound)
        return self.model_copy(update={"limit": limit, "holds": number is not None and limit.holds(number)})


ColumnName = Annotated[str, Field(min_length=1, max_length=200)]


class Columns(_Model):
    """What the columns of a table are that are no inputs of the model: whoever names others measures something else."""

    target: ColumnName | None = None
    """What should be predicted."""
    prediction: ColumnName | None = None
    """Predictions that were made elsewhere, such as out of fold in training."""
    decision: ColumnName | None = None
    """What was decided from those predictions: 0 or 1."""
    weight: ColumnName | None = None
    """How often a row counts."""
    identifier: ColumnName | None = None
    """The name of a row, the same wherever the same row is."""
    protected: tuple[ColumnName, ...] = ()
    """Attributes of people that are in the table to be measured over, and never given to a model."""

    @property
    def roles(self) -> dict[str, str]:
        """The columns that have a role of their own, by role."""
        named = {name: getattr(self, name) for name in ("target", "prediction", "decision", "weight", "identifier")}
        return {role: name for role, name in named.items() if name is not None}


class Evidence(_Model):
    """The predicate of an evidence statement."""

    schema_version: VersionOne = 1
    gate: GateName
    gate_version: Annotated[str, Field(min_length=1, max_length=100)]
    """The distribution and version that the gate's code came from, such as `interlock 0.1.0`."""
    policy: HexDigest
    """The SHA-256 of the tiers policy whose limits these are."""
    tier: str
    inputs: HexDigest
    """Of all that the gate's answer depends on (`inputs_digest`): the same inputs are measured once."""
    outcome: Outcome
    measures: tuple[Measure, ...] = ()
    reasons: tuple[str, ...] = ()
    """Why it failed, one sentence each; empty if it passed."""
    unchecked: tuple[str, ...] = ()
    """What the gate did not look at, for whoever approves to know."""
    data: Mapping[str, HexDigest] = Field(default_factory=dict)
    """SHA-256 of each file that was measured on, by its part: training, evaluation, reference, contract …"""
    columns: Mapping[str, Columns] = Field(default_factory=dict)
    """Of each table among `data`, which columns were taken for what."""
    builder: Annotated[str, Field(max_length=2000)] = ""
    """The session name of whoever chose what was measured on and ran the gate; empty if nobody says."""
    details: Mapping[str, Any] = Field(default_factory=dict)
    """What a page can be drawn from: curves, tables; canonical JSON, numbers as decimal text."""
    started_at: Moment
    ended_at: Moment

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        broken = [one.name for one in self.measures if one.holds is False]
        if self.outcome is Outcome.PASSED and (broken or self.reasons):
            raise ValueError(f"a gate that passed has no reasons and no broken limits ({', '.join(broken)})")
        if self.outcome is Outcome.FAILED and not self.reasons:
            raise ValueError("a gate that failed says why")
        for one in self.measures:
            if one.limit is not None and one.holds is not one.against(one.limit).holds:
                raise ValueError(f"the verdict on {one.name} is not what its number and its limit say")
        return self


def inputs_digest(gate: str, gate_version: str, policy: str, data: Mapping[str, str], parameters: object) -> str:
    """Return the digest of what a gate's answer depends on, in hexadecimal digits."""
    document = {
        "gate": gate, "gate_version": gate_version, "policy": policy, "data": dict(data), "parameters": parameters,
    }  # fmt: skip
    return sha256(canonical_json(document)).hex()
