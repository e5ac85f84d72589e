"""The users of an MLflow server, one a duty, and what each may do of what others made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

READ: Final = "READ"
EDIT: Final = "EDIT"
EXPERIMENTS: Final = "experiment"
MODELS: Final = "registered_model"

GRANTS: Final[Mapping[str, Mapping[str, str]]] = {
    # Whoever makes an experiment or a model manages it; that is all that a creator needs.
    "creator": {},
    "builder": {EXPERIMENTS: READ, MODELS: READ},
    # Aliases and tags of a model, which the controller sets after the fact.
    "deployer": {EXPERIMENTS: READ, MODELS: EDIT},
    "observer": {EXPERIMENTS: READ, MODELS: READ},
    "auditor": {EXPERIMENTS: READ, MODELS: READ},
}
"""By duty: the permission on all experiments and all registered models, those to come too."""

PREFIX: Final = "PASSWORD_OF_"
"""Of the variables that hold the duties' passwords."""
WORKSPACE: Final = "default"
"""The only one that a server without workspaces has."""


def passwords_of(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the passwords of the users by duty. Raises ValueError naming a duty that has no user."""
    found = {name.removeprefix(PREFIX).lower(): value for name, value in environment.items() if name.startswith(PREFIX)}
    unknown = sorted(set(found) - set(GRANTS))
    if unknown:
        raise ValueError(f"{PREFIX}{unknown[0].upper()}: no such duty; there are {', '.join(GRANTS)}")
    return found


def settle(store: Any, passwords: Mapping[str, str]) -> None:
    """Make each duty's user what it is to be: with this password, no administrator, with exactly its duty's grants.

    `store` is MLflow's SqlAlchemyStore of users. A user whose duty has no password here is left alone.
    """
    for duty, password in passwords.items():
        _settle_user(store, duty, password)
        _settle_role(store, duty, GRANTS[duty])


def _settle_user(store: Any, name: str, password: str) -> None:
    if not store.has_user(name):
        store.create_user(name, password, is_admin=False)
        return
    if not store.authenticate_user(name, password):
        store.update_user(name, password=password)
    if store.get_user(name).is_admin:
        store.update_user(name, is_admin=False)


def _settle_role(store: Any, duty: str, grants: Mapping[str, str]) -> None:
    name = f"interlock-{duty}"
    role = next((one for one in store.list_roles([WORKSPACE]) if one.name == name), None)
    if role is None:
        role = store.create_role(name, WORKSPACE, f"What the duty {duty} may do")
    wanted = {(kind, "*", permission) for kind, permission in grants.items()}
    held = {
        (one.resource_type, one.resource_pattern, one.permission): one.id
        for one in store.list_role_permissions(role.id)
    }
    # First what goes: a kind has one permission.
    for grant in held.keys() - wanted:
        store.remove_role_permission(held[grant])
    for kind, pattern, permission in wanted - held.keys():
        store.add_role_permission(role.id, kind, pattern, permission)
    user_id = store.get_user(duty).id
    if role.id not in {one.id for one in store.list_user_roles(user_id)}:
        store.assign_role_to_user(user_id, role.id)
