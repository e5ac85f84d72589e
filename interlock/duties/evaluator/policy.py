"""A policy document as the evaluator and the proof see it: every element typed, every condition key in lower case.

Source of the elements: IAM User Guide, "IAM JSON policy element reference" and "Grammar of the IAM JSON policy
language", https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from interlock.failures import BadInput


class PolicyError(BadInput):
    """A document that is not a policy of its kind; the message names document, path, value and what is accepted."""


class NotModelled(BadInput):
    """A part of the policy language that the evaluator does not know, and therefore does not guess at."""


class Effect(StrEnum):
    ALLOW = "Allow"
    DENY = "Deny"


class PolicyKind(StrEnum):
    """What a document is attached to, which decides its grammar and its part in a decision."""

    IDENTITY = "identity policy"
    RESOURCE = "resource policy"
    TRUST = "trust policy"
    BOUNDARY = "boundary"
    SESSION = "session policy"
    SCP = "service control policy"
    RCP = "resource control policy"


class Qualifier(StrEnum):
    """How an operator reads a condition key that has several values."""

    ALL = "ForAllValues"
    ANY = "ForAnyValue"


class PrincipalType(StrEnum):
    AWS = "AWS"
    SERVICE = "Service"
    FEDERATED = "Federated"


@dataclass(frozen=True)
class Variable:
    """`${key}`, or `${key, 'default'}`; the key is in lower case."""

    key: str
    default: str | None = None


@dataclass(frozen=True)
class Escaped:
    """`${*}`, `${?}` or `${$}`: the character itself, never a wildcard."""

    character: str


@dataclass(frozen=True)
class Template:
    """A text of a policy that may hold variables. In `parts`, wildcards stand only in the plain strings."""

    written: str
    parts: tuple[str | Escaped | Variable, ...]

    @cached_property
    def variables(self) -> tuple[Variable, ...]:
        return tuple(part for part in self.parts if isinstance(part, Variable))


@dataclass(frozen=True)
class NamedPrincipal:
    """One principal as a policy writes it; `*` is anyone."""

    type: PrincipalType
    name: str

    def __str__(self) -> str:
        return self.name if self.type is PrincipalType.AWS else f"{self.type}:{self.name}"


@dataclass(frozen=True)
class Condition:
    """One operator on one key.

    `operator` is the plain name, such as StringNotLike, without qualifier and IfExists; `key` is in lower case; the
    values are alternatives.
    """

    operator: str
    key: str
    values: tuple[Template, ...]
    qualifier: Qualifier | None = None
    if_exists: bool = False

    def __str__(self) -> str:
        qualifier = f"{self.qualifier}:" if self.qualifier else ""
        suffix = "IfExists" if self.if_exists else ""
        return f"{qualifier}{self.operator}{suffix} {self.key}"


@dataclass(frozen=True)
class PolicyStatement:
    """One statement; an element that is not written is an empty tuple. `index` counts from 0."""

    index: int
    effect: Effect
    sid: str = ""
    principal: tuple[NamedPrincipal, ...] = ()
    not_principal: tuple[NamedPrincipal, ...] = ()
    action: tuple[str, ...] = ()
    not_action: tuple[str, ...] = ()
    resource: tuple[Template, ...] = ()
    not_resource: tuple[Template, ...] = ()
    condition: tuple[Condition, ...] = ()

    @property
    def label(self) -> str:
        return self.sid or f"statement {self.index}"


@dataclass(frozen=True)
class Policy:
    """A document that keeps to the grammar of its kind; `name` is how people know it."""

    name: str
    kind: PolicyKind
    statements: tuple[PolicyStatement, ...]
    version: str = "2012-10-17"
