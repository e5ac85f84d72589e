"""A world with its documents parsed: what decides a call of one session, ready to be asked."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from itertools import chain
from typing import Any, Final

from interlock.duties.evaluator import request
from interlock.duties.evaluator.policy import Policy, PolicyKind, PrincipalType
from interlock.duties.evaluator.request import Layers
from interlock.duties.evaluator.services import is_of_keys
from interlock.duties.proof import forms
from interlock.duties.proof.alike import Likeness
from interlock.duties.proof.calls import FREE, Call, Session
from interlock.duties.proof.facts import Known
from interlock.duties.proof.forms import ENTERING, EVERYTHING, Form, Standing
from interlock.duties.proof.patterns import names
from interlock.duties.proof.permission import Question, example
from interlock.duties.proof.selecting import allows
from interlock.duties.proof.strangers import strangers
from interlock.duties.proof.targets import is_pattern
from interlock.duties.world import NamedDocument, Principal, PrincipalKind, Resource, ResourceKind, World

ROOT: Final = ":root"


class Scene:
    """Answers for one world. Raises PolicyError and NotModelled where a document cannot be used."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._standings: dict[tuple[str, Form], Standing] = {}
        self._known: dict[Session, Known] = {}
        self._whole: dict[tuple[Session, int, str], Layers] = {}
        """By session, resource's policy and account; the layers keep the policy, so that its id stays its own."""
        self._callers: dict[tuple[str, str], request.Principal] = {}
        self._trusts: dict[str, Policy | None] = {}
        self._policies: dict[str, Policy | None] = {}
        self._loosened: dict[str, Policy] = {}
        self._alike: dict[str, Hashable] = {}
        # The organisation's policies do not bind its management account.
        bound = [one for one in world.accounts if one.id != world.management_account]
        self._scps = {one.id: forms.levels_of(one.scps, PolicyKind.SCP, one.id) for one in bound}
        self._rcps = {one.id: forms.levels_of(one.rcps, PolicyKind.RCP, one.id) for one in bound}
        self._resources = {one.arn: one for one in world.resources}
        self._facts = {one.arn: {key.lower(): said for key, said in one.context.items()} for one in world.resources}
        self._apart = {one.arn: one for one in world.trusted}
        self._strangers: dict[str, Principal] = {}
        self._entering: dict[str, Principal] = {}
        for principal in world.principals:
            self._standing(principal.arn, Form.AS_WRITTEN)
            self.trust(principal.arn)
        of_resources = [one for one in map(self.resource_policy, world.resources) if one is not None]
        controls = chain.from_iterable(self.above(one.id) for one in bound)
        everything = (NamedDocument(name="everything", document=EVERYTHING),)
        self._outsiders = tuple(strangers([one.id for one in world.accounts], (*of_resources, *controls)))
        self._strangers.update((arn, Principal(arn=arn, identity=everything)) for arn in self._outsiders)

    def policies(self) -> Iterable[Policy]:
        """Return every identity and resource policy of the world."""
        for principal in self.world.principals:
            yield from self._standing(principal.arn, Form.AS_WRITTEN).identity
        for resource in self.world.resources:
            policy = self.resource_policy(resource)
            if policy is not None:
                yield policy

    def above(self, account_id: str) -> tuple[Policy, ...]:
        """Return the organisation's policies above an account, without their levels."""
        return tuple(chain(*self._scps.get(account_id, ()), *self._rcps.get(account_id, ())))

    def resource_controls(self, account_id: str) -> tuple[tuple[Policy, ...], ...]:
        """Return the organisation's resource control policies above an account, by level."""
        return self._rcps.get(account_id, ())

    def strangers(self) -> tuple[str, ...]:
        """Return, for each account, roles and users that are in no document, and whose own policies allow everything:
        one of each sort that the policies of resources and of the organisation tell apart."""
        return self._outsiders

    def root(self, account_id: str) -> str:
        """Return the ARN that stands for the root user of an account, whom nothing but the organisation restrains."""
        arn = f"arn:aws:iam::{account_id}{ROOT}"
        everything = NamedDocument(name="everything", document=EVERYTHING)
        # A world has no root users: of no role and no user is it this one's ARN.
        self._strangers.setdefault(arn, Principal.model_construct(arn=arn, identity=(everything,)))
        return arn

    def principal(self, arn: str) -> Principal:
        """Return a principal of the world; of one that is not in it, only that it may assume roles is assumed."""
        found = self.world.principal(arn) or self._apart.get(arn) or self._strangers.get(arn) or self._entering.get(arn)
        if found is None:
            found = Principal(arn=arn, identity=(NamedDocument(name="entering", document=ENTERING),))
            self._entering[arn] = found
        return found

    def add(self, principal: Principal) -> Principal:
        """Take in a principal that somebody could make."""
        return self._strangers.setdefault(principal.arn, principal)

    def resource(self, arn: str) -> Resource | None:
        """Return the resource whose policy decides about an ARN: a bucket for its objects."""
        found = self._resources.get(arn)
        if found is None and arn.startswith("arn:aws:s3:::") and "/" in arn:
            return self._resources.get(arn.partition("/")[0])
        return found

    def is_made(self, arn: str) -> bool:
        """Return whether a principal is one that somebody could make, or that stands for any other."""
        return arn in self._strangers

    def trust(self, arn: str) -> Policy | None:
        """Return a role's trust policy, None if it has none."""
        if arn not in self._trusts:
            written, name = self.principal(arn).trust, f"{arn}: trust policy"
            self._trusts[arn] = forms.parsed(written, PolicyKind.TRUST, name) if written is not None else None
        return self._trusts[arn]

    @cached_property
    def boundaries(self) -> Mapping[str, NamedDocument]:
        """The boundaries that there are, by ARN."""
        return self.world.known_boundaries()

    def trusted(self, role_arn: str, kind: PrincipalType) -> tuple[str, ...]:
        """Return the principals of a kind that a role's trust policy names, those of `*` included."""
        policy = self.trust(role_arn)
        if policy is None:
            return ()
        return tuple(
            one.name for statement in policy.statements for one in (*statement.principal, *statement.not_principal)
            if one.type is kind or one.name == "*"
        )  # fmt: skip

    def resource_policy(self, resource: Resource) -> Policy | None:
        """Return a resource's own policy, None if it has none."""
        if resource.arn not in self._policies:
            written, name = resource.policy, f"{resource.arn}: policy"
            self._policies[resource.arn] = (
                forms.parsed(written, PolicyKind.RESOURCE, name) if written is not None else None
            )
        return self._policies[resource.arn]

    def layers(self, session: Session, resource: Policy | None, owner: str) -> Layers:
        """Return every document that decides what a session does on something of the account `owner`."""
        key = (session, id(resource), owner)
        found = self._whole.get(key)
        if found is None:
            own = self._standing(session.arn, session.form)
            rcps = self._rcps.get(owner, ())
            found = self._whole[key] = Layers(own.identity, resource, own.boundary, scps=own.scps, rcps=rcps)
        return found

    def _standing(self, arn: str, form: Form) -> Standing:
        found = self._standings.get((arn, form))
        if found is None:
            principal = self.principal(arn)
            found = self._standings[arn, form] = Standing(principal, form, self._scps.get(principal.account_id, ()))
        return found

    def caller(self, session: Session) -> request.Principal:
        """Return a session as the evaluator names it."""
        found = self._callers.get(key := (session.arn, session.called))
        if found is None:
            found = self._callers[key] = self._named(session)
        return found

    def _named(self, session: Session) -> request.Principal:
        if session.arn.endswith(ROOT):
            return request.root(session.arn.split(":")[4])
        is_user = self.principal(session.arn).kind is PrincipalKind.USER
        return request.user(session.arn) if is_user else request.role_session(session.arn, session.called)

    def known(self, session: Session) -> Known:
        """Return what is fixed of the context of all requests of a session."""
        found = self._known.get(session)
        if found is None:
            found = self._known[session] = dict(self._fixed(session))
        return found

    def _fixed(self, session: Session) -> Iterator[tuple[str, tuple[str, ...] | None]]:
        principal = self.principal(session.arn)
        if session.source_identity != FREE:
            yield "aws:sourceidentity", (session.source_identity,) if session.source_identity else None
        if session.arn not in self._strangers:
            yield from ((f"aws:principaltag/{key.lower()}", (value,)) for key, value in principal.tags.items())
        account = self.world.account(principal.account_id)
        if account is not None and account.organization_id:
            yield "aws:principalorgid", (account.organization_id,)

    def alike(self, session: Session) -> Hashable:
        """Return what sessions have in common of which whatever is asked is answered alike."""
        who: Hashable = session.arn
        if session.called == Session.called and self.world.principal(session.arn) is not None:
            who = self._alike.get(session.arn)
            if who is None:
                who = self._likeness.of(self.principal(session.arn), self.caller(session))
                self._alike[session.arn] = who
        return (who, session.source_identity, session.form, session.called)

    def one_of_each(self, sessions: Iterable[Session]) -> list[Session]:
        """Return, of those that are answered alike, the first."""
        found: dict[Hashable, Session] = {}
        for one in sessions:
            found.setdefault(self.alike(one), one)
        return list(found.values())

    @cached_property
    def _likeness(self) -> Likeness:
        return Likeness(self._all_policies())

    def _all_policies(self) -> Iterator[Policy]:
        yield from self.policies()
        for principal in self.world.principals:
            bounds, trust = self._standing(principal.arn, Form.AS_WRITTEN).boundary, self.trust(principal.arn)
            yield from (one for one in (bounds, trust) if one is not None)
        yield from chain.from_iterable(self.above(one.id) for one in self.world.accounts)

    def may_be_granted(self, session: Session, action: str) -> bool:
        """Return whether a session's own policies and boundary allow an action on anything, under any conditions."""
        return self._standing(session.arn, session.form).may_be_granted(action)

    def can(
        self,
        session: Session,
        action: str,
        resource_arn: str,
        *,
        given: Known | None = None,
        other_than: tuple[tuple[str, str], ...] = (),
        loosened: bool = False,
        delegated: bool = False,
        beyond: Scene | None = None,
    ) -> Call | None:
        """Return a call of `action` that would be allowed on something that `resource_arn` stands for, or None.

        With `loosened`, as if the resource's policy allowed everything to everyone beside what it says. With
        `delegated`, as if it left everything to the policies of the caller's account. With `beyond`, a call that is
        not allowed in that other world.
        """
        own = self._standing(session.arn, session.form)
        granted = own.may_be_granted(action)
        if delegated and not granted:
            return None
        if not delegated and is_of_keys(action) and is_pattern(resource_arn):
            # Each key has a policy of its own, without which nobody uses it.
            like = (one for one in self.world.of_kind(ResourceKind.KEY) if names(one.arn, ((resource_arn, True),)))
            more: Any = {"given": given, "other_than": other_than, "loosened": loosened, "beyond": beyond}
            calls = (self.can(session, action, one.arn, **more) for one in like)
            if (call := next((one for one in calls if one is not None), None)) is not None:
                return call
        resource = self.resource(resource_arn)
        policy = (
            forms.delegating(own.account_id) if delegated else self._deciding(action, resource_arn, resource, loosened)
        )
        if not granted and (policy is None or not allows(policy, action)):
            return None
        owner = resource.account_id if resource else _account_of(resource_arn) or own.account_id
        region = resource_arn.split(":")[3] if resource_arn.count(":") >= 5 else ""
        facts = {**self.known(session), **(self._facts[resource.arn] if resource else {})}
        if region and region != "*":
            facts["aws:requestedregion"] = (region,)
        if given:
            facts.update(given)
        layers = self.layers(session, policy, owner)
        before = beyond.deciding(session, action, resource_arn, owner, loosened=loosened) if beyond else None
        question = Question(self.caller(session), action, resource_arn, layers, owner, facts, other_than, before)
        return _answered(session, question)

    def deciding(self, session: Session, action: str, resource_arn: str, owner: str, *, loosened: bool) -> Layers:
        """Return every document that decides whether a session does an action on what an ARN stands for."""
        policy = self._deciding(action, resource_arn, self.resource(resource_arn), loosened)
        return self.layers(session, policy, owner)

    def _deciding(self, action: str, resource_arn: str, resource: Resource | None, loosened: bool) -> Policy | None:
        if action[:4].lower() == "sts:" and (self.world.principal(resource_arn) or resource_arn in self._apart):
            policy = self.trust(resource_arn)
        else:
            policy = self.resource_policy(resource) if resource else None
        if policy is None or not loosened:
            return policy
        if policy.name not in self._loosened:
            self._loosened[policy.name] = forms.loosened(policy)
        return self._loosened[policy.name]

    def entering(self, role_arn: str) -> Layers:
        """Return what decides whether somebody comes into a role who has no policies of their own."""
        return Layers(resource=self.trust(role_arn), rcps=self._rcps.get(self.principal(role_arn).account_id, ()))

    def comes_in(
        self,
        provider: str,
        action: str,
        role_arn: str,
        facts: Known,
        other_than: tuple[tuple[str, str], ...] = (),
    ) -> Call | None:
        """Return a call by which somebody whom an identity provider signed in assumes a role, or None."""
        owner = self.principal(role_arn).account_id
        layers = self.entering(role_arn)
        question = Question(request.identity_provider(provider), action, role_arn, layers, owner, facts, other_than)
        return _answered(None, question)

    def becomes(self, service: str, action: str, role_arn: str, facts: Known) -> Call | None:
        """Return a call by which a service assumes a role, or None."""
        owner, layers = self.principal(role_arn).account_id, self.entering(role_arn)
        question = Question(request.service(service), action, role_arn, layers, owner, facts)
        return _answered(None, question)

    def unsigned(self, action: str, resource: Resource, thing: str) -> Call | None:
        """Return a call on a resource, or on a thing in it, that nobody signed, or None."""
        owner, layers = resource.account_id, Layers(resource=self.resource_policy(resource))
        controlled = replace(layers, rcps=self._rcps.get(owner, ()))
        question = Question(request.anonymous(), action, thing, controlled, owner, self._facts[resource.arn])
        return _answered(None, question)

    def served(
        self, service: str, action: str, resource: Resource, facts: Known, *, thing: str = "", loosened: bool = False
    ) -> Call | None:
        """Return a call that a service makes in its own name on a resource, or on a thing in it, or None; `loosened` as
        in `can`."""
        owner, policy = resource.account_id, self._deciding(action, resource.arn, resource, loosened)
        layers = Layers(resource=policy, rcps=self._rcps.get(owner, ()))
        question = Question(request.service(service), action, thing or resource.arn, layers, owner, facts)
        return _answered(None, question)


def _answered(session: Session | None, question: Question) -> Call | None:
    found = example(question)
    return Call(session, question.action, found.resource, found.context, question.owner, question) if found else None


def _account_of(arn: str) -> str:
    parts = arn.split(":", 5)
    return parts[4] if len(parts) == 6 and parts[4].isdigit() else ""
