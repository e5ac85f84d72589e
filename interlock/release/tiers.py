"""The tiers policy: what a release must show, and who must agree, before it serves.

People write it as YAML; what is published, pinned and read years later is its canonical JSON. That form's SHA-256
stands in the trust root under the name `tiers`, so that a change takes the threshold of foundation people that a new
root takes; each release names the digest it was opened under.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from interlock.release.digests import canonical_json, sha256
from interlock.release.evidence import GateName, Limit, MeasureName
from interlock.release.request import Environment, Produces
from interlock.release.request import Tier as Tier
from interlock.release.trust.document import KeyDuty
from interlock.rules import Problem, shown, source_identity
from interlock.written_documents import InvalidDocument, read_document

POLICY_NAME: Final = "tiers"
"""The policy's name in the trust root."""

BEFORE_LOCKING: Final[tuple[GateName, ...]] = ("privacy", "file-safety")
"""The gates that a release's bytes pass before they are locked, when they could still be deleted."""


class InvalidPolicy(ValueError):
    """A document that is no tiers policy; `problems` holds all that is wrong, by path."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(map(str, problems)))


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Demand(_Model):
    """What one gate must show."""

    limits: Mapping[MeasureName, Limit] = Field(default_factory=dict)
    """By measure; a limit on a measure with slices holds for each slice. A measure that is not there breaks it."""
    parameters: Mapping[str, Any] = Field(default_factory=dict)
    """The gate's own settings, which the gate validates."""
    subjects: tuple[Produces, ...] = Field(default=tuple(Produces), min_length=1)
    """Of which subjects it is demanded, by what they produce."""
    signers: tuple[KeyDuty, ...] = Field(default=(KeyDuty.BUILDER,), min_length=1)
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
    retention_days: Annotated[int, Field(ge=30, le=7305)]
    approval_days: Annotated[int, Field(ge=1, le=365)]
    """How long an approval may last at most."""
    review_days: Annotated[int, Field(ge=1, le=3650)]
    """After how many days of service a release is to be looked at again."""
    sources: tuple[Annotated[str, Field(min_length=1, max_length=500)], ...] = ()
    """Where training data may come from: URIs, or prefixes of URIs that end in `/`."""
    emergency: Emergency | None = None

    def demands(self, produces: Produces, *, emergency: bool = False) -> dict[GateName, Demand]:
        """Return what is required of a subject, by gate: of its kind, and on the emergency path only what that names.

        Raises ValueError for an emergency where the tier has no such path.
        """
        if emergency and self.emergency is None:
            raise ValueError("the tier has no emergency path")
        named = set(self.emergency.evidence) if emergency and self.emergency is not None else set(self.evidence)
        return {gate: one for gate, one in self.evidence.items() if gate in named and produces in one.subjects}

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
    def gates(self) -> frozenset[GateName]:
        """The gates that any tier names."""
        return frozenset(gate for rules in self.tiers.values() for gate in rules.evidence)

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
        policy = read_document(content, TiersPolicy)
    except InvalidDocument as error:
        raise InvalidPolicy(error.problems) from None
    problems = [*_contradictions(policy), *_without_canonical_form(policy)]
    if problems:
        raise InvalidPolicy(problems)
    return policy


def missing_before_locking(policy: TiersPolicy) -> list[Problem]:
    """Return by tier which of the gates that precede locking the policy does not demand: nothing could be pinned."""
    return [
        Problem(path, ", ".join(sorted(evidence)), f"{gate} among them: it precedes the locking of any byte")
        for tier, rules in policy.tiers.items()
        for path, evidence in (
            (f"tiers.{tier}.evidence", set(rules.evidence)),
            *([(f"tiers.{tier}.emergency.evidence", set(rules.emergency.evidence))] if rules.emergency else []),
        )
        for gate in BEFORE_LOCKING
        if gate not in evidence
    ]


def _without_canonical_form(policy: TiersPolicy) -> Iterator[Problem]:
    for tier, rules in policy.tiers.items():
        for gate, demand in rules.evidence.items():
            try:
                canonical_json(dict(demand.parameters))
            except ValueError as error:
                path = f"tiers.{tier}.evidence.{gate}.parameters"
                yield Problem(path, shown(dict(demand.parameters)), f"what JSON can hold exactly: {error}")


def _contradictions(policy: TiersPolicy) -> Iterator[Problem]:
    for group, people in policy.groups.items():
        for number, person in enumerate(people):
            if not source_identity.holds(person):
                yield Problem(f"groups.{group}.{number}", shown(person), source_identity.accepted)
        if len(set(people)) != len(people):
            yield Problem(f"groups.{group}", ", ".join(people), "each person once")
    for tier, rules in policy.tiers.items():
        yield from _of_approvers(policy, f"tiers.{tier}.approvals", rules.approvals)
        steps = rules.rollout.steps_percent
        if list(steps) != sorted(set(steps)) or steps[-1] != 100:
            yield Problem(f"tiers.{tier}.rollout.steps_percent", shown(list(steps)), "rising percentages, the last 100")
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
