"""What tests of several rooms share."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from interlock.stack import ProvisionedStack
from rehearsal.session import Session
from rehearsal.setup.progress import Progress
from rehearsal.setup.tools import Tools, prepare


@pytest.fixture(scope="session")
def tools() -> Tools:
    """The executables that a rehearsal needs; found or built where the tests run without `scripts/test`."""
    return Tools.from_environment() or prepare(Progress(), Path(sys.executable))


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
