"""Claims about what people come to: duties that exclude each other, break-glass, and sessions without an end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from interlock.duties.proof.calls import FREE, Session
from interlock.duties.proof.closure import Reached, cycle
from interlock.duties.proof.forms import Form
from interlock.duties.proof.property import OWNERS, Context, Property, Violation
from interlock.duties.proof.steps import Step, signing_in
from interlock.duties.world import Person, ResourceKind

EMERGENCY: Final = "break-glass"
RECORD: Final = (
    "cloudtrail:StopLogging", "cloudtrail:DeleteTrail", "cloudtrail:UpdateTrail", "cloudtrail:PutEventSelectors",
)  # fmt: skip
ALARMS: Final = (
    "events:DisableRule", "events:DeleteRule", "events:PutRule", "events:RemoveTargets", "events:PutTargets",
)  # fmt: skip


def _exclusive_duties(context: Context) -> Iterator[Violation]:
    for person, reached in context.closure.everybody():
        by_duty = _by_duty(context, reached)
        for one, other in context.scene.world.exclusions:
            if one in by_duty and other in by_duty:
                first, second = by_duty[one], by_duty[other]
                yield Violation(
                    f"{person.name} reaches {one} as {first.session} and {other} as {second.session}",
                    chain=(*first.chain, *(step for step in second.chain if step not in first.chain)),
                )


def _only_assigned(context: Context) -> Iterator[Violation]:
    for person, reached in context.closure.everybody():
        allowed = set(person.duties)
        for duty, way in _by_duty(context, reached).items():
            if duty not in allowed:
                yield Violation(f"{person.name}, who is not assigned to {duty}, reaches it as {way.session}", way.chain)


def _by_duty(context: Context, reached: Mapping[Session, Reached]) -> dict[str, Reached]:
    found: dict[str, Reached] = {}
    for one in sorted(reached.values(), key=lambda way: len(way.chain)):
        duty = context.scene.principal(one.session.arn).duty
        if duty is not None:
            found.setdefault(duty, one)
    return found


def _own_name(context: Context) -> Iterator[Violation]:
    names = {one.source_identity for one in context.scene.world.people if one.kind == "person"}
    for person, reached in context.closure.everybody():
        for way in reached.values():
            duty = context.scene.principal(way.session.arn).duty
            bears = way.session.source_identity
            if duty is None or bears == person.source_identity or _runs_as_service(way):
                continue
            if bears in names or person.kind == "person":
                yield Violation(f"{person.name} reaches {way.session}, which bears {bears or 'no name'}", way.chain)
                break


def _names_are_ones_own(context: Context) -> Iterator[Violation]:
    for principal in context.scene.world.principals:
        people = context.scene.world.people if principal.duty is not None else ()
        theirs = [one.source_identity for one in people if principal.duty in one.duties and one.source_identity]
        names = tuple(("sts:sourceidentity", one) for one in theirs)
        for person in people:
            for way in (one for one in person.ways if one.kind != "federated"):
                given = {key.lower(): values for key, values in way.context.items()}
                action, who = "sts:SetSourceIdentity", Session(way.principal)
                if call := context.scene.can(who, action, principal.arn, given=given, other_than=names):
                    yield Violation(f"{person.name} may take any name in {principal.name}", call=call)


def _runs_as_service(way: Reached) -> bool:
    # What runs in a service bears nobody's name; the calls that put it there do.
    return any(step.how.startswith(("passes", "pushes", "replaces")) for step in way.chain)


def _nobody_widens(context: Context) -> Iterator[Violation]:
    for person, reached in context.closure.everybody():
        for way in reached.values():
            if _is_too_wide(context, way.session):
                yield Violation(f"{person.name} comes to act as {way.session}", way.chain)
                break


def _is_too_wide(context: Context, session: Session) -> bool:
    """Return whether a session has become more than its role: one of no duty may be widened up to its boundary."""
    principal = context.scene.principal(session.arn)
    bounded = principal.boundary is not None and session.form is not Form.UNBOUNDED
    changed = session.form is not Form.AS_WRITTEN or context.scene.is_made(session.arn)
    return changed and not (bounded and principal.duty is None)


def _sessions_end(context: Context) -> Iterator[Violation]:
    circle = cycle(context.scene, context.closure)
    if circle:
        names = [step.to.arn.rpartition("/")[2] for step in circle]
        yield Violation(f"a cycle of roles: {' → '.join([names[-1], *names])}", circle)


def _break_glass_leaves_a_trace(context: Context) -> Iterator[Violation]:
    world = context.scene.world
    glass = [one for one in world.principals if one.duty == EMERGENCY]
    for role in glass:
        for person in world.people:
            yield from _entered_unseen(context, person, role.arn)
    sessions = [Session(one.arn, FREE) for one in world.principals if one.duty not in OWNERS]
    for account in world.accounts:
        trails, rules = f"arn:aws:cloudtrail:*:{account.id}:trail/*", f"arn:aws:events:*:{account.id}:rule/*"
        yield from context.first(sessions, RECORD, trails, "stop the record")
        by_glass = [Session(role.arn, FREE) for role in glass]
        yield from context.first(by_glass, ALARMS, rules, "silence its own alarm")
    for alarm in world.of_kind(ResourceKind.ALARM):
        others = [one for one in sessions if not context.administers(one)]
        yield from context.first(others, ALARMS, alarm.arn, "silence the alarm of break-glass")


def _entered_unseen(context: Context, person: Person, role_arn: str) -> Iterator[Violation]:
    unseen: tuple[tuple[str, str, tuple[str, ...] | None], ...] = (
        ("without MFA", "aws:multifactorauthpresent", None),
        ("with MFA said to be absent", "aws:multifactorauthpresent", ("false",)),
        ("without a source identity", "sts:sourceidentity", None),
    )
    for way in person.ways:
        given = {key.lower(): values for key, values in way.context.items()}
        for words, key, value in unseen:
            asked = {**given, key: value}
            if way.kind == "federated":
                call = context.scene.comes_in(way.principal, signing_in(way.principal), role_arn, asked)
            else:
                call = context.scene.can(Session(way.principal), "sts:AssumeRole", role_arn, given=asked)
            if call is not None:
                step = Step("assumes", Session(role_arn), (call,))
                yield Violation(f"{person.name} opens break-glass {words}", (step,))


PROPERTIES: Final = (
    Property(
        "duties-exclude",
        "No person or pipeline reaches two duties that exclude each other, by any chain of assuming or passing roles, "
        "code, images or edited policies.",
        _exclusive_duties,
    ),
    Property("duties-assigned", "Nobody reaches a duty that they are not assigned to.", _only_assigned),
    Property("own-name", "Every session of a duty that a person reaches bears that person's own name.", _own_name),
    Property("known-names", "Nobody may take a name that is none of the role's people's.", _names_are_ones_own),
    Property(
        "nobody-widens",
        "Nobody can widen a duty's role, take a boundary off, or make a role that has none.",
        _nobody_widens,
    ),
    Property("sessions-end", "No roles assume each other in a circle, so that every session ends.", _sessions_end),
    Property(
        "break-glass-leaves-a-trace",
        "Break-glass opens only with MFA and under a name, and nobody can stop the record or silence its alarm.",
        _break_glass_leaves_a_trace,
    ),
)
