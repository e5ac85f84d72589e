from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from interlock.release.envelope import seal
from interlock.release.predicates import Predicate
from interlock.release.vault import files_prefix, manifest_key
from interlock.release.verification.judging import Verdict
from interlock.release.verification.reason import ReasonCode
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

LATER = NOW + 5 * HOUR
APPROVED = approved_world()
SHOWN = shown_world()


@pytest.fixture
def world() -> World:
    return APPROVED.spoiled()


@pytest.fixture
def unapproved() -> World:
    return SHOWN.spoiled()


def test_a_release_with_all_its_evidence_and_two_approvals_is_admitted(world: World) -> None:
    verdict = world.admit()
    assert [str(one) for one in verdict.reasons] == []
    assert [one.person for one in verdict.approvals] == ["approver-1", "approver-2"]
    assert sorted(verdict.evidence or {}) == ["fairness", "performance", "privacy"]
    assert verdict.until == NOW + 2 * HOUR + 10 * DAY


def test_a_release_that_nobody_approved_is_refused_for_that_alone(unapproved: World) -> None:
    verdict = unapproved.admit()
    assert codes(verdict) == {ReasonCode.APPROVAL_MISSING}
    assert str(verdict.reasons[0]) == "0 of 2 approvals of the approvers; approved by nobody"


def first_approval(world: World) -> str:
    return next(key for key in world.vault.objects if key.startswith("approvals/"))


def evidence_of(world: World, gate: str) -> str:
    return next(one.key for one in world.record().evidence if one.statement.predicate["gate"] == gate)


def flip_a_byte(world: World) -> None:
    key = files_prefix(world.digest) + "data/model.bin"
    version, content = world.vault.objects[key][0]
    world.vault.objects[key] = [(version, bytes([content[0] ^ 1]) + content[1:])]


def add_a_file(world: World) -> None:
    world.vault.add_version(files_prefix(world.digest) + "evil.py", b"")


def drop_a_file(world: World) -> None:
    del world.vault.objects[files_prefix(world.digest) + "MLmodel"]


def unlock(world: World) -> None:
    world.vault.until = None


def let_the_lock_lapse(world: World) -> None:
    world.vault.until = LATER - MINUTE


def lock_for_a_month(world: World) -> None:
    world.vault.until = NOW + 30 * DAY


def drop_an_approval(world: World) -> None:
    del world.vault.objects[first_approval(world)]


def drop_failed_evidence(world: World) -> None:
    world.show("fairness", value="0.5")
    world.sequence(NOW + 4 * HOUR)
    key = world.leaves[-1].key
    del world.vault.objects[key]


def drop_a_rejection(world: World) -> None:
    world.reject("approver-3")
    world.sequence(NOW + 4 * HOUR)
    del world.vault.objects[world.leaves[-1].key]


def sign_the_same_payload_again(world: World) -> None:
    """Another valid signature, so that nothing but the ledger tells."""
    key = first_approval(world)
    one = next(one for one in world.record().acts if one.key == key)
    person = one.statement.predicate["person"]
    world.vault.objects[key] = [(one.version_id, seal(one.statement, KEYS[person]).content)]


def put_it_under_another_version(world: World) -> None:
    key = first_approval(world)
    world.vault.objects[key] = [("another", world.vault.objects[key][0][1])]


def drop_the_evidence(world: World) -> None:
    del world.vault.objects[evidence_of(world, "privacy")]


def fail_a_gate(world: World) -> None:
    world.show("fairness", value="0.79")


def fail_a_gate_of_another_tier(world: World) -> None:
    world.tier = "critical"
    world.show("fairness", value="0.79")


def reject(world: World) -> None:
    world.reject("approver-4")


def revoke(world: World) -> None:
    world.revoke("approver-4")


def retire(world: World) -> None:
    world.retire("approver-4")


def distrust_the_builder(world: World) -> None:
    world.change_root(distrusted="builder", since=NOW)


def distrust_an_approver(world: World) -> None:
    world.change_root(distrusted="approver-1", since=NOW + 2 * HOUR)


def change_the_policy(world: World) -> None:
    world.change_root(policy(retention_days=366))


def withdraw(world: World) -> None:
    payload = next(one.payload for one in world.record().acts if one.statement.predicate["person"] == "approver-1")
    world.withdraw("approver-1", payload)


def forge_a_person(world: World) -> None:
    world.approve("approver-3", signer="approver-4")


def approve_with_the_deployers_key(world: World) -> None:
    world.approve("approver-3", signer="deployer")


def pin_with_an_approvers_key(world: World) -> None:
    pinned = world.record().pins[0].statement.predicate
    world.write(Predicate.PIN, {**pinned, "builder": "other"}, KEYS["approver-4"])


def say_nonsense(world: World) -> None:
    world.write(Predicate.WITHDRAWAL, {"person": "approver-3", "withdrawn": "all"}, KEYS["approver-3"])


def sign_as_a_stranger(world: World) -> None:
    world.approve("approver-3", signer="stranger")


def edit_the_manifest(world: World) -> None:
    key = manifest_key(world.digest)
    version, content = world.vault.objects[key][0]
    world.vault.objects[key] = [(version, content.replace(b'"size":7', b'"size":8'))]


C = ReasonCode


@pytest.mark.parametrize(
    ("attack", "expected"),
    [
        (flip_a_byte, {C.OBJECT_ALTERED}),
        (edit_the_manifest, {C.MANIFEST_OF_ANOTHER_RELEASE}),
        (add_a_file, {C.OBJECT_ADDED}),
        (drop_a_file, {C.OBJECT_MISSING, C.PIN_NAMES_OTHER_OBJECTS}),
        (unlock, {C.NOT_LOCKED}),
        (let_the_lock_lapse, {C.NOT_LOCKED, C.LOCK_TOO_SHORT}),
        (lock_for_a_month, {C.LOCK_TOO_SHORT}),
        (drop_an_approval, {C.STATEMENT_MISSING, C.APPROVAL_MISSING}),
        (drop_failed_evidence, {C.STATEMENT_MISSING}),
        (drop_a_rejection, {C.STATEMENT_MISSING}),
        (sign_the_same_payload_again, {C.STATEMENT_REPLACED, C.NOT_IN_LEDGER, C.APPROVAL_MISSING}),
        (put_it_under_another_version, {C.STATEMENT_REPLACED, C.NOT_IN_LEDGER, C.APPROVAL_MISSING}),
        (
            drop_the_evidence,
            {
                C.STATEMENT_MISSING,
                C.EVIDENCE_MISSING,
                C.APPROVAL_MISSING,
                C.APPROVAL_OF_ANOTHER_RECORD,
            },
        ),
        (fail_a_gate, {C.EVIDENCE_FAILED}),
        (fail_a_gate_of_another_tier, {C.EVIDENCE_FAILED}),
        (reject, {C.REJECTED}),
        (revoke, {C.REVOKED}),
        (retire, {C.RETIRED}),
        (distrust_the_builder, {C.KEY_DISTRUSTED, C.APPROVAL_MISSING, C.APPROVAL_WITHOUT_EVIDENCE}),
        (distrust_an_approver, {C.KEY_DISTRUSTED, C.APPROVAL_MISSING}),
        (change_the_policy, {C.POLICY_SUPERSEDED}),
        (withdraw, {C.APPROVAL_WITHDRAWN, C.APPROVAL_MISSING}),
        (forge_a_person, {C.PERSON_FORGED}),
        (approve_with_the_deployers_key, {C.KEY_OF_WRONG_DUTY}),
        (pin_with_an_approvers_key, {C.KEY_OF_WRONG_DUTY}),
        (say_nonsense, {C.PREDICATE_MALFORMED}),
        (sign_as_a_stranger, {C.KEY_UNKNOWN}),
    ],
)
def test_what_is_wrong_with_an_admitted_release_is_named(
    world: World, attack: Callable[[World], None], expected: set[ReasonCode]
) -> None:
    attack(world)
    assert codes(world.admit(LATER)) == expected


def test_what_a_key_signed_after_it_was_distrusted_does_not_count_and_what_it_signed_before_does(world: World) -> None:
    world.change_root(distrusted="builder", since=NOW + 2 * HOUR)
    assert codes(world.admit()) == set()
    distrusted_before = APPROVED.spoiled()
    distrusted_before.change_root(distrusted="builder", since=NOW + MINUTE)
    assert codes(distrusted_before.admit()) == {C.KEY_DISTRUSTED, C.APPROVAL_MISSING, C.APPROVAL_WITHOUT_EVIDENCE}


def test_a_key_that_was_not_valid_yet_is_not_believed(unapproved: World) -> None:
    unapproved.approve("approver-1", at=NOW - 2 * DAY)
    unapproved.approve("approver-2", at=NOW - 2 * DAY)
    unapproved.sequence(NOW - 2 * DAY)
    assert codes(unapproved.admit()) >= {C.KEY_NOT_BELIEVED_THEN, C.APPROVAL_MISSING}


@pytest.mark.parametrize(
    ("approve", "expected"),
    [
        (lambda w: w.approve("creator-1"), C.APPROVAL_BY_SUBMITTER),
        (lambda w: w.approve("approver-1", at=NOW + 90 * MINUTE), C.APPROVAL_BY_SAME_PERSON),
        (lambda w: w.approve("approver-2", environment="staging"), C.APPROVAL_FOR_ANOTHER_ENVIRONMENT),
        (lambda w: w.approve("approver-2", policy="0" * 64), C.APPROVAL_FOR_ANOTHER_POLICY),
        (lambda w: w.approve("approver-2", record="0" * 64), C.APPROVAL_OF_ANOTHER_RECORD),
        (lambda w: w.approve("approver-2", statements=w.payloads()[:1]), C.APPROVAL_WITHOUT_EVIDENCE),
        (lambda w: w.approve("approver-2", days=31), C.APPROVAL_LASTS_TOO_LONG),
        (lambda w: w.approve("approver-2", days=0.01), C.APPROVAL_EXPIRED),
        (lambda w: w.approve("approver-2", at=NOW + 4 * HOUR), C.APPROVAL_NOT_YET_GIVEN),
        (lambda w: w.approve("approver-2", at=NOW - 22 * HOUR), C.STATEMENT_BACKDATED),
    ],
)
def test_an_approval_that_does_not_count_is_told_beside_the_one_that_is_missing(
    unapproved: World, approve: Callable[[World], object], expected: ReasonCode
) -> None:
    unapproved.approve("approver-1")
    approve(unapproved)
    unapproved.sequence(NOW + 3 * HOUR)
    assert codes(unapproved.admit()) == {C.APPROVAL_MISSING, expected}


def test_an_approval_that_the_ledger_has_not_seen_does_not_count_yet(unapproved: World) -> None:
    unapproved.approve("approver-1")
    unapproved.sequence(NOW + 3 * HOUR)
    unapproved.approve("approver-2")
    assert codes(unapproved.admit()) == {C.APPROVAL_MISSING, C.NOT_IN_LEDGER}
    unapproved.sequence(NOW + 4 * HOUR)
    unapproved.witnessed = len(unapproved.leaves) - 1
    assert codes(unapproved.admit()) == {C.APPROVAL_MISSING, C.NOT_IN_LEDGER}
    unapproved.witnessed = None
    assert codes(unapproved.admit()) == set()


def test_what_need_not_count_is_a_note_and_no_reason(world: World) -> None:
    world.approve("approver-3", days=0.01)
    world.sequence(NOW + 3 * HOUR)
    verdict = world.admit()
    assert (verdict.reasons, [one.code for one in verdict.notes]) == ((), [C.APPROVAL_EXPIRED])


def test_who_built_a_release_does_not_approve_it() -> None:
    world = approved_world(builder="approver-2")
    assert codes(world.admit()) == {C.APPROVAL_MISSING, C.APPROVAL_BY_BUILDER}


def test_a_rejection_stands_until_its_own_author_takes_it_back(world: World) -> None:
    payload = world.reject("approver-4")
    world.withdraw("approver-3", payload)
    world.sequence(NOW + 4 * HOUR)
    assert codes(world.admit()) == {C.REJECTED}
    world.withdraw("approver-4", payload)
    assert codes(world.admit()) == {C.REJECTED}, "the ledger has not seen the withdrawal"
    world.sequence(NOW + 4 * HOUR)
    assert codes(world.admit()) == set()


def test_another_person_cannot_take_back_an_approval(world: World) -> None:
    payload = next(one.payload for one in world.record().acts if one.statement.predicate["person"] == "approver-1")
    world.withdraw("approver-2", payload)
    world.sequence(NOW + 4 * HOUR)
    assert codes(world.admit()) == set()


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (NOW + 2 * HOUR + 10 * DAY - MINUTE, set()),
        (NOW + 2 * HOUR + 10 * DAY, {C.APPROVAL_EXPIRED, C.APPROVAL_MISSING}),
    ],
)
def test_an_approval_counts_until_the_moment_it_expires(world: World, now: datetime, expected: set[ReasonCode]) -> None:
    assert codes(world.admit(now)) == expected


def test_a_ledger_that_is_missing_old_or_unwitnessed_admits_nothing(world: World) -> None:
    everything = {C.NOT_IN_LEDGER, C.APPROVAL_MISSING, C.APPROVAL_WITHOUT_EVIDENCE}
    assert codes(world.admit(logs=[])) == {C.LEDGER_MISSING, *everything}
    old = world.view(LATER - timedelta(hours=25))
    assert codes(world.admit(logs=[old])) == {C.LEDGER_STALE, C.LEDGER_UNWITNESSED}
    world.witnessed = 0
    assert codes(world.admit()) == everything


def test_a_release_is_told_from_the_policy_that_it_was_opened_under() -> None:
    world = World()
    world.policy = policy(retention_days=366)
    world.pin()
    world.sequence(NOW + HOUR)
    assert codes(world.admit()) == {C.POLICY_UNKNOWN_TO_ROOT}


def test_evidence_for_another_policy_counts_for_nothing(world: World) -> None:
    other = policy(retention_days=366)
    world.change_root(other)
    world.policy = other
    world.pin()
    world.sequence(NOW + 4 * HOUR)
    found = codes(world.admit())
    assert {C.EVIDENCE_FOR_ANOTHER_POLICY, C.APPROVAL_FOR_ANOTHER_POLICY, C.APPROVAL_MISSING} <= found


def test_nothing_is_opened_under_a_policy_after_its_review_date() -> None:
    assert codes(approved_world(policy=policy()).admit()) == set()
    world = World()
    world.pin()
    world.sequence(NOW + 307 * DAY)
    assert C.POLICY_REVIEW_PASSED in codes(world.admit(NOW + 307 * DAY))


def test_a_policy_that_is_altered_or_not_published_admits_nothing(world: World) -> None:
    key = next(key for key in world.vault.objects if key.startswith("trust/policies/"))
    version, content = world.vault.objects[key][0]
    world.vault.objects[key] = [(version, content.replace(b'"count":2', b'"count":1'))]
    assert codes(world.admit()) == {C.POLICY_ALTERED}
    del world.vault.objects[key]
    assert codes(world.admit()) == {C.POLICY_MISSING}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"signer": "observer"}, C.KEY_OF_WRONG_DUTY),
        ({"tier": "critical"}, C.EVIDENCE_FOR_ANOTHER_TIER),
        ({"measures": []}, C.EVIDENCE_SHORT_OF_POLICY),
        (
            {"measures": [{"name": "disparate_impact", "value": "0.5", "limit": {"at_least": "0.4"}, "holds": True}]},
            C.EVIDENCE_SHORT_OF_POLICY,
        ),
        (
            {"measures": [{"name": "disparate_impact", "suppressed": True}]},
            C.EVIDENCE_SHORT_OF_POLICY,
        ),
        ({"outcome": "passed", "reasons": ["it did not"]}, C.PREDICATE_MALFORMED),
    ],
)
def test_evidence_that_calls_itself_passed_is_held_to_the_policy(
    changes: dict[str, object], expected: ReasonCode
) -> None:
    world = World()
    world.pin()
    world.show("performance")
    world.show("privacy")
    world.show("fairness", **changes)  # type: ignore[arg-type]
    world.sequence(NOW + HOUR)
    assert expected in codes(world.admit())


def test_bytes_that_nobody_submitted_are_not_admitted() -> None:
    world = World()
    pinned = {**APPROVED.record().pins[0].statement.predicate, "request": None}
    world.write(Predicate.PIN, pinned, KEYS["builder"])
    world.sequence(NOW + HOUR)
    assert codes(world.admit()) == {C.NOT_SUBMITTED}


def test_an_environment_that_was_not_asked_for_is_refused(world: World) -> None:
    assert C.ENVIRONMENT_NOT_ASKED_FOR in codes(world.admit(environment="other"))


def test_groups_and_environments_of_a_tier_are_asked_for() -> None:
    world = shown_world(tier="critical")
    for person in ("approver-2", "approver-4"):
        world.approve(person)
    world.sequence(NOW + 3 * HOUR)
    verdict = world.admit()
    assert codes(verdict) == {C.APPROVAL_MISSING, C.ENVIRONMENT_NOT_SERVED_BEFORE}
    assert "0 of 1 approvals of the group risk" in " ".join(map(str, verdict.reasons))
    world.approve("approver-3")
    world.decide(verdict, "staging")
    world.sequence(NOW + 4 * HOUR)
    assert codes(world.admit()) == {C.ENVIRONMENT_NOT_SERVED_BEFORE}, "a summary that failed is no admission"


def test_a_tier_is_met_once_the_release_has_served_in_staging() -> None:
    world = shown_world(tier="critical")
    for person in ("approver-1", "approver-2"):
        world.approve(person)
        world.approve(person, environment="staging")
    world.sequence(NOW + 3 * HOUR)
    staged = world.admit(environment="staging")
    assert codes(staged) == set()
    decision = world.decide(staged, "staging")
    world.sequence(NOW + 4 * HOUR)
    assert codes(world.admit()) == {C.ENVIRONMENT_NOT_SERVED_BEFORE}, "a deployment that failed has not served"
    world.serve(decision)
    assert codes(world.admit()) == {C.ENVIRONMENT_NOT_SERVED_BEFORE}, "the ledger has not seen it"
    world.sequence(NOW + 4 * HOUR)
    assert codes(world.admit()) == set()


def emergency() -> World:
    world = World(emergency=True)
    world.pin()
    world.show("privacy")
    world.sequence(NOW + HOUR)
    return world


def test_an_emergency_takes_fewer_gates_and_more_people_until_its_deadline() -> None:
    world = emergency()
    for person in ("approver-1", "approver-2"):
        world.approve(person)
    world.sequence(NOW + 3 * HOUR)
    assert codes(world.admit()) == {C.APPROVAL_MISSING}
    world.approve("approver-3")
    world.sequence(NOW + 3 * HOUR)
    assert codes(world.admit()) == set()
    assert codes(world.admit(NOW + 25 * HOUR - MINUTE)) == set()
    assert codes(world.admit(NOW + 25 * HOUR)) >= {C.EMERGENCY_DEADLINE_PASSED, C.EVIDENCE_MISSING}


def test_an_emergency_that_was_completed_in_time_goes_on() -> None:
    world = emergency()
    world.show("performance")
    world.show("fairness")
    for person in ("approver-1", "approver-2"):
        world.approve(person)
    world.sequence(NOW + 3 * HOUR)
    assert codes(world.admit(NOW + 26 * HOUR)) == set()


def test_a_tier_without_an_emergency_path_has_none() -> None:
    world = World(emergency=True, policy=policy(emergency=None))
    world.pin()
    world.sequence(NOW + HOUR)
    assert C.EMERGENCY_NOT_PROVIDED in codes(world.admit())


def test_asking_again_does_not_move_an_emergencys_deadline() -> None:
    world = emergency()
    for person in ("approver-1", "approver-2", "approver-3"):
        world.approve(person)
    world.pin(ticket="CHG-9")
    world.sequence(NOW + 20 * HOUR)
    assert C.EMERGENCY_DEADLINE_PASSED in codes(world.admit(NOW + 26 * HOUR))


def test_a_release_that_was_never_pinned_is_nothing() -> None:
    world = World()
    world.digest = "0" * 64
    assert codes(world.admit()) == {C.NOTHING_STORED}
    assert codes(world.load()) == {C.NOTHING_STORED}


@pytest.mark.parametrize(
    ("given", "expires"),
    [
        ("9999-12-31T20:00:00Z", "9999-12-31T23:00:00Z"),
        ("9999-12-31T20:00:00-12:00", "9999-12-31T23:00:00-12:00"),
        ("0001-01-01T00:00:00+01:00", "2026-12-01T00:00:00Z"),
    ],
)
def test_an_approval_dated_at_an_end_of_the_calendar_counts_for_nothing_and_breaks_nothing(
    unapproved: World, given: str, expires: str
) -> None:
    unapproved.approve("approver-1", approved_at=given, expires_at=expires)
    unapproved.sequence(NOW + 3 * HOUR)
    for verdict in (unapproved.admit(), unapproved.load()):
        assert ReasonCode.APPROVAL_MISSING in codes(verdict)
        assert ReasonCode.PREDICATE_MALFORMED in noted(verdict)


@pytest.mark.parametrize(
    ("kind", "signer"),
    [
        (Predicate.APPROVAL, "approver-3"),
        (Predicate.VERIFICATION, "deployer"),
        (Predicate.SERVED, "deployer"),
    ],
)
def test_what_could_only_help_and_cannot_be_read_stops_no_admission_and_no_load(kind: Predicate, signer: str) -> None:
    world = admitted_world()
    world.write(kind, {"person": "approver-3", "said": "yes"}, KEYS[signer])
    for verdict in (world.admit(), world.load()):
        assert codes(verdict) == set()
        assert noted(verdict) == {ReasonCode.PREDICATE_MALFORMED}


@pytest.mark.parametrize(
    ("kind", "code"), [(Predicate.REVOCATION, ReasonCode.REVOKED), (Predicate.REJECTION, ReasonCode.REJECTED)]
)
def test_an_objection_that_cannot_be_read_refuses_admission_and_load_and_is_named(
    kind: Predicate, code: ReasonCode
) -> None:
    world = admitted_world()
    key = world.write(kind, {"said": "no"}, KEYS["approver-3"])
    for verdict in (world.admit(), world.load()):
        assert codes(verdict) == {code}
        assert key in str(verdict.reasons[0])
        assert "approver-3" in str(verdict.reasons[0])
        assert noted(verdict) == {ReasonCode.PREDICATE_MALFORMED}


def test_a_withdrawal_that_cannot_be_read_refuses_as_it_may_take_back_any_approval() -> None:
    world = admitted_world()
    say_nonsense(world)
    assert codes(world.admit()) == codes(world.load()) == {ReasonCode.PREDICATE_MALFORMED}


def test_a_pin_that_cannot_be_read_stops_new_admissions_and_no_load() -> None:
    world = admitted_world()
    world.write(Predicate.PIN, {"said": "mine"}, KEYS["builder"])
    assert ReasonCode.PREDICATE_MALFORMED in codes(world.admit())
    assert codes(world.load()) == set()


def noted(verdict: Verdict) -> set[ReasonCode]:
    return {one.code for one in verdict.notes}
