"""Which secrets the layer platform has and who alone reads each, and who alone writes its live state."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from interlock.duties.duty import Role
from interlock.duties.guarded_resources import service_role
from interlock.duties.landscape import Landscape
from interlock.duties.rights import Account

TRACKING: Final = "tracking"
RUNNER: Final = "runner"
RECOVERY_RUNNER: Final = "runner-recovery"
"""What the program calls MLflow's server and the runners; the names of all that they are made of begin so."""
STATE_WRITERS: Final = (Role.DEPLOYER, Role.ROLLBACK, Role.RECOVERY_RUNNER)
_TRACKING_DUTIES: Final = (Role.CREATOR, Role.BUILDER, Role.DEPLOYER, Role.OBSERVER, Role.AUDITOR)
ROTATION: Final = "database-credentials-role"
"""What the program calls the role of the function that rotates the database's users."""
_STARTING: Final = f"{TRACKING}-task-start-role"
_LOGGING_IN: Final = (
    f"{TRACKING}-task-run-role", f"{RUNNER}-start-role", f"{RECOVERY_RUNNER}-start-role",
)  # fmt: skip


@dataclass(frozen=True)
class Kept:
    """A secret of the platform, and what has to read it."""

    name: str
    """What the program calls it: its own name begins so."""
    services: tuple[str, ...]
    """What the program calls the roles of the services that read it."""
    duty: Role | None = None
    """The duty whose password of MLflow it holds."""
    put: bool = True
    """Whether `pulumi up` gives it its value, and reads it back; else the rotation does."""


SECRETS: Final = (
    Kept("database-first-secret", (ROTATION,)),
    Kept("database-credentials-user", (ROTATION, *_LOGGING_IN), put=False),
    Kept("database-credentials-master", (ROTATION,), put=False),
    Kept(f"{TRACKING}-flask-secret", (_STARTING,)),
    Kept(f"{TRACKING}-admin-secret", (_STARTING,)),
    *(Kept(f"{TRACKING}-user-{role.value}-secret", (_STARTING,), role) for role in _TRACKING_DUTIES),
)


def secret_of(name: str) -> Kept | None:
    """Return the secret of the platform that a secret's name says it is."""
    return next((one for one in SECRETS if name == one.name or name.startswith(f"{one.name}-")), None)


def readers_of(one: Kept, land: Landscape, also: Sequence[str] = ()) -> tuple[str, ...]:
    """Return ARNs and patterns of ARNs of who alone reads a secret; `also` are those that the settings name."""
    return tuple(_readers(one, land, also))


def _readers(one: Kept, land: Landscape, also: Sequence[str]) -> Iterator[str]:
    yield from (service_role(land.workload, name) for name in one.services)
    if one.duty is not None:
        yield land.role_arn(one.duty, Account.WORKLOAD)
    if one.put:
        yield land.role_arn(Role.PLATFORM, Account.WORKLOAD)
    yield from also


def state_writers(land: Landscape) -> tuple[str, ...]:
    """Return the ARNs of the roles that alone change live state."""
    return tuple(land.role_arn(one, Account.WORKLOAD) for one in STATE_WRITERS)
