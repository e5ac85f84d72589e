"""The local cloud in this process, and the marker that holds each correction to its purpose."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from rehearsal.cloud.server import LocalCloud

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
    with cloud.without(name):
        try:
            yield
        except (Exception, pytest.fail.Exception):
            return True
    pytest.fail(f"the test passes without the correction {name}")
