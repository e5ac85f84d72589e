"""Who asks for what, and which documents have a say in it.

Source: IAM User Guide, "Components of a request" and "AWS global condition context keys",
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from interlock.duties.evaluator.policy import Policy

Context = Mapping[str, tuple[str, ...]]
"""Condition keys in lower case and their values; a key that the request lacks is absent."""


class PrincipalKind(StrEnum):
    ROOT = "root user"
    USER = "user"
    ROLE_SESSION = "role session"
    FEDERATED_USER = "federated user session"
    SERVICE = "service"
    IDENTITY_PROVIDER = "someone an identity provider signed in"
    ANONYMOUS = "anonymous"


_PRINCIPAL_TYPE = {
    PrincipalKind.ROOT: "Account",
    PrincipalKind.USER: "User",
    PrincipalKind.ROLE_SESSION: "AssumedRole",
    PrincipalKind.FEDERATED_USER: "FederatedUser",
    PrincipalKind.ANONYMOUS: "Anonymous",
}


@dataclass(frozen=True)
class Principal:
    """Who asks.

    `name` is what GetCallerIdentity says, a service's name, or the identity provider as a trust policy names it.
    `entity` is the ARN of the role or user behind it: for a user itself, for a session its role or the user who
    federated, else empty. `account` is empty for services, identity providers and the anonymous.
    """

    kind: PrincipalKind
    name: str
    entity: str = ""
    account: str = ""
    unique_id: str = ""
    """aws:userid, where it is known: AIDA... of a user, AROA...:session-name of a role session."""

    @property
    def is_service_linked(self) -> bool:
        """Whether it acts in a service-linked role, which control policies never restrict."""
        return ":role/aws-service-role/" in self.entity

    @cached_property
    def context(self) -> Context:
        """What every request of this principal says about it."""
        values = {"aws:principalisawsservice": str(self.kind is PrincipalKind.SERVICE).lower()}
        if self.kind in _PRINCIPAL_TYPE:
            values["aws:principaltype"] = _PRINCIPAL_TYPE[self.kind]
        if self.account:
            values["aws:principalaccount"] = self.account
            values["aws:principalarn"] = self.entity if self.kind is PrincipalKind.ROLE_SESSION else self.name
        if self.kind is PrincipalKind.SERVICE:
            values["aws:principalservicename"] = self.name
        if self.kind is PrincipalKind.USER:
            values["aws:username"] = self.name.rpartition("/")[2]
        if self.unique_id:
            values["aws:userid"] = self.unique_id
        return {key: (value,) for key, value in values.items()}


def user(arn: str, unique_id: str = "") -> Principal:
    """Return an IAM user."""
    return Principal(PrincipalKind.USER, arn, arn, _account(arn), unique_id)


def role_session(role_arn: str, session_name: str, unique_id: str = "") -> Principal:
    """Return a session of a role; the role's path is no part of a session's ARN."""
    partition, account = role_arn.split(":")[1], _account(role_arn)
    role_name = role_arn.rpartition("/")[2]
    name = f"arn:{partition}:sts::{account}:assumed-role/{role_name}/{session_name}"
    return Principal(PrincipalKind.ROLE_SESSION, name, role_arn, account, unique_id)


def federated_user(arn: str, issuer_arn: str) -> Principal:
    """Return a session of GetFederationToken, issued by an IAM user."""
    return Principal(PrincipalKind.FEDERATED_USER, arn, issuer_arn, _account(arn))


def root(account: str, partition: str = "aws") -> Principal:
    """Return an account's root user."""
    return Principal(PrincipalKind.ROOT, f"arn:{partition}:iam::{account}:root", account=account, unique_id=account)


def service(name: str) -> Principal:
    """Return a service that acts for itself, such as lambda.amazonaws.com."""
    return Principal(PrincipalKind.SERVICE, name)


def identity_provider(name: str) -> Principal:
    """Return someone whom an OIDC or SAML provider signed in: its ARN, or a name such as accounts.google.com."""
    return Principal(PrincipalKind.IDENTITY_PROVIDER, name)


def anonymous() -> Principal:
    """Return someone who did not sign the request."""
    return Principal(PrincipalKind.ANONYMOUS, "anonymous")


def _account(arn: str) -> str:
    parts = arn.split(":")
    if len(parts) < 6 or not parts[4]:
        raise ValueError(f"received {arn!r}; accepted is the ARN of a principal, with its account")
    return parts[4]


@dataclass(frozen=True)
class Request:
    """One action on one resource; `resource` is its ARN, or `*` for an action that is on none.

    `context` is completed by what the principal says about itself; what is given here wins. `complete` says that a
    key which is absent is absent from the request; without it, an absent key is unknown, and what depends on it too.
    `resource_account` owns the resource; it may be left out when the ARN tells it.
    """

    principal: Principal
    action: str
    resource: str
    context: Mapping[str, str | Iterable[str]] = field(default_factory=dict)
    complete: bool = True
    resource_account: str = ""

    def __post_init__(self) -> None:
        if ":" not in self.action:
            raise ValueError(f"action: received {self.action!r}; accepted is service:Action")
        if not self.resource_account and self._named_account is None:
            raise ValueError(
                f"resource_account: {self.resource!r} names no account; accepted is the account it lies in"
            )

    @property
    def service(self) -> str:
        return self.action.partition(":")[0].lower()

    @cached_property
    def owner(self) -> str:
        """The account that the resource lies in."""
        return self.resource_account or self._named_account or ""

    @property
    def _named_account(self) -> str | None:
        parts = self.resource.split(":", 5)
        # AWS's own resources, such as managed policies, are used as if they were one's own.
        if self.resource == "*" or (len(parts) == 6 and parts[4] == "aws"):
            return self.principal.account
        return parts[4] if len(parts) == 6 and parts[4] else None

    @cached_property
    def values(self) -> Context:
        """The whole request context."""
        given: dict[str, tuple[str, ...]] = {}
        for key, value in self.context.items():
            # Two tags may differ in case only; one condition key then has the values of both.
            given[key.lower()] = given.get(key.lower(), ()) + ((value,) if isinstance(value, str) else tuple(value))
        owner = {"aws:resourceaccount": (self.owner,)} if self.owner else {}
        caller = (
            {"kms:calleraccount": (self.principal.account,)} if self.service == "kms" and self.principal.account else {}
        )
        return {**owner, **caller, **self.principal.context, **given}


@dataclass(frozen=True)
class Grant:
    """A grant of a KMS key: `operations` are the names without `kms:`, such as Decrypt.

    An encryption context constraint is met when the request's context equals it, or contains it.
    """

    key_arn: str
    grantee: str
    operations: frozenset[str]
    encryption_context_equals: tuple[tuple[str, str], ...] = ()
    encryption_context_subset: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Layers:
    """Every document that has a say. Control policies are listed by level: root first, the account's own last.

    `boundary` None is no boundary; `session` empty is a session without session policies; `scps` and `rcps` empty
    are an account outside any organisation. `resource` is the resource's policy, a role's trust policy included.
    """

    identity: tuple[Policy, ...] = ()
    resource: Policy | None = None
    boundary: Policy | None = None
    session: tuple[Policy, ...] = ()
    scps: tuple[tuple[Policy, ...], ...] = ()
    rcps: tuple[tuple[Policy, ...], ...] = ()
    grants: tuple[Grant, ...] = ()
    management_account: str = ""
    """The organisation's management account, which control policies do not restrict."""
