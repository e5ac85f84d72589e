"""The world that a proof is about: accounts, principals, what they act on, where code runs, and who comes in."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from interlock.duties.wrong_fields import wrong_fields
from interlock.failures import BadInput

SCHEMA_VERSION: Final = 1


def _plain_json(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"is no JSON: {error}") from None


Document = Annotated[dict[str, Any], BeforeValidator(_plain_json)]
"""A policy document as AWS writes it; a text is taken for its JSON."""


_PrincipalArn = Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:iam::\d{12}:(role|user)/.+$")]
_RoleArn = Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:iam::\d{12}:role/.+$")]
_Action = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]+:[A-Za-z0-9*?]+$")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class NamedDocument(_Part):
    """A policy document and what people know it by."""

    name: str
    document: Document
    editable_arn: str | None = None
    """ARN of the managed policy that it is a version of; None if it lies inside of its principal."""


class Account(_Part):
    """An AWS account and the organisation's policies above it."""

    id: str = Field(pattern=r"^\d{12}$")
    name: str = ""
    scps: tuple[tuple[NamedDocument, ...], ...] = ()
    """A tuple for each level, the organisation's root first; a level without any allows everything."""
    rcps: tuple[tuple[NamedDocument, ...], ...] = ()
    organization_id: str | None = None


class PrincipalKind(StrEnum):
    ROLE = "role"
    USER = "user"


class Principal(_Part):
    """A role or a user, with everything that decides what it may do."""

    arn: _PrincipalArn
    duty: str | None = None
    """The duty that it is made for; None for one that belongs to no duty."""
    trust: Document | None = None
    """Who may become a role; None for a user."""
    identity: tuple[NamedDocument, ...] = ()
    boundary: NamedDocument | None = None
    tags: Mapping[str, str] = Field(default_factory=dict)
    source: str = ""
    """Where the reader found it, for messages."""

    @property
    def kind(self) -> PrincipalKind:
        return PrincipalKind(self.arn.split(":", 5)[5].partition("/")[0])

    @property
    def account_id(self) -> str:
        return self.arn.split(":")[4]

    @property
    def name(self) -> str:
        return self.arn.rpartition("/")[2]


class ResourceKind(StrEnum):
    """What a resource is; the proof treats some kinds in ways of their own."""

    KEY = "key"
    BUCKET = "bucket"
    SECRET = "secret"  # noqa: S105  # the word, not a secret
    TABLE = "table"
    FUNCTION = "function"
    REPOSITORY = "repository"
    TOPIC = "topic"
    ENDPOINT = "endpoint"
    TRAIL = "trail"
    ALARM = "alarm"


class Resource(_Part):
    """Something that actions are allowed on."""

    arn: str = Field(pattern=r"^arn:.+$")
    kind: ResourceKind
    account_id: str = Field(pattern=r"^\d{12}$")
    policy: Document | None = None
    owner: str | None = None
    """Of a signing key: whose key it is, an approver's as `approver:<source identity>`."""
    used_by: tuple[str, ...] = ()
    """Of a signing key: the duties that sign with it; without any, its owner."""
    attributes: Mapping[str, str] = Field(default_factory=dict)
    """What it is set to, such as `retention_days`, `lock_mode`, `usage`, `evidence`."""
    context: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    """Condition keys that the service fills in from the resource itself, such as `kms:ResourceAliases`."""
    source: str = ""

    @property
    def region(self) -> str:
        return self.arn.split(":")[3]

    @model_validator(mode="after")
    def _owner_only_of_a_key(self) -> Resource:
        if self.owner is not None and self.kind is not ResourceKind.KEY:
            raise ValueError(f"owner: received {self.owner!r} for a {self.kind}; accepted only for a key")
        return self


class Compute(_Part):
    """Where code runs under roles: whoever decides what runs there acts as those roles."""

    arn: str = Field(pattern=r"^arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:\d{12}:.+$")
    service: Literal["ecs", "lambda", "sagemaker", "ec2"]
    role_arns: tuple[_RoleArn, ...]
    images: tuple[str, ...] = ()
    """ARNs of the repositories its images are pulled from."""
    source: str = ""


class Way(_Part):
    """One way in: what a person is to AWS before they are in any role of ours."""

    kind: Literal["user", "federated", "aws"]
    principal: str = Field(pattern=r"^arn:aws[a-z-]*:(iam|sts)::\d{12}:.+/.+$")
    """ARN of the IAM user, of the identity provider, or of the principal that the person already is."""
    context: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    """Condition keys that the identity provider or AWS fixes, such as a token's subject. Others are free."""


class Person(_Part):
    """Somebody, or a pipeline, and how they come in."""

    name: str
    duties: tuple[str, ...] = ()
    source_identity: str | None = None
    """What their sessions bear; None for somebody whose sessions bear none."""
    kind: Literal["person", "pipeline"] = "person"
    ways: tuple[Way, ...] = ()


class Task(_Part):
    """Something that a role has to be able to do: an example request that must be allowed."""

    principal: _PrincipalArn
    name: str
    action: _Action
    resource: str
    context: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    own_key: bool = False
    """Whether it is each person's own key that the task is about: `resource` is then left empty."""


class Forbidden(_Part):
    """Something that a role must never be able to do, on whatever `resource`, an ARN or a pattern, stands for."""

    principal: _PrincipalArn
    name: str
    action: _Action
    resource: str


class Keeping(_Part):
    """Who alone uses a secret or a table, as ARNs or patterns of them."""

    readers: tuple[str, ...] | None = None
    """Who reads it; None if whoever may."""
    writers: tuple[str, ...] = ()
    """Who changes what is in it."""
    administrators: tuple[str, ...] = ()
    """Who changes the thing itself, and its policy."""


class World(_Part):
    """Everything that a proof looks at. What is not in it does not exist to the proof."""

    schema_version: Literal[1] = SCHEMA_VERSION
    stack: str = ""
    accounts: tuple[Account, ...]
    principals: tuple[Principal, ...] = ()
    resources: tuple[Resource, ...] = ()
    compute: tuple[Compute, ...] = ()
    people: tuple[Person, ...] = ()
    boundaries: tuple[NamedDocument, ...] = ()
    """Managed policies that are boundaries, those of principals that are yet to be made included."""
    tasks: tuple[Task, ...] = ()
    forbidden: tuple[Forbidden, ...] = ()
    administrators: tuple[str, ...] = ()
    """ARNs, or patterns of them, of whom the documents themselves name as administrators of keys and vault."""
    writers: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    """By prefix of the vault: ARNs of the roles that alone add to it; nobody adds beside the prefixes."""
    kept: Mapping[str, Keeping] = Field(default_factory=dict)
    """By ARN of a secret or a table."""
    management_account: str = ""
    """Of the organization: none of its policies binds it. Empty where it is not known."""
    missing: tuple[str, ...] = ()
    """What the settings demand and is not there, in words."""
    exclusions: tuple[tuple[str, str], ...] = ()
    """Pairs of duties that no person may hold both of."""
    minimum_retention_days: int = Field(default=30, ge=1)

    @model_validator(mode="after")
    def _names_are_used_once(self) -> World:
        for what, names in (
            ("accounts", [one.id for one in self.accounts]),
            ("principals", [one.arn for one in self.principals]),
            ("resources", [one.arn for one in self.resources]),
            ("people", [one.name for one in self.people]),
        ):
            twice = sorted({name for name in names if names.count(name) > 1}) if len(names) != len(set(names)) else []
            if twice:
                raise ValueError(f"{what}: {', '.join(twice)} more than once; accepted is each of them once")
        return self

    @model_validator(mode="after")
    def _lies_in_its_accounts(self) -> World:
        known = {one.id for one in self.accounts}
        if not known:
            raise ValueError("accounts: received none; accepted is at least one")
        for what, found in (
            ("principals", {one.arn: one.account_id for one in self.principals}),
            ("resources", {one.arn: one.account_id for one in self.resources}),
        ):
            outside = [arn for arn, account_id in found.items() if account_id not in known]
            if outside:
                accounts = ", ".join(sorted(known))
                raise ValueError(f"{what}: {outside[0]} lies in none of the accounts; accepted are {accounts}")
        return self

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return the world with some of it replaced, checked anew, and without what was worked out of the old one."""
        del deep  # A world is frozen.
        return type(self)(**{name: getattr(self, name) for name in type(self).model_fields} | dict(update or {}))

    @cached_property
    def _principals(self) -> dict[str, Principal]:
        return {one.arn: one for one in self.principals}

    @cached_property
    def _accounts(self) -> dict[str, Account]:
        return {one.id: one for one in self.accounts}

    def principal(self, arn: str) -> Principal | None:
        return self._principals.get(arn)

    def account(self, account_id: str) -> Account | None:
        return self._accounts.get(account_id)

    def known_boundaries(self) -> dict[str, NamedDocument]:
        """Return the boundaries that there are, by ARN."""
        held = [one.boundary for one in self.principals if one.boundary is not None]
        return {one.editable_arn: one for one in (*self.boundaries, *held) if one.editable_arn is not None}

    def of_kind(self, kind: ResourceKind) -> Iterator[Resource]:
        return (one for one in self.resources if one.kind is kind)

    def of_duty(self, duty: str) -> Iterator[Principal]:
        return (one for one in self.principals if one.duty == duty)

    def to_json(self) -> str:
        """Return the world as one document that `read_world` takes."""
        return self.model_dump_json(indent=1)

    def digests(self) -> dict[str, str]:
        """Return the SHA-256 of each policy document by what it belongs to; equal documents have equal digests."""
        found: dict[str, str] = {}
        for name, document in sorted(self.documents(), key=lambda one: (one[0], canonical(one[1]))):
            known, number = digest(document), 1
            own = name
            while found.setdefault(own, known) != known:
                number += 1
                own = f"{name} ({number})"
        return found

    def documents(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield every policy document with a name of its own."""
        for account in self.accounts:
            for what, levels in (("scp", account.scps), ("rcp", account.rcps)):
                for level, documents in enumerate(levels):
                    yield from ((f"{account.id} {what} {level} {one.name}", one.document) for one in documents)
        for principal in self.principals:
            if principal.trust is not None:
                yield f"{principal.arn} trust", principal.trust
            yield from ((f"{principal.arn} identity {one.name}", one.document) for one in principal.identity)
            if principal.boundary is not None:
                yield f"{principal.arn} boundary {principal.boundary.name}", principal.boundary.document
        yield from ((f"{one.editable_arn or one.name} boundary", one.document) for one in self.boundaries)
        yield from ((f"{one.arn} policy", one.policy) for one in self.resources if one.policy is not None)


def digest(document: object) -> str:
    """Return the SHA-256 of a JSON document, whatever the order of its keys."""
    return hashlib.sha256(canonical(document).encode()).hexdigest()


def canonical(document: object) -> str:
    """Return a JSON document as text that is the same for equal documents."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"))


def read_world(text: str, source: str) -> World:
    """Read what `World.to_json` wrote. Raises BadInput, which names every wrong field and every conflict of duties."""
    try:
        world = World.model_validate_json(text)
    except ValidationError as error:
        raise BadInput(
            f"{source}: is no world of schema version {SCHEMA_VERSION}",
            reasons=wrong_fields(error),
        ) from error
    if not world.exclusions and any(one.duties for one in world.people):
        raise BadInput(
            f"{source}: exclusions: received none, and people who have duties; accepted is at least one pair of duties "
            "that exclude each other"
        )
    conflicts = [
        f"people.{person.name}.duties: received {one} and {other}, which exclude each other; accepted is one of them"
        for person in world.people
        for one, other in world.exclusions
        if one in person.duties and other in person.duties
    ]
    if conflicts:
        raise BadInput(f"{source}: somebody has duties that nobody may have together", reasons=conflicts)
    return world
