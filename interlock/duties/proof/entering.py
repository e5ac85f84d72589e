"""Claims about coming in: under which name, by which token, and with which factor somebody becomes a duty's role."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from interlock.duties.proof.property import Context, Property, Violation
from interlock.duties.proof.scene import Call, Session
from interlock.duties.proof.steps import Step, signing_in
from interlock.duties.world import Principal, Way

ANY_NAME: Final = "any-other-name"
WITH_FACTOR: Final = frozenset({"foundation", "platform", "break-glass"})
LATELY: Final = frozenset({"break-glass"})
OLDEST_FACTOR: Final = "3600"
"""Age in seconds from which a factor is too old for break-glass."""
Given = Mapping[str, tuple[str, ...] | None]


def _named_and_known(context: Context) -> Iterator[Violation]:
    name: Given = {"sts:rolesessionname": (ANY_NAME,)}
    for role in _of_duties(context):
        for person in context.scene.world.people:
            for way in person.ways:
                fixed = {key.lower(): values for key, values in way.context.items()}
                if call := _comes(context, way, role, {**fixed, **name}):
                    yield _entered(f"{person.name} opens a session of {role.name} named {ANY_NAME}", role, call)
                for key in fixed:
                    if call := _comes(context, way, role, {**fixed, key: ("somebody-else",)}):
                        words = f"anybody of {way.principal} with another {key} comes into {role.name}"
                        yield _entered(words, role, call)
        for other in _of_duties(context):
            if other is not role and (call := _assumes(context, other.arn, role, name)):
                yield _entered(f"{other.name} opens a session of {role.name} named {ANY_NAME}", role, call)


def _with_a_factor(context: Context) -> Iterator[Violation]:
    for role in _of_duties(context):
        if role.duty not in WITH_FACTOR:
            continue
        for person in context.scene.world.people:
            for way in (one for one in person.ways if one.kind != "federated"):
                fixed = {key.lower(): values for key, values in way.context.items()}
                for words, weaker in _weaker_factors(str(role.duty)):
                    if call := _assumes(context, way.principal, role, {**fixed, **weaker}):
                        yield _entered(f"{person.name} comes into {role.name} {words}", role, call)


def _weaker_factors(duty: str) -> Iterator[tuple[str, Given]]:
    yield "without MFA", {"aws:multifactorauthpresent": None}
    yield "with MFA said to be absent", {"aws:multifactorauthpresent": ("false",)}
    if duty in LATELY:
        yield (
            f"with MFA of {OLDEST_FACTOR} seconds ago",
            {"aws:multifactorauthpresent": ("true",), "aws:multifactorauthage": (OLDEST_FACTOR,)},
        )


def _of_duties(context: Context) -> list[Principal]:
    return [one for one in context.scene.world.principals if one.duty is not None and one.trust is not None]


def _comes(context: Context, way: Way, role: Principal, given: Given) -> Call | None:
    if way.kind == "federated":
        return context.scene.comes_in(way.principal, signing_in(way), role.arn, given)
    return _assumes(context, way.principal, role, given)


def _assumes(context: Context, arn: str, role: Principal, given: Given) -> Call | None:
    return context.scene.can(Session(arn), "sts:AssumeRole", role.arn, given=given)


def _entered(words: str, role: Principal, call: Call) -> Violation:
    return Violation(words, (Step("assumes", Session(role.arn), (call,)),))


PROPERTIES: Final = (
    Property(
        "named-and-known",
        "Every session of a duty's role is named after who opened it, and nobody whom an identity provider signs in as "
        "somebody else, or for something else, opens one.",
        _named_and_known,
    ),
    Property(
        "with-a-factor",
        "No person comes into a role that deploys, or into break-glass, without MFA; into break-glass only with one of "
        "the last hour.",
        _with_a_factor,
    ),
)
