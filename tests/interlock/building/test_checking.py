from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

import pandas as pd
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from interlock.building.champions import Champion
from interlock.building.checking import Check
from interlock.building.inputs import CheckInputs
from interlock.building.workshop import Confined
from interlock.failures import BadInput, OutsideFailure, Refusal
from interlock.release.digests import sha256
from interlock.release.envelope import seal
from interlock.release.evidence import Evidence
from interlock.release.gates.gate import Document
from interlock.release.gates.registry import BUILT_IN
from interlock.release.measured import evidence_in, evidence_statement, put_statement
from interlock.release.predicates import Predicate
from interlock.release.record import gather
from interlock.release.signing import PrivateKeySigner
from interlock.release.tiers import parse_policy
from interlock.release.trust.document import KeyDuty
from interlock.release.trust.drafting import NewKey
from interlock.release.vault import files_prefix
from interlock.release.verification.summary import summary_of, summary_statement
from tests.interlock.building.bench import EVIDENCE, GATES, Bench, FirstColumn, killed_everywhere
from tests.interlock.release.policies import varied


@pytest.fixture(autouse=True)
def _gates(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, place in GATES.items():
        monkeypatch.setitem(BUILT_IN, name, place)


def bench_in(folder: Path, **gates: Any) -> Bench:
    """A bench whose low tier demands privacy, file safety and a performance, or what else is given."""
    evidence = {**EVIDENCE, **{name.replace("_", "-"): one for name, one in gates.items()}}
    document = varied("tiers.low.evidence", evidence, tiers__low__emergency=None)
    made = Bench(folder, parse_policy(document))
    made.register()
    return made


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return bench_in(tmp_path)


def pinned(bench: Bench) -> str:
    bench.submit()
    return bench.pin().digest


def evidence_of(bench: Bench, digest: str) -> list[Evidence]:
    public = bench.key.public_key()
    return [one for _, one in evidence_in(gather(bench.vault, digest, {public.key_id: public}))]


def test_what_the_tier_demands_is_measured_signed_and_told(bench: Bench) -> None:
    digest = pinned(bench)
    checked = bench.check(digest)
    assert checked.failed == ()
    assert [one.gate for one in checked.standings] == ["file-safety", "performance", "privacy"]
    assert checked.ran == ["performance"]
    (performance,) = [one for one in evidence_of(bench, digest) if one.gate == "performance"]
    assert (performance.policy, performance.tier) == (bench.trust.policy_in_force, "low")
    assert performance.data["release"] == digest


def test_the_same_inputs_are_measured_once(bench: Bench) -> None:
    digest = pinned(bench)
    bench.check(digest)
    before, calls = bench.objects, bench.model.calls
    again = bench.check(digest)
    assert (again.ran, again.failed, bench.objects, bench.model.calls) == ([], (), before, calls)


def test_other_inputs_are_measured_and_a_failure_is_not_outvoted(bench: Bench) -> None:
    digest = pinned(bench)
    failed = bench.check(digest, pd.DataFrame({"score": [0.1, 0.2]}))
    assert [one.gate for one in failed.failed] == ["performance"]
    assert failed.failed[0].reasons == ("area_under_curve is 0.15; the limit is ≥ 0.7",)
    better = bench.check(digest)
    assert better.ran == ["performance"]
    assert [one.gate for one in better.failed] == ["performance"]


def test_a_limit_is_met_on_itself(bench: Bench) -> None:
    assert bench.check(pinned(bench), pd.DataFrame({"score": [0.6, 0.8]})).failed == ()


def test_a_gate_that_crashes_or_has_nothing_to_measure_on_has_failed_and_the_others_are_measured(
    tmp_path: Path,
) -> None:
    bench = bench_in(tmp_path, robustness={}, lineage={"limits": {"unapproved_sources": {"at_most": 0}}})
    checked = bench.check(pinned(bench))
    assert {one.gate for one in checked.failed} == {"robustness", "lineage"}
    assert "it crashed: ZeroDivisionError: of all things" in "".join(
        reason for one in checked.failed for reason in one.reasons
    )


def test_a_check_without_inputs_signs_nothing_and_the_next_one_with_them_passes(bench: Bench) -> None:
    digest = pinned(bench)
    before = bench.objects
    nothing = Check(bench.clients, bench.trust, CheckInputs(), bench.clock, print, lambda *_: Confined(bench.model))
    (failed,) = nothing.run(digest).failed
    assert (failed.gate, failed.reasons) == ("performance", ("it was not given the table 'evaluation'",))
    assert bench.objects == before
    assert bench.check(digest).failed == ()
    assert nothing.run(digest).failed == ()


@pytest.mark.parametrize(("part", "name"), [("contract", "contract.yaml"), ("model_card", "model_card.md")])
def test_what_lies_in_the_release_is_not_replaced_by_what_is_given(bench: Bench, part: str, name: str) -> None:
    file = bench.known.models["credit", "1"][1] / name
    file.write_text("mild: true\n")
    digest = pinned(bench)
    before = bench.objects
    other = Document(b"{}", sha256(b"{}").hex())
    with pytest.raises(BadInput, match=f"documents.{part}: received a file of digest 44136fa355b3…; the release holds"):
        bench.check(digest, documents={part: other})
    assert bench.objects == before
    same = Document(file.read_bytes(), sha256(file.read_bytes()).hex())
    assert bench.check(digest, documents={part: same}).failed == ()


def test_evidence_names_the_session_that_chose_what_was_measured_on(bench: Bench) -> None:
    digest = pinned(bench)
    bench.check(digest)
    assert {one.gate: one.builder for one in evidence_of(bench, digest)} == {
        "file-safety": "pipeline-1", "performance": "pipeline-1", "privacy": "pipeline-1",
    }  # fmt: skip


def test_a_gate_that_is_not_installed_is_missing_and_nothing_is_signed_of_it(tmp_path: Path) -> None:
    bench = bench_in(tmp_path, unheard_of={})
    digest = pinned(bench)
    (missing,) = bench.check(digest).failed
    assert missing.reasons[0].startswith("no gate is called 'unheard-of'")
    assert "unheard-of" not in {one.gate for one in evidence_of(bench, digest)}


def test_one_gate_is_measured_alone_where_only_it_is_asked_for(bench: Bench) -> None:
    digest = pinned(bench)
    assert bench.check(digest, None, "privacy").ran == []
    assert [one.gate for one in bench.check(digest, None, "performance").standings] == ["performance"]
    with pytest.raises(BadInput, match="--gate: received sbom; accepted is one of file-safety, performance, privacy"):
        bench.check(digest, None, "sbom")


def test_a_machine_that_cannot_confine_a_model_ends_the_check_and_signs_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = pinned(bench)
    before = bench.objects

    def cannot(_: object) -> Any:
        raise OutsideFailure("no namespaces here")

    monkeypatch.setattr(bench.model, "predict", cannot)
    with pytest.raises(OutsideFailure):
        bench.check(digest)
    assert bench.objects == before


def test_evidence_made_elsewhere_counts_if_whom_the_policy_names_has_signed_it(tmp_path: Path) -> None:
    theirs = PrivateKeySigner(ec.generate_private_key(ec.SECP256R1()))
    bench = bench_in(tmp_path, robustness={"signers": ["observer"]})
    bench.with_keys(NewKey(KeyDuty.OBSERVER, None, theirs.public_key()))
    digest = pinned(bench)
    alone = bench.check(digest)
    assert [(one.gate, one.reasons) for one in alone.failed] == [("robustness", ("it was not measured",))]

    model = next(one for one in evidence_of(bench, digest) if one.gate == "privacy")
    made = model.model_copy(update={"gate": "robustness", "inputs": "1" * 64, "measures": ()})
    envelope = seal(evidence_statement(digest, made), theirs).content
    assert bench.check(digest, envelopes=[("theirs.json", envelope)]).failed == ()
    before = bench.objects
    assert bench.check(digest, envelopes=[("theirs.json", envelope)]).failed == ()
    assert bench.objects == before


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"signer": "a stranger"}, "no believed key of those"),
        ({"digest": "0" * 64}, "about another release"),
        ({"policy": "0" * 64}, "under another policy"),
        ({"envelope": b"{}"}, "no signed statement"),
    ],
)
def test_evidence_made_elsewhere_that_cannot_count_is_bad_input_and_is_not_stored(
    tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    theirs = PrivateKeySigner(ec.generate_private_key(ec.SECP256R1()))
    bench = bench_in(tmp_path, robustness={"signers": ["observer"]})
    if "signer" not in change:
        bench.with_keys(NewKey(KeyDuty.OBSERVER, None, theirs.public_key()))
    digest = pinned(bench)
    model = next(one for one in evidence_of(bench, digest) if one.gate == "privacy")
    fields = {"gate": "robustness", "measures": (), "policy": change.get("policy", model.policy)}
    statement = evidence_statement(change.get("digest", digest), model.model_copy(update=fields))
    before = bench.objects
    with pytest.raises(BadInput, match=said):
        bench.check(digest, envelopes=[("theirs.json", change.get("envelope", seal(statement, theirs).content))])
    assert bench.objects == before


def admitted(bench: Bench, digest: str) -> None:
    """Have a deployer admit a release by its pins."""
    theirs = PrivateKeySigner(ec.generate_private_key(ec.SECP256R1()))
    bench.with_keys(NewKey(KeyDuty.DEPLOYER, None, theirs.public_key()))
    public = bench.key.public_key()
    pins = gather(bench.vault, digest, {public.key_id: public}).pins
    summary = summary_of(
        digest, environment="prod", policy=bench.trust.policy_in_force or "", tier="low", inputs=pins, passed=True,
        now=bench.clock(), version="1",
    )  # fmt: skip
    statement = summary_statement(digest, summary)
    put_statement(digest, Predicate.VERIFICATION, statement, theirs, writer=bench.vault, reader=bench.vault)


def test_a_challenger_is_compared_with_what_serves_whoever_runs_the_check(bench: Bench) -> None:
    champion = pinned(bench)
    admitted(bench, champion)
    bench.register("2", "m-2", MLmodel="flavors: {}\n", weights_bin="0111", notes_txt="")
    bench.submit("credit/2")
    challenger = bench.pin("credit/2").digest
    assert bench.check(challenger).failed == ()
    (measured,) = [one for one in evidence_of(bench, challenger) if one.gate == "performance"]
    assert measured.data["champion"] == champion
    assert bench.check(challenger, champion=champion).ran == []
    with pytest.raises(BadInput, match=f"champion: received {challenger}; accepted is what serves as credit in prod"):
        bench.check(challenger, pd.DataFrame({"score": [0.8]}), champion=challenger)


RATED = pd.DataFrame({"score": [0.9, 0.8, 0.3, 0.2] * 10, "label": [1, 1, 0, 0] * 10, "decided_on": "2026-01-01"})
TAKES_A_SCORE = """flavors: {}
signature: {inputs: '[{"type": "double", "name": "score", "required": true}]'}
"""


class ScoreAlone:
    """A model of the column `score`, for which any other is too much."""

    def predict(self, rows: pd.DataFrame) -> Any:
        if list(rows.columns) != ["score"]:
            raise ValueError(f"received {list(rows.columns)}")
        return rows["score"].to_numpy()


def challenging(bench: Bench, monkeypatch: pytest.MonkeyPatch, champion_takes: str = TAKES_A_SCORE) -> tuple[str, str]:
    """Return a champion and a challenger of a model of one column, for the gate of performance itself."""
    monkeypatch.setitem(BUILT_IN, "performance", "interlock.release.gates.performance:PerformanceGate")
    monkeypatch.setattr(bench, "model", ScoreAlone())
    bench.register(MLmodel=champion_takes, weights_bin="0110")
    champion = pinned(bench)
    admitted(bench, champion)
    bench.register("2", "m-2", MLmodel=TAKES_A_SCORE, weights_bin="0111")
    bench.submit("credit/2")
    return champion, bench.pin("credit/2").digest


def test_a_champion_is_given_the_columns_of_its_own_schema_alone(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    champion, challenger = challenging(bench, monkeypatch)
    assert bench.check(challenger, RATED, target="label").failed == ()
    (measured,) = [one for one in evidence_of(bench, challenger) if one.gate == "performance"]
    assert measured.data["champion"] == champion
    assert {one.value for one in measured.measures if one.name == "area_under_curve_gain"} == {0}


def test_a_champion_whose_columns_the_table_lacks_leaves_nothing_signed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, challenger = challenging(bench, monkeypatch, TAKES_A_SCORE.replace("score", "income"))
    (standing,) = bench.check(challenger, RATED, target="label").failed
    assert "the table lacks columns of its schema: income" in " ".join(standing.reasons)
    assert [one.gate for one in evidence_of(bench, challenger) if one.gate == "performance"] == []


def test_a_champion_whose_bytes_were_exchanged_ends_the_check_and_nothing_is_signed_of_the_challenger(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    champion, challenger = challenging(bench, monkeypatch)
    key = f"{files_prefix(champion)}weights.bin"
    whole = bench.vault.objects[key]
    bench.vault.objects[key] = [(whole[0][0], b"evil")]
    with pytest.raises(Refusal, match=f"what the vault holds of the release {champion} is not what its manifest says"):
        bench.check(challenger, RATED, target="label")
    assert [one.gate for one in evidence_of(bench, challenger) if one.gate == "performance"] == []
    bench.vault.objects[key] = whole
    assert bench.check(challenger, RATED, target="label").failed == ()


@pytest.mark.parametrize(("name", "environment"), [("mortgages", "prod"), ("credit", "staging")])
def test_bytes_that_are_asked_for_twice_are_compared_with_the_champion_of_each_name_and_environment(
    bench: Bench, name: str, environment: str
) -> None:
    champion = pinned(bench)
    admitted(bench, champion)
    bench.register("2", "m-2", MLmodel="flavors: {}\n", weights_bin="0111", notes_txt="")
    bench.known.models[name, "2"] = bench.known.models["credit", "2"]
    bench.submit("credit/2")
    challenger = bench.pin("credit/2").digest
    bench.submit(f"{name}/2", environment=environment, ticket="CHG-2")
    assert bench.pin(f"{name}/2").digest == challenger
    assert bench.check(challenger, champion=champion).failed == ()
    measured = [one.data.get("champion") for one in evidence_of(bench, challenger) if one.gate == "performance"]
    assert sorted(measured, key=str) == sorted([champion, None], key=str)
    assert bench.check(challenger).ran == []
    with pytest.raises(BadInput, match=f"serves as {name} in {environment}, and nothing does, so leave it out"):
        bench.check(challenger, pd.DataFrame({"score": [0.8]}), champion=challenger)


def test_bytes_that_are_asked_for_twice_are_measured_once_where_no_champion_differs(bench: Bench) -> None:
    bench.known.models["mortgages", "1"] = bench.known.models["credit", "1"]
    digest = pinned(bench)
    bench.submit("mortgages/1", ticket="CHG-2")
    assert bench.pin("mortgages/1").digest == digest
    bench.check(digest)
    assert len([one for one in evidence_of(bench, digest) if one.gate == "performance"]) == 1


def test_the_release_that_serves_is_not_measured_anew_because_it_serves(bench: Bench) -> None:
    champion = pinned(bench)
    assert "performance" in bench.check(champion).ran
    admitted(bench, champion)
    assert bench.check(champion).ran == []
    (measured,) = [one for one in evidence_of(bench, champion) if one.gate == "performance"]
    assert "champion" not in measured.data


def test_nobody_names_a_champion_where_nothing_serves(bench: Bench) -> None:
    digest = pinned(bench)
    with pytest.raises(BadInput, match="and nothing does, so leave it out"):
        bench.check(digest, champion="0" * 64)


def test_a_champion_is_fetched_once_and_not_before_it_is_asked() -> None:
    fetched: list[FirstColumn] = []

    def fetch() -> FirstColumn:
        fetched.append(FirstColumn())
        return fetched[-1]

    champion = Champion("ab" * 32, fetch)
    assert fetched == []
    rows = pd.DataFrame({"score": [0.7, 0.9]})
    assert [list(champion.predict(rows)) for _ in range(2)] == [[0.7, 0.9]] * 2
    assert len(fetched) == 1


def test_a_digest_that_is_none_and_a_release_that_is_none_are_bad_input(bench: Bench) -> None:
    with pytest.raises(BadInput, match="64 hexadecimal digits"):
        bench.check("xyz")
    with pytest.raises(BadInput, match="holds no release"):
        bench.check("0" * 64)


def test_bytes_that_were_exchanged_in_the_vault_are_not_measured(bench: Bench) -> None:
    digest = pinned(bench)
    key = f"{files_prefix(digest)}weights.bin"
    bench.vault.objects[key] = [(bench.vault.objects[key][0][0], b"evil")]
    with pytest.raises(Refusal, match="not what its manifest says"):
        bench.check(digest)


def test_a_release_that_nobody_opened_under_a_known_policy_is_not_measured(bench: Bench) -> None:
    digest = pinned(bench)
    bench.follow(parse_policy(varied("review_by", "2028-01-01")))
    with pytest.raises(Refusal, match="not opened under a policy"):
        bench.check(digest)


def test_a_check_killed_at_any_write_is_completed_by_the_next_run(tmp_path: Path) -> None:
    def make() -> Bench:
        bench = bench_in(tmp_path / uuid4().hex, robustness={}, lineage={})
        pinned(bench)
        return bench

    assert killed_everywhere(make, lambda bench: bench.check(next(iter(_releases(bench))))) == []


def _releases(bench: Bench) -> set[str]:
    return {key.split("/")[1] for key in bench.vault.objects if key.startswith("releases/")}


TESTED = {"contract_tests": {"limits": {"failed_cases": {"at_most": 0}}}}


def results_in(bench: Bench, digest: str) -> list[dict[str, Any]]:
    public = bench.key.public_key()
    record = gather(bench.vault, digest, {public.key_id: public})
    return [dict(one.statement.predicate) for one in record.of(Predicate.TEST_RESULT)]


def test_what_the_gate_of_tests_found_is_signed_in_the_standard_form_too(tmp_path: Path) -> None:
    bench = bench_in(tmp_path, **TESTED)
    digest = pinned(bench)
    assert bench.check(digest).failed == ()
    (said,) = results_in(bench, digest)
    assert (said["result"], said["passedTests"], said["failedTests"]) == ("PASSED", ["schema: score"], [])
    public = bench.key.public_key()
    found = gather(bench.vault, digest, {public.key_id: public})
    (evidence,) = [one for one, what in evidence_in(found) if what.gate == "contract-tests"]
    assert said["configuration"][0] == {"name": "evidence", "digest": {"sha256": evidence.payload}}
    before = bench.objects
    bench.check(digest)
    assert bench.objects == before


def test_a_run_that_broke_off_before_the_standard_form_is_completed(tmp_path: Path) -> None:
    numbers = iter(range(1000))

    def make() -> Bench:
        made = bench_in(tmp_path / str(next(numbers)), **TESTED)
        pinned(made)
        return made

    assert killed_everywhere(make, lambda one: one.check(next(iter(_releases(one))))) == []
