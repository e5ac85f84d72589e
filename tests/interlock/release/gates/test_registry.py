"""Our gates are the ones that the distribution announces, and each loads."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from interlock.release.gates.gate import OUR_VERSION
from interlock.release.gates.registry import BUILT_IN, GROUP, find_gate

PROJECT = tomllib.loads((Path(__file__).resolve().parents[4] / "pyproject.toml").read_text())["project"]


def test_the_distribution_announces_the_gates_that_are_built_in() -> None:
    assert PROJECT["entry-points"][GROUP] == dict(BUILT_IN)


def test_the_version_of_our_gates_is_the_distribution_s() -> None:
    assert f"{PROJECT['name']} {PROJECT['version']}" == OUR_VERSION


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_each_built_in_gate_loads_and_needs_something(name: str) -> None:
    gate = find_gate(name, [])
    assert gate.version
