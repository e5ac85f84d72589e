"""The users of the MLflow image, in MLflow's own store of users."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from mlflow.server.auth.sqlalchemy_store import SqlAlchemyStore

from components.mlflow_users import DUTIES

USERS = Path(__file__).parents[2] / "images" / "mlflow" / "users.py"
PASSWORDS = {duty: f"correct-horse-{duty}" for duty in DUTIES}


@pytest.fixture(scope="module")
def users() -> ModuleType:
    specification = importlib.util.spec_from_file_location("mlflow_users", USERS)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module
    specification.loader.exec_module(module)
    return module


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Any]:
    made = SqlAlchemyStore()
    made.init_db(f"sqlite:///{tmp_path / 'users.db'}")
    yield made
    made.engine.dispose()


def permission(store: Any, duty: str, kind: str, resource: str = "7") -> str | None:
    found = store.get_role_permission_for_resource(store.get_user(duty).id, kind, resource, "default")
    return found.name if found else None


def test_the_program_and_the_image_know_the_same_duties(users: ModuleType) -> None:
    assert set(users.GRANTS) == set(DUTIES)


def test_every_duty_has_a_user_that_reads_or_edits_what_is_and_what_will_be(users: ModuleType, store: Any) -> None:
    users.settle(store, PASSWORDS)
    assert {duty for duty in DUTIES if store.authenticate_user(duty, PASSWORDS[duty])} == set(DUTIES)
    assert not any(store.get_user(duty).is_admin for duty in DUTIES)
    assert {duty: permission(store, duty, "registered_model", "credit") for duty in DUTIES} == {
        "creator": None,
        "builder": "READ",
        "deployer": "EDIT",
        "observer": "READ",
        "auditor": "READ",
    }
    assert {duty: permission(store, duty, "experiment") for duty in DUTIES if duty != "creator"} == dict.fromkeys(
        ("builder", "deployer", "observer", "auditor"), "READ"
    )


def test_settling_again_changes_nothing(users: ModuleType, store: Any) -> None:
    users.settle(store, PASSWORDS)
    roles = {role.name: role.id for role in store.list_roles(["default"])}
    users.settle(store, PASSWORDS)
    assert {role.name: role.id for role in store.list_roles(["default"])} == roles


def test_what_was_changed_by_hand_is_put_back(users: ModuleType, store: Any) -> None:
    users.settle(store, PASSWORDS)
    store.update_user("auditor", password="something-else-entirely", is_admin=True)
    (role,) = [one for one in store.list_user_roles(store.get_user("auditor").id) if one.name == "interlock-auditor"]
    store.add_role_permission(role.id, "experiment", "7", "MANAGE")
    users.settle(store, PASSWORDS)
    assert store.authenticate_user("auditor", PASSWORDS["auditor"])
    assert not store.get_user("auditor").is_admin
    assert permission(store, "auditor", "experiment") == "READ"


def test_a_duty_without_a_password_is_left_alone(users: ModuleType, store: Any) -> None:
    users.settle(store, {"auditor": PASSWORDS["auditor"]})
    assert not store.has_user("creator")


def test_passwords_come_from_variables_of_known_duties_alone(users: ModuleType) -> None:
    assert users.passwords_of({"PASSWORD_OF_AUDITOR": "x", "HOME": "/"}) == {"auditor": "x"}
    with pytest.raises(ValueError, match="PASSWORD_OF_COOK: no such duty; there are creator, builder"):
        users.passwords_of({"PASSWORD_OF_COOK": "x"})
