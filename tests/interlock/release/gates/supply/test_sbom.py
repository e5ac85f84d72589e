"""What a release brings along: each way to fail, the limits at their boundaries, and the bill before its judge."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from interlock.release.evidence import Evidence, Outcome
from interlock.release.gates.gate import GateInputs
from interlock.release.gates.running import prepare_gate
from interlock.release.gates.sbom import SbomGate, bill_of
from interlock.release.manifest import manifest_of
from tests.interlock.release.gates.given import NOW, document, evidence, found, inputs, terms

LIMITS = {
    "critical_vulnerabilities": {"at_most": 0},
    "high_vulnerabilities": {"at_most": 0},
    "refused_licences": {"at_most": 0},
    "unpinned_requirements": {"at_most": 0},
}
CRITICAL = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
MEDIUM = "CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:L/A:L"

INSTALLED: list[dict[str, Any]] = [
    {"name": "Model.Lib", "version": "1.2.0", "licence": "MIT", "requires": ["base"]},
    {"name": "base", "version": "2.0", "licence": "BSD-3-Clause OR GPL-3.0-only"},
    {"name": "elsewhere", "version": "9", "licence": "GPL-3.0-only"},
]


def record(identifier: str, name: str = "base", **more: Any) -> dict[str, Any]:
    said = {"id": identifier, "modified": "2026-11-20T00:00:00Z", "severity": [{"type": "CVSS_V3", "score": CRITICAL}]}
    affected = {"package": {"ecosystem": "PyPI", "name": name}, "versions": ["2.0"]}
    return {**said, "affected": [affected], **more}


def ranged(*events: dict[str, str], kind: str = "ECOSYSTEM") -> list[dict[str, Any]]:
    return [{"package": {"ecosystem": "PyPI", "name": "base"}, "ranges": [{"type": kind, "events": list(events)}]}]


def given(
    folder: Path,
    records: list[dict[str, Any]] | str = "",
    *,
    taken_at: datetime = NOW,
    installed: list[dict[str, Any]] = INSTALLED,
    requirements: str = "model_lib==1.2.0\n",
    model: bool = True,
) -> GateInputs:
    (folder / "requirements.txt").write_text(requirements)
    if model:
        (folder / "MLmodel").write_text("flavors: {}\n")
    newest = record("NEWEST", name="nobody", modified=taken_at.isoformat())
    snapshot = json.dumps({"taken_at": taken_at.isoformat(), "vulnerabilities": [*(records or []), newest]})
    inventory = {"taken_at": NOW.isoformat(), "python": "3.11.7", "distributions": installed}
    documents = {"osv": document(snapshot), "inventory": document(json.dumps(inventory))}
    return replace(inputs(folder, documents=documents), manifest=manifest_of(folder))


def judged(inputs: GateInputs, **parameters: Any) -> Evidence:
    return evidence(SbomGate(), inputs, LIMITS, **parameters)


def test_a_release_of_known_and_harmless_parts_passes(tmp_path: Path) -> None:
    said = judged(given(tmp_path, [record("X-1", name="elsewhere"), record("X-2", name="nobody")]))
    assert said.outcome is Outcome.PASSED, said.reasons
    assert found(said, "components").value == 2
    assert [one["name"] for one in said.details["components"]] == ["base", "model-lib"]


@pytest.mark.parametrize(
    ("affected", "severity"),
    [
        (record("X"), "critical"),
        (record("X", severity=[{"type": "CVSS_V3", "score": MEDIUM}]), "medium"),
        (record("X", severity=[], database_specific={"severity": "HIGH"}), "high"),
        (record("X", severity=[], database_specific={"severity": "MODERATE"}), "medium"),
        (record("X", severity=[], database_specific={"severity": "LOW"}), "low"),
        (record("X", severity=[]), "critical"),
        (record("X", severity=[{"type": "CVSS_V4", "score": "CVSS:4.0/AV:N"}]), "critical"),
        (record("X", severity="none", database_specific=3), "critical"),
    ],
)
def test_a_vulnerability_counts_by_its_severity_and_unrated_as_critical(
    tmp_path: Path, affected: dict[str, Any], severity: str
) -> None:
    said = judged(given(tmp_path, [affected]))
    assert found(said, f"{severity}_vulnerabilities").value == 1
    assert said.outcome is (Outcome.FAILED if severity in ("critical", "high") else Outcome.PASSED)
    assert said.details["vulnerabilities"][0]["id"] == "X"


@pytest.mark.parametrize(
    ("affected", "counts"),
    [
        (ranged({"introduced": "0"}), True),
        (ranged({"introduced": "0"}, {"fixed": "2.0"}), False),
        (ranged({"introduced": "0"}, {"fixed": "2.0.1"}), True),
        (ranged({"introduced": "2.0"}), True),
        (ranged({"introduced": "2.0.dev1"}, {"fixed": "2.0rc1"}), False),
        (ranged({"introduced": "2.0.1"}), False),
        (ranged({"introduced": "0"}, {"last_affected": "2.0"}), True),
        (ranged({"introduced": "0"}, {"last_affected": "1.9"}), False),
        (ranged({"fixed": "1.5"}, {"introduced": "0"}, {"introduced": "1.9"}), True),
        (ranged({"introduced": "0"}, {"fixed": "1.0"}, {"introduced": "1.5"}, {"fixed": "1.8"}), False),
        (ranged({"introduced": "no version"}), True),
        (ranged({"introduced": "abc123"}, kind="GIT"), False),
        ([{"package": {"ecosystem": "npm", "name": "base"}, "versions": ["2.0"]}], False),
        ([{"package": {"ecosystem": "PyPI", "name": "BASE"}, "versions": ["2.0"]}], True),
        ([{"package": {"ecosystem": "PyPI", "name": "base"}, "ranges": 3}], True),
        ([], False),
    ],
)
def test_a_range_of_versions_is_read_as_the_format_says(tmp_path: Path, affected: list[Any], counts: bool) -> None:
    said = judged(given(tmp_path, [record("X", affected=affected)]))
    assert found(said, "critical_vulnerabilities").value == int(counts)


def test_records_of_one_vulnerability_count_once_with_the_worst_rating(tmp_path: Path) -> None:
    same = [
        record("PYSEC-1", aliases=["CVE-1"], severity=[]),
        record("GHSA-1", aliases=["CVE-1"], severity=[], database_specific={"severity": "HIGH"}),
        record("OTHER-1", severity=[], database_specific={"severity": "LOW"}),
    ]
    said = judged(given(tmp_path, same))
    assert found(said, "high_vulnerabilities").value == found(said, "low_vulnerabilities").value == 1
    assert found(said, "critical_vulnerabilities").value == 0
    assert said.details["vulnerabilities"][0]["aliases"] == ["CVE-1", "PYSEC-1"]


def test_a_withdrawn_record_counts_for_nothing(tmp_path: Path) -> None:
    assert judged(given(tmp_path, [record("X", withdrawn="2026-01-01T00:00:00Z")])).outcome is Outcome.PASSED


@pytest.mark.parametrize(("until", "counts"), [("2026-11-22", 0), ("2026-11-21", 1)])
def test_a_vulnerability_is_tolerated_until_the_day_that_the_policy_says(
    tmp_path: Path, until: str, counts: int
) -> None:
    said = judged(given(tmp_path, [record("X", aliases=["CVE-1"])]), tolerated={"CVE-1": until})
    assert found(said, "critical_vulnerabilities").value == counts
    assert found(said, "tolerated_vulnerabilities").value == 1 - counts


@pytest.mark.parametrize(
    ("age", "reason"),
    [
        (timedelta(days=7), None),
        (timedelta(days=7, seconds=1), "7 days old; accepted are 7"),
        (timedelta(seconds=-1), "yet to come"),
    ],
)
def test_a_snapshot_that_is_stale_or_of_tomorrow_fails(tmp_path: Path, age: timedelta, reason: str | None) -> None:
    said = judged(given(tmp_path, taken_at=NOW - age))
    assert [one for one in said.reasons if reason is not None and reason in one] == list(said.reasons)
    assert said.outcome is (Outcome.PASSED if reason is None else Outcome.FAILED)


@pytest.mark.parametrize("part", ["osv", "inventory"])
def test_without_a_document_it_fails(tmp_path: Path, part: str) -> None:
    whole = given(tmp_path)
    documents = {name: one for name, one in whole.documents.items() if name != part}
    said = judged(replace(whole, documents=documents))
    assert said.reasons == (f"it was not given the document {part!r}",) or part in said.reasons[0]
    assert said.outcome is Outcome.FAILED


@pytest.mark.parametrize(
    "content",
    [
        *("", "[]", "{}", '{"vulnerabilities": [3]}', '{"vulnerabilities": []}', "PK\x03\x04", "[" * 100_000),
        '{"taken_at": "2026-11-22T00:00:00Z", "vulnerabilities": []}',
        '{"taken_at": "0001-01-01T00:00:00+05:00", "vulnerabilities": []}',
        '{"taken_at": "9999-12-31T23:59:59-05:00", "vulnerabilities": []}',
    ],
)
def test_a_snapshot_that_is_none_fails(tmp_path: Path, content: str) -> None:
    whole = given(tmp_path)
    said = judged(replace(whole, documents={**whole.documents, "osv": document(content)}))
    assert "no snapshot of vulnerabilities" in said.reasons[0]


def test_osv_s_own_dump_is_dated_by_its_newest_record(tmp_path: Path) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as dump:
        dump.writestr("X-1.json", json.dumps(record("X-1")))
        dump.writestr("X-2.json", json.dumps(record("X-2", modified="2026-11-01T00:00:00Z")))
    whole = given(tmp_path)
    content = replace(whole.documents["osv"], content=stream.getvalue())
    said = judged(replace(whole, documents={**whole.documents, "osv": content}))
    assert found(said, "critical_vulnerabilities").value == 2
    assert said.details["snapshot"] == {"taken_at": "2026-11-20T00:00:00+00:00", "records": 2}


def test_a_snapshot_is_no_newer_than_its_newest_record_whatever_it_says_of_itself(tmp_path: Path) -> None:
    whole = given(tmp_path)
    snapshot = {"taken_at": NOW.isoformat(), "vulnerabilities": [record("X-1", modified="2026-11-01T00:00:00Z")]}
    said = judged(replace(whole, documents={**whole.documents, "osv": document(json.dumps(snapshot))}))
    assert any("the snapshot of vulnerabilities is of 2026-11-01, 21 days old" in one for one in said.reasons)


@pytest.mark.parametrize("least", [3, 4])
def test_a_policy_may_say_how_many_records_a_snapshot_must_hold(tmp_path: Path, least: int) -> None:
    whole = given(tmp_path, [record(f"X-{one}", name="elsewhere") for one in range(2)])
    said = evidence(SbomGate(), whole, {"snapshot_records": {"at_least": least}})
    assert found(said, "snapshot_records").value == 3
    assert said.outcome is (Outcome.PASSED if least == 3 else Outcome.FAILED)


@pytest.mark.parametrize("part", ["osv", "inventory"])
def test_an_outdated_document_is_to_be_replaced_and_nothing_is_signed_of_it(tmp_path: Path, part: str) -> None:
    old = given(tmp_path, taken_at=NOW - timedelta(days=8))
    whole = given(tmp_path)
    inventory = {"taken_at": "2026-01-01T00:00:00Z", "python": "3.11.7", "distributions": INSTALLED}
    stale = {"osv": old.documents["osv"], "inventory": document(json.dumps(inventory))}[part]
    answer = prepare_gate(SbomGate(), replace(whole, documents={**whole.documents, part: stale}), terms(LIMITS)).answer(
        lambda: NOW
    )
    assert (answer.evidence.outcome, answer.unfit is not None) == (Outcome.FAILED, True)


@pytest.mark.parametrize(
    ("licence", "accepted"),
    [
        *(("MIT", True), ("mit", True), ("GPL-3.0-only", False), (None, False), ("", False), ("MIT OR", False)),
        *(("MIT AND GPL-3.0-only", False), ("(MIT AND Apache-2.0) OR GPL-3.0-only", True)),
        *(("Apache-2.0 WITH LLVM-exception", True), ("GPL-2.0-only WITH Classpath-exception-2.0", False)),
        *(("MIT GPL-3.0-only", False), ("(MIT", False), ("See LICENSE!", False), ("(" * 60 + "MIT" + ")" * 60, False)),
    ],
)
def test_a_licence_is_accepted_if_the_policy_lists_it(tmp_path: Path, licence: str | None, accepted: bool) -> None:
    installed = [{"name": "model-lib", "version": "1.2.0", "licence": licence}]
    said = judged(given(tmp_path, installed=installed))
    assert found(said, "refused_licences").value == int(not accepted)


def test_a_policy_may_list_licences_and_say_whose_is_unnamed(tmp_path: Path) -> None:
    installed = [{"name": "model-lib", "version": "1.2.0", "licence": None}]
    whole = given(tmp_path, installed=installed)
    assert judged(whole, licensed={"model-lib": "GPL-3.0-only"}, licences=["GPL-3.0-only"]).outcome is Outcome.PASSED


@pytest.mark.parametrize(
    ("requirements", "reason"),
    [
        ("model_lib==1.2.0\nbase>=1\n", "'base>=1' is not one version"),
        ("model_lib==1.*\n", "'model_lib==1.*' is not one version"),
        ("model_lib\n", "'model_lib' is not one version"),
        ("", "asks for no distribution"),
        ("git+https://elsewhere/x\n", "is no version of a distribution"),
        ("model_lib==1.3.0\n", "the inventory holds model-lib 1.2.0; the model asks for 1.3.0"),
        ("unknown==1.0\n", "the inventory lacks unknown, which the model asks for"),
    ],
)
def test_what_is_not_pinned_or_not_known_fails(tmp_path: Path, requirements: str, reason: str) -> None:
    said = judged(given(tmp_path, requirements=requirements))
    assert said.outcome is Outcome.FAILED
    assert any(reason in one for one in said.reasons), said.reasons


def test_what_a_part_needs_must_be_known_as_well(tmp_path: Path) -> None:
    said = judged(given(tmp_path, installed=INSTALLED[:1]))
    assert "the inventory lacks base, which model-lib needs" in said.reasons


def test_a_prompt_brings_nothing_along(tmp_path: Path) -> None:
    said = judged(given(tmp_path, requirements="", model=False))
    assert said.outcome is Outcome.PASSED, said.reasons


@pytest.mark.parametrize("records", [[], [record("X"), record("Y", severity=[]), record("Z", name="Model.Lib")]])
def test_the_bill_of_materials_is_strictly_cyclonedx(tmp_path: Path, records: list[dict[str, Any]]) -> None:
    whole = given(tmp_path, records)
    bill = bill_of(whole)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bill)) is None
    assert bill == bill_of(replace(whole, now=NOW + timedelta(hours=5)))
    assert {one["ref"]: one["dependsOn"] for one in bill["dependencies"]} == {
        "release": ["pkg:pypi/model-lib@1.2.0"],
        "pkg:pypi/model-lib@1.2.0": ["pkg:pypi/base@2.0"],
        "pkg:pypi/base@2.0": [],
    }


def test_the_judge_of_bills_refuses_what_is_none(tmp_path: Path) -> None:
    bill = {**bill_of(given(tmp_path)), "unknown": 1}
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bill)) is not None
