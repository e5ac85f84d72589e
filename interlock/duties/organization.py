"""What an organization says of its accounts: service and resource control policies, by level.

Source: AWS Organizations User Guide, "SCP evaluation", "RCP evaluation".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError

from interlock.duties.world import Document, NamedDocument, World, canonical
from interlock.failures import BadInput

FULL_ACCESS: Final[Document] = {
    "Version": "2012-10-17",
    "Statement": [{"Sid": "Everything", "Effect": "Allow", "Action": "*", "Resource": "*"}],
}
"""What AWS attaches beside a service control policy unless it is taken off."""
ACCEPTED: Final = (
    "accepted is what `terraform output -json` of infra/guardrails prints: documents with service_control and "
    "resource_control, each with policies by name"
)
_ORGANIZATION: Final = re.compile(r'"(o-[a-z0-9]{10,32})"')
_KINDS: Final = ("service_control", "resource_control")
Levels = tuple[tuple[NamedDocument, ...], ...]
"""The organization's root first, the account last."""


@dataclass(frozen=True)
class Controls:
    """The policies above one account."""

    scps: Levels = ()
    rcps: Levels = ()
    organization_id: str | None = None
    is_management: bool = False
    """Whether the account is the organization's own, which none of its policies binds."""


def under(world: World, controls: Mapping[str, Controls]) -> World:
    """Return the world with the organization's policies above the accounts that `controls` names by their ids."""
    accounts = []
    for account in world.accounts:
        found = controls.get(account.id)
        if found is None:
            accounts.append(account)
            continue
        above = {} if found.is_management else {"scps": found.scps, "rcps": found.rcps}
        accounts.append(account.model_copy(update={**above, "organization_id": found.organization_id}))
    management = next((one for one, found in controls.items() if found.is_management), world.management_account)
    return world.model_copy(update={"accounts": tuple(accounts), "management_account": management})


def read_controls(document: Any, source: str) -> Controls:
    """Return the policies of a file, as one level above an account. Raises BadInput."""
    found = document.get("documents", document) if isinstance(document, Mapping) else document
    if isinstance(found, Mapping) and "value" in found:
        found = found["value"]
    if not isinstance(found, Mapping) or not found or set(found) - set(_KINDS):
        raise BadInput(f"{source}: received {_shown(document)}; {ACCEPTED}")
    scps, rcps = (tuple(_named(found.get(kind) or {}, f"{source}: {kind}")) for kind in _KINDS)
    allowing = NamedDocument(name="FullAWSAccess", document=FULL_ACCESS)
    return Controls(
        scps=((allowing, *scps),) if scps else (),
        rcps=(rcps,) if rcps else (),
        organization_id=_organization_of((*scps, *rcps)),
    )


def _organization_of(policies: Sequence[NamedDocument]) -> str | None:
    """Return the organization that its policies name as their own; None if they name none, or several.

    Source: AWS Organizations API Reference, Organization, Id.
    """
    found = {one for policy in policies for one in _ORGANIZATION.findall(canonical(policy.document))}
    return found.pop() if len(found) == 1 else None


def _named(policies: Any, source: str) -> Iterator[NamedDocument]:
    if not isinstance(policies, Mapping):
        raise BadInput(f"{source}: received {_shown(policies)}; accepted are policies by name")
    for name, document in policies.items():
        try:
            yield NamedDocument(name=name, document=document)
        except ValidationError as error:
            problem = error.errors()[0]
            raise BadInput(f"{source}.{name}: received {_shown(document)}; {problem['msg']}") from error


def above_all(world: World, controls: Controls) -> World:
    """Return the world with the same policies above each of its accounts."""
    return under(world, {account.id: controls for account in world.accounts})


def levels(found: Sequence[Sequence[NamedDocument]]) -> Levels:
    """Return policies by level, as an account has them."""
    return tuple(tuple(level) for level in found)


def _shown(value: Any) -> str:
    return f"{value!r:.80}"
