"""What tests of several rooms share."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from interlock.stack import ProvisionedStack
from rehearsal.cloud.server import LocalCloud
from rehearsal.session import Session
from rehearsal.setup.progress import Progress
from rehearsal.setup.tools import Tools, prepare

TESTS = Path(__file__).parent
ROOMS = ("interlock", "rehearsal/cloud", "rehearsal/engine")
"""Folders whose tests share a local cloud in their own process."""


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
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where tests run side by side, keep those together that share what is slow to start, the slowest first."""
    if config.pluginmanager.hasplugin("xdist"):
        for item in items:
            item.add_marker(pytest.mark.xdist_group(group_of(item)))
        items.sort(key=lambda item: group_of(item) != "session")


def group_of(item: pytest.Item) -> str:
    """The session with its one provisioned stack, else a room whose tests share one local cloud, else the file."""
    if "session" in getattr(item, "fixturenames", ()):
        return "session"
    path = item.path.relative_to(TESTS).as_posix()
    return next((room for room in ROOMS if path.startswith(f"{room}/")), path)
