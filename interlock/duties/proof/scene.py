"""A world with its documents parsed: what decides a call of one session, ready to be asked."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from interlock.duties.evaluator import request
from interlock.duties.evaluator.parsing import parse
from interlock.duties.evaluator.policy import Effect, Policy, PolicyKind, PrincipalType
from interlock.duties.evaluator.request import Layers
from interlock.duties.proof.permission import Example, Question, example
from interlock.duties.proof.selecting import allows
from interlock.duties.world import Document, NamedDocument, Principal, PrincipalKind, Resource, World, canonical

EVERYTHING: Final[Document] = {
    "Version": "2012-10-17",
    "Statement": [{"Sid": "Everything", "Effect": "Allow", "Action": "*", "Resource": "*"}],
}
ENTERING: Final[Document] = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "Assume",
            "Effect": "Allow",
            "Action": ["sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"],
            "Resource": "*",
        }
    ],
}
"""What the proof assumes of a principal that people come as and that is in no document: it may assume roles."""
FREE: Final = "*"
"""The source identity of a session that may bear any, or none."""


class Form(StrEnum):
    """What has become of a principal since its documents were written."""

    AS_WRITTEN = "as written"
    UNBOUNDED = "without its boundary"
    UNDENIED = "without the denials of its own policies"
    WIDENED = "with policies that allow everything"
    UNLIMITED = "with policies that allow everything and no boundary"
    LOOSENED = "with policies and a boundary that allow everything beside what it denies"


@dataclass(frozen=True)
class Session:
    """Somebody in a role, or as a user; the source identity is None if the session bears none."""

    arn: str
    source_identity: str | None = None
    form: Form = Form.AS_WRITTEN
    called: str = "session"
    """The name of a role's session, which is a part of its ARN."""

    def __str__(self) -> str:
        who = self.arn.partition(":iam::")[2].replace(":", " ", 1)
        who += f" in a session called {self.called}" if self.called != "session" else ""
        bears = f" as {self.source_identity}" if self.source_identity not in (None, FREE) else ""
        return f"{who}{bears}" + (f" ({self.form})" if self.form is not Form.AS_WRITTEN else "")


class Scene:
    """Answers for one world. Raises PolicyError and NotModelled where a document cannot be used."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._layers: dict[tuple[str, Form], Layers] = {}
        self._whole: dict[tuple[str, Form, int, str], Layers] = {}
        """By session, resource's policy and account; the layers keep the policy, so that its id stays its own."""
        self._grants: dict[tuple[str, Form, str], bool] = {}
        self._callers: dict[tuple[str, str], request.Principal] = {}
        self._trusts: dict[str, Policy | None] = {}
        self._policies: dict[str, Policy | None] = {}
        self._scps = {one.id: _levels(one.scps, PolicyKind.SCP, one.id) for one in world.accounts}
        self._rcps = {one.id: _levels(one.rcps, PolicyKind.RCP, one.id) for one in world.accounts}
        self._resources = {one.arn: one for one in world.resources}
        arns = [f"arn:aws:iam::{account.id}:role/any-other" for account in world.accounts]
        everything = (NamedDocument(name="everything", document=EVERYTHING),)
        self._strangers = {arn: Principal(arn=arn, identity=everything) for arn in arns}
        self._outsiders = tuple(arns)
        self._entering: dict[str, Principal] = {}
        for principal in world.principals:
            self._own_layers(principal.arn, Form.AS_WRITTEN)
            if principal.trust is not None:
                self.trust(principal.arn)
        for resource in world.resources:
            self.resource_policy(resource)

    def policies(self) -> Iterable[Policy]:
        """Return every identity and resource policy of the world."""
        for principal in self.world.principals:
            yield from self._own_layers(principal.arn, Form.AS_WRITTEN).identity
        for resource in self.world.resources:
            policy = self.resource_policy(resource)
            if policy is not None:
                yield policy

    def strangers(self) -> tuple[str, ...]:
        """Return, for each account, a role that is in no document and whose own policies allow everything."""
        return self._outsiders

    def root(self, account_id: str) -> str:
        """Return the ARN that stands for the root user of an account, whom nothing but the organisation restrains."""
        arn = f"arn:aws:iam::{account_id}:user/root"
        everything = NamedDocument(name="everything", document=EVERYTHING)
        self._strangers.setdefault(arn, Principal(arn=arn, identity=(everything,)))
        return arn

    def principal(self, arn: str) -> Principal:
        """Return a principal of the world; of one that is not in it, only that it may assume roles is assumed."""
        found = self.world.principal(arn) or self._strangers.get(arn) or self._entering.get(arn)
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
        if arn not in self._trusts:
            trust = self.principal(arn).trust
            self._trusts[arn] = _parsed(trust, PolicyKind.TRUST, f"{arn}: trust policy") if trust is not None else None
        return self._trusts[arn]

    @functools.cached_property
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
        if resource.arn not in self._policies:
            written = resource.policy
            name = f"{resource.arn}: policy"
            self._policies[resource.arn] = _parsed(written, PolicyKind.RESOURCE, name) if written is not None else None
        return self._policies[resource.arn]

    def layers(self, session: Session, resource: Policy | None, owner: str) -> Layers:
        """Return every document that decides what a session does on something of the account `owner`."""
        key = (session.arn, session.form, id(resource), owner)
        if key not in self._whole:
            own = self._own_layers(session.arn, session.form)
            self._whole[key] = replace(own, resource=resource, rcps=self._rcps.get(owner, ()))
        return self._whole[key]

    def _own_layers(self, arn: str, form: Form) -> Layers:
        key = (arn, form)
        if key not in self._layers:
            principal = self.principal(arn)
            self._layers[key] = Layers(
                identity=tuple(_identity(principal, form)),
                boundary=_bounds(principal, form),
                scps=self._scps.get(principal.account_id, ()),
            )
        return self._layers[key]

    def _granted(self, session: Session, action: str) -> bool:
        key = (session.arn, session.form, action)
        if key not in self._grants:
            own = self._own_layers(session.arn, session.form)
            limits = () if own.boundary is None else (own.boundary,)
            self._grants[key] = any(allows(policy, action) for policy in own.identity) and all(
                allows(policy, action) for policy in limits
            )
        return self._grants[key]

    def caller(self, session: Session) -> request.Principal:
        """Return a session as the evaluator names it."""
        key = (session.arn, session.called)
        if key not in self._callers:
            is_user = self.principal(session.arn).kind is PrincipalKind.USER
            self._callers[key] = request.user(session.arn) if is_user else request.role_session(*key)
        return self._callers[key]

    def known(self, session: Session) -> dict[str, tuple[str, ...] | None]:
        """Return what is fixed of the context of all requests of a session."""
        principal = self.principal(session.arn)
        facts: dict[str, tuple[str, ...] | None] = {"aws:viaawsservice": ("false",)}
        if session.source_identity != FREE:
            facts["aws:sourceidentity"] = (session.source_identity,) if session.source_identity else None
        if session.arn not in self._strangers:
            facts |= {f"aws:principaltag/{key.lower()}": (value,) for key, value in principal.tags.items()}
        account = self.world.account(principal.account_id)
        if account is not None and account.organization_id:
            facts["aws:principalorgid"] = (account.organization_id,)
        return facts

    def can(
        self,
        session: Session,
        action: str,
        resource_arn: str,
        *,
        given: Mapping[str, tuple[str, ...] | None] | None = None,
        other_than: tuple[tuple[str, str], ...] = (),
        loosened: bool = False,
        delegated: bool = False,
    ) -> Call | None:
        """Return a call of `action` that would be allowed on something that `resource_arn` stands for, or None.

        With `loosened`, as if the resource's policy allowed everything to everyone beside what it says. With
        `delegated`, as if it left everything to the policies of the caller's account.
        """
        resource = self.resource(resource_arn)
        trusted = self.world.principal(resource_arn) if action.lower().startswith("sts:") else None
        policy = self.trust(resource_arn) if trusted else self.resource_policy(resource) if resource else None
        if loosened and policy is not None:
            policy = _loosened(policy)
        if delegated:
            policy = delegating(self.principal(session.arn).account_id)
        by_resource = policy is not None and not delegated and allows(policy, action)
        if not self._granted(session, action) and not by_resource:
            return None
        owner = resource.account_id if resource else _account_of(resource_arn) or self.principal(session.arn).account_id
        region = resource_arn.split(":")[3] if resource_arn.count(":") >= 5 else ""
        facts = self.known(session)
        facts |= {key.lower(): values for key, values in (resource.context if resource else {}).items()}
        if region and region != "*":
            facts["aws:requestedregion"] = (region,)
        facts |= given or {}
        question = Question(
            self.caller(session), action, resource_arn, self.layers(session, policy, owner), owner, facts, other_than
        )
        found = example(question)
        return Call(session, action, found.resource, found.context, owner, question) if found else None

    def comes_in(
        self,
        provider: str,
        action: str,
        role_arn: str,
        facts: Mapping[str, tuple[str, ...] | None],
        other_than: tuple[tuple[str, str], ...] = (),
    ) -> Call | None:
        """Return a call by which somebody whom an identity provider signed in assumes a role, or None."""
        owner = self.principal(role_arn).account_id
        layers = Layers(resource=self.trust(role_arn), rcps=self._rcps.get(owner, ()))
        who = request.identity_provider(provider)
        question = Question(who, action, role_arn, layers, owner, facts, other_than)
        found: Example | None = example(question)
        return Call(None, action, role_arn, found.context, owner, question) if found else None

    def served(
        self, service: str, action: str, resource: Resource, facts: Mapping[str, tuple[str, ...] | None]
    ) -> Call | None:
        """Return a call that a service makes on a resource in its own name, or None."""
        owner = resource.account_id
        layers = Layers(resource=self.resource_policy(resource), rcps=self._rcps.get(owner, ()))
        question = Question(request.service(service), action, resource.arn, layers, owner, facts)
        found = example(question)
        return Call(None, action, found.resource, found.context, owner, question) if found else None


@dataclass(frozen=True)
class Call:
    """A request that would be allowed, with the question whose answer it is."""

    session: Session | None
    """None for somebody whom an identity provider signed in."""
    action: str
    resource: str
    context: Mapping[str, tuple[str, ...]]
    owner: str
    question: Question

    def request(self) -> request.Request:
        """Return it as the evaluator takes it."""
        return request.Request(
            self.question.principal, self.action, self.resource, dict(self.context), resource_account=self.owner
        )

    def __str__(self) -> str:
        who = str(self.session) if self.session else self.question.principal.name
        asked = {key: value for key, value in self.context.items() if key not in self.question.principal.context}
        shown = ", ".join(f"{key}={'|'.join(value)}" for key, value in sorted(asked.items()) if key not in _OBVIOUS)
        return f"{who}: {self.action} on {self.resource}" + (f" with {shown}" if shown else "")


_OBVIOUS: Final = frozenset({"aws:viaawsservice", "aws:resourceaccount", "aws:requestedregion"})


@functools.lru_cache(maxsize=1 << 12)
def _loosened(policy: Policy) -> Policy:
    name = f"{policy.name}, were it to allow everyone everything"
    everyone = {"Sid": "EveryoneEverything", "Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
    (statement,) = _parsed({"Version": "2012-10-17", "Statement": [everyone]}, PolicyKind.RESOURCE, name).statements
    last = replace(statement, index=len(policy.statements))
    return replace(policy, name=name, statements=(*policy.statements, last))


@functools.lru_cache(maxsize=1 << 6)
def delegating(account_id: str) -> Policy:
    """Return the policy of a resource that leaves everything to the policies of an account."""
    name = f"a policy that leaves everything to {account_id}"
    account = {"Effect": "Allow", "Principal": {"AWS": account_id}, "Action": "*", "Resource": "*"}
    return _parsed({"Version": "2012-10-17", "Statement": [account]}, PolicyKind.RESOURCE, name)


def _bounds(principal: Principal, form: Form) -> Policy | None:
    boundary = principal.boundary
    if boundary is None or form in (Form.UNBOUNDED, Form.UNLIMITED):
        return None
    document, name = boundary.document, f"{principal.arn}: boundary {boundary.name}"
    if form is Form.LOOSENED:
        statements = document.get("Statement", [])
        listed = statements if isinstance(statements, list) else [statements]
        document = {**document, "Statement": [*listed, *EVERYTHING["Statement"]]}
    return _parsed(document, PolicyKind.BOUNDARY, name)


def _identity(principal: Principal, form: Form) -> Iterable[Policy]:
    if form in (Form.WIDENED, Form.UNLIMITED, Form.LOOSENED):
        yield _parsed(EVERYTHING, PolicyKind.IDENTITY, f"{principal.arn}: everything")
        return
    for one in principal.identity:
        policy = _parsed(one.document, PolicyKind.IDENTITY, f"{principal.arn}: {one.name}")
        if form is Form.UNDENIED:
            yield replace(policy, statements=tuple(s for s in policy.statements if s.effect is Effect.ALLOW))
        else:
            yield policy


def _levels(
    levels: tuple[tuple[NamedDocument, ...], ...], kind: PolicyKind, account_id: str
) -> tuple[tuple[Policy, ...], ...]:
    return tuple(
        tuple(_parsed(one.document, kind, f"{account_id}: {kind} {one.name}") for one in level)
        for level in levels
        if level
    )


def _parsed(document: Document, kind: PolicyKind, name: str) -> Policy:
    return _parsed_text(canonical(document), kind, name)


@functools.lru_cache(maxsize=1 << 14)
def _parsed_text(text: str, kind: PolicyKind, name: str) -> Policy:
    return parse(json.loads(text), kind, name)


def _account_of(arn: str) -> str:
    parts = arn.split(":", 5)
    return parts[4] if len(parts) == 6 and parts[4].isdigit() else ""
