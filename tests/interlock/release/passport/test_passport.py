from __future__ import annotations

import base64
import hashlib
import io
import json
import re
from dataclasses import replace
from decimal import Decimal
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from interlock.release.champion import Comparison
from interlock.release.digests import sha256
from interlock.release.envelope import enclose, read_sealed, sign_payload
from interlock.release.evidence import Columns, Limit, Measure
from interlock.release.finding import Change, ChangeKind, Finding
from interlock.release.passport.charts import Row, bars_chart, intervals_chart, meter
from interlock.release.passport.measured import measured_lines
from interlock.release.passport.model import Passport, State
from interlock.release.passport.page import POLICY, page
from interlock.release.passport.text import text
from interlock.release.passport.words import number, plain
from interlock.release.predicates import Predicate
from interlock.release.statement import PAYLOAD_TYPE
from tests.interlock.release.audit.changing import changed
from tests.interlock.release.audit.world import SIGNERS
from tests.interlock.release.passport.sample import HOSTILE, build, passport

CHAMPION = build(impact=0.9, area=0.80, version="2")
HELD = build(impact=0.72, area=0.81, version="3", salt=b"x", approved=False)
REFUSED = passport(HELD, CHAMPION)


class Elements(HTMLParser):
    def __init__(self, content: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(content)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def terminal(one: Passport) -> str:
    console = Console(file=io.StringIO(), width=160, markup=False, emoji=False, highlight=False)
    console.print(text(one))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_what_fails_comes_first_and_what_is_missing_is_there() -> None:
    assert [(gate.name, gate.state) for gate in REFUSED.gates[:2]] == [
        ("fairness", State.FAILED),
        ("sbom", State.MISSING),
    ]
    assert [one.person for one in REFUSED.objections] == ["approver-3"]
    assert REFUSED.could_approve == ("approver-1", "approver-2", "approver-3")
    said = " ".join(Elements(page(REFUSED)).words)
    assert said.index("5 things speak against it") < said.index("Who agrees") < said.index("What changed")
    assert "they had not read what counts of fairness, sbom" in said


def test_a_release_with_everything_reads_so() -> None:
    good = passport(build(impact=0.9, area=0.81, version="3", salt=b"x"), CHAMPION)
    assert good.verifies
    assert "Everything that the tier demands is there" in page(good)
    assert [one.counts for one in good.voices] == [True, True]
    assert "approver-1" not in good.could_approve


def test_gates_that_were_not_run_are_named_before_those_that_were() -> None:
    told = "3 of 5 demanded gates have measured it; nobody knows what these would find"
    some = [replace(gate, required=True) for gate in REFUSED.gates][:5]
    some = [replace(one, state=State.MISSING if place > 2 else State.PASSED) for place, one in enumerate(some)]
    partly = replace(REFUSED, gates=tuple(some))
    names = ", ".join(one.name for one in some[3:])
    assert partly.unmeasured == f"{told}: {names}"
    for said in (" ".join(terminal(partly).split()), " ".join(Elements(page(partly)).words)):
        assert f"{told}: {names}" in said
    assert passport(build(impact=0.9, area=0.81, version="3", salt=b"x")).unmeasured == ""


@pytest.mark.parametrize(
    ("compared", "serving", "said"),
    [
        ((), None, "ompared with no champion: none of its name served before it"),
        (("ab" * 32,), "ab" * 32, f"ompared with {'ab' * 32}, which served before it"),
        (("ab" * 32,), "cd" * 32, f"ompared with {'ab' * 32}; serving is {'cd' * 32}"),
        ((), "cd" * 32, f"ompared with no champion; serving is {'cd' * 32}"),
    ],
)
def test_whom_it_was_compared_with_and_who_serves_stands_at_the_top(
    compared: tuple[str, ...], serving: str | None, said: str
) -> None:
    told = replace(REFUSED, comparison=Comparison(compared, serving))
    for words in (" ".join(terminal(told).split()), " ".join(Elements(page(told)).words)):
        assert said in words
        assert words.index(said) < words.index("measured on")


def test_what_changed_since_the_champion_is_told_with_its_numbers() -> None:
    told = {one.what: (one.before, one.after) for one in REFUSED.changes}
    assert told["performance area_under_curve"] == ("0.8", "0.81")
    assert told["code revision"] == ("4c1f0e2", "4c1f0e3")
    assert told["file MLmodel"] == ("12 bytes", "13 bytes")


def test_what_each_release_gained_over_a_champion_of_its_own_is_not_compared() -> None:
    assert not [one.what for one in REFUSED.changes if one.what.endswith("_gain")]


def test_hostile_text_is_shown_as_text_on_the_page_and_on_the_terminal() -> None:
    hostile = passport(build(impact=0.72, area=0.81, version="3", approved=False, hostile=HOSTILE))
    content, shown = page(hostile), terminal(hostile)
    assert "\x1b" not in content + shown
    assert "\u202e" not in content + shown
    elements = Elements(content)
    assert not {"script", "img", "iframe", "object", "link", "form"} & {name for name, _ in elements.found}
    assert plain(HOSTILE) in " ".join(elements.words)
    assert plain(HOSTILE) in shown


def test_the_page_loads_nothing_and_its_policy_names_its_one_style_sheet() -> None:
    content = page(REFUSED)
    style = re.search(r"<style>(.*)</style>", content, re.S)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert POLICY.startswith("default-src 'none'")
    assert f"'sha256-{digest}'" in POLICY
    for name, attributes in Elements(content).found:
        assert not any(key.startswith("on") or key in ("style", "src") for key in attributes), (name, attributes)
        assert (attributes.get("href") or "#").startswith("#")


def test_a_group_too_small_to_tell_of_has_no_number_anywhere() -> None:
    content = page(REFUSED)
    assert "too few to tell" in content
    row = re.search(r"<td>race</td><td>other</td>(.*?)</tr>", content)
    assert row is not None
    assert not re.search(r"\d", re.sub(r"<[^>]*>", "", row[1]))


def test_every_link_of_the_verdict_leads_to_a_gate() -> None:
    elements = Elements(page(REFUSED)).found
    names = {attributes.get("id") for _, attributes in elements}
    links = [attributes["href"] for name, attributes in elements if name == "a"]
    assert len(links) == 14
    assert {str(one).removeprefix("#") for one in links} <= names


def places(chart: str) -> list[float]:
    return [float(one) for one in re.findall(r'<circle cx="([\d.]+)"', chart)]


@given(st.lists(st.floats(-1e6, 1e6).map(lambda one: round(one, 6)), min_size=2, max_size=8), st.floats(-1e3, 1e3))
def test_dots_lie_in_the_order_and_at_the_distances_of_their_values(values: list[float], limit: float) -> None:
    rows = [Row(str(one), one, one - 1, one + 1) for one in values]
    found = places(intervals_chart("x", rows, limit))
    assert all(209 <= one <= 561 for one in found)
    low, high = values.index(min(values)), values.index(max(values))
    span, drawn = values[high] - values[low], found[high] - found[low]
    for value, place in zip(values, found, strict=True):
        if span > 1:
            assert place - found[low] == pytest.approx(drawn * (value - values[low]) / span, abs=0.2)


def test_a_meter_s_dot_lies_on_the_side_of_its_limit_that_the_number_does() -> None:
    limit = Limit(at_least=Decimal("0.8"))
    for value, holds in (("0.7", False), ("0.9", True)):
        drawing = meter(Measure(name="disparate_impact", value=Decimal(value)).against(limit))
        mark = re.search(r'<line x1="([\d.]+)" y1="1.0"', drawing)
        assert mark is not None
        assert (places(drawing)[0] > float(mark[1])) is holds


def test_a_small_number_does_not_read_as_nothing() -> None:
    assert number(Decimal("0.00001")) == "1.0e-5"
    assert number(Decimal("0")) == "0"
    assert number(Decimal("0.12345"), "s") == "0.123 s"
    assert number(None) == "–"


def test_the_terminal_says_the_verdict_first_and_every_broken_limit() -> None:
    shown = terminal(REFUSED)
    assert shown.splitlines()[0].split() == ["loans/3", "for", "prod", "refused"]
    assert re.search(r"disparate impact race: black +0\.72", shown)
    assert "could approve: approver-1" in shown


def test_what_the_watch_found_is_told_if_an_observer_signed_it() -> None:
    world = build(impact=0.9, area=0.81, version="3")
    change = Change(kind=ChangeKind.FILES_OVERWRITTEN, what="files", before="ab" * 32, after="cd" * 32)
    finding = Finding(
        source=world.pin_predicate().source, changes=(change,), facts={}, previous="", observed_at=world.now
    )
    world.say(Predicate.FINDING, finding, "observer")
    assert "files overwritten" in page(passport(world))
    assert "files overwritten" in terminal(passport(world))
    other = build(impact=0.9, area=0.81, version="3")
    other.say(Predicate.FINDING, finding, "builder")
    assert passport(other).findings == ()


def test_what_is_below_zero_is_drawn_to_the_left_of_the_line() -> None:
    drawing = bars_chart("x", [Row("up", 3.0), Row("down", -1.0)])
    zero = re.search(r'<line x1="([\d.]+)"', drawing)
    bars = [
        (float(x), float(x) + float(width))
        for x, width in re.findall(r'<rect x="([\d.]+)"[^>]* width="([\d.]+)"', drawing)
    ]
    assert zero is not None
    assert bars[0][0] == pytest.approx(float(zero[1]), abs=0.1)
    assert bars[1][1] == pytest.approx(float(zero[1]), abs=0.1)
    assert (bars[0][1] - bars[0][0]) == pytest.approx(3 * (bars[1][1] - bars[1][0]), abs=0.5)


def test_contributions_to_the_answer_say_what_they_are_and_in_which_direction() -> None:
    content = page(REFUSED)
    assert "How far each column moves the answer, by Shapley values" in content
    assert ">more lowers it<" in content
    assert ">more raises it<" in content


def test_the_passport_tells_what_was_measured_on_which_columns_and_who_chose_them() -> None:
    world = build(impact=0.9, area=0.8, version="4", salt=b"y")
    columns = {"evaluation": Columns(target="approve", weight="kept<b>", protected=("race",))}
    lines = "\n".join(measured_lines(with_columns(passport(world), columns)))
    assert "target approve; weight kept<b>; protected race" in lines
    assert "chosen and measured by pipeline-7" in lines
    one = with_columns(passport(world), columns)
    assert "target approve; weight kept<b>; protected race" in " ".join(terminal(one).split())
    words = " ".join(Elements(page(one)).words)
    assert "target approve; weight kept<b>; protected race" in words
    assert "pipeline-7, who approves nothing of it" in words


def with_columns(one: Passport, columns: dict[str, Columns]) -> Passport:
    changed = {"columns": columns, "builder": "pipeline-7"}
    gates = tuple(
        replace(gate, evidence=gate.evidence.model_copy(update=changed)) if gate.evidence else gate
        for gate in one.gates
    )
    return replace(one, gates=gates)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_any_value_in_any_statement_of_a_record_leaves_a_passport_that_can_be_read(data: st.DataObject) -> None:
    """Who approves must see the page, whoever of the signers wrote it and whatever they put there."""
    world = HELD.copy()
    keys = sorted(key for key in world.vault.objects if key.endswith(".dsse.json"))
    key = data.draw(st.sampled_from(keys))
    statement = json.loads(read_sealed(world.vault.objects[key][0][1]).payload)
    statement["predicate"] = data.draw(changed(statement["predicate"]))
    payload = json.dumps(statement).encode()
    signature = sign_payload(PAYLOAD_TYPE, payload, SIGNERS["approver-1" if key.startswith("approvals") else "builder"])
    del world.vault.objects[key]
    content = enclose(PAYLOAD_TYPE, payload, [signature]).content
    world.vault.add_version(f"{key.rpartition('/')[0]}/{sha256(payload).hex()}.dsse.json", content)
    shown = passport(world)
    assert "refused" in terminal(shown)
    assert page(shown)


@pytest.mark.parametrize(
    "time", ["9999-12-31T23:59:59-12:00", "8999-12-31T23:59:59-12:00", "2026-11-02T10:00:00+05:30"]
)
def test_a_request_of_any_date_leaves_a_passport_that_can_be_read(time: str) -> None:
    world = HELD.copy()
    key = next(one.key for one in world.record().pins)
    statement = json.loads(read_sealed(world.vault.objects[key][0][1]).payload)
    statement["predicate"]["request"]["document"]["submitted_at"] = time
    statement["predicate"]["training"]["started_at"] = time
    del world.vault.objects[key]
    world.say(Predicate.PIN, statement["predicate"], "builder")
    assert "refused" in terminal(passport(world))
    assert page(passport(world))
