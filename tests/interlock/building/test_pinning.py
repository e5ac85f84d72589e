from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from interlock.failures import BadInput, OutsideFailure, Refusal
from interlock.release import opening
from interlock.release.digests import canonical_json
from interlock.release.gates.registry import BUILT_IN
from interlock.release.manifest import manifest_of
from interlock.release.measured import put_statement
from interlock.release.pin_statement import Code
from interlock.release.predicates import Predicate
from interlock.release.record import gather
from interlock.release.statement import statement_about
from interlock.release.submitting import write_submission
from interlock.release.tiers import parse_policy
from interlock.release.vault import files_prefix
from tests.interlock.building.bench import DAY, GATES, NOW, Bench, Killed, killed_everywhere
from tests.interlock.release.policies import varied


@pytest.fixture(autouse=True)
def _gates(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, place in GATES.items():
        monkeypatch.setitem(BUILT_IN, name, place)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    made = Bench(tmp_path)
    made.register()
    return made


def record_of(bench: Bench, digest: str) -> Any:
    public = bench.key.public_key()
    return gather(bench.vault, digest, {public.key_id: public})


def test_what_was_submitted_is_locked_and_signed_for_with_all_that_is_known_of_it(bench: Bench) -> None:
    asked = bench.submit()
    pinned = bench.pin(asked.request.identifier)
    record = record_of(bench, pinned.digest)
    assert record.problems == ()
    (pin,) = opening.pins_in(record)
    assert pin.request is not None
    assert (pin.request.submitter, pin.request.document) == ("creator-1", asked.request)
    assert (pin.builder, pin.tier, pin.environment, pin.policy) == (
        "pipeline-1", "low", "prod", bench.trust.policy_in_force,
    )  # fmt: skip
    assert pin.code.revision == "4f2a"
    assert set(pin.objects) == {key for key in bench.vault.objects if "/statements/" not in key}
    assert [one.statement.predicate["gate"] for one in record.evidence] != []
    assert {one.gate for one in pinned.evidence} == {"privacy", "file-safety"}


def test_pinning_again_changes_nothing_and_downloads_nothing(bench: Bench) -> None:
    bench.submit()
    first = bench.pin()
    before = bench.objects
    assert bench.pin().digest == first.digest
    assert bench.pin(f"creator-1/{first.submission.request.identifier}").locked == first.locked
    assert (bench.objects, bench.known.downloads) == (before, 2)


def test_another_request_for_the_same_bytes_is_another_pin_of_the_same_release(bench: Bench) -> None:
    bench.submit()
    bench.submit(ticket="CHG-2")
    digests = {bench.pin(one).digest for one in ("credit/1", bench.submit().request.identifier)}
    (digest,) = digests
    assert len(opening.pins_in(record_of(bench, digest))) == 2


def test_a_new_policy_opens_the_release_anew_and_measures_anew(bench: Bench) -> None:
    bench.submit()
    digest = bench.pin().digest
    bench.follow(parse_policy(varied("review_by", "2027-07-01")))
    assert bench.pin().digest == digest
    record = record_of(bench, digest)
    assert len({one.policy for one in opening.pins_in(record)}) == 2
    assert len(record.evidence) == 4


def test_nothing_is_locked_of_bytes_that_a_gate_refuses(bench: Bench) -> None:
    bench.register("2", "m-2", MLmodel="flavors: {}\n", people_csv="ann,123-45-6789\n")
    bench.submit("credit/2")
    with pytest.raises(Refusal, match="nothing of it was locked") as refused:
        bench.pin("credit/2")
    assert refused.value.reasons == ("privacy: findings is 1; the limit is ≤ 0",)
    assert bench.vault.objects == {}
    assert not any("/blobs/" in key for key in bench.staging.objects)


def test_refused_bytes_stay_those_that_the_submission_stands_for(bench: Bench) -> None:
    bench.register("2", "m-2", MLmodel="flavors: {}\n", people_csv="ann,123-45-6789\n")
    bench.submit("credit/2")
    for _ in range(2):
        with pytest.raises(Refusal, match="nothing of it was locked"):
            bench.pin("credit/2")
    bench.register("2", "m-2", MLmodel="flavors: {}\n", people_csv="nobody\n")
    with pytest.raises(Refusal, match="not to be used") as refused:
        bench.pin("credit/2")
    assert refused.value.reasons == ("its bytes are others now than when it was first looked at",)
    assert bench.vault.objects == {}


def test_once_pinned_nothing_but_what_it_was_stays_staged(bench: Bench) -> None:
    bench.submit()
    digest = bench.pin().digest
    assert {key.rpartition("/")[2] for key in bench.staging.objects if key.startswith("pins/")} == {
        "manifest.json", f"{digest}.json",
    }  # fmt: skip


def test_what_is_staged_is_what_is_pinned_whatever_the_registry_holds_by_then(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.submit()
    bench.life.left = 7
    with pytest.raises(Killed):
        bench.pin()
    assert bench.vault.objects != {}
    bench.life.left = None
    bench.register(weights_bin="overwritten")
    pinned = bench.pin()
    assert bench.known.downloads == 2
    assert (pinned.locked.files[-1].size, record_of(bench, pinned.digest).problems) == (4, ())


def test_bytes_that_were_exchanged_after_they_were_submitted_are_not_pinned(bench: Bench) -> None:
    """MLflow lets any creator overwrite an artifact, and whoever did it is neither submitter nor builder."""
    digest = bench.submit().request.subject_digest
    bench.register(weights_bin="overwritten")
    with pytest.raises(Refusal, match="other bytes now than when it was submitted") as refused:
        bench.pin()
    assert f"submitted was {digest}" in refused.value.reasons[0]
    assert (bench.vault.objects, [key for key in bench.staging.objects if key.startswith("pins/")]) == ({}, [])
    bench.register()
    assert bench.pin().digest == digest


def test_other_bytes_are_not_staged_under_the_origin_of_a_run_that_was_broken_off(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = bench.submit().request.model_copy(update={"subject_digest": None})
    bench.staging.objects.clear()
    write_submission(older, "creator-1", writer=bench.staging, reader=bench.staging)
    bench.life.left, bench.life.arrives = 1, True
    with pytest.raises(Killed):
        bench.pin()
    bench.life.left = None
    bench.register(weights_bin="overwritten")
    first = bench.known.origin
    monkeypatch.setattr(
        bench.known, "origin", lambda source: first(source).model_copy(update={"code": Code(revision="77aa")})
    )
    assert bench.pin().locked.predicate.code.revision == "77aa"


def test_a_version_that_was_made_again_since_is_not_what_was_submitted(bench: Bench) -> None:
    bench.submit()
    bench.register("1", "m-2")
    with pytest.raises(Refusal, match="another model now than when it was submitted"):
        bench.pin()
    assert bench.vault.objects == {}


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "holds no files"),
        ({"MLmodel": "", "weights_bin": ""}, "2 files hold no bytes"),
        ({"MLmodel": "flavors: {}", "a\nb": "x"}, "unprintable character"),
    ],
)
def test_bytes_that_can_be_no_release_are_one_message(
    bench: Bench, tmp_path: Path, files: dict[str, str], said: str
) -> None:
    folder = tmp_path / "odd"
    folder.mkdir()
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text)
    bench.known.models["credit", "2"] = ("m-2", folder)
    with pytest.raises(Refusal) as refused:
        bench.submit("credit/2")
    assert said in "".join(refused.value.reasons)
    assert bench.vault.objects == {}


def test_a_folder_is_pinned_from_what_its_submitter_staged(bench: Bench, tmp_path: Path) -> None:
    folder = tmp_path / "plain"
    folder.mkdir()
    (folder / "weights").write_text("0110")
    asked = bench.submit(f"folder:{folder}")
    pinned = bench.pin(asked.request.identifier)
    assert pinned.digest == asked.request.version
    bench.submit(f"folder:{folder}", ticket="CHG-2")
    key = next(key for key in bench.staging.objects if key.startswith("submissions/") and "/blobs/" in key)
    bench.staging.add_version(key, b"evil")
    with pytest.raises(Refusal, match="not to be used"):
        bench.pin(f"plain/{asked.request.version}")


@pytest.mark.parametrize("ticket", ["CHG-1", "CHG-2"])
def test_a_folder_that_was_staged_long_ago_waits_as_long_as_the_request_for_it(
    bench: Bench, tmp_path: Path, ticket: str
) -> None:
    folder = tmp_path / "plain"
    folder.mkdir()
    (folder / "weights").write_text("0110")
    first = bench.submit(f"folder:{folder}")
    later = NOW + 16 * DAY
    bench.ticks = 16 * 24 * 3600
    bench.staging.written = dict.fromkeys(bench.staging.objects, NOW)
    bench.staging.written |= {f"{key}#1": later for key in bench.staging.objects}
    again = bench.submit(f"folder:{folder}", ticket=ticket)
    assert {len(versions) for versions in bench.staging.objects.values()} == ({2} if ticket == "CHG-1" else {1, 2})
    assert again.waits_until == later + 30 * DAY
    assert (again.request == first.request) is (ticket == "CHG-1")
    pinned = bench.pin(again.request.identifier)
    assert pinned.digest == first.request.version


def test_a_request_for_a_folder_waits_no_longer_than_what_was_staged(bench: Bench, tmp_path: Path) -> None:
    folder = tmp_path / "plain"
    folder.mkdir()
    (folder / "weights").write_text("0110")
    bench.submit(f"folder:{folder}")
    bench.ticks = 14 * 24 * 3600
    bench.staging.written = dict.fromkeys(bench.staging.objects, NOW)
    assert bench.submit(f"folder:{folder}", ticket="CHG-2").waits_until == NOW + 30 * DAY


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("review_by", "2026-02-28", "was to be looked at again by 2026-02-28"),
        ("tiers.low", None, "the policy has no tier low; there are medium, high, critical"),
        ("tiers.low.emergency.evidence", ["privacy"], "file-safety among them"),
        ("tiers.low.emergency", None, "tier low has no emergency path"),
    ],
)
def test_what_the_policy_does_not_open_is_not_pinned(bench: Bench, path: str, value: Any, said: str) -> None:
    bench.submit(emergency="emergency" in path, reason="a fire")
    bench.follow(parse_policy(varied(path, value)))
    with pytest.raises(Refusal) as refused:
        bench.pin()
    assert any(said in one for one in refused.value.reasons), refused.value.reasons
    assert bench.vault.objects == {}


def test_what_nobody_submitted_is_bad_input_that_says_what_to_do(bench: Bench) -> None:
    with pytest.raises(BadInput, match="nobody has submitted credit/9") as refused:
        bench.pin("credit/9")
    assert "interlock release submit" in refused.value.next_step


def test_other_bytes_in_a_releases_place_stop_the_pinning(bench: Bench) -> None:
    digest = manifest_of(bench.known.models["credit", "1"][1]).subject_digest
    bench.vault.add_version(f"{files_prefix(digest)}MLmodel", b"something else")
    bench.submit()
    with pytest.raises(Refusal, match="was not pinned") as refused:
        bench.pin()
    assert "already" in refused.value.reasons[0]


def test_what_was_exchanged_in_the_vault_since_is_not_pinned_anew(bench: Bench) -> None:
    bench.submit()
    digest = bench.pin().digest
    bench.vault.objects[f"{files_prefix(digest)}MLmodel"] = [("v", b"something else")]
    with pytest.raises(Refusal, match="not what its manifest says"):
        bench.pin()


def test_without_the_gates_that_precede_it_nothing_is_pinned(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.submit()
    monkeypatch.delitem(BUILT_IN, "privacy")
    with pytest.raises(OutsideFailure, match="no gate is called 'privacy'"):
        bench.pin()
    assert bench.vault.objects == {}


def test_what_pinning_takes_grows_with_the_files_and_not_with_their_square(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.register("2", "m-2", **{f"file{number}": str(number) for number in range(200)})
    bench.submit("credit/2")
    written = []

    def counted(document: Any) -> bytes:
        written.append(document)
        return canonical_json(document)

    monkeypatch.setattr("interlock.release.manifest.canonical_json", counted)
    for _ in range(2):
        bench.pin("credit/2")
    assert len(written) < 50


@pytest.fixture
def benches(tmp_path: Path) -> Any:
    def make(*, submitted: bool) -> Bench:
        made = Bench(tmp_path / uuid4().hex)
        made.register()
        if submitted:
            made.submit()
        return made

    return make


def test_a_submission_killed_at_any_write_is_completed_by_the_next_run(benches: Any, tmp_path: Path) -> None:
    folder = tmp_path / "plain"
    folder.mkdir()
    for name in ("a", "b"):
        (folder / name).write_text(name)
    assert killed_everywhere(lambda: benches(submitted=False), lambda bench: bench.submit(f"folder:{folder}")) == []


def test_a_pin_killed_at_any_write_is_completed_by_the_next_run(benches: Any) -> None:
    assert killed_everywhere(lambda: benches(submitted=True), lambda bench: bench.pin()) == []


def test_a_write_that_is_not_idempotent_is_caught_by_the_matrix(benches: Any, monkeypatch: pytest.MonkeyPatch) -> None:

    def careless(digest: str, kind: Predicate, statement: Any, signer: Any, **vault: Any) -> Any:
        # As if each run noted when it ran.
        noted = statement_about(digest, kind, {**statement.predicate, "run": uuid4().hex})
        return put_statement(digest, kind, noted, signer, **vault)

    monkeypatch.setattr("interlock.release.opening.put_statement", careless)
    wrong = killed_everywhere(lambda: benches(submitted=True), lambda bench: bench.pin())
    assert any("instead of" in one for one in wrong)
