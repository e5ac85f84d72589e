"""What worlds are made of: what there is in accounts, who comes in, and what is demanded of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator


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


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class NamedDocument(Part):
    """A policy document and what people know it by."""

    name: str
    document: Document
    editable_arn: str | None = None
    """ARN of the managed policy that it is a version of; None if it lies inside of its principal."""


class Account(Part):
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


class Principal(Part):
    """A role or a user, with everything that decides what it may do."""

    arn: _PrincipalArn
    duty: str | None = None
    """The duty that it is made for; None for one that belongs to no duty."""
    trust: Document | None = None
    """Who may become a role; None for a user."""
    identity: tuple[NamedDocument, ...] = ()
    boundary: NamedDocument | None = None
    tags: Mapping[str, str] = Field(default_factory=dict)
    longest_session_seconds: int | None = None
    """How long a session of a role lasts at most; None where nobody said."""
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


class Resource(Part):
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


class Compute(Part):
    """Where code runs under roles: whoever decides what runs there acts as those roles."""

    arn: str = Field(pattern=r"^arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:\d{12}:.+$")
    service: Literal["ecs", "lambda", "sagemaker", "ec2"]
    role_arns: tuple[_RoleArn, ...]
    images: tuple[str, ...] = ()
    """ARNs of the repositories its images are pulled from."""
    source: str = ""


class Way(Part):
    """One way in: what a person is to AWS before they are in any role of ours."""

    kind: Literal["user", "federated", "aws"]
    principal: str = Field(pattern=r"^arn:aws[a-z-]*:(iam|sts)::\d{12}:.+/.+$")
    """ARN of the IAM user, of the identity provider, or of the principal that the person already is."""
    context: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    """Condition keys that the identity provider or AWS fixes, such as a token's subject. Others are free."""


class Person(Part):
    """Somebody, or a pipeline, and how they come in."""

    name: str
    duties: tuple[str, ...] = ()
    source_identity: str | None = None
    """What their sessions bear; None for somebody whose sessions bear none."""
    kind: Literal["person", "pipeline"] = "person"
    ways: tuple[Way, ...] = ()


class Task(Part):
    """Something that a role has to be able to do: an example request that must be allowed."""

    principal: _PrincipalArn
    name: str
    action: _Action
    resource: str
    context: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    own_key: bool = False
    """Whether it is each person's own key that the task is about: `resource` is then left empty."""


class Forbidden(Part):
    """Something that a role must never be able to do, on whatever `resource`, an ARN or a pattern, stands for."""

    principal: _PrincipalArn
    name: str
    action: _Action
    resource: str


class Keeping(Part):
    """Who alone uses a secret or a table, as ARNs or patterns of them."""

    readers: tuple[str, ...] | None = None
    """Who reads it; None if whoever may."""
    writers: tuple[str, ...] = ()
    """Who changes what is in it."""
    administrators: tuple[str, ...] = ()
    """Who changes the thing itself, and its policy."""


class Entitlement(Part):
    """The most that a role may be able to do: what these allow together, as a role's policies and boundary do."""

    identity: tuple[Document, ...]
    boundary: Document
    beside: tuple[Document, ...] = ()
    """What it has beside `identity` where the account holds what these are about, such as a layer's state."""
    services: tuple[str, ...] = ()
    """Which of AWS's services assume it."""
    longest_session_seconds: int | None = None
    """How long its sessions may last at most; None where the account's foundations say."""

    @property
    def most(self) -> tuple[Document, ...]:
        return (*self.identity, *self.beside)
