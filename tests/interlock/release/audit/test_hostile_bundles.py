"""Bundles whose documents are hostile: the verifier ends with a reason or with bad input, never with a traceback."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from interlock.release.audit import verify
from interlock.release.digests import canonical_json, sha256
from interlock.release.envelope import InvalidEnvelope, Signature, enclose, read_sealed, sign_payload
from interlock.release.predicates import Predicate
from interlock.release.statement import PAYLOAD_TYPE
from interlock.release.trust.document import PAYLOAD_TYPE as ROOT_TYPE
from interlock.release.trust.published import root_key
from interlock.release.verification.reason import ReasonCode
from tests.interlock.release.audit.world import SIGNERS, MemoryBundle, World, released

RELEASED = released()
BUNDLE = RELEASED.bundle()
DOCUMENTS = sorted(name for name in BUNDLE if name.endswith(".json"))
STRANGE: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, 0, -1, 1.5, 2**53, 10**400, "", "x", "\x00", "\ud800", [], {}, [[]], {"": None}, "9" * 600, "1e999"]
)


def places(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    inside = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for key, value in inside:
        yield from places(value, (*path, key))


def replaced(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    copy = dict(document) if isinstance(document, dict) else list(document)
    copy[path[0]] = replaced(copy[path[0]], path[1:], value)
    return copy


def ends(files: dict[str, bytes], fingerprint: str) -> str:
    try:
        report = verify.Verifier(MemoryBundle(files), fingerprint).verify()
    except verify.Unfit:
        return "unfit"
    assert verify.as_text(report).isprintable() or "\n" in verify.as_text(report)
    verify.as_json(report)
    return "refused" if report.reasons else "holds"


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.data_too_large])
@given(data=st.data())
def test_any_value_in_any_place_of_any_document_ends_in_an_orderly_way(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(DOCUMENTS))
    document = json.loads(BUNDLE[name])
    path = data.draw(st.sampled_from(list(places(document))))
    changed = json.dumps(replaced(document, path, data.draw(STRANGE))).encode()
    ends({**BUNDLE, name: changed}, RELEASED.root.fingerprint)


@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_any_value_in_a_statement_that_its_own_key_signed_ends_in_an_orderly_way(data: st.DataObject) -> None:
    """The worst case: the liar holds the right key."""
    world = RELEASED.copy()
    keys = sorted(key for key in world.vault.objects if key.endswith(".dsse.json"))
    key = data.draw(st.sampled_from(keys))
    statement = json.loads(read_sealed(world.vault.objects[key][0][1]).payload)
    path = data.draw(st.sampled_from(list(places(statement))))
    payload = json.dumps(replaced(statement, path, data.draw(STRANGE))).encode()
    signer = statement["predicate"].get("person") or ("deployer" if key.startswith("decisions") else "builder")
    envelope = enclose(PAYLOAD_TYPE, payload, [sign_payload(PAYLOAD_TYPE, payload, SIGNERS[signer])]).content
    del world.vault.objects[key]
    world.vault.add_version(f"{key.rpartition('/')[0]}/{sha256(payload).hex()}.dsse.json", envelope)
    world.logged.discard(key)
    assert ends(world.bundle(), world.root.fingerprint) == "refused"


@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_any_value_in_a_root_that_its_people_signed_ends_in_an_orderly_way(data: st.DataObject) -> None:
    document = json.loads(RELEASED.root.content)
    path = data.draw(st.sampled_from(list(places(document))))
    payload = json.dumps(replaced(document, path, data.draw(STRANGE))).encode()
    people = ("foundation-1", "foundation-2")
    envelope = enclose(ROOT_TYPE, payload, [sign_payload(ROOT_TYPE, payload, SIGNERS[one]) for one in people]).content
    files = {**BUNDLE, f"vault/{root_key(1)}": envelope}
    assert ends(files, sha256(payload).hex()) in ("refused", "unfit")


@given(st.binary(max_size=300))
@settings(max_examples=10, deadline=None)
def test_garbage_for_any_file_ends_in_an_orderly_way(garbage: bytes) -> None:
    for name in (*DOCUMENTS[:3], *(name for name in BUNDLE if "/tile/" in name or "/checkpoints/" in name)):
        ends({**BUNDLE, name: garbage}, RELEASED.root.fingerprint)


def test_what_people_wrote_is_printed_as_text() -> None:
    world = World.copy(RELEASED)
    world.act(Predicate.REVOCATION, "approver-3", "revoked_at", reason="\x1b[2J\u202e<script>")
    world.sequence()
    report = verify.Verifier(MemoryBundle(world.bundle()), world.root.fingerprint).verify()
    text = verify.as_text(report)
    assert "\\x1b[2J\\u202e<script>" in text
    assert "\x1b" not in text
    assert "\u202e" not in text


@pytest.mark.parametrize("depth", [1000, 100_000])
def test_a_deeply_nested_document_is_refused(depth: int) -> None:
    nested = b"[" * depth + b"]" * depth
    assert ends({**BUNDLE, "proofs.json": nested}, RELEASED.root.fingerprint) == "refused"
    document = canonical_json(json.loads(BUNDLE["bundle.json"]))
    assert ends({**BUNDLE, "bundle.json": document[:-1] + b',"x":' + nested + b"}"}, RELEASED.root.fingerprint) in (
        "unfit",
        "holds",
    )


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+01:00", "9999-12-31T23:00:00-12:00"])
@pytest.mark.parametrize("number", [1, 2])
def test_a_root_that_nobody_signed_with_a_time_at_an_end_of_the_calendar_is_refused(time: str, number: int) -> None:
    payload = canonical_json({**json.loads(RELEASED.root.content), "issued_at": time})
    envelope = enclose(ROOT_TYPE, payload, [Signature(sig="")]).content
    files = {**BUNDLE, f"vault/{root_key(number)}": envelope}
    assert ends(files, RELEASED.root.fingerprint) == "refused"


def test_an_approval_dated_at_an_end_of_the_calendar_counts_for_nothing() -> None:
    world = RELEASED.copy()
    said = world.approval("approver-3").model_dump(mode="json")
    said |= {"approved_at": "9999-12-31T20:00:00Z", "expires_at": "9999-12-31T23:00:00Z"}
    world.say(Predicate.APPROVAL, said, "approver-3")
    world.sequence()
    found = verify.Verifier(MemoryBundle(world.bundle()), world.root.fingerprint).verify()
    assert (found.reasons, {one.code for one in found.notes}) == ([], {"predicate-malformed"})
    verdict = world.verdict()
    assert (verdict.reasons, {one.code for one in verdict.notes}) == ((), {ReasonCode.PREDICATE_MALFORMED})


def test_a_fault_of_the_check_itself_ends_as_bad_input_with_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object, **__: object) -> verify.Report:
        raise OverflowError("date value out of range")

    monkeypatch.setattr(verify, "verify", broken)
    assert verify.main(["bundle.zip", "--root", "0" * 64]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == "bad input: the check broke off, OverflowError: date value out of range\n"


def test_both_judges_refuse_an_envelope_with_more_signatures_than_a_root_can_ask_for() -> None:
    """Each would be tried with every key: a small bundle could keep an auditor for hours."""
    key = next(key for key in sorted(RELEASED.vault.objects) if key.startswith("approvals/"))
    document = json.loads(RELEASED.vault.objects[key][0][1])
    most = json.dumps({**document, "signatures": [{"sig": ""}] * 39 + document["signatures"]}).encode()
    assert len(read_sealed(most).signatures) == len(verify.read_sealed(most, "x").signatures) == 40
    more = json.dumps({**document, "signatures": [{"sig": ""}] * 40 + document["signatures"]}).encode()
    with pytest.raises(InvalidEnvelope, match="at most 40"):
        read_sealed(more)
    with pytest.raises(verify.Broken, match="a list of 1 to 40"):
        verify.read_sealed(more, "x")


def test_a_bundle_with_many_faults_is_judged_in_time_that_grows_as_it_does() -> None:
    index = json.loads(BUNDLE[verify.INDEX])
    count = 3 * verify.MOST_TOLD
    prefix = f"releases/{index['release']}/files/x"
    unlocked = [
        {**index["objects"][0], "key": f"{prefix}{number}", "included": False, "lock": None} for number in range(count)
    ]
    files = {**BUNDLE, verify.INDEX: canonical_json({**index, "objects": index["objects"] + unlocked})}
    files |= {f"{verify.VAULT}{prefix}y{number}": b"" for number in range(count)}
    compared = 0

    class Counting(verify.Reason):
        def __eq__(self, other: object) -> bool:
            nonlocal compared
            compared += 1
            return super().__eq__(other)

        __hash__ = verify.Reason.__hash__

    verifier = verify.Verifier(MemoryBundle(files), RELEASED.root.fingerprint)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(verify, "Reason", Counting)
        report = verifier.verify()
    assert compared < count
    told = {code: sum(one.code == code for one in report.reasons) for code in ("not-locked", "object-added")}
    assert told == {"not-locked": verify.MOST_TOLD, "object-added": verify.MOST_TOLD}
    assert report.untold["not-locked"] == count - verify.MOST_TOLD
    assert report.untold["object-added"] == 2 * count - verify.MOST_TOLD
    assert f"refused: {len(report.reasons) + report.untold.total()} reasons" in verify.as_text(report)
    assert json.loads(verify.as_json(report))["untold"] == dict(report.untold)
