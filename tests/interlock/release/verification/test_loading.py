from __future__ import annotations

from collections.abc import Callable

import pytest

from interlock.release.predicates import Predicate
from interlock.release.vault import Lock, files_prefix
from interlock.release.verification.reason import ReasonCode
from interlock.release.verification.summary import summary_of, summary_statement
from tests.interlock.release.trust.people import DAY, NOW
from tests.interlock.release.verification.world import (
    HOUR,
    KEYS,
    MINUTE,
    World,
    admitted_world,
    approved_world,
    codes,
    policy,
    shown_world,
)

C = ReasonCode
APPROVED = approved_world()
ADMITTED = admitted_world()


@pytest.fixture
def world() -> World:
    return ADMITTED.spoiled()


def test_an_approval_that_expired_stops_a_new_admission_and_not_a_load_a_year_later(world: World) -> None:
    world.vault.until = NOW + 4000 * DAY
    assert codes(world.admit(NOW + 300 * DAY)) == {C.APPROVAL_EXPIRED, C.APPROVAL_MISSING}
    assert codes(world.load()) == set()


def test_a_load_asks_neither_for_locks_nor_for_the_newest_policy(world: World) -> None:
    world.vault.until = None
    world.change_root(policy(retention_days=366))
    assert codes(world.load("prod")) == set()


def test_a_load_reads_no_lock_and_no_clock(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> Lock:
        raise AssertionError("a serving container cannot ask")

    monkeypatch.setattr(world.vault, "lock", refuse)
    assert codes(world.load()) == set()


def flip(world: World) -> None:
    key = files_prefix(world.digest) + "data/model.bin"
    world.vault.objects[key] = [("", b"weighty")]


def add(world: World) -> None:
    world.vault.add_version(files_prefix(world.digest) + "evil.py", b"")


def drop(world: World) -> None:
    del world.vault.objects[files_prefix(world.digest) + "data/empty"]


def unpin(world: World) -> None:
    del world.vault.objects[world.record().pins[0].key]


def unapprove(world: World) -> None:
    del world.vault.objects[next(key for key in world.vault.objects if key.startswith("approvals/"))]


def hide_the_policy(world: World) -> None:
    del world.vault.objects[next(key for key in world.vault.objects if "policies" in key)]


@pytest.mark.parametrize(
    ("attack", "expected"),
    [
        (flip, {C.OBJECT_ALTERED}),
        (add, {C.OBJECT_ADDED}),
        (drop, {C.OBJECT_MISSING}),
        (unpin, {C.NOT_PINNED}),
        (unapprove, {C.APPROVAL_MISSING}),
        (hide_the_policy, {C.POLICY_MISSING}),
        (lambda world: world.revoke("approver-4"), {C.REVOKED}),
        (lambda world: world.reject("approver-4"), {C.REJECTED}),
        (lambda world: world.retire("approver-4"), set()),
        (lambda world: world.approve("approver-3", signer="builder"), {C.KEY_OF_WRONG_DUTY}),
    ],
)
def test_what_travelled_wrongly_is_not_loaded(
    world: World, attack: Callable[[World], object], expected: set[ReasonCode]
) -> None:
    attack(world)
    assert codes(world.load()) == expected


def test_a_release_that_was_approved_for_another_environment_is_not_loaded_into_this_one(world: World) -> None:
    assert codes(world.load("staging")) >= {C.APPROVAL_FOR_ANOTHER_ENVIRONMENT, C.NOT_ADMITTED}


@pytest.mark.parametrize("way", ["nobody", "staging", "failed", "another release"])
def test_a_release_that_no_deployer_admitted_to_the_environment_is_not_loaded_whoever_approved_it(way: str) -> None:
    world = APPROVED.spoiled()
    verdict = world.admit()
    if way == "staging":
        world.decide(verdict, "staging")
    elif way == "failed":
        world.decide(world.admit(NOW + 300 * DAY))
    elif way == "another release":
        other = summary_of(
            "0" * 64, environment="prod", policy=world.policy.digest, tier="high", inputs=verdict.rests_on,
            passed=True, now=NOW + 4 * HOUR, version="0.1.0",
        )  # fmt: skip
        world.write(Predicate.VERIFICATION, summary_statement(world.digest, other).predicate, KEYS["deployer"])
    assert codes(world.load()) == {C.NOT_ADMITTED}


def test_what_was_signed_since_the_admission_makes_up_for_nothing_that_it_rested_on(world: World) -> None:
    unapprove(world)
    world.approve("approver-3")
    verdict = world.load()
    assert codes(verdict) == {C.APPROVAL_MISSING, C.NOT_ADMITTED}
    assert [one.person for one in verdict.approvals] == ["approver-2"]


@pytest.mark.parametrize("said", [{"submitter": "approver-1"}, {"builder": "approver-1"}])
def test_a_later_pin_that_names_an_approver_stops_a_new_admission_and_no_load(
    world: World, said: dict[str, str]
) -> None:
    world.pin(**said, ticket="CHG-9")
    world.sequence(NOW + 5 * HOUR)
    assert C.APPROVAL_MISSING in codes(world.admit())
    assert codes(world.load()) == set()


def test_a_summary_that_names_no_pin_admits_none() -> None:
    world = APPROVED.spoiled()
    verdict = world.admit()
    named = [one for one in verdict.rests_on if one.predicate_type != Predicate.PIN]
    summary = summary_of(
        world.digest, environment="prod", policy=world.policy.digest, tier="high", inputs=named,
        passed=True, now=NOW + 4 * HOUR, version="0.1.0",
    )  # fmt: skip
    world.write(Predicate.VERIFICATION, summary_statement(world.digest, summary).predicate, KEYS["deployer"])
    assert codes(world.load()) == {C.NOT_ADMITTED}


def test_a_key_that_ended_before_it_signed_helps_no_load_though_nobody_distrusts_it() -> None:
    world = World()
    world.end_key("approver-2", NOW + 30 * MINUTE)
    world.pin()
    for gate in ("performance", "privacy", "fairness"):
        world.show(gate)
    world.sequence(NOW + 20 * MINUTE)
    world.approve("approver-1")
    world.approve("approver-2")
    world.sequence(NOW + 3 * HOUR)
    refused = world.admit()
    assert C.KEY_NOT_BELIEVED_THEN in codes(refused)
    world.decide(refused)
    assert codes(world.load()) == {C.NOT_ADMITTED}
    world.approve("approver-3")
    world.sequence(NOW + 4 * HOUR)
    world.decide(world.admit())
    assert codes(world.load()) == set()


def test_a_champion_is_loaded_after_the_keys_that_admitted_it_have_ended(world: World) -> None:
    for name in ("approver-1", "approver-2", "builder", "deployer"):
        world.end_key(name, NOW + 5 * HOUR)
    assert codes(world.load()) == set()


def test_a_deployers_key_that_had_ended_admits_nothing(world: World) -> None:
    world.end_key("deployer", NOW + 4 * HOUR)
    assert codes(world.load()) == {C.NOT_ADMITTED, C.KEY_NOT_BELIEVED_THEN}


def test_an_emergency_past_its_deadline_and_what_no_log_holds_are_not_loaded() -> None:
    late = World(emergency=True)
    late.pin()
    late.show("privacy")
    late.sequence(NOW + HOUR)
    for person in ("approver-1", "approver-2", "approver-3"):
        late.approve(person, at=NOW + 100 * HOUR)
    late.sequence(NOW + 101 * HOUR)
    late.decide(late.admit(NOW + 102 * HOUR))
    assert codes(late.load()) == {C.NOT_ADMITTED}
    unlogged = APPROVED.spoiled()
    unlogged.leaves.clear()
    unlogged.decide(unlogged.admit())
    assert codes(unlogged.load()) == {C.NOT_ADMITTED}


def test_an_admission_after_an_approval_it_names_had_expired_loads_nothing() -> None:
    world = APPROVED.spoiled()
    world.decide(world.admit(), at=NOW + 30 * DAY)
    assert codes(world.load()) == {C.APPROVAL_EXPIRED, C.APPROVAL_MISSING}


@pytest.mark.parametrize("changes", [{"policy": "0" * 64}, {"tier": "low"}])
def test_an_admission_under_another_policy_or_tier_than_the_pins_loads_nothing(changes: dict[str, str]) -> None:
    world = APPROVED.spoiled()
    given = {"policy": world.policy.digest, "tier": "high", **changes}
    summary = summary_of(
        world.digest, environment="prod", inputs=world.admit().rests_on, passed=True, now=NOW + 4 * HOUR,
        version="0.1.0", **given,
    )  # fmt: skip
    world.write(Predicate.VERIFICATION, summary_statement(world.digest, summary).predicate, KEYS["deployer"])
    assert codes(world.load()) == {C.NOT_ADMITTED}


def test_one_admission_that_holds_is_enough_beside_others_that_do_not(world: World) -> None:
    world.decide(world.admit(), at=NOW + 30 * DAY)
    assert codes(world.load()) == set()


def test_a_distrusted_key_is_believed_for_what_a_deployer_had_seen_in_the_ledger_before() -> None:
    world = APPROVED.spoiled()
    admitted = world.admit()
    world.change_root(distrusted="approver-1", since=NOW + 4 * HOUR)
    assert codes(world.load()) == {C.NOT_ADMITTED, C.KEY_DISTRUSTED, C.APPROVAL_MISSING}
    world.decide(admitted)
    assert codes(world.load()) == set()


def test_a_deployers_summary_that_failed_or_whose_key_is_distrusted_vouches_for_nothing() -> None:
    refused = shown_world()
    refused.approve("approver-1")
    refused.decide(refused.admit())
    refused.approve("approver-2")
    refused.change_root(distrusted="approver-1", since=NOW)
    assert C.KEY_DISTRUSTED in codes(refused.load())
    stolen = APPROVED.spoiled()
    stolen.decide(stolen.admit())
    stolen.change_root(distrusted="approver-1", since=NOW)
    stolen.change_root(distrusted="deployer", since=NOW)
    assert C.KEY_DISTRUSTED in codes(stolen.load())


def test_a_policy_that_no_version_of_the_root_named_loads_nothing() -> None:
    world = World()
    world.policy = policy(retention_days=366)
    world.publish(world.policy)
    world.pin()
    assert codes(world.load("prod")) == {C.NOT_ADMITTED, C.POLICY_UNKNOWN_TO_ROOT}


@pytest.mark.parametrize("kind", ["revoke", "reject"])
def test_an_objection_stops_a_load_though_its_key_was_distrusted_since(world: World, kind: str) -> None:
    {"revoke": world.revoke, "reject": world.reject}[kind]("approver-4")
    world.sequence(NOW + 5 * HOUR)
    world.change_root(distrusted="approver-4", since=NOW + 20 * HOUR)
    expected = {C.REVOKED if kind == "revoke" else C.REJECTED}
    assert codes(world.admit(NOW + 6 * HOUR)) == codes(world.load()) == expected


def test_a_rejection_that_was_taken_back_stops_no_load_once_its_key_is_distrusted(world: World) -> None:
    world.withdraw("approver-4", world.reject("approver-4"))
    world.sequence(NOW + 5 * HOUR)
    world.change_root(distrusted="approver-4", since=NOW + 20 * HOUR)
    assert codes(world.admit(NOW + 6 * HOUR)) == codes(world.load()) == set()


@pytest.mark.parametrize("signer", ["builder", "observer", "log"])
@pytest.mark.parametrize("gate", ["performance", "privacy"])
def test_what_a_gate_finds_after_the_admission_stops_new_admissions_and_no_load(
    world: World, gate: str, signer: str
) -> None:
    world.show(gate, value={"performance": "0.5", "privacy": "3"}[gate], signer=signer)
    assert codes(world.admit()) == {C.EVIDENCE_FAILED}
    assert codes(world.load()) == set()


def test_an_approver_who_measures_a_champion_anew_takes_no_approval_from_its_load(world: World) -> None:
    world.show("performance", inputs="2" * 64, builder="approver-1")
    assert C.APPROVAL_BY_BUILDER in codes(world.admit())
    assert codes(world.load()) == set()


@pytest.mark.parametrize("signer", ["builder", "approver-1"])
def test_evidence_that_says_nothing_or_is_forged_after_the_admission_stops_no_load(world: World, signer: str) -> None:
    world.write(Predicate.EVIDENCE, {"x": 1}, KEYS[signer])
    assert codes(world.admit()) & {C.PREDICATE_MALFORMED, C.KEY_OF_WRONG_DUTY}
    assert codes(world.load()) == set()


@pytest.mark.parametrize("kind", ["revoke", "reject"])
def test_an_objection_stops_the_load_of_what_was_measured_anew(world: World, kind: str) -> None:
    world.show("privacy", value="3")
    {"revoke": world.revoke, "reject": world.reject}[kind]("approver-4")
    assert codes(world.load()) == {C.REVOKED if kind == "revoke" else C.REJECTED}


def test_failed_evidence_that_the_admission_itself_names_stops_the_load() -> None:
    world = APPROVED.spoiled()
    failed = world.show("privacy", value="3")
    rests_on = [*world.admit().rests_on, *(one for one in world.record().statements if one.payload == failed)]
    summary = summary_of(
        world.digest, environment="prod", policy=world.policy.digest, tier="high", inputs=rests_on, passed=True,
        now=NOW + 4 * HOUR, version="0.1.0",
    )  # fmt: skip
    world.write(Predicate.VERIFICATION, summary_statement(world.digest, summary).predicate, KEYS["deployer"])
    assert codes(world.load()) == {C.EVIDENCE_FAILED}


def test_failed_evidence_counts_where_no_deployer_admitted_the_release() -> None:
    world = APPROVED.spoiled()
    world.show("privacy", value="3")
    assert codes(world.load()) == {C.NOT_ADMITTED, C.EVIDENCE_FAILED}


def test_evidence_that_the_admission_does_not_name_shows_nothing_in_a_load() -> None:
    world = APPROVED.spoiled()
    rests_on = [one for one in world.admit().rests_on if one.predicate_type != Predicate.EVIDENCE]
    summary = summary_of(
        world.digest, environment="prod", policy=world.policy.digest, tier="high", inputs=rests_on, passed=True,
        now=NOW + 4 * HOUR, version="0.1.0",
    )  # fmt: skip
    world.write(Predicate.VERIFICATION, summary_statement(world.digest, summary).predicate, KEYS["deployer"])
    assert codes(world.load()) == {C.EVIDENCE_MISSING, C.APPROVAL_WITHOUT_EVIDENCE, C.APPROVAL_MISSING}
