from __future__ import annotations

from pathlib import Path

import pytest

from interlock.release.digests import sha256
from interlock.release.gates.contract import read_contract
from interlock.release.gates.data_validation import failures_of
from interlock.release.gates.documents import MODEL_CARD
from interlock.release.gates.gate import Document, Table
from interlock.release.gates.supply.osv import read_snapshot
from interlock.release.gates.tables import TableForm, read_table
from interlock.release.tiers import parse_policy
from rehearsal.story.candidates import CHAMPION, THRESHOLD, TrainedModel, train_candidates
from rehearsal.story.card import write_card
from rehearsal.story.checking import ADVISORIES
from rehearsal.story.loans import FEATURES, LoanData, load_loans
from rehearsal.story.policy import SHIPPED, TIER, data_source, write_policy
from rehearsal.story.registration import CONTRACT
from rehearsal.story.tables import ATTRIBUTES, write_tables

CHECKOUT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def data() -> LoanData:
    return load_loans()


@pytest.fixture(scope="module")
def champion(data: LoanData) -> TrainedModel:
    return train_candidates(data)[CHAMPION]


@pytest.fixture(scope="module")
def tables(data: LoanData, champion: TrainedModel, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Table]:
    folder = tmp_path_factory.mktemp("tables")
    forms = {part: TableForm.model_validate(told) for part, told in write_tables(folder, data, champion).items()}
    return {part: read_table((folder / form.path).read_bytes(), form) for part, form in forms.items()}


def test_the_gates_read_every_table_with_the_attributes_that_the_policy_names(tables: dict[str, Table]) -> None:
    policy = parse_policy((CHECKOUT / SHIPPED).read_bytes())
    assert set(policy.protected_attributes) == set(ATTRIBUTES)
    for part in ("training", "evaluation", "out_of_fold"):
        assert set(tables[part].frame.columns) - tables[part].aside == set(FEATURES)
    assert set(tables["serving"].frame.columns) - tables["serving"].aside == set(FEATURES)


def test_decisions_out_of_fold_follow_from_one_threshold(tables: dict[str, Table]) -> None:
    frame = tables["out_of_fold"].frame
    assert ((frame["probability"] >= THRESHOLD) == (frame["decision"] == 1)).all()
    assert set(frame["race"].dropna()) == {"black", "hispanic", "white"}


def test_no_application_is_trained_on_and_held_out(tables: dict[str, Table]) -> None:
    trained, held_out = (set(tables[part].frame["application"]) for part in ("training", "evaluation"))
    assert not trained & held_out


def test_the_data_keep_the_contract(tables: dict[str, Table]) -> None:
    content = CONTRACT.read_bytes()
    contract = read_contract(Document(content, sha256(content).hex()))
    assert set(contract.columns) == set(FEATURES)
    assert [failures_of(tables[part].frame, contract) for part in ("training", "evaluation", "serving")] == [[]] * 3


def test_the_storys_policy_is_the_one_that_ships_but_for_the_source_and_the_latency(tmp_path: Path) -> None:
    write_policy(CHECKOUT, tmp_path / "tiers.yaml", sources=[data_source()])
    shipped = parse_policy((CHECKOUT / SHIPPED).read_bytes())
    own = parse_policy((tmp_path / "tiers.yaml").read_bytes())
    tier = next(one for one in own.tiers if one.value == TIER)
    rules, before = own.tiers[tier], shipped.tiers[tier]
    assert rules.sources == (data_source(),)
    evidence = {**rules.evidence, "latency": before.evidence["latency"]}
    emptied = rules.model_copy(update={"sources": before.sources, "evidence": evidence})
    assert own.model_copy(update={"tiers": {**own.tiers, tier: emptied}}).digest == shipped.digest


def test_the_model_card_has_what_the_gate_asks_for(champion: TrainedModel, tmp_path: Path) -> None:
    card = write_card(tmp_path / "model_card.md", champion).read_text()
    for section in MODEL_CARD.sections:
        assert f"## {section}" in card
    assert max(map(len, card.splitlines())) <= 120


def test_the_advisory_that_is_looked_up_is_one_that_the_gate_can_read() -> None:
    known = ADVISORIES.read_text()
    content = f'{{"taken_at": "2026-11-22T00:00:00Z", "vulnerabilities": {known}}}'.encode()
    assert read_snapshot(content)
