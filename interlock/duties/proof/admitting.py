"""The claim that those come in who are to: each person and pipeline into the roles of their duties, services into
theirs. A trust policy that lets nobody in would leave whatever else is claimed of the role true, and nobody to do it.

Sources: IAM User Guide, "Monitor and control actions taken with assumed roles", "Cross-service confused deputy
prevention", "AWS global condition context keys" (multi-factor authentication is not told of by later roles).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from interlock.duties.evaluator import request
from interlock.duties.evaluator.assuming import Assumption
from interlock.duties.evaluator.decision import decide
from interlock.duties.evaluator.policy import PrincipalType
from interlock.duties.evaluator.request import Layers, Request
from interlock.duties.proof.calls import Session
from interlock.duties.proof.property import Context, Denied, Property, Violation
from interlock.duties.proof.working import ROLE_ID, regions, said_now
from interlock.duties.world import Person, Principal, Way, canonical

OF_SERVICES: Final = ":role/interlock/"
FACTOR: Final = {"aws:multifactorauthpresent": ("true",), "aws:multifactorauthage": ("60",)}
"""What a request of an IAM user says of the MFA that they came with a minute ago."""
SECURE: Final = {"aws:securetransport": ("true",)}
USER_ID: Final = "AIDAEXAMPLEEXAMPLE123"
WORKFLOW: Final = "github-1"
"""What a workflow that deploys calls its session."""
Said = Mapping[str, tuple[str, ...]]


def _those_who_are_to(context: Context) -> Iterator[Violation]:
    world = context.scene.world
    for role in world.principals:
        entitlement = world.entitlements.get(role.arn)
        if role.duty is None:
            yield from _any_service(context, role)
        elif entitlement is not None and entitlement.services:
            for service in entitlement.services:
                if denied := _service_denied(context, service, role):
                    yield Violation(f"{service} cannot come into {role.name}, which it runs under", denied=denied)
        else:
            for person in world.people:
                if role.duty in person.duties:
                    yield from _person(context, person, role)


def _any_service(context: Context, role: Principal) -> Iterator[Violation]:
    if role.trust is None or OF_SERVICES not in role.arn:
        return
    services = dict.fromkeys(context.scene.trusted(role.arn, PrincipalType.SERVICE))
    tried = [_service_denied(context, one, role) for one in services if one != "*"]
    if tried and all(tried):
        yield Violation(f"no service that {role.name} trusts can come into it", denied=tried[0])


def _service_denied(context: Context, service: str, role: Principal) -> Denied | None:
    own = {"aws:sourceaccount": (role.account_id,), **SECURE}
    layers = context.scene.entering(role.arn)
    denied = None
    for region in regions(context.scene, "sts:AssumeRole", role.arn):
        said = {**own, **said_now(region)}
        asked = Request(request.service(service), "sts:AssumeRole", role.arn, said, resource_account=role.account_id)
        if decide(asked, layers).allowed:
            return None
        denied = Denied(asked, layers)
    return denied


def _person(context: Context, person: Person, role: Principal) -> Iterator[Violation]:
    for ways in _alternatives(person):
        tried = [_way_denied(context, person, way, role) for way in ways]
        if all(tried):
            words = f"{person.name}, who has the duty {role.duty}, cannot come into {role.name}"
            yield Violation(words, denied=tried[0])
    if not person.ways:
        yield Violation(f"{person.name}, who has the duty {role.duty}, has no way in")


def _alternatives(person: Person) -> list[list[Way]]:
    """Return the ways of which one each has to lead in: a token counts in whichever account there is its provider."""
    found: dict[str, list[Way]] = {}
    for way in person.ways:
        same = canonical({key: list(values) for key, values in way.context.items()})
        found.setdefault(same if way.kind == "federated" else way.principal, []).append(way)
    return list(found.values())


def _way_denied(context: Context, person: Person, way: Way, role: Principal) -> Denied | None:
    """Return what is denied to somebody on their way into a role, None if they come in.

    They come in directly, or by another role of the same duty, which they come into directly.
    """
    denied = _directly(context, person, way, role)
    if denied is None:
        return denied
    name = WORKFLOW if way.kind == "federated" else person.source_identity or person.name
    for other in context.scene.world.of_duty(str(role.duty)):
        if other is role or _directly(context, person, way, other) is not None:
            continue
        session = Session(other.arn, person.source_identity, called=name)
        said = {"aws:userid": (f"{ROLE_ID}:{name}",)}
        # A deployment calls the session by which it goes on into another account after its stack.
        denied = _session_denied(context, session, role, f"interlock-{context.scene.world.stack or name}", said)
        if denied is None:
            return None
    return denied


def _directly(context: Context, person: Person, way: Way, role: Principal) -> Denied | None:
    given = {key.lower(): values for key, values in way.context.items()}
    if way.kind == "federated":
        layers = context.scene.entering(role.arn)
        found = None
        for name in (person.name, WORKFLOW):
            who = request.identity_provider(way.principal)
            saml = ":saml-provider/" in way.principal
            found = _denied(context, Assumption(who, role.arn, name, context=given, saml=saml), layers)
            if found is None:
                return None
        return found
    said = {"aws:userid": (USER_ID,), **FACTOR, **given} if way.kind == "user" else given
    name = person.source_identity or person.name
    return _session_denied(context, Session(way.principal), role, name, said, person.source_identity or "")


def _session_denied(
    context: Context, session: Session, role: Principal, name: str, said: Said, source_identity: str = ""
) -> Denied | None:
    scene = context.scene
    known = {key: values for key, values in scene.known(session).items() if values is not None}
    assumption = Assumption(
        scene.caller(session), role.arn, name, source_identity=source_identity, context={**known, **said}
    )
    return _denied(context, assumption, scene.layers(session, scene.trust(role.arn), role.account_id))


def _denied(context: Context, assumption: Assumption, layers: Layers) -> Denied | None:
    """Return the first request of an assumption that is denied; the call may go to any of the world's regions."""
    denied = None
    for region in regions(context.scene, "sts:AssumeRole", assumption.role_arn):
        refused = [asked for one in assumption.requests if not decide(asked := _ordinary(one, region), layers).allowed]
        if not refused:
            return None
        denied = Denied(refused[0], layers)
    return denied


def _ordinary(asked: Request, region: str) -> Request:
    said = {**SECURE, **said_now(region), **asked.context}
    return Request(asked.principal, asked.action, asked.resource, said)


PROPERTIES: Final = (
    Property(
        "assigned-come-in",
        "Each person and each pipeline can come into every role of the duties assigned to them, as they would ask to, "
        "and each service into the roles that it runs under, on behalf of their account.",
        _those_who_are_to,
    ),
)
