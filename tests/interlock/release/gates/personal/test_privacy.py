"""What tells of people is found wherever a release can hold text, and never repeated in the evidence."""

from __future__ import annotations

import io
import json
import pickle
import socket
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from interlock.release.evidence import Evidence, Outcome
from interlock.release.gates.personal.recognising import MARGIN, WINDOW, Recognisers
from interlock.release.gates.privacy import ENTITIES, PrivacyGate, names_a_person
from interlock.release.manifest import manifest_of
from tests.interlock.release.gates.given import evidence, found, inputs

LIMIT = {"findings": {"at_most": 0}, "unknown_columns": {"at_most": 0}}


def model(*columns: str) -> bytes:
    declared = json.dumps([{"name": one, "type": "double", "required": True} for one in columns])
    return f"flavors: {{}}\nsignature:\n  inputs: '{declared}'\n".encode()


def judged(folder: Path, files: Mapping[str, bytes], **parameters: object) -> Evidence:
    for path, content in {"MLmodel": model("income", "debt"), **files}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return evidence(PrivacyGate(), replace(inputs(folder), manifest=manifest_of(folder)), LIMIT, **parameters)


PEOPLE = {
    "EMAIL_ADDRESS": "somebody@example.org",
    "PHONE_NUMBER": "+44 20 7946 0958",
    "CREDIT_CARD": "4111 1111 1111 1111",
    "IBAN_CODE": "DE89 3704 0044 0532 0130 00",
    "US_SSN": "536-90-4399",
    "UK_NHS": "943 476 5919",
    "UK_NINO": "AB123456C",
    "CRYPTO": "16Yeky6GMjeNkAiNcBY7ZhrLoMSgg1BoyZ",
    "ES_NIF": "12345678Z",
    "IT_FISCAL_CODE": "RSSMRA85T10A562S",
}


def npy(values: list[str]) -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.array(values))
    return stream.getvalue()


def skops(text: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as made:
        node = {"__loader__": "JsonNode", "content": json.dumps(text), "__id__": 4111111111111111}
        array = {"__loader__": "NdArrayNode", "file": "4111111111111111.npy"}
        made.writestr("schema.json", json.dumps({"content": {"a": node, "b": array}}))
    return stream.getvalue()


PLACES: dict[str, Callable[[str], bytes]] = {
    "README.md": lambda one: f"A model.\nAsk {one} about it.\n".encode(),
    "notes": lambda one: one.encode(),
    "input_example.json": lambda one: json.dumps({"columns": ["income"], "data": [[one]]}).encode(),
    "deep.json": lambda one: json.dumps({"a": [{one: 1}]}).encode(),
    "rows.csv": lambda one: f"income,debt\n1,{one}\n".encode(),
    "model.pkl": lambda one: pickle.dumps({"categories": ["a", one]}),
    "old.pkl": lambda one: pickle.dumps([one], 0),
    "classes.npy": lambda one: npy(["a", one]),
    "model.skops": skops,
    "code/model.py": lambda one: f"OWNER = '{one}'\n".encode(),
}


def test_a_release_without_people_passes(tmp_path: Path) -> None:
    files = {
        "README.md": b"# Credit model 1.26.4 of 2026-11-22\n\nAccuracy 0.8123456789 on 12,345 rows; see https://x.org/a.\n",
        "requirements.txt": b"mlflow==3.17.2\nscikit-learn==1.9.1 --hash=sha256:" + b"065665c041c42a59" * 4,
        "input_example.json": b'{"columns": ["income", "debt"], "data": [[51234.5, 4111111111111111.5]]}',
        "rows.csv": b"income,debt\n1.5,0.12345678901\n",
        "model.pkl": pickle.dumps({"weights": np.arange(10.0), "names": ["income", "debt"]}),
        "plot.png": b"\x89PNG",
    }
    said = judged(tmp_path, files)
    assert said.outcome is Outcome.PASSED, (said.reasons, said.details)
    assert any("plot.png" in one for one in said.unchecked)


@pytest.mark.parametrize("place", PLACES)
def test_an_address_is_found_wherever_text_can_lie(tmp_path: Path, place: str) -> None:
    said = judged(tmp_path, {place: PLACES[place](PEOPLE["EMAIL_ADDRESS"])})
    assert said.outcome is Outcome.FAILED
    assert found(said, "findings").value == 1
    assert [one["path"] for one in said.details["findings"]] == [place]


@pytest.mark.parametrize("entity", PEOPLE)
def test_what_tells_of_a_person_is_found_by_its_kind_and_not_repeated(tmp_path: Path, entity: str) -> None:
    said = judged(tmp_path, {"README.md": PLACES["README.md"](PEOPLE[entity])})
    assert (2, entity) in [(one["line"], one["entity"]) for one in said.details["findings"]]
    assert PEOPLE[entity] not in said.model_dump_json()


def test_ids_that_were_drawn_at_random_are_no_numbers_of_licences(tmp_path: Path) -> None:
    text = b"run_id: f9bf630df1c3434d98c5ef04739369f8\nmodel_uuid: 9251a121b623487ea7001afb52564626\n"
    assert judged(tmp_path, {"notes.yaml": text}).outcome is Outcome.PASSED


def test_a_number_that_fails_its_checksum_is_none(tmp_path: Path) -> None:
    said = judged(
        tmp_path,
        {"README.md": b"4111 1111 1111 1112 and DE89 3704 0044 0532 0130 01"},
        entities=["CREDIT_CARD", "IBAN_CODE"],
    )
    assert found(said, "findings").value == 0


def test_what_lies_across_two_windows_is_found_once() -> None:
    recognisers = Recognisers(["EMAIL_ADDRESS"])
    for start in range(WINDOW - 2 * MARGIN - 40, WINDOW + 40, 7):
        text = "x " * (start // 2) + PEOPLE["EMAIL_ADDRESS"] + " y" * WINDOW
        assert len(list(recognisers.recognise(text, 0.4))) == 1


def test_nobody_is_asked_over_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(*_: object) -> None:
        raise AssertionError("somebody was asked")

    monkeypatch.setattr(socket.socket, "connect", asked)
    monkeypatch.setattr(socket, "getaddrinfo", asked)
    assert len(list(Recognisers(ENTITIES).recognise("write to " + PEOPLE["EMAIL_ADDRESS"], 0.4))) >= 1


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"rows.csv": b"income,race\n1,2\n"}, "rows.csv holds the column 'race', which is not on the list"),
        ({"rows.tsv": b"income\tzip\n1\t2\n"}, "rows.tsv holds the column 'zip'"),
        ({"input_example.json": b'{"columns": ["age"], "data": [[1]]}'}, "input_example.json holds the column 'age'"),
        (
            {"serving_input_example.json": b'{"dataframe_split": {"columns": ["age"], "data": [[1]]}}'},
            "serving_input_example.json holds the column 'age'",
        ),
        ({"MLmodel": model("income", "first_name")}, "takes 'first_name', whose name says that it names a person"),
        ({"MLmodel": model("DateOfBirth")}, "takes 'DateOfBirth'"),
        ({"MLmodel": b"flavors: {}\n"}, "has no signature"),
        ({"data.json": b"{"}, "data.json could not be looked at"),
        ({"notes.txt": b"\xff\xfe"}, "notes.txt could not be looked at"),
        ({"notes.txt": b"word " * 1000}, "more text than can be looked through"),
    ],
)
def test_what_is_not_declared_or_cannot_be_read_fails(tmp_path: Path, files: dict[str, bytes], reason: str) -> None:
    said = judged(tmp_path, files, most_text=3000)
    assert said.outcome is Outcome.FAILED
    assert any(reason in one for one in said.reasons), said.reasons


def test_a_policy_may_name_the_columns_itself(tmp_path: Path) -> None:
    said = judged(tmp_path, {}, columns=["income"])
    assert "MLmodel holds the column 'debt', which is not on the list" in said.reasons
    assert judged(tmp_path, {}, columns=["income", "debt"]).outcome is Outcome.PASSED


def test_a_policy_may_accept_a_column_that_only_looks_personal(tmp_path: Path) -> None:
    files = {"MLmodel": model("mobile_number_changes")}
    assert judged(tmp_path, files).outcome is Outcome.FAILED
    assert judged(tmp_path, files, accepted=["mobile_number_changes"]).outcome is Outcome.PASSED


def test_a_prompt_in_a_plain_folder_is_looked_at(tmp_path: Path) -> None:
    (tmp_path / "prompt.md").write_text("Answer as " + PEOPLE["EMAIL_ADDRESS"])
    said = evidence(PrivacyGate(), replace(inputs(tmp_path), manifest=manifest_of(tmp_path)), LIMIT)
    assert found(said, "findings").value == 1


def test_an_entity_that_nobody_knows_fails_and_is_named(tmp_path: Path) -> None:
    said = judged(tmp_path, {}, entities=["SHOE_SIZE"])
    assert said.outcome is Outcome.FAILED
    assert "SHOE_SIZE" in said.reasons[0]


@pytest.mark.parametrize(
    ("column", "is_one"),
    [
        *(("email", True), ("customer_email", True), ("EMailAddress", True), ("dateOfBirth", True), ("SSN", True)),
        *(("applicant-phone", True), ("ip_address", True), ("Full Name", True), ("home_address_2", True)),
        *(("income", False), ("product_name", False), ("phoneme", False), ("age", False), ("streets_nearby", False)),
        *(("assn", False), ("emails_sent", False), ("", False)),
    ],
)
def test_a_column_s_name_says_whether_it_names_a_person(column: str, is_one: bool) -> None:
    assert names_a_person(column) is is_one


def test_addresses_in_memory_that_look_like_a_card_are_none(tmp_path: Path) -> None:
    said = judged(tmp_path, {"model.skops": skops("income")})
    assert found(said, "findings").value == 0


def test_a_model_of_text_or_tensors_has_no_columns_to_declare(tmp_path: Path) -> None:
    said = judged(tmp_path, {"MLmodel": b"""signature: {inputs: '[{"type": "string"}]'}\n"""})
    assert said.outcome is Outcome.PASSED, said.reasons
