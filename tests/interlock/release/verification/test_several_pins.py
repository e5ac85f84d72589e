"""The same bytes, asked for more than once: what was agreed to, shown or done for one pin, as far as the others go."""

from __future__ import annotations

import pytest

from interlock.approving import chosen
from interlock.failures import BadInput
from interlock.release.acting import hindrances
from interlock.release.tiers import Tier, TiersPolicy
from interlock.release.verification.readings import read
from interlock.release.verification.reason import ReasonCode as C
from tests.interlock.release.trust.people import NOW
from tests.interlock.release.verification.world import (
    HOUR,
    MEASURED,
    MINUTE,
    POLICY,
    World,
    codes,
    shown_world,
)


def two_tiers() -> TiersPolicy:
    """A policy with a tier that asks for all gates and two people, and one that asks for one gate and one person."""
    document = POLICY.model_dump(mode="json")
    high = document["tiers"]["high"]
    gates = {"privacy": high["evidence"]["privacy"]}
    document["tiers"]["low"] = {**high, "approvals": [{"count": 1}], "evidence": gates, "emergency": None}
    return TiersPolicy.model_validate(document)


def test_an_approval_counts_for_the_pin_that_was_read_and_for_no_other_of_the_same_bytes() -> None:
    world = World(policy=two_tiers())
    world.pin(tier=Tier.LOW)
    world.show("privacy", tier="low")
    world.sequence(NOW + 10 * MINUTE)
    world.pin()
    for gate in MEASURED:
        world.show(gate)
    world.sequence(NOW + HOUR)
    world.approve("approver-1")
    world.sequence(NOW + 3 * HOUR)
    verdict = world.admit()
    assert (verdict.tier, codes(verdict)) == ("high", {C.APPROVAL_MISSING})
    world.approve("approver-2")
    world.sequence(NOW + 4 * HOUR)
    verdict = world.admit()
    assert (verdict.tier, verdict.reasons, len(verdict.approvals)) == ("high", (), 2)


def test_whoever_approves_says_which_pin_where_several_could_be() -> None:
    world = World(policy=two_tiers())
    low = world.pin(tier=Tier.LOW)
    world.show("privacy", tier="low")
    high = world.pin()
    for gate in MEASURED:
        world.show(gate)
    world.sequence(NOW + HOUR)
    record, verdict = world.record(), world.admit()
    readings = read(record, world.trust(None).root)
    with pytest.raises(BadInput, match="--pin: received none, and 2 pins of the release could be approved") as refused:
        chosen(verdict, record, readings, "approver-1")
    assert {(reason[:64], reason.split(": ")[1][:8]) for reason in refused.value.reasons} == {
        (low, "tier low"),
        (high, "tier hig"),
    }
    for payload in (low, high):
        found = chosen(verdict, record, readings, "approver-1", payload[:16])
        assert found.pin is not None
        assert (found.pin.payload, codes(found)) == (payload, {C.APPROVAL_MISSING})
    for wrong in ("zz", "0" * 64):
        with pytest.raises(BadInput, match="begin; accepted is the beginning of one of these"):
            chosen(verdict, record, readings, "approver-1", wrong)


def test_of_pins_that_nothing_but_one_could_be_approved_of_that_one_is_meant() -> None:
    world = World(policy=two_tiers())
    low = world.pin(tier=Tier.LOW)
    world.show("privacy", tier="low")
    world.pin()
    world.sequence(NOW + HOUR)
    record, verdict = world.record(), world.admit()
    found = chosen(verdict, record, read(record, world.trust(None).root), "approver-1")
    assert found.pin is not None
    assert found.pin.payload == low


@pytest.mark.parametrize("changes", [{"pin": "ab" * 32}, {"tier": "low"}])
def test_an_approval_of_another_pin_or_tier_does_not_count(changes: dict[str, str]) -> None:
    world = shown_world()
    world.approve("approver-1", **changes)  # type: ignore[arg-type]
    world.sequence(NOW + 3 * HOUR)
    assert C.APPROVAL_FOR_ANOTHER_PIN in codes(world.admit())
    assert C.APPROVAL_FOR_ANOTHER_PIN in codes(world.load("prod"))


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ({"submitter": "approver-1"}, {"submitter": "creator-1"}, C.APPROVAL_BY_SUBMITTER),
        ({"submitter": "creator-1"}, {"submitter": "approver-1"}, C.APPROVAL_BY_SUBMITTER),
        ({"builder": "approver-1"}, {"builder": "pipeline-8"}, C.APPROVAL_BY_BUILDER),
        ({"builder": "pipeline-8"}, {"builder": "approver-1"}, C.APPROVAL_BY_BUILDER),
    ],
)
def test_whoever_asked_for_the_bytes_or_built_them_by_one_pin_approves_them_by_none(
    first: dict[str, str], second: dict[str, str], expected: C
) -> None:
    world = World()
    pins = [world.pin(**first), world.pin(**second, ticket="CHG-2")]
    for gate in MEASURED:
        world.show(gate)
    world.sequence(NOW + HOUR)
    for pin in pins:
        for person in ("approver-1", "approver-3"):
            world.approve(person, pin=pin)
    world.sequence(NOW + 3 * HOUR)
    verdict = world.admit()
    assert {C.APPROVAL_MISSING, expected} <= codes(verdict)
    assert [one.person for one in verdict.approvals] == ["approver-3"]
    readings = read(world.record(), world.roots[-1])
    assert [one.code for one in hindrances(verdict, world.record(), readings, "approver-1")] == [expected]
    world.approve("approver-4")
    world.sequence(NOW + 4 * HOUR)
    assert world.admit().verifies


@pytest.mark.parametrize("gate", ["fairness", "privacy"])
def test_whoever_chose_what_a_gate_measured_on_approves_nothing_of_it(gate: str) -> None:
    world = World()
    world.pin()
    for one in MEASURED:
        world.show(one)
    world.show(gate, builder="approver-1", inputs="2" * 64)
    world.sequence(NOW + HOUR)
    for person in ("approver-1", "approver-3"):
        world.approve(person)
    world.sequence(NOW + 3 * HOUR)
    verdict = world.admit()
    assert {C.APPROVAL_MISSING, C.APPROVAL_BY_BUILDER} <= codes(verdict)
    assert [one.person for one in verdict.approvals] == ["approver-3"]
    assert C.APPROVAL_BY_BUILDER in codes(world.load("prod"))


def test_a_gate_that_failed_refuses_the_bytes_under_a_tier_that_does_not_ask_for_it_too() -> None:
    world = World(policy=two_tiers())
    world.pin()
    for gate in MEASURED:
        world.show(gate, value="0.5" if gate == "fairness" else None)
    world.sequence(NOW + 10 * MINUTE)
    low = world.pin(tier=Tier.LOW)
    world.show("privacy", tier="low")
    world.sequence(NOW + HOUR)
    world.approve("approver-1", pin=low, tier="low")
    world.sequence(NOW + 3 * HOUR)
    verdict = world.admit()
    assert (verdict.tier, codes(verdict)) == ("low", {C.EVIDENCE_FAILED})
    assert [str(one) for one in verdict.reasons] == ["the gate fairness failed: disparate_impact is 0.5"]
    assert codes(world.load("prod")) == {C.NOT_ADMITTED, C.EVIDENCE_FAILED}
