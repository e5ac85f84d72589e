from __future__ import annotations

from collections.abc import Callable

import pytest

from interlock.release.vault import Lock, files_prefix
from interlock.release.verification.reason import ReasonCode
from tests.interlock.release.trust.people import DAY, NOW
from tests.interlock.release.verification.world import HOUR, World, approved_world, codes, policy, shown_world

C = ReasonCode
APPROVED = approved_world()


@pytest.fixture
def world() -> World:
    return APPROVED.spoiled()


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
        (lambda world: world.show("privacy", value="3"), {C.EVIDENCE_FAILED}),
        (lambda world: world.approve("approver-3", signer="builder"), {C.KEY_OF_WRONG_DUTY}),
    ],
)
def test_what_travelled_wrongly_is_not_loaded(
    world: World, attack: Callable[[World], object], expected: set[ReasonCode]
) -> None:
    attack(world)
    assert codes(world.load()) == expected


def test_a_release_that_was_approved_for_another_environment_is_not_loaded_into_this_one(world: World) -> None:
    assert C.APPROVAL_FOR_ANOTHER_ENVIRONMENT in codes(world.load("staging"))


def test_a_distrusted_key_is_believed_for_what_a_deployer_had_seen_in_the_ledger_before(world: World) -> None:
    admitted = world.admit()
    world.change_root(distrusted="approver-1", since=NOW + 4 * HOUR)
    assert codes(world.load()) == {C.KEY_DISTRUSTED, C.APPROVAL_MISSING}
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
    assert codes(world.load("prod")) == {C.POLICY_UNKNOWN_TO_ROOT}


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
