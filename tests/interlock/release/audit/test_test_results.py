"""A test result in the standard form says what the gate's evidence says, or the release is refused by both judges."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from interlock.release.audit import verify
from interlock.release.evidence import Evidence, Outcome
from interlock.release.predicates import Predicate
from interlock.release.test_result import result_of
from tests.interlock.release.audit.tampering.case import library_codes, program_codes
from tests.interlock.release.audit.world import START, World, agreed

AGREED = agreed()
CASES = (
    {"group": "schema", "name": "income", "passed": False, "said": "the model does not take it"},
    {"group": "rule", "name": "more income never hurts", "passed": True, "said": None},
)
Predicated = dict[str, Any]


def evidence(world: World, **changes: Any) -> Evidence:
    given: dict[str, Any] = {
        "gate": "contract-tests",
        "gate_version": "interlock 0.1.0",
        "policy": world.policy.digest,
        "tier": "high",
        "inputs": "1" * 64,
        "outcome": Outcome.PASSED,
        "data": {"release": world.digest, "contract": "2" * 64},
        "details": {"cases": [{**one, "passed": True, "said": None} for one in CASES]},
        "started_at": START,
        "ended_at": START,
    }
    return Evidence(**{**given, **changes})


def shown(world: World, said: Evidence) -> str:
    """Write evidence; return its payload's digest."""
    return world.say(Predicate.EVIDENCE, said, "builder").rpartition("/")[2].removesuffix(".dsse.json")


def told(world: World, said: Evidence, change: Callable[[Predicated], object] = lambda _: None) -> str:
    """Write evidence and its test result with a change; return the result's key."""
    predicate = result_of(said, shown(world, said))
    change(predicate)
    return world.say(Predicate.TEST_RESULT, predicate, "builder")


def both(world: World) -> tuple[set[str], set[str]]:
    world.sequence()
    return library_codes(world, world.root.fingerprint), program_codes(world, world.root.fingerprint)


@pytest.mark.parametrize(
    "details",
    [
        {"cases": list(CASES)},
        {},
        {"cases": "none"},
        {"cases": [*CASES, 1, {}, {"group": "a"}, {"group": 1, "name": "b", "passed": True}]},
        {"cases": [{"group": "a", "name": "b", "passed": 1}, {"group": "a", "name": "b", "passed": "yes"}]},
    ],
)
@pytest.mark.parametrize("outcome", [Outcome.PASSED, Outcome.FAILED])
def test_both_judges_derive_the_same_from_the_same_evidence(details: Mapping[str, Any], outcome: Outcome) -> None:
    reasons = () if outcome is Outcome.PASSED else ("1 of 2 cases failed",)
    said = evidence(AGREED, details=details, outcome=outcome, reasons=reasons)
    read = verify.Statement("k", "3" * 64, verify.EVIDENCE, said.model_dump(mode="json"), (), None)
    assert result_of(said, "3" * 64) == verify.test_result(read)


def test_a_test_result_names_its_configuration_by_digest_and_each_case_once() -> None:
    said = evidence(AGREED, details={"cases": list(CASES)}, outcome=Outcome.FAILED, reasons=("one failed",))
    assert result_of(said, "3" * 64) == {
        "result": "FAILED",
        "configuration": [
            {"name": "evidence", "digest": {"sha256": "3" * 64}},
            {"name": "policy", "digest": {"sha256": AGREED.policy.digest}},
            {"name": "data/contract", "digest": {"sha256": "2" * 64}},
            {"name": "data/release", "digest": {"sha256": AGREED.digest}},
        ],
        "passedTests": ["rule: more income never hurts"],
        "warnedTests": [],
        "failedTests": ["schema: income"],
    }


def test_a_test_result_that_says_what_the_evidence_says_travels_in_the_bundle_and_is_taken_by_both() -> None:
    world = AGREED.copy()
    key = told(world, evidence(world))
    assert both(world) == (set(), set())
    assert any(name.endswith(key) for name in world.bundle())


def test_a_record_without_a_test_result_is_taken_by_both() -> None:
    world = AGREED.copy()
    shown(world, evidence(world))
    assert both(world) == (set(), set())


@pytest.mark.parametrize(
    "change",
    [
        lambda said: said.update(result="FAILED"),
        lambda said: said.update(result="WARNED"),
        lambda said: said["passedTests"].pop(),
        lambda said: said["failedTests"].append("schema: income"),
        lambda said: said["warnedTests"].append("schema: income"),
        lambda said: said["configuration"].pop(),
        lambda said: said["configuration"][0]["digest"].update(sha256="0" * 64),
        lambda said: said["configuration"][2]["digest"].update(sha256="0" * 64),
        lambda said: said.update(url="https://elsewhere.example"),
        lambda said: said.clear(),
    ],
)
def test_a_test_result_that_says_anything_else_is_refused_by_both(change: Callable[[Predicated], object]) -> None:
    world = AGREED.copy()
    told(world, evidence(world), change)
    assert both(world) == ({"test-result-disagrees"}, {"test-result-disagrees"})


def test_a_test_result_of_evidence_that_is_not_there_or_of_another_gate_is_refused_by_both() -> None:
    world = AGREED.copy()
    world.say(Predicate.TEST_RESULT, result_of(evidence(world), "0" * 64), "builder")
    assert both(world) == ({"test-result-disagrees"}, {"test-result-disagrees"})
    world = AGREED.copy()
    told(world, evidence(world, gate="latency"))
    assert both(world) == ({"test-result-disagrees"}, {"test-result-disagrees"})


def test_a_test_result_by_another_dutys_key_is_refused_by_both() -> None:
    world = AGREED.copy()
    said = evidence(world)
    world.say(Predicate.TEST_RESULT, result_of(said, shown(world, said)), "deployer")
    assert both(world) == ({"key-of-wrong-duty"}, {"key-of-wrong-duty"})
