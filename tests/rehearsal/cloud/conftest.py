"""The local cloud in this process, and the marker that holds each correction to its purpose."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import replace
from typing import Any

import pytest

from rehearsal.cloud.server import LocalCloud
from rehearsal.cloud.services.ecs import running
from rehearsal.cloud.services.ecs.health import settings_of
from rehearsal.cloud.services.elbv2 import balancers
from rehearsal.cloud.services.elbv2.configuration import check_of
from tests.rehearsal.cloud.balancing import Balancer, Target
from tests.rehearsal.cloud.clusters import Cluster, probe_image, task_role
from tests.rehearsal.cloud.waiting import at_most

_PARAMETER = "left_out_correction"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "corrects(*names): passes with these corrections of the local cloud and fails without each of them"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a marked test once with all corrections, and once more without each that it names."""
    names = [name for marker in metafunc.definition.iter_markers("corrects") for name in marker.args]
    if names:
        metafunc.fixturenames.append(_PARAMETER)
        metafunc.parametrize(_PARAMETER, [None, *names], ids=["corrected", *(f"without {name}" for name in names)])


@pytest.fixture
def left_out_correction() -> str | None:
    """The correction that is not in force during this test; set for tests marked with `corrects`."""
    return None


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Turn the outcome round where a correction is left out: such a test has to fail."""
    callspec = getattr(pyfuncitem, "callspec", None)
    name = callspec.params.get(_PARAMETER) if callspec else None
    if name is None:
        return (yield)
    cloud = pyfuncitem.funcargs["cloud"]
    assert isinstance(cloud, LocalCloud)
    # What moto does, it does at once.
    with cloud.without(name), at_most(3.0):
        try:
            yield
        except (Exception, pytest.fail.Exception):
            return True
    pytest.fail(f"the test passes without the correction {name}")


@pytest.fixture(scope="module")
def quick_checks() -> Iterator[None]:
    """Have health checks follow each other in a tenth of the intervals that AWS allows to declare."""

    def of_target(group: Any, target_port: int) -> Any:
        check = check_of(group, target_port)
        return replace(check, interval=check.interval / 10)

    def of_container(declared: Any) -> Any:
        settings = settings_of(declared)
        return settings and replace(settings, interval=settings.interval / 10)

    with pytest.MonkeyPatch.context() as patches:
        patches.setattr(balancers, "check_of", of_target)
        patches.setattr(running, "settings_of", of_container)
        yield


@pytest.fixture
def balancer(cloud: LocalCloud) -> Iterator[Balancer]:
    balancer = Balancer(cloud)
    yield balancer
    balancer.delete()


@pytest.fixture
def target(cloud: LocalCloud) -> Iterator[Target]:
    target = Target(cloud)
    yield target
    target.close()


@pytest.fixture(scope="module")
def images_of_a_probe(cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with probe_image(cloud, tmp_path_factory.mktemp("images")):
        yield


@pytest.fixture(scope="module")
def role(cloud: LocalCloud) -> str:
    return task_role(cloud)


@pytest.fixture
def cluster(cloud: LocalCloud, role: str) -> Iterator[Cluster]:
    cluster = Cluster(cloud, role)
    yield cluster
    cluster.delete()
