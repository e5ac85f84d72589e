"""What tests of several rooms share."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from interlock.stack import ProvisionedStack
from rehearsal.cloud.server import LocalCloud
from rehearsal.session import Session
from rehearsal.setup.progress import Progress
from rehearsal.setup.tools import Tools, prepare

ROOMS = ("interlock/", "rehearsal/cloud/", "rehearsal/engine/")
"""Folders whose tests share a local cloud in their own process."""
ON_A_SESSION = (
    "interlock/test_destruction.py",
    "provisioned/",
    "rehearsal/engine/language/",
    "rehearsal/engine/test_operations.py",
    "stacks/test_upgrade.py",
)
"""What runs on the `session` fixture."""


@pytest.fixture(scope="session")
def tools() -> Tools:
    """The executables that a rehearsal needs; found or built where the tests run without `scripts/test`."""
    return Tools.from_environment() or prepare(Progress(), Path(sys.executable))


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """The one local cloud of this process (moto keeps its state in its modules), shared by the tests of many rooms.

    A test names what it makes so that no other meets it.
    """
    with LocalCloud(tmp_path_factory.mktemp("cloud")) as running:
        yield running


@pytest.fixture(scope="session")
def session(tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """A fresh local cloud with the engine beside it, shared by the tests of one run."""
    with Session(tmp_path_factory.mktemp("session"), tools) as started:
        yield started


@pytest.fixture(scope="session")
def provisioned(session: Session) -> ProvisionedStack:
    """Stack local, brought up once for all the tests of one run; a test that changes it puts it back."""
    session.select_stack("local")
    session.provide_certificate(session.pulumi("config", "get", "--path", "tracking.domain").stdout.strip())
    session.pulumi("up", "--yes", "--skip-preview")
    with pytest.MonkeyPatch.context() as patches:
        for name, value in session.environment.items():
            patches.setenv(name, value)
        return ProvisionedStack.load("pulumi:local")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the group that takes longest, so that nothing waits for it alone in the end."""
    items.sort(key=lambda item: group_of(item.nodeid) != "session")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Where tests run side by side, keep those in one process that share what is slow to start."""
    from xdist.scheduler import LoadScopeScheduling

    class Groups(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return group_of(nodeid)

    return Groups(config, log)


def group_of(nodeid: str) -> str:
    """The session with its provisioned stack, else a room whose tests share one local cloud, else the file."""
    path = nodeid.partition("::")[0].removeprefix("tests/")
    if path.startswith(ON_A_SESSION):
        return "session"
    return next((room for room in ROOMS if path.startswith(room)), path)
