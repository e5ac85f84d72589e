from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from interlock.building.checking import Checked
from interlock.cli.checking import _told
from interlock.cli.terminal import OutputFormat, Printer
from interlock.failures import Refusal


def checked(*tiers: str) -> Checked:
    standings = [
        SimpleNamespace(gate="lineage", tier=tier, policy="p" * 64, passed=False, reasons=["no source"], evidence=[])
        for tier in tiers
    ]
    told = SimpleNamespace(digest="d" * 64, ran=[], standings=standings, failed=standings)
    return cast(Checked, told)


def test_a_gate_is_told_with_its_tier_where_several_tiers_demand_it(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Refusal) as refused:
        _told(checked("low", "high"), Printer(OutputFormat.TEXT))
    assert list(refused.value.reasons) == ["lineage of tier low: no source", "lineage of tier high: no source"]
    assert "lineage of tier high  missing" in capsys.readouterr().out


def test_one_tier_s_gates_are_told_by_their_names_and_one_reason_once() -> None:
    with pytest.raises(Refusal) as refused:
        _told(checked("low", "low"), Printer(OutputFormat.TEXT))
    assert list(refused.value.reasons) == ["lineage: no source"]
