"""The policy that we ship asks of gates only what they take."""

from __future__ import annotations

from pathlib import Path

import pytest

from interlock.release.gates.registry import find_gate
from interlock.release.tiers import parse_policy

POLICY = parse_policy((Path(__file__).resolve().parents[4] / "policy" / "tiers.yaml").read_bytes())
DEMANDS = [(tier, gate) for tier, rules in POLICY.tiers.items() for gate in rules.evidence]


@pytest.mark.parametrize(("tier", "gate"), DEMANDS, ids=[f"{tier.value}-{gate}" for tier, gate in DEMANDS])
def test_each_gate_that_a_tier_demands_is_there_and_takes_its_parameters(tier: object, gate: str) -> None:
    demand = next(rules.evidence[gate] for name, rules in POLICY.tiers.items() if name == tier)
    assert find_gate(gate, []).Parameters.model_validate(dict(demand.parameters))
