"""Claims about coming in: under which name, by which token, and with which factor somebody becomes a duty's role."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from interlock.duties.evaluator import request
from interlock.duties.evaluator.policy import PrincipalType
from interlock.duties.evaluator.request import Layers
from interlock.duties.proof.calls import FREE, Call, Session
from interlock.duties.proof.forms import Form
from interlock.duties.proof.naming import FOR_OTHERS, for_others, named, outsiders, principals_in
from interlock.duties.proof.permission import Question, example
from interlock.duties.proof.property import Context, Property, Violation
from interlock.duties.proof.steps import Step, signing_in
from interlock.duties.world import Person, Principal, Way

ANY_NAME: Final = "any-other-name"
SOMEBODY_ELSE: Final = "somebody-else"
WITH_FACTOR: Final = frozenset({"foundation", "platform", "break-glass"})
LATELY: Final = frozenset({"break-glass"})
OLDEST_FACTOR: Final = "3600"
"""Age in seconds from which a factor is too old for break-glass."""
OWN_ROLES: Final = ":role/interlock/"
UNCONDITIONED: Final = frozenset({"s3.amazonaws.com"})
"""Services for which AWS documents no condition that tells whom they act for."""
Given = Mapping[str, tuple[str, ...] | None]
UNSAID: Final[Given] = {"aws:sourceaccount": None, "aws:sourcearn": None}


def _named_and_known(context: Context) -> Iterator[Violation]:
    name: Given = {"sts:rolesessionname": (ANY_NAME,)}
    for role in _of_duties(context):
        for person in context.scene.world.people:
            for way in person.ways:
                yield from _under_another_name(context, person, way, role)
        for other in _of_duties(context):
            if other is not role and (call := _assumes(context, other.arn, role, name)):
                yield _entered(f"{other.name} opens a session of {role.name} named {ANY_NAME}", role, call)


def _under_another_name(context: Context, person: Person, way: Way, role: Principal) -> Iterator[Violation]:
    fixed = {key.lower(): values for key, values in way.context.items()}
    if way.kind == "federated":
        names = (one.source_identity for one in context.scene.world.people if one is not person)
        for name in dict.fromkeys((ANY_NAME, *(one for one in names if one is not None))):
            given: Given = {**fixed, "sts:rolesessionname": (name,)}
            if call := context.scene.comes_in(way.principal, signing_in(way.principal), role.arn, given):
                yield _entered(f"{person.name} opens a session of {role.name} named {name}", role, call)
        return
    own = (("sts:rolesessionname", person.source_identity or ""),)
    if call := _assumes(context, way.principal, role, fixed, own):
        yield _entered(f"{person.name} opens a session of {role.name} under a name that is not theirs", role, call)
    for key, values in fixed.items():
        for other in _others_than(values):
            if call := _assumes(context, way.principal, role, {**fixed, key: (other,)}):
                words = f"anybody of {way.principal} whose {key} is {other} comes into {role.name}"
                yield _entered(words, role, call)


def _others_than(values: tuple[str, ...]) -> Iterator[str]:
    """Yield values that a pattern made too wide would take for one of `values`: those of a role's sessions end in a
    name after a colon."""
    yield SOMEBODY_ELSE
    for value in values:
        start, colon, name = value.rpartition(":")
        yield from (f"{start}{colon}{other}" for other in (SOMEBODY_ELSE, f"not-{name}", f"{name}-too"))


def _tokens_of_the_assigned(context: Context) -> Iterator[Violation]:
    for role in (*_of_duties(context), *_of_services(context)):
        for provider in context.scene.trusted(role.arn, PrincipalType.FEDERATED):
            yield from _other_tokens(context, provider, role)


def _other_tokens(context: Context, provider: str, role: Principal) -> Iterator[Violation]:
    assigned = [
        {key.lower(): values for key, values in way.context.items()}
        for person in context.scene.world.people if role.duty in person.duties
        for way in person.ways if way.kind == "federated" and way.principal == provider
    ]  # fmt: skip
    keys = sorted({key for one in assigned for key in one})
    unlike = [tuple((key, value) for one in assigned for value in one.get(key, ())) for key in keys] or [()]
    for other_than in unlike:
        call = context.scene.comes_in(provider, signing_in(provider), role.arn, {}, other_than)
        if call is not None:
            what = f"with another {other_than[0][0]} than those assigned" if other_than else "whom nobody assigned"
            yield _entered(f"somebody of {provider} {what} comes into {role.name}", role, call)


def _only_the_assigned(context: Context) -> Iterator[Violation]:
    world = context.scene.world
    for role in (*_of_duties(context), *_of_services(context)):
        ways = {
            way.principal for person in world.people if role.duty in person.duties
            for way in person.ways if way.kind != "federated"
        }  # fmt: skip
        for session in _anybody(context, role):
            if session in (Session(arn, FREE, session.form) for arn in ways):
                continue
            if call := context.scene.can(session, "sts:AssumeRole", role.arn):
                whose = f"{session}, to whom nobody assigned {role.duty}," if role.duty else f"{session}, no service,"
                yield _entered(f"{whose} comes into {role.name}", role, call)


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
        # A condition with ...IfExists holds of a request that leaves the key out.
        yield (
            "with MFA of an age that is not told",
            {"aws:multifactorauthpresent": ("true",), "aws:multifactorauthage": None},
        )


def _services_assigned(context: Context) -> Iterator[Violation]:
    for role in context.scene.world.principals:
        entitlement = context.scene.world.entitlements.get(role.arn)
        for service in context.scene.trusted(role.arn, PrincipalType.SERVICE):
            is_named = entitlement is None or service in entitlement.services
            if not is_named and (call := _served(context, service, role, {})):
                yield _entered(f"{service}, which the table does not name, comes into {role.name}", role, call)
            judged = is_named and OWN_ROLES in role.arn and service not in UNCONDITIONED
            asked = (_served(context, service, role, given) for given in _for_whoever_asks(context, role) if judged)
            if call := next((one for one in asked if one is not None), None):
                yield _entered(f"{service} comes into {role.name} for whoever asks it to", role, call)


def _for_whoever_asks(context: Context, role: Principal) -> Iterator[Given]:
    """Yield what a service says that acts for somebody of another account, or that does not say for whom."""
    for given in for_others(role.trust, (one.id for one in context.scene.world.accounts)):
        yield given
        yield from ({**given, key: None} for key in UNSAID)
    yield {**FOR_OTHERS, **UNSAID}


def _served(context: Context, service: str, role: Principal, given: Given) -> Call | None:
    layers = Layers(resource=context.scene.trust(role.arn))
    asked = Question(request.service(service), "sts:AssumeRole", role.arn, layers, role.account_id, given)
    found = example(asked)
    return Call(None, asked.action, role.arn, found.context, role.account_id, asked) if found else None


def _of_duties(context: Context) -> list[Principal]:
    return [one for one in context.scene.world.principals if one.duty is not None and one.trust is not None]


def _of_services(context: Context) -> list[Principal]:
    """Return the stack's roles that are no duty's: AWS's services come into them, and nobody else."""
    roles = context.scene.world.principals
    return [one for one in roles if one.duty is None and one.trust is not None and OWN_ROLES in one.arn]


def _assumes(
    context: Context, arn: str, role: Principal, given: Given, other_than: tuple[tuple[str, str], ...] = ()
) -> Call | None:
    return context.scene.can(Session(arn), "sts:AssumeRole", role.arn, given=given, other_than=other_than)


def _entered(words: str, role: Principal, call: Call) -> Violation:
    return Violation(words, (Step("assumes", Session(role.arn), (call,)),))


def _anybody(context: Context, role: Principal) -> Iterator[Session]:
    """Yield all whom a role's trust policy names, other roles of its duty left out, and whom it need not name."""
    scene = context.scene
    yield from (*outsiders(scene, role.trust), *(Session(arn, FREE) for arn in scene.strangers()))
    roles = [scene.world.principal(arn) for arn in dict.fromkeys(principals_in(role.trust))]
    yield from (Session(one.arn, FREE, Form.UNLIMITED) for one in roles if one is not None and _is_another(one, role))
    yield from (replace(one, form=Form.UNLIMITED) for one in named(scene, role.trust))


def _is_another(one: Principal, role: Principal) -> bool:
    return role.duty is None or one.duty != role.duty


PROPERTIES: Final = (
    Property(
        "named-and-known",
        "Every session of a duty's role is named after who opened it, and nobody else who comes by the same principal "
        "opens one.",
        _named_and_known,
    ),
    Property(
        "tokens-assigned",
        "Of those whom an identity provider signs in, only the subjects that a duty is assigned to come into its role, "
        "and none into a role that the stack makes for a service.",
        _tokens_of_the_assigned,
    ),
    Property(
        "trusts-assigned",
        "Nobody whom a duty's role trusts, of whatever account, comes into it without being assigned to the duty, even "
        "were their own policies to allow everything; and nobody but a service comes into a role made for one.",
        _only_the_assigned,
    ),
    Property(
        "services-assigned",
        "A duty's role is assumed by the service that the table names and by no other of AWS's; and neither it nor a "
        "role that the stack makes for a service is, on behalf of another account or without saying of which.",
        _services_assigned,
    ),
    Property(
        "with-a-factor",
        "No person comes into a role that deploys, or into break-glass, without MFA; into break-glass only with one of "
        "the last hour.",
        _with_a_factor,
    ),
)
