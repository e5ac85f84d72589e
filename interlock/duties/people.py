"""Who has which duty, how they come in, and which duties no one person may have together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from interlock.duties.duty import Duty, Role

PEOPLES_DUTIES: Final = (
    Duty.CREATOR, Duty.APPROVER, Duty.RESPONDER, Duty.RECOVERER, Duty.AUDITOR, Duty.FOUNDATION, Duty.PLATFORM,
    Duty.BREAK_GLASS,
)  # fmt: skip
"""The others are a service's or a pipeline's: nobody holds a key that signs by itself."""
PIPELINES_DUTIES: Final = (Duty.BUILDER, Duty.FOUNDATION, Duty.PLATFORM)

WHY_EXCLUDED: Final[Mapping[frozenset[Duty], str]] = {
    frozenset(pair): why
    for pair, why in (
        ((Duty.APPROVER, Duty.CREATOR), "nobody approves what they made"),
        ((Duty.APPROVER, Duty.BUILDER), "nobody approves on evidence of their own"),
        ((Duty.APPROVER, Duty.DEPLOYER), "nobody approves what they deploy"),
        ((Duty.APPROVER, Duty.RECOVERER), "nobody approves a plan that they run"),
        ((Duty.APPROVER, Duty.FOUNDATION), "nobody approves with a key that they administer"),
        ((Duty.APPROVER, Duty.PLATFORM), "nobody approves for what they run"),
        ((Duty.APPROVER, Duty.BREAK_GLASS), "nobody approves what they could force"),
        ((Duty.FOUNDATION, Duty.PLATFORM), "who owns the boundaries is not held by them"),
        ((Duty.FOUNDATION, Duty.CREATOR), "who owns keys and vault runs no releases"),
        ((Duty.FOUNDATION, Duty.BUILDER), "who owns keys and vault runs no releases"),
        ((Duty.FOUNDATION, Duty.DEPLOYER), "who owns keys and vault runs no releases"),
        ((Duty.FOUNDATION, Duty.BREAK_GLASS), "an emergency does not reach keys and vault"),
        ((Duty.CREATOR, Duty.BUILDER), "evidence about a model is not its maker's"),
        ((Duty.CREATOR, Duty.DEPLOYER), "nobody deploys what they made"),
        ((Duty.BUILDER, Duty.DEPLOYER), "who deploys relies on evidence of others"),
        ((Duty.SEQUENCER, Duty.WITNESS), "nobody witnesses a log of their own"),
    )
} | {
    frozenset((Duty.AUDITOR, other)): "an auditor has no part in what is audited"
    for other in Duty if other is not Duty.AUDITOR
}  # fmt: skip
"""Pairs of duties that nobody may have together, nor reach the one from the other, and why."""


@dataclass(frozen=True)
class Person:
    """Somebody with duties; the source identity is theirs in every session and every record."""

    name: str
    source_identity: str
    duties: tuple[Duty, ...]
    principal: str
    """ARN of the IAM user that they are, or of the role of IAM Identity Center that they share with others."""
    user_name: str | None = None
    """Their name at IAM Identity Center, where they come by such a role."""


@dataclass(frozen=True)
class Pipeline:
    """Workflows that take on a duty with a token of the identity provider."""

    name: str
    duty: Duty
    subjects: tuple[str, ...]
    """Exact `sub` claims, such as `repo:owner/name:ref:refs/heads/main`."""
    issuer: str = "token.actions.githubusercontent.com"
    audience: str = "sts.amazonaws.com"


@dataclass(frozen=True)
class Assignments:
    """All who have duties in one stack."""

    people: tuple[Person, ...] = ()
    pipelines: tuple[Pipeline, ...] = ()
    foundation_threshold: int = 2
    """How many people of the foundation it takes to change the trust root."""

    def people_of(self, duty: Duty) -> list[Person]:
        """Return the people who have a duty."""
        return [one for one in self.people if duty in one.duties]

    def pipelines_of(self, duty: Duty) -> list[Pipeline]:
        """Return the pipelines that have a duty."""
        return [one for one in self.pipelines if one.duty is duty]

    def roles_by_person(self) -> dict[str, tuple[Role, ...]]:
        """Return the roles that each person may assume, by source identity."""
        return {one.source_identity: tuple(Role(duty.value) for duty in one.duties) for one in self.people}


def excluded(duties: Sequence[Duty]) -> list[tuple[Duty, Duty, str]]:
    """Return the pairs among `duties` that nobody may have together, and why."""
    return [
        (one, other, why)
        for number, one in enumerate(duties)
        for other in duties[number + 1 :]
        if (why := WHY_EXCLUDED.get(frozenset((one, other)))) is not None
    ]
