"""What a statement says does not depend on who reads it: the library and verify.py take and refuse the same."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from interlock.release.acts import Approval, Rejection, Retirement, Revocation, Withdrawal
from interlock.release.audit import verify
from interlock.release.digests import canonical_json, sha256
from interlock.release.envelope import enclose, read_sealed, sign_payload
from interlock.release.evidence import Columns, Evidence, Limit, Measure, Slice
from interlock.release.pin_statement import Code, Dataset, PinPredicate, Signature, Training
from interlock.release.predicates import Predicate
from interlock.release.served import Served
from interlock.release.signed_documents import parse_document, read_as
from interlock.release.statement import PAYLOAD_TYPE, InvalidStatement, parse_statement
from interlock.release.verification.summary import Summary
from tests.interlock.release.audit.changing import changed
from tests.interlock.release.audit.world import SIGNERS, START, World, agreed, judged, released, reported

RELEASED = released()
AGREED = agreed()
MODELS: dict[str, type[BaseModel]] = {
    Predicate.PIN: PinPredicate,
    Predicate.EVIDENCE: Evidence,
    Predicate.APPROVAL: Approval,
    Predicate.REJECTION: Rejection,
    Predicate.WITHDRAWAL: Withdrawal,
    Predicate.REVOCATION: Revocation,
    Predicate.RETIREMENT: Retirement,
    Predicate.VERIFICATION: Summary,
    Predicate.SERVED: Served,
}
ACT = {"schema_version": 1, "person": "approver-1", "reason": "why", "ticket": "CHG-1"}
TIME = "2026-11-02T10:00:00Z"
LIMIT = Limit(at_least="0.8")


def _said(kind: str) -> dict[str, Any]:
    one = next(one for one in RELEASED.record().statements if one.predicate_type == kind)
    return dict(one.statement.predicate)


SAMPLES: dict[str, dict[str, Any]] = {
    Predicate.PIN: RELEASED.pin_predicate(
        code=Code(repository="r", revision="1"),
        training=Training(run_id="r", started_at=START),
        data=(Dataset(name="d", digest="1"),),
        sources=("s3://bucket",),
        signature=Signature(inputs=({"name": "income"},)),
    ).model_dump(mode="json"),
    Predicate.EVIDENCE: Evidence(
        gate="fairness",
        gate_version="interlock 0.1.0",
        policy="1" * 64,
        tier="high",
        inputs="2" * 64,
        outcome="passed",
        measures=(
            Measure(name="disparate_impact", value="0.86", low="0.8", high="0.9", count=500).against(LIMIT),
            Measure(name="rows", value="500", of=Slice(attribute="race", value="black"), unit="rows"),
        ),
        unchecked=("age",),
        data={"evaluation": "3" * 64},
        columns={"evaluation": Columns(target="label", protected=("race",))},
        builder="pipeline",
        details={"curve": [["0.1", "0.2"]]},
        started_at=START,
        ended_at=START,
    ).model_dump(mode="json"),
    Predicate.APPROVAL: _said(Predicate.APPROVAL),
    Predicate.REJECTION: {**ACT, "rejected_at": TIME},
    Predicate.WITHDRAWAL: {**ACT, "withdrawn": "4" * 64, "withdrawn_at": TIME},
    Predicate.REVOCATION: {**ACT, "revoked_at": TIME},
    Predicate.RETIREMENT: {**ACT, "retired_at": TIME},
    Predicate.VERIFICATION: _said(Predicate.VERIFICATION),
    Predicate.SERVED: {
        "schema_version": 1,
        "decision": "5" * 64,
        "environment": "staging",
        "endpoint": "credit",
        "variant": "blue",
    },
}


def named_anew(pin: dict[str, Any]) -> dict[str, Any]:
    """A pin whose request is named by what it says now, so that only its form can be wrong."""
    request = pin.get("request")
    if isinstance(request, dict) and isinstance(request.get("document"), dict):
        try:
            request["sha256"] = sha256(canonical_json(request["document"])).hex()
            rest = {name: said for name, said in request["document"].items() if name != "submitted_at"}
            request["key"] = f"submissions/{request['submitter']}/{sha256(canonical_json(rest)).hex()}.json"
            pin["tier"], pin["environment"] = request["document"]["tier"], request["document"]["environment"]
        except (ValueError, KeyError):
            return pin
    return pin


def library_takes(kind: str, document: Any) -> bool:
    try:
        read_as(MODELS[kind], document)
    except ValueError:
        return False
    return True


def verifier_takes(kind: str, document: Any) -> bool:
    try:
        verify.fit(document, verify.PREDICATES[kind], "predicate-malformed", "predicate")
    except verify.Broken:
        return False
    return True


def readable(document: Any) -> bool:
    """Whether any statement could hold it."""
    try:
        parse_document(json.dumps(document).encode())
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("kind", sorted(SAMPLES))
def test_both_take_what_our_own_tools_write(kind: str) -> None:
    assert library_takes(kind, SAMPLES[kind])
    assert verifier_takes(kind, SAMPLES[kind])
    assert set(MODELS) == set(verify.PREDICATES)


@pytest.mark.parametrize("kind", sorted(SAMPLES))
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_both_take_and_refuse_the_same_whatever_one_place_of_a_predicate_holds(kind: str, data: st.DataObject) -> None:
    document = data.draw(changed(SAMPLES[kind]))
    if kind == Predicate.PIN and data.draw(st.booleans()):
        document = named_anew(document)
    if readable(document):
        assert library_takes(kind, document) == verifier_takes(kind, document)


def with_predicate_changed(key: str, predicate: dict[str, Any]) -> World:
    """The world in which one statement always said something else, signed by the same key."""
    world = RELEASED.copy()
    statement = json.loads(read_sealed(world.vault.objects[key][0][1]).payload)
    statement["predicate"] = predicate
    payload = json.dumps(statement).encode()
    signer = statement["predicate"].get("person")
    duty = "deployer" if key.startswith("decisions") else "builder"
    signature = sign_payload(PAYLOAD_TYPE, payload, SIGNERS[signer if signer in SIGNERS else duty])
    del world.vault.objects[key]
    world.vault.add_version(
        f"{key.rpartition('/')[0]}/{sha256(payload).hex()}.dsse.json",
        enclose(PAYLOAD_TYPE, payload, [signature]).content,
    )
    world.sequence()
    return world


@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_both_judges_name_a_predicate_that_either_cannot_read_and_refuse_alike(data: st.DataObject) -> None:
    one = data.draw(st.sampled_from(sorted(RELEASED.record().statements, key=lambda one: one.key)))
    document = data.draw(changed(dict(one.statement.predicate)))
    if not readable(document):
        return
    world = with_predicate_changed(one.key, document)
    verdict, report = world.verdict(), reported(world.bundle(), world.root.fingerprint)
    library, offline = {str(one.code) for one in verdict.reasons}, {one.code for one in report.reasons}
    assert ("predicate-malformed" in library) == ("predicate-malformed" in offline)
    noted = ({str(one.code) for one in verdict.notes}, {one.code for one in report.notes})
    assert ("predicate-malformed" in noted[0]) == ("predicate-malformed" in noted[1])
    # What was removed is missing in the ledger's eyes, so neither calls it whole.
    assert "statement-missing" in library & offline


@pytest.mark.parametrize(
    ("kind", "when", "code"),
    [
        (Predicate.REVOCATION, "revoked_at", "revoked"),
        (Predicate.REJECTION, "rejected_at", "rejected"),
        (Predicate.RETIREMENT, "retired_at", "retired"),
    ],
)
@pytest.mark.parametrize("wrong", [{"ticket": "x"}, {"reason": ""}, {"when": "yesterday"}, {"person": 1}, {"extra": 1}])
def test_an_objection_with_malformed_details_stops_a_release_for_both_judges(
    kind: Predicate, when: str, code: str, wrong: dict[str, Any]
) -> None:
    world = AGREED.copy()
    said = {**ACT, when: TIME, **{when if name == "when" else name: value for name, value in wrong.items()}}
    world.say(kind, said, "approver-3")
    world.sequence()
    verdict, report = world.verdict(), reported(world.bundle(), world.root.fingerprint)
    assert {str(one.code) for one in verdict.reasons} == {one.code for one in report.reasons} == {code}
    assert {str(one.code) for one in verdict.notes} == {one.code for one in report.notes} == {"predicate-malformed"}
    texts = [*(one.text for one in verdict.reasons), *(one.text for one in report.reasons)]
    assert all("approvals/" in text and "approver-3" in text for text in texts)


@pytest.mark.parametrize("kind", [Predicate.APPROVAL, Predicate.VERIFICATION, Predicate.SERVED])
def test_what_could_only_help_and_cannot_be_read_is_told_by_both_judges_and_refuses_nothing(kind: Predicate) -> None:
    world = RELEASED.copy()
    world.say(kind, {"person": "approver-3", "said": "yes"}, "approver-3" if kind is Predicate.APPROVAL else "deployer")
    world.sequence()
    verdict, report = world.verdict(), reported(world.bundle(), world.root.fingerprint)
    assert (verdict.reasons, report.reasons) == ((), [])
    assert {str(one.code) for one in verdict.notes} == {one.code for one in report.notes} == {"predicate-malformed"}


@pytest.mark.parametrize("kind", [Predicate.WITHDRAWAL, Predicate.EVIDENCE, Predicate.PIN])
def test_what_could_speak_against_a_release_and_cannot_be_read_is_refused_by_both_judges(kind: Predicate) -> None:
    world = RELEASED.copy()
    world.say(kind, {"person": "approver-3"}, "approver-3" if kind is Predicate.WITHDRAWAL else "builder")
    world.sequence()
    assert "predicate-malformed" in {str(one.code) for one in world.verdict().reasons}
    assert "predicate-malformed" in judged(world.bundle(), world.root.fingerprint)


@pytest.mark.parametrize(
    "written",
    [
        '{"predicate": {"a": NaN}}',
        '{"predicate": {"a": 1e999}}',
        '{"predicate": {"a": 9007199254740992}}',
        '{"predicate": {"a": 1, "a": 2}}',
        '{"predicate": {"a": "\\ud800"}}',
        '{"predicate": {"a": ' + "[" * 100 + "]" * 100 + "}}",
        '{"predicate": {}, "predicate_type": "x"}',
        '{"predicate": {}, "predicateType": ""}',
        '{"predicate": {}, "extra": 1}',
        '{"predicate": {}, "_type": null}',
        '{"predicate": []}',
        '{"predicate": {}, "subject": []}',
    ],
)
def test_neither_judge_reads_a_statement_that_readers_of_json_take_differently(written: str) -> None:
    whole = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "release", "digest": {"sha256": "0" * 64}}],
        "predicateType": "x",
    }
    said = {name: value for name, value in whole.items() if f'"{name}"' not in written}
    payload = (json.dumps(said)[:-1] + "," + written[1:]).encode()
    with pytest.raises(InvalidStatement):
        parse_statement(payload)
    with pytest.raises(verify.Broken):
        verify.fit(verify.parse_json(payload, "x"), verify._STATEMENT, "x", "statement")


def test_a_pin_of_other_bytes_than_were_asked_for_admits_nothing() -> None:
    world = World()
    asked = world.request(subject_digest="5" * 64)
    world.pin(request=world.pinned_request(asked))
    world.sequence()
    assert "request-for-other-bytes" in {str(reason.code) for reason in world.verdict().reasons}
    assert "request-for-other-bytes" in judged(world.bundle(), world.root.fingerprint)
    same = World()
    same.pin(request=same.pinned_request(same.request(subject_digest=same.digest)))
    same.sequence()
    assert "request-for-other-bytes" not in {str(reason.code) for reason in same.verdict().reasons}
    assert "request-for-other-bytes" not in judged(same.bundle(), same.root.fingerprint)


@pytest.mark.parametrize("number", ["1e300", "1e-300", "123456789e100", "0e999999", "-0.0"])
def test_a_number_that_was_written_out_reads_back(number: str) -> None:
    measure = Measure(name="rows", value=number)
    evidence = {**SAMPLES[Predicate.EVIDENCE], "measures": [measure.model_dump(mode="json")]}
    assert library_takes(Predicate.EVIDENCE, evidence)
    assert verifier_takes(Predicate.EVIDENCE, evidence)
    assert read_as(Evidence, evidence).measures[0].value == Decimal(number)
