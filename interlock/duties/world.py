"""The world that a proof is about: accounts, principals, what they act on, where code runs, and who comes in."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, Final, Literal, Self

from pydantic import Field, ValidationError, model_validator

from interlock.duties.world_parts import (
    Account,
    Compute,
    Document,
    Entitlement,
    Forbidden,
    Keeping,
    NamedDocument,
    Part,
    Person,
    Principal,
    PrincipalKind,
    Resource,
    ResourceKind,
    Task,
    Way,
)
from interlock.duties.wrong_fields import wrong_fields
from interlock.failures import BadInput

__all__ = [
    "SCHEMA_VERSION", "Account", "Compute", "Document", "Entitlement", "Forbidden", "Keeping", "NamedDocument",
    "Person", "Principal", "PrincipalKind", "Resource", "ResourceKind", "Task", "Way", "World", "canonical", "digest",
    "read_world",
]  # fmt: skip
SCHEMA_VERSION: Final = 1


class World(Part):
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
    trusted: tuple[Principal, ...] = ()
    """Administrators of the accounts themselves, whose every act is an assumption: of them it is only asked who else
    becomes one. None of them is among `principals`."""
    trusted_elsewhere: tuple[str, ...] = ()
    """ARNs of roles and users of other accounts, and roots for all of an account, who may become one of those."""
    writers: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    """By prefix of the vault: ARNs of the roles that alone add to it; nobody adds beside the prefixes."""
    lockers: tuple[str, ...] = ()
    """ARNs of the roles that alone lock for longer what lies in the vault."""
    staging: tuple[str, ...] = ()
    """ARNs of the buckets beside the vault."""
    staged_writers: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    """By prefix of those: ARNs of the roles that alone write under it, each of them under their own name where the
    prefix ends in `${aws:SourceIdentity}/`; none where it is left to IAM. Nobody writes beside the prefixes."""
    records: tuple[str, ...] = ()
    """ARNs of the buckets that trails write into, whether they were read or not."""
    kept: Mapping[str, Keeping] = Field(default_factory=dict)
    """By ARN of a secret or a table."""
    management_account: str = ""
    """Of the organization: none of its policies binds it. Empty where it is not known."""
    entitlements: Mapping[str, Entitlement] = Field(default_factory=dict)
    """By ARN of a role."""
    limits: Mapping[str, Document] = Field(default_factory=dict)
    """By ARN of a boundary of roles that belong to no duty: the most that it may allow."""
    missing: tuple[str, ...] = ()
    """What the settings demand and is not there, in words."""
    exclusions: tuple[tuple[str, str], ...] = ()
    """Pairs of duties that no person may hold both of."""
    minimum_retention_days: int = Field(default=30, ge=1)

    @model_validator(mode="after")
    def _names_are_used_once(self) -> World:
        for what, names in (
            ("accounts", [one.id for one in self.accounts]),
            ("principals", [one.arn for one in (*self.principals, *self.trusted)]),
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
            ("principals", {one.arn: one.account_id for one in (*self.principals, *self.trusted)}),
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
        for principal in (*self.principals, *self.trusted):
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
