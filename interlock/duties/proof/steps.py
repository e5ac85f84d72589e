"""The single steps from one session to another."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from interlock.duties.evaluator import request
from interlock.duties.evaluator.policy import PrincipalType
from interlock.duties.evaluator.request import Layers
from interlock.duties.proof import taking
from interlock.duties.proof.calls import Call, Session
from interlock.duties.proof.forms import EVERYTHING, Form
from interlock.duties.proof.permission import Question, example
from interlock.duties.proof.scene import Scene
from interlock.duties.world import Compute, NamedDocument, Principal, PrincipalKind, Way

Given = Mapping[str, tuple[str, ...] | None]


@dataclass(frozen=True)
class Step:
    """One step: how, into which session, by which calls. `made` tells of a principal that the step itself creates."""

    how: str
    to: Session
    calls: tuple[Call, ...]
    made: bool = False

    def __str__(self) -> str:
        return f"{self.how} {self.to}"


class Replacing(NamedTuple):
    """What lets somebody act as the role under which code runs: any of some actions on a target."""

    actions: tuple[str, ...]
    target: str
    how: str


class Steps:
    """Finds the steps that start in a session; each session is looked at once."""

    def __init__(self, scene: Scene, identities: tuple[str, ...], trusted: frozenset[str]) -> None:
        self._scene = scene
        self._identities = identities
        self._trusted = trusted
        self._of: dict[Session, tuple[Step, ...]] = {}
        self._assumed: dict[Session, tuple[Step, ...]] = {}
        self._leading_nowhere: set[Hashable] = set()
        self._services = {one.arn: tuple(self._service_principals(one)) for one in scene.world.principals}
        self._trusting = _trusting(scene)
        self._running = [
            (replacing, arn)
            for compute in scene.world.compute for replacing in replacings(compute)
            for arn in compute.role_arns if scene.world.principal(arn) is not None
        ]  # fmt: skip
        self._replaceable = tuple(dict.fromkeys(replacing for replacing, _ in self._running))
        ways = dict.fromkeys(way.principal for one in scene.world.people for way in one.ways if way.kind == "user")
        self._users = [scene.principal(arn) for arn in ways if scene.world.principal(arn) is None]
        """Whom people come in as, of those that are in no document."""
        self._providers = [
            (role.arn, provider)
            for role in scene.world.principals if role.trust is not None
            for provider in scene.trusted(role.arn, PrincipalType.FEDERATED) if provider.startswith("arn:")
        ]  # fmt: skip

    def of(self, session: Session) -> tuple[Step, ...]:
        """Return the steps from a session."""
        found = self._of.get(session)
        if found is None:
            kind = self._scene.alike(session)
            found = self._of[session] = () if kind in self._leading_nowhere else tuple(self._found(session))
            # Somebody alike could come to what this one is itself.
            if not found and self._assume(session, session.arn, {}) is None:
                self._leading_nowhere.add(kind)
        return found

    def _found(self, session: Session) -> Iterator[Step]:
        yield from self.assumed(session)
        principal = self._scene.principal(session.arn)
        if principal.duty in self._trusted and session.form is Form.AS_WRITTEN:
            return
        yield from self._passing(session)
        yield from self._replacing(session)
        yield from self._editing(session)
        if not self._scene.is_made(session.arn):
            # One made by another that was made gains nothing over the first.
            yield from self._creating(session)

    def assumptions(self, session: Session, given: Given) -> Iterator[Step]:
        """Return the steps by sts:AssumeRole; `given` is what is known of the caller beside the session."""
        for arn in self._assumable(session):
            if arn == session.arn or self._assume(session, arn, given) is None:
                continue
            for identity in self._next_identities(session):
                if call := self._assume(session, arn, {**given, **_setting(session, identity)}):
                    calls = (call, *self._set_identity(session, arn, identity, given))
                    if identity is None or session.source_identity or len(calls) > 1:
                        yield Step("assumes", Session(arn, identity), calls)

    def renewal(self, session: Session) -> Step | None:
        """Return the step from a session into its own role, None if it may not assume that."""
        call = self._assume(session, session.arn, {}) if session.arn in self._assumable(session) else None
        return Step("assumes", Session(session.arn, session.source_identity), (call,)) if call else None

    def assumed(self, session: Session) -> tuple[Step, ...]:
        """Return the steps by sts:AssumeRole of which nothing but the session is known."""
        if session not in self._assumed:
            self._assumed[session] = tuple(self.assumptions(session, {}))
        return self._assumed[session]

    def _assumable(self, session: Session) -> list[str]:
        """Return the roles whose trust policies name whoever is in a session: no others can be assumed.

        Where they name no more than the account, the session's own policies have to allow it.
        """
        who = self._scene.caller(session)
        root = f"arn:{who.name.split(':')[1]}:iam::{who.account}:root"
        accounts = (who.account, root) if self._scene.may_be_granted(session, "sts:AssumeRole") else ()
        names = ("*", who.name, who.entity, *accounts)
        places = {place for name in names for place in self._trusting.get(name, ())}
        return [self._scene.world.principals[place].arn for place in sorted(places)]

    def _next_identities(self, session: Session) -> tuple[str | None, ...]:
        # A source identity, once set, is there for all sessions that follow.
        return (session.source_identity,) if session.source_identity else (None, *self._identities)

    def _assume(self, session: Session, role_arn: str, given: Given) -> Call | None:
        return self._scene.can(session, "sts:AssumeRole", role_arn, given=given)

    def _set_identity(self, session: Session, role_arn: str, identity: str | None, given: Given) -> tuple[Call, ...]:
        if identity is None or session.source_identity:
            return ()
        asked = {**given, "sts:sourceidentity": (identity,)}
        call = self._scene.can(session, "sts:SetSourceIdentity", role_arn, given=asked)
        return (call,) if call else ()

    def signed_in(self, way: Way) -> Iterator[Step]:
        """Return the steps of somebody whom an identity provider signs in."""
        action = signing_in(way.principal)
        given = {key.lower(): values for key, values in way.context.items()}
        for role in self._scene.world.principals:
            if role.trust is None or not self._scene.trusted(role.arn, PrincipalType.FEDERATED):
                continue
            fixed = given.get("sts:sourceidentity")
            for identity in fixed if fixed else (None, *self._identities):
                asked: Given = {**given, "sts:sourceidentity": (identity,) if identity else None}
                calls = [self._scene.comes_in(way.principal, action, role.arn, asked)]
                if identity is not None:
                    calls.append(self._scene.comes_in(way.principal, "sts:SetSourceIdentity", role.arn, asked))
                allowed = tuple(call for call in calls if call is not None)
                if len(allowed) == len(calls):
                    yield Step("signs in to", Session(role.arn, identity), allowed)

    def _passing(self, session: Session) -> Iterator[Step]:
        if self._scene.can(session, "iam:PassRole", "arn:aws:iam::*:role/*") is None:
            return
        started_by: dict[str, Call | None] = {}
        for role_arn, services in self._services.items():
            for service in services:
                starts = taking.STARTING.get(service, taking.UNKNOWN_SERVICE_STARTS)
                passed = {"iam:passedtoservice": (service,)}
                if not starts or not (call := self._scene.can(session, "iam:PassRole", role_arn, given=passed)):
                    continue
                if service not in started_by:
                    started_by[service] = self._first(session, starts, _anything_of(service, session.arn))
                if started := started_by[service]:
                    yield Step(f"passes to {service.partition('.')[0]}", Session(role_arn), (call, started))
                    break

    def _first(self, session: Session, actions: Iterable[str], resource: str) -> Call | None:
        if tuple(actions) == taking.UNKNOWN_SERVICE_STARTS:
            actions = (f"{resource.split(':')[2]}:Create",)
        return next((call for action in actions if (call := self._scene.can(session, action, resource))), None)

    def _replacing(self, session: Session) -> Iterator[Step]:
        able = {one: call for one in self._replaceable if (call := self._first(session, one.actions, one.target))}
        for replacing, role_arn in self._running if able else ():
            if call := able.get(replacing):
                yield Step(replacing.how, Session(role_arn), (call,))

    def _editing(self, session: Session) -> Iterator[Step]:
        for kind, edits in ((PrincipalKind.ROLE, taking.ON_ROLES), (PrincipalKind.USER, taking.ON_USERS)):
            for edit in edits:
                if self._scene.can(session, edit.action, f"arn:aws:iam::*:{kind}/*") is None:
                    continue
                for principal in (*self._scene.world.principals, *self._users):
                    if principal.kind is not kind or not self._matters(principal, edit.form):
                        continue
                    if call := self._scene.can(session, edit.action, principal.arn):
                        yield from self._edited(session, principal.arn, edit.form, call)
        yield from self._editing_policies(session)
        yield from self._editing_providers(session)

    def _matters(self, principal: Principal, form: Form | None) -> bool:
        return form is not Form.UNBOUNDED or principal.boundary is not None

    def _edited(self, session: Session, arn: str, form: Form | None, call: Call) -> Iterator[Step]:
        words = f"by {call.action} takes"
        identities = self._next_identities(session)
        yield from (Step(words, Session(arn, one, form or Form.AS_WRITTEN), (call,)) for one in identities)

    def _editing_policies(self, session: Session) -> Iterator[Step]:
        for action in taking.ON_POLICIES:
            if self._scene.can(session, action, "arn:aws:iam::*:policy/*") is None:
                continue
            for principal in self._scene.world.principals:
                for document in principal.identity:
                    if document.editable_arn and (call := self._scene.can(session, action, document.editable_arn)):
                        yield from self._edited(session, principal.arn, Form.WIDENED, call)
                bounding = principal.boundary.editable_arn if principal.boundary else None
                if bounding and (call := self._scene.can(session, action, bounding)):
                    yield from self._edited(session, principal.arn, Form.UNBOUNDED, call)

    def _editing_providers(self, session: Session) -> Iterator[Step]:
        changing = {one: self._first(session, taking.ON_PROVIDERS, one) for one in {arn for _, arn in self._providers}}
        for role_arn, provider in self._providers:
            if call := changing[provider]:
                yield from self._edited(session, role_arn, None, call)

    def _creating(self, session: Session) -> Iterator[Step]:
        account_id = self._scene.principal(session.arn).account_id
        boundaries = self._scene.boundaries
        for action, kind in taking.CREATING:
            anything = f"arn:aws:iam::{account_id}:{kind}/*"
            if self._scene.can(session, action, anything) is None:
                continue
            for boundary_arn in (None, *boundaries):
                asked: Given = {"iam:permissionsboundary": (boundary_arn,) if boundary_arn else None}
                created = self._scene.can(session, action, anything, given=asked)
                if created is None:
                    continue
                widen = (f"iam:Put{kind.capitalize()}Policy", f"iam:Attach{kind.capitalize()}Policy")
                widened = self._first(session, widen, anything)
                if widened is None:
                    continue
                boundary = boundaries[boundary_arn] if boundary_arn else None
                made = self._scene.add(
                    Principal(
                        arn=f"arn:aws:iam::{account_id}:{kind}/made-by-{session.arn.rpartition('/')[2]}"
                        + (f"-within-{boundary.name.rpartition('/')[2]}" if boundary else ""),
                        identity=(NamedDocument(name="everything", document=EVERYTHING),),
                        boundary=boundary,
                    )
                )
                yield Step("makes", Session(made.arn), (created, widened), made=True)

    def _service_principals(self, role: Principal) -> Iterator[str]:
        policy = self._scene.trust(role.arn) if role.trust is not None else None
        for statement in policy.statements if policy is not None else ():
            for one in statement.principal:
                if one.type is PrincipalType.SERVICE and self._trusts(role, one.name):
                    yield one.name

    def _trusts(self, role: Principal, service: str) -> bool:
        layers = Layers(resource=self._scene.trust(role.arn))
        asked = Question(request.service(service), "sts:AssumeRole", role.arn, layers, role.account_id)
        return example(asked) is not None


def _trusting(scene: Scene) -> dict[str, list[int]]:
    """Return, by what trust policies name, the places of the roles of those policies; all but somebody is anybody."""
    found: dict[str, list[int]] = {}
    for place, role in enumerate(scene.world.principals):
        policy = scene.trust(role.arn) if role.trust is not None else None
        if policy is not None:
            names = dict.fromkeys(scene.trusted(role.arn, PrincipalType.AWS))
            but_some = any(one.not_principal for one in policy.statements)
            for name in {*names, "*"} if but_some else names:
                found.setdefault(name, []).append(place)
    return found


def signing_in(provider: str) -> str:
    """Return the action by which somebody of an identity provider assumes a role."""
    return "sts:AssumeRoleWithSAML" if ":saml-provider/" in provider else "sts:AssumeRoleWithWebIdentity"


def _setting(session: Session, identity: str | None) -> Given:
    if session.source_identity:
        return {}
    return {"sts:sourceidentity": (identity,) if identity else None}


def _anything_of(service: str, arn: str) -> str:
    name = "ecs" if service == "ecs-tasks.amazonaws.com" else service.split(".")[-3]
    return f"arn:aws:{name}:*:{arn.split(':')[4]}:*"


def replacings(compute: Compute) -> Iterator[Replacing]:
    yield from (Replacing(taking.PUSHING, image, "pushes an image for") for image in compute.images)
    yield Replacing(taking.REPLACING_CODE[compute.service], _code_of(compute.arn), "replaces the code of")


def _code_of(arn: str) -> str:
    # A command is executed in a task, whose ARN is known only once it runs.
    parts = arn.split(":", 5)
    return f"arn:aws:ecs:{parts[3]}:{parts[4]}:*" if parts[2] == "ecs" else arn
