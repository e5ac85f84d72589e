"""The documents of the world as policies, as they are written and as somebody could make them.

Documents that say the same are read once, whoever has them.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable
from dataclasses import replace
from enum import StrEnum
from typing import Final

from interlock.duties.evaluator.parsing import parse
from interlock.duties.evaluator.policy import Effect, Policy, PolicyKind
from interlock.duties.proof.selecting import allows, share
from interlock.duties.world import Document, NamedDocument, Principal, canonical
from interlock.failures import BadInput

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


class Form(StrEnum):
    """What has become of a principal since its documents were written."""

    AS_WRITTEN = "as written"
    UNBOUNDED = "without its boundary"
    UNDENIED = "without the denials of its own policies"
    WIDENED = "with policies that allow everything"
    UNLIMITED = "with policies that allow everything and no boundary"
    LOOSENED = "with policies and a boundary that allow everything beside what it denies"


def loosened(policy: Policy) -> Policy:
    """Return the policy of a resource, were it to allow everyone everything beside what it says."""
    name = f"{policy.name}, were it to allow everyone everything"
    everyone = {"Sid": "EveryoneEverything", "Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
    (statement,) = parsed({"Version": "2012-10-17", "Statement": [everyone]}, PolicyKind.RESOURCE, name).statements
    last = replace(statement, index=len(policy.statements))
    return replace(policy, name=name, statements=(*policy.statements, last))


@functools.lru_cache(maxsize=1 << 6)
def delegating(account_id: str) -> Policy:
    """Return the policy of a resource that leaves everything to the policies of an account."""
    name = f"a policy that leaves everything to {account_id}"
    account = {"Effect": "Allow", "Principal": {"AWS": account_id}, "Action": "*", "Resource": "*"}
    return parsed({"Version": "2012-10-17", "Statement": [account]}, PolicyKind.RESOURCE, name)


def boundary(principal: Principal, form: Form) -> Policy | None:
    """Return what limits a principal in a form. Raises PolicyError and NotModelled."""
    limit = principal.boundary
    if limit is None or form in (Form.UNBOUNDED, Form.UNLIMITED):
        return None
    document, name = limit.document, f"{principal.arn}: boundary {limit.name}"
    if form is Form.LOOSENED:
        statements = document.get("Statement", [])
        listed = statements if isinstance(statements, list) else [statements]
        document = {**document, "Statement": [*listed, *EVERYTHING["Statement"]]}
    return parsed(document, PolicyKind.BOUNDARY, name)


def identity(principal: Principal, form: Form) -> Iterable[Policy]:
    """Yield the own policies of a principal in a form. Raises PolicyError and NotModelled."""
    if form in (Form.WIDENED, Form.UNLIMITED, Form.LOOSENED):
        yield parsed(EVERYTHING, PolicyKind.IDENTITY, f"{principal.arn}: everything")
        return
    for one in principal.identity:
        policy = parsed(one.document, PolicyKind.IDENTITY, f"{principal.arn}: {one.name}")
        if form is Form.UNDENIED:
            yield replace(policy, statements=tuple(s for s in policy.statements if s.effect is Effect.ALLOW))
        else:
            yield policy


def levels_of(
    levels: tuple[tuple[NamedDocument, ...], ...], kind: PolicyKind, account_id: str
) -> tuple[tuple[Policy, ...], ...]:
    """Return the organisation's policies above an account, level by level; an empty level is none."""
    return tuple(
        tuple(parsed(one.document, kind, f"{account_id}: {kind} {one.name}") for one in level)
        for level in levels
        if level
    )


def parsed(document: Document, kind: PolicyKind, name: str) -> Policy:
    """Return a document as a policy of a name. Raises PolicyError and NotModelled."""
    text = canonical(document)
    try:
        same = _parsed_text(text, kind)
    except BadInput:
        # Once more, for a message that names it.
        return parse(document, kind, name)
    policy = replace(same, name=name)
    share(policy, same)
    return policy


@functools.lru_cache(maxsize=1 << 14)
def _parsed_text(text: str, kind: PolicyKind) -> Policy:
    return parse(json.loads(text), kind, "")


class Standing:
    """A principal's own documents in one form, and those above its account."""

    def __init__(self, principal: Principal, form: Form, scps: tuple[tuple[Policy, ...], ...]) -> None:
        self.account_id = principal.account_id
        self.identity = tuple(identity(principal, form))
        self.boundary = boundary(principal, form)
        self.scps = scps
        self._granted: dict[str, bool] = {}

    def may_be_granted(self, action: str) -> bool:
        """Return whether its own policies, and what limits them, allow an action on anything, under any conditions."""
        found = self._granted.get(action)
        if found is None:
            found = self._granted[action] = any(allows(one, action) for one in self.identity) and (
                self.boundary is None or allows(self.boundary, action)
            )
        return found
