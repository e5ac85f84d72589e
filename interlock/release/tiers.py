"""The tiers policy: what a release must show, and who must agree, before it serves.

People write it as YAML; what is published, pinned and read years later is its canonical JSON. That form's SHA-256
stands in the trust root under the name `tiers`, so that a change takes the threshold of foundation people that a new
root takes; each release names the digest it was opened under.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated, Any, Final, Literal

import yaml  # type: ignore[import-untyped]
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from interlock.release.digests import canonical_json, sha256
from interlock.release.evidence import GateName, Limit, MeasureName
from interlock.release.trust.document import KeyDuty
from interlock.rules import Problem, shown, source_identity

POLICY_NAME: Final = "tiers"
"""The policy's name in the trust root."""

Environment = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,39}$")]


class Tier(StrEnum):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class InvalidPolicy(ValueError):
    """A document that is no tiers policy; `problems` holds all that is wrong, by path."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, problems)))


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Demand(_Model):
    """What one gate must show."""

    limits: Mapping[MeasureName, Limit] = Field(default_factory=dict)
    """By measure; a limit on a measure with slices holds for each slice. A measure that is not there breaks it."""
    parameters: Mapping[str, Any] = Field(default_factory=dict)
    """The gate's own settings, which the gate validates."""
    signers: tuple[KeyDuty, ...] = (KeyDuty.BUILDER,)
    """Whose keys may sign it: evidence made elsewhere names another duty of the trust root."""


class Approvers(_Model):
    """How many people must approve, of a group or of all who hold an approver's key."""

    count: Annotated[int, Field(ge=1, le=10)]
    group: str | None = None


class Emergency(_Model):
    """The path for when waiting does more harm: fewer gates, more approvers, and a deadline for the rest."""

    evidence: tuple[GateName, ...] = Field(min_length=1)
    approvals: tuple[Approvers, ...] = Field(min_length=1)
    complete_within_hours: Annotated[int, Field(ge=1, le=720)]


class Rollout(_Model):
    """How traffic moves to a release of the tier."""

    steps_percent: tuple[Annotated[int, Field(ge=0, le=100)], ...] = Field(min_length=1)
    step_minutes: Annotated[int, Field(ge=1, le=10080)]
    shadow_minutes: Annotated[int, Field(ge=0, le=10080)] = 0


class TierRules(_Model):
    """What a tier demands."""

    evidence: Mapping[GateName, Demand] = Field(min_length=1)
    approvals: tuple[Approvers, ...] = Field(min_length=1)
    environments: tuple[Environment, ...] = ()
    """Where a release must have served before prod, in this order."""
    rollout: Rollout
    retention_days: Annotated[int, Field(ge=30, le=36500)]
    approval_days: Annotated[int, Field(ge=1, le=365)]
    """How long an approval may last at most."""
    review_days: Annotated[int, Field(ge=1, le=3650)]
    """After how many days of service a release is to be looked at again."""
    sources: tuple[Annotated[str, Field(min_length=1, max_length=500)], ...] = ()
    """Where training data may come from: URIs, or prefixes of URIs that end in `/`."""
    emergency: Emergency | None = None

    @property
    def longest_approval(self) -> timedelta:
        return timedelta(days=self.approval_days)


class TiersPolicy(_Model):
    """The whole policy."""

    schema_version: Literal[1] = 1
    review_by: date
    """When the policy itself is to be looked at again; nothing is opened under it after that day."""
    groups: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    """Source identities of approvers, by the group's name: kinds of approvers, such as risk or compliance."""
    protected_attributes: tuple[Annotated[str, Field(min_length=1, max_length=200)], ...]
    """Never an input of a model or a threshold of a group; fairness is measured over each."""
    tiers: Mapping[Tier, TierRules] = Field(min_length=1)

    @property
    def content(self) -> bytes:
        """The policy in canonical JSON, every default written out: what is published."""
        return canonical_json(self.model_dump(mode="json"))

    @property
    def digest(self) -> str:
        """The SHA-256 of `content`, in hexadecimal digits: what root, releases and approvals name."""
        return sha256(self.content).hex()


def parse_policy(content: bytes) -> TiersPolicy:
    """Return the policy in a YAML or JSON file's bytes. Raises InvalidPolicy with all that is wrong with it."""
    try:
        document = yaml.load(content.decode("utf-8"), Loader=_StrictLoader)  # noqa: S506 (a SafeLoader of ours)
    except UnicodeDecodeError as error:
        raise InvalidPolicy([Problem("document", f"bytes that are no UTF-8 (at {error.start})", "YAML")]) from None
    except yaml.YAMLError as error:
        raise InvalidPolicy([Problem("document", " ".join(str(error).split()), "YAML, each key once")]) from None
    if not isinstance(document, dict):
        raise InvalidPolicy([Problem("document", type(document).__name__, "a mapping")])
    try:
        policy = TiersPolicy.model_validate(document)
    except ValidationError as error:
        raise InvalidPolicy(
            [Problem(".".join(map(str, one["loc"])), shown(one["input"]), one["msg"]) for one in error.errors()]
        ) from None
    problems = list(_contradictions(policy))
    if problems:
        raise InvalidPolicy(problems)
    return policy


def _contradictions(policy: TiersPolicy) -> Iterator[Problem]:
    for group, people in policy.groups.items():
        for number, person in enumerate(people):
            if not source_identity.holds(person):
                yield Problem(f"groups.{group}.{number}", shown(person), source_identity.accepted)
        if len(set(people)) != len(people):
            yield Problem(f"groups.{group}", ", ".join(people), "each person once")
    for tier, rules in policy.tiers.items():
        yield from _of_approvers(policy, f"tiers.{tier}.approvals", rules.approvals)
        if rules.emergency is None:
            continue
        path = f"tiers.{tier}.emergency"
        yield from _of_approvers(policy, f"{path}.approvals", rules.emergency.approvals)
        strange = sorted(set(rules.emergency.evidence) - set(rules.evidence))
        if strange:
            yield Problem(f"{path}.evidence", ", ".join(strange), f"some of {', '.join(sorted(rules.evidence))}")
        usual, urgent = (sum(one.count for one in many) for many in (rules.approvals, rules.emergency.approvals))
        if urgent <= usual:
            yield Problem(f"{path}.approvals", f"{urgent} people", f"more than the {usual} of the usual path")


def _of_approvers(policy: TiersPolicy, path: str, approvals: tuple[Approvers, ...]) -> Iterator[Problem]:
    for number, wanted in enumerate(approvals):
        if wanted.group is None:
            continue
        people = policy.groups.get(wanted.group)
        if people is None:
            known = ", ".join(sorted(policy.groups)) or "none, for the policy has no groups"
            yield Problem(f"{path}.{number}.group", shown(wanted.group), f"one of {known}")
        elif len(people) < wanted.count:
            yield Problem(f"{path}.{number}.count", str(wanted.count), f"at most {len(people)}, who are in the group")


class _StrictLoader(yaml.SafeLoader):  # type: ignore[misc]
    """Refuses a key that is written twice, of which YAML would keep the last."""

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        seen = set()
        for key, _ in node.value:
            name = self.construct_object(key, deep=deep)
            if name in seen:
                raise yaml.constructor.ConstructorError(None, None, f"the key {name!r} stands twice", key.start_mark)
            seen.add(name)
        return super().construct_mapping(node, deep)
