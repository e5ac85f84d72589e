"""What tests of several rooms share."""

import gc
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from interlock.stack import ProvisionedStack
from rehearsal.cloud.server import LocalCloud
from rehearsal.cycles import look_seldom
from rehearsal.layers import FOUNDATION, ONCE_WRITTEN, PLATFORM, bring_up
from rehearsal.session import Session
from rehearsal.setup.progress import Progress
from rehearsal.setup.tools import Tools, prepare

# How long an example takes says more of what runs beside it than of what it tests.
settings.register_profile("side by side", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("side by side")

SHARED = {
    "the provisioned stack": (
        "provisioned/test_cost.py",
        "provisioned/test_guards.py",
        "provisioned/test_local.py",
        "provisioned/test_tracking.py",
    ),
    "the foundations": ("infra/",),
    "an MLflow server": (
        "interlock/aws/test_endpoint.py",
        "interlock/aws/test_governed_endpoint.py",
        "interlock/cli/test_commands.py",
        "interlock/cli/test_pipelines.py",
        "interlock/cli/test_releasing.py",
        "interlock/cli/test_submitting.py",
        "interlock/mlflow/",
    ),
    "a provider": ("rehearsal/engine/aws/",),
    "an endpoint": (
        "rehearsal/cloud/services/test_applicationautoscaling.py",
        "rehearsal/cloud/services/test_sagemaker",
    ),
}
"""What is slow to start and shared by tests of several files, which therefore run in one process."""
FIRST = (
    "the provisioned stack",
    "provisioned/test_adoption.py",
    "provisioned/test_protection.py",
    "an MLflow server",
    "the foundations",
    "provisioned/test_foundation.py",
    "an endpoint",
    "rehearsal/engine/test_operations.py",
    "rehearsal/test_rehearse.py",
    "interlock/test_destruction.py",
    "rehearsal/cloud/services/rds/",
    "provisioned/",
    "stacks/test_upgrade.py",
    "rehearsal/engine/language/",
    "images/",
    "rehearsal/cloud/",
)
"""The groups that take longest, so that nothing waits for one of them alone in the end; operations of Pulumi, which
keep a processor busy, and what mostly waits take turns."""


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
    """A fresh local cloud with the engine beside it, shared by the tests of one run.

    No update is killed in it, whose state would have to be known.
    """
    with pytest.MonkeyPatch.context() as patches:
        for name, value in ONCE_WRITTEN.items():
            patches.setenv(name, value)
        with Session(tmp_path_factory.mktemp("session"), tools) as started:
            yield started


@pytest.fixture(scope="session")
def provisioned(session: Session) -> ProvisionedStack:
    """Stack local on its foundation, brought up once for all tests of a run; a test that changes it puts it back."""
    for stack in (FOUNDATION, PLATFORM):
        session.select_stack(stack)
    session.provide_certificate(session.pulumi("config", "get", "--path", "tracking.domain").stdout.strip())
    bring_up(session, session.tools.checkout)
    with pytest.MonkeyPatch.context() as patches:
        for name, value in session.environment.items():
            patches.setenv(name, value)
        return ProvisionedStack.load("pulumi:local")


# What the imports make lasts.
gc.disable()


def pytest_collection_finish() -> None:
    """Spend no time on what lasts as long as the tests."""
    look_seldom()
    gc.enable()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest."""
    items.sort(key=lambda item: rank_of(group_of(item.nodeid)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Where tests run side by side, keep those in one process that share what is slow to start."""
    from xdist.scheduler import LoadScopeScheduling

    class Groups(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return group_of(nodeid)

    return Groups(config, log)


def group_of(nodeid: str) -> str:
    """What a test shares with those of other files, else its file."""
    path = nodeid.partition("::")[0].removeprefix("tests/")
    return next((name for name, files in SHARED.items() if path.startswith(files)), path)


def rank_of(group: str) -> int:
    """The place of a group among those that begin first."""
    return next((rank for rank, name in enumerate(FIRST) if group.startswith(name)), len(FIRST))
