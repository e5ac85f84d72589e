from __future__ import annotations

import copy
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from rehearsal.report import write_report
from rehearsal.report.page import page
from tests.rehearsal.report.sample import broken_off, passed

STEP_OF_MANY = "attempt a breach"
VOID = {"meta", "link", "img", "br", "hr", "input"}


class Outline(HTMLParser):
    """The elements of a page, whether each is closed where it was opened, and everything that is fetched or run."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text: list[str] = []
        self.headings: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(source)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)
        if self.open and self.open[-1] == "h2":
            self.headings.append(data)


@pytest.mark.parametrize("report", [passed(), broken_off()], ids=["passed", "broken off"])
def test_the_page_is_whole_and_fetches_and_runs_nothing(report: dict[str, Any]) -> None:
    source = page(report)
    outline = Outline(source)
    names = {name for name, _ in outline.elements}
    assert not names & {"script", "link", "img", "iframe", "object"}
    assert not re.search(r"url\((?!#)|@import", source)
    for _, attributes in outline.elements:
        assert not any(name.startswith("on") or name == "src" for name in attributes)
        # A file of the report itself, which lies beside it.
        assert re.fullmatch(r"[a-z0-9-]+\.(html|zip|py)", attributes.get("href") or "certificate.html")


def test_a_step_names_the_roles_under_which_it_ran() -> None:
    report = passed()
    up, breach = (next(one for one in report["steps"] if one["name"] == name) for name in ("pulumi up", STEP_OF_MANY))
    breach["actors"] = [f"arn:aws:iam::123456789012:role/interlock/duties/interlock-local-{n}" for n in range(12)]

    shown = " ".join(Outline(page(report)).text)

    assert up["actors"][0].removeprefix("arn:aws:iam::") in shown
    assert "12 roles and users" in shown


def test_every_step_and_every_part_of_the_story_is_shown() -> None:
    report = passed()
    outline = Outline(page(report))
    shown = " ".join(outline.text)
    for step in report["steps"]:
        assert step["name"] in shown
        assert step["summary"] in shown
    assert outline.headings == [
        "When",
        "Duties are separate, by proof",
        "The platform",
        "Every answer compared",
        "Traffic follows the weights",
        "Latency, counted twice",
        "Releases in the vault",
        "The candidates, and who may serve",
        "What people said, each with their own key",
        "The ledger",
        "What the observer found in the registry",
        "Checked without AWS",
        "What stands by",
        "Attacks on the vault, all refused",
        "What each duty tried beyond itself, all refused",
        "What each duty did of its own work",
        "Rights against their use",
        "What was provisioned",
        "What remains after the destruction",
        "Every step",
        "Tools",
    ]


def test_a_failure_is_shown_first_with_what_was_expected_and_seen_and_the_logs() -> None:
    source = page(broken_off())
    outline = Outline(source)
    assert outline.headings[0] == "Failed: pulumi up"
    shown = "".join(outline.text)
    assert "error: <script>alert('x')</script> & more" in shown
    assert "/tmp/session/logs/up.log" in shown
    assert shown.count("not run") >= 17


def test_whatever_a_step_saw_is_shown_as_text() -> None:
    evil = "<img src=x onerror=alert(1)>\"'&"

    def poison(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {name: poison(one, name) for name, one in value.items()}
        if isinstance(value, list):
            return [poison(one, key) for one in value]
        fixed = ("outcome", "started_at", "variant", "op", "type", "locked_until", "until")
        return value + evil if isinstance(value, str) and key not in fixed else value

    report = poison(copy.deepcopy(passed()))
    report["stack"]["endpoints"]["credit"]["variants"] = ["blue", "green"]
    outline = Outline(page(report))
    assert "img" not in {name for name, _ in outline.elements}
    assert any(evil in one for one in outline.text)


def test_bars_lie_where_and_as_long_as_the_steps_ran() -> None:
    report = passed()
    source = page(report)
    up = next(one for one in report["steps"] if one["name"] == "pulumi up")
    left, width = 100 * 6.3 / report["seconds"], 100 * up["seconds"] / report["seconds"]
    assert f"left:{left:.2f}%;width:{width:.2f}%" in source


def test_every_drawing_has_a_name() -> None:
    drawings = [attributes for name, attributes in Outline(page(passed())).elements if name == "svg"]
    assert len(drawings) == 5
    assert all(one.get("role") == "img" and one.get("aria-label") for one in drawings)


def test_the_platform_is_drawn_over_its_regions_and_accounts() -> None:
    report = passed()
    drawn = " ".join(Outline(page(report)).text)
    for words in (
        "primary region eu-west-1", "recovery region eu-central-1", "PostgreSQL standby", "both ways",
        "workload account 123456789012", "evidence account 210987654321", "audit account 321098765432",
    ):  # fmt: skip
        assert words in drawn
    assert "trails of the others in the-trail-bucket, locked" in drawn
    # Long names are cut in their middle.
    assert all(name in drawn for name in ("8f9a0b1", "2c3d4e5"))


def test_a_stack_of_one_region_with_an_mlflow_server_of_before_is_drawn_without_what_it_has_not() -> None:
    report = copy.deepcopy(passed())
    report["stack"] |= {"recovery": None, "artifact_store": None}
    report["stack"]["tracking"] |= {"database": None, "service": None}
    drawn = " ".join(Outline(page(report)).text)
    assert "primary region eu-west-1" in drawn
    assert "recovery region" not in drawn
    assert "PostgreSQL standby" not in drawn


def test_an_audit_account_to_which_no_trail_writes_is_drawn_as_such() -> None:
    report = copy.deepcopy(passed())
    report["steps"] = [one for one in report["steps"] if "audit" not in one["details"]]
    assert "audit account 321098765432: no trail writes to it" in Outline(page(report)).text


def test_the_certificate_is_a_page_of_the_report_and_an_earlier_one_is_none(tmp_path: Path) -> None:
    certificate, report = tmp_path / "certificate", tmp_path / "report"
    certificate.mkdir()
    (certificate / "certificate.html").write_text("proved")
    shown = write_report(report, passed(), certificate).read_text()
    assert 'href="certificate.html"' in shown
    assert (report / "certificate.html").read_text() == "proved"

    write_report(report, passed())

    assert not (report / "certificate.html").exists()


def test_pages_and_bundles_that_the_story_kept_are_part_of_the_report(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "passport-champion.html").write_text("read me")
    page_of_report = write_report(tmp_path / "report", passed(), kept=kept)
    assert (page_of_report.parent / "passport-champion.html").read_text() == "read me"
    links = {attributes.get("href") for name, attributes in Outline(page_of_report.read_text()).elements if name == "a"}
    assert {"passport-champion.html", "audit-champion.zip", "verify.py"} <= links


def test_each_candidate_is_shown_with_its_gates_and_why_it_is_refused() -> None:
    text = " ".join(Outline(page(passed())).text)
    for part in (
        "admitted", "refused", "the gate fairness failed", "disparate_impact of race=black is 0.762",
        "files-overwritten", "requirements.txt was added", "object-altered", "who was shown it", "approver-2",
    ):  # fmt: skip
        assert part in text


def test_what_each_duty_tried_is_shown_with_what_it_was_answered() -> None:
    shown = page(passed())
    for part in ("approver-1", "sign with approver-2&#39;s key", "not authorized to perform: kms:Sign"):
        assert part in shown or part.replace("&#39;", "&#x27;") in shown


def test_rights_are_shown_by_role_with_their_use_and_their_reasons() -> None:
    text = " ".join(Outline(page(passed())).text)
    assert "Rights against their use" in text
    assert "last reviewed on 2026-11-22" in text
    assert ": 1 of 2 used" in text
    assert "people read by key" in text
    assert "and 1 more" in text
    assert "read a lock" in text
