"""What the roles of a stack are granted: every action of their own policies, and on what."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from interlock.duties.landscape import REPLICATION_ROLE_PATH, ROLE_PATH, SERVICE_ROLE_PATH
from interlock.duties.world import Principal, PrincipalKind

Granted = Mapping[str, Mapping[str, tuple[str, ...]]]
"""By role and action: the resources, as the policies write them."""
OURS: Final = tuple(f":role{path}" for path in (ROLE_PATH, SERVICE_ROLE_PATH, REPLICATION_ROLE_PATH))
"""In the ARN of every role that a stack makes. Those by which AWS records and configures itself have AWS's policies."""
_DRAWN: Final = re.compile(r"-[0-9a-f]{7}$")
"""What Pulumi adds to a name so that it is nobody else's."""


def role_called(arn: str, prefix: str) -> str | None:
    """Return what a role is called whatever the stack and the account, None for one that no stack made.

    That is a duty's by its word in the table, and a service's without the stack or what Pulumi drew. `prefix` is what
    the names of the stack's own begin with.
    """
    if not any(path in arn for path in OURS):
        return None
    name = arn.rpartition("/")[2]
    if f":role{ROLE_PATH}" in arn and not name.startswith(f"{prefix}-"):
        return None
    return _DRAWN.sub("", name.removeprefix(f"{prefix}-"))


def granted(principals: Iterable[Principal], prefix: str) -> Granted:
    """Return what is granted to each role of a stack; one that is made in two accounts is one role.

    Raises ValueError for a policy that grants by pattern or by exception: what that grants, nobody can have used.
    """
    found: dict[str, dict[str, set[str]]] = {}
    for principal in principals:
        name = role_called(principal.arn, prefix)
        if principal.kind is PrincipalKind.ROLE and name is not None:
            actions = found.setdefault(name, {})
            for action, resources in _allowed(principal):
                actions.setdefault(action, set()).update(resources)
    return {
        role: {action: tuple(sorted(resources)) for action, resources in sorted(actions.items())}
        for role, actions in sorted(found.items())
    }


def _allowed(principal: Principal) -> Iterator[tuple[str, list[str]]]:
    for policy in principal.identity:
        for statement in _listed(policy.document["Statement"]):
            if statement["Effect"] != "Allow":
                continue
            actions = _listed(statement.get("Action", []))
            if not actions or any("*" in one or "?" in one for one in actions):
                wrong = ", ".join(one for one in actions if "*" in one or "?" in one) or "NotAction"
                raise ValueError(f"{principal.name}: {policy.name} allows {wrong}; accepted are actions by their names")
            for action in actions:
                yield action, _listed(statement.get("Resource", []))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
