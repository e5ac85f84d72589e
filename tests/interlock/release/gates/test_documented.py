"""The page on gates names each parameter of each gate that it describes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from interlock.release.gates.registry import BUILT_IN, find_gate

PAGE = (Path(__file__).resolve().parents[4] / "docs" / "gates.md").read_text()
SECTIONS = dict(re.findall(r"^## `([a-z-]+)`\n(.*?)(?=^## |\Z)", PAGE, flags=re.MULTILINE | re.DOTALL))


def test_every_gate_of_ours_is_described() -> None:
    assert set(SECTIONS) == set(BUILT_IN)


@pytest.mark.parametrize("name", sorted(SECTIONS))
def test_each_parameter_of_a_gate_stands_in_its_section(name: str) -> None:
    parameters = find_gate(name, []).Parameters.model_fields
    assert [one for one in parameters if f"`{one}`" not in SECTIONS[name]] == []


def test_the_contract_on_the_page_is_one() -> None:
    from interlock.release.gates.contract import read_contract
    from tests.interlock.release.gates.given import document

    (example,) = re.findall(r"```yaml\n(schema_version.*?)```", PAGE, flags=re.DOTALL)
    assert set(read_contract(document(example)).columns) == {"income", "town"}
