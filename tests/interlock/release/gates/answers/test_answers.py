"""Answers are measured by form and by a judge of the user's; without a judge, or with a poor one, the gates fail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd
import pytest
from scipy.stats import binomtest

from interlock.failures import OutsideFailure
from interlock.release.evidence import Evidence, Outcome
from interlock.release.gates.answers.judge import Aspect, Case
from interlock.release.gates.gate import Gate
from interlock.release.gates.groundedness import GroundednessGate
from interlock.release.gates.measuring import share
from interlock.release.gates.text_format import TextFormatGate
from interlock.release.gates.text_safety import TextSafetyGate
from tests.interlock.release.gates.given import FunctionModel, evidence, found, inputs, table

ROWS = pd.DataFrame({"question": [f"Q{n}" for n in range(40)], "context": [f"fact {n}" for n in range(40)]})
LIMITS = {
    "grounded": {"at_least": "0.9"},
    "well_formed": {"at_least": "0.9"},
    "unsafe_answers": {"at_most": 0},
}


class Overlap:
    """Grounded is what repeats its context; harmful is what says so."""

    version = "overlap 1.0"
    seen: ClassVar[list[Case]] = []

    def judge(self, aspect: Aspect, cases: Sequence[Case]) -> Sequence[float]:
        self.seen[:] = cases
        if aspect is Aspect.GROUNDEDNESS:
            return [float(one.context in one.answer) for one in cases]
        return [0.0 if "harm" in one.answer else 1.0 for one in cases]


def answering(scores: Any) -> type:
    class Answering(Overlap):
        def judge(self, aspect: Aspect, cases: Sequence[Case]) -> Any:
            return scores(cases)

    return Answering


class Unreachable(Overlap):
    def judge(self, aspect: Aspect, cases: Sequence[Case]) -> Sequence[float]:
        raise OutsideFailure("the judge's service did not answer")


JUDGES: dict[str, type] = {
    "overlap": Overlap,
    "short": answering(lambda cases: [1.0] * (len(cases) - 1)),
    "nan": answering(lambda cases: [float("nan")] * len(cases)),
    "large": answering(lambda cases: [1.5] * len(cases)),
    "words": answering(lambda cases: ["good"] * len(cases)),
    "crashing": answering(lambda cases: 1 / 0),
    "unreachable": Unreachable,
}


@dataclass(frozen=True)
class Announced:
    """An entry point of a distribution that is not installed."""

    name: str
    value: str

    def load(self) -> type:
        return JUDGES[self.name]


@pytest.fixture(autouse=True)
def _judges(monkeypatch: pytest.MonkeyPatch) -> None:
    announced = [*(Announced(name, name) for name in JUDGES), Announced("twice", "a"), Announced("twice", "b")]
    monkeypatch.setattr("interlock.release.gates.answers.judge.entry_points", lambda group: announced)


def judged(
    gate: Gate, folder: Path, answer: Callable[[int], str], limits: dict[str, Any] | None = None, **parameters: Any
) -> Evidence:
    name = {"groundedness": "grounded", "text-format": "well_formed", "text-safety": "unsafe_answers"}[gate.name]
    (folder / "MLmodel").write_text("flavors: {}\n")
    model = FunctionModel(lambda rows: pd.Series([answer(n) for n in range(len(rows))], dtype=object))
    given = inputs(folder, predictor=model, tables={"evaluation": table(ROWS)})
    return evidence(gate, given, limits or {name: LIMITS[name]}, **parameters)


def grounded(number: int) -> str:
    return f"I read: fact {number}"


@pytest.mark.parametrize(("wrong", "outcome"), [(0, Outcome.PASSED), (4, Outcome.PASSED), (5, Outcome.FAILED)])
def test_groundedness_is_the_share_that_the_judge_finds_grounded(tmp_path: Path, wrong: int, outcome: Outcome) -> None:
    said = judged(
        GroundednessGate(), tmp_path, lambda n: "made up" if n < wrong else grounded(n), judge="overlap"
    )  # fmt: skip
    assert said.outcome is outcome
    measured = found(said, "grounded")
    interval = binomtest(40 - wrong, 40).proportion_ci(method="wilson")
    assert measured.count == 40
    assert measured.low is not None
    assert measured.high is not None
    assert float(measured.low) == pytest.approx(interval.low, abs=1e-9)
    assert float(measured.high) == pytest.approx(interval.high, abs=1e-9)
    assert any("overlap 1.0" in one for one in said.unchecked)


def test_a_limit_may_hold_for_the_end_of_the_interval(tmp_path: Path) -> None:
    limits = {"grounded": {"at_least": "0.95", "bound": "lower"}}
    assert judged(GroundednessGate(), tmp_path, grounded, limits, judge="overlap").outcome is Outcome.FAILED


@pytest.mark.parametrize("gate", [GroundednessGate(), TextSafetyGate()], ids=lambda one: one.name)
@pytest.mark.parametrize(
    ("judge", "reason"),
    [
        ("", "the policy names no judge"),
        ("nobody", "no judge is called 'nobody'"),
        ("twice", "several judges are called 'twice'"),
        ("short", "39 scores for 40 answers"),
        ("nan", "no number for answer 0"),
        ("large", "answered 1.5 for answer 0"),
        ("words", "no number for answer 0"),
        ("crashing", "ZeroDivisionError"),
    ],
)
def test_without_a_judge_that_decides_a_gate_has_failed(tmp_path: Path, gate: Gate, judge: str, reason: str) -> None:
    said = judged(gate, tmp_path, grounded, judge=judge)
    assert said.outcome is Outcome.FAILED
    assert any(reason in one for one in said.reasons), said.reasons


def test_a_judge_that_cannot_be_reached_says_nothing_about_the_release(tmp_path: Path) -> None:
    with pytest.raises(OutsideFailure):
        judged(GroundednessGate(), tmp_path, grounded, judge="unreachable")


def test_an_answer_that_harms_is_counted_and_named_by_its_row(tmp_path: Path) -> None:
    said = judged(TextSafetyGate(), tmp_path, lambda n: "harm" if n in (3, 7) else "fine", judge="overlap")
    assert said.outcome is Outcome.FAILED
    assert found(said, "unsafe_answers").value == found(said, "harmful_answers").value == 2
    assert list(said.details["unsafe_rows"]) == [3, 7]


def test_an_answer_that_tells_of_a_person_unasked_is_unsafe(tmp_path: Path) -> None:
    said = judged(TextSafetyGate(), tmp_path, lambda n: "ask somebody@example.org" if n == 5 else "x", judge="overlap")
    assert found(said, "personal_answers").value == 1
    assert said.outcome is Outcome.FAILED
    assert "somebody@" not in said.model_dump_json()


def test_what_a_question_told_an_answer_may_tell(tmp_path: Path) -> None:
    rows = ROWS.assign(question="who is somebody@example.org?")
    (tmp_path / "MLmodel").write_text("flavors: {}\n")
    model = FunctionModel(lambda rows: pd.Series(["somebody@example.org is known"] * len(rows), dtype=object))
    given = inputs(tmp_path, predictor=model, tables={"evaluation": table(rows)})
    said = evidence(TextSafetyGate(), given, {"unsafe_answers": {"at_most": 0}}, judge="overlap")
    assert said.outcome is Outcome.PASSED, said.reasons


@pytest.mark.parametrize(
    ("answer", "parameters", "fits"),
    [
        ("a text", {}, True),
        (" \n", {}, False),
        ("x" * 100, {"most_characters": 100}, True),
        ("x" * 101, {"most_characters": 100}, False),
        ("\x1b[2J", {}, False),
        ("a\x00", {}, False),
        ("two\nlines\tand a tab", {}, True),
        ('{"answer": 1}', {"form": "json"}, True),
        ('{"answer": 1}', {"form": "json", "keys": ["answer"]}, True),
        ('{"answer": 1, "more": 2}', {"form": "json", "keys": ["answer"]}, False),
        ("[1]", {"form": "json", "keys": ["answer"]}, False),
        ("{", {"form": "json"}, False),
        ("yes", {"pattern": "yes|no"}, True),
        ("yes, but", {"pattern": "yes|no"}, False),
    ],
)
def test_the_form_of_an_answer_is_what_the_policy_says(
    tmp_path: Path, answer: str, parameters: dict[str, Any], fits: bool
) -> None:
    said = judged(TextFormatGate(), tmp_path, lambda _: answer, **parameters)
    assert said.outcome is (Outcome.PASSED if fits else Outcome.FAILED)
    assert found(said, "well_formed").value == int(fits)


def test_a_pattern_that_is_none_is_a_fault_of_the_policy(tmp_path: Path) -> None:
    said = judged(TextFormatGate(), tmp_path, grounded, pattern="(")
    assert "pattern" in said.reasons[0]


def test_too_few_answers_say_nothing(tmp_path: Path) -> None:
    assert judged(TextFormatGate(), tmp_path, grounded, least_answers=40).outcome is Outcome.PASSED
    said = judged(TextFormatGate(), tmp_path, grounded, least_answers=41)
    assert "40 rows; accepted are 41 or more" in said.reasons[0]


def test_the_reference_is_given_to_the_judge_and_not_to_the_model(tmp_path: Path) -> None:
    columns: list[list[str]] = []
    rows = ROWS.assign(reference="good")
    (tmp_path / "MLmodel").write_text("flavors: {}\n")

    def answer(asked: pd.DataFrame) -> pd.Series:
        columns.append(list(asked.columns))
        return pd.Series(["x"] * len(asked), dtype=object)

    given = inputs(tmp_path, predictor=FunctionModel(answer), tables={"evaluation": table(rows)})
    evidence(GroundednessGate(), given, judge="overlap", reference="reference")
    assert columns == [["question", "context"]]
    assert Overlap.seen[0] == Case("Q0", "x", "fact 0", "good")


def test_a_prompt_is_judged_by_answers_that_were_made_elsewhere_and_that_is_said(tmp_path: Path) -> None:
    rows = table(ROWS.assign(answer=[grounded(n) for n in range(40)]), prediction="answer")
    given = inputs(tmp_path, predictor=FunctionModel(lambda rows: rows), tables={"evaluation": rows})
    said = evidence(GroundednessGate(), given, LIMITS, judge="overlap")
    assert found(said, "grounded").value == 1
    assert any("made elsewhere" in one for one in said.unchecked)


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (ROWS.drop(columns=["context"]), "the table has no column 'context'"),
        (ROWS.assign(context=None), "'context' holds no text in row 0"),
        (ROWS.assign(question=1), "'question' holds no text in row 0"),
    ],
)
def test_a_table_without_texts_cannot_be_judged(tmp_path: Path, rows: pd.DataFrame, reason: str) -> None:
    (tmp_path / "MLmodel").write_text("flavors: {}\n")
    model = FunctionModel(lambda rows: pd.Series(["x"] * len(rows), dtype=object))
    given = inputs(tmp_path, predictor=model, tables={"evaluation": table(rows)})
    assert reason in evidence(GroundednessGate(), given, judge="overlap").reasons[0]


def test_a_model_that_answers_with_numbers_is_no_model_of_text(tmp_path: Path) -> None:
    (tmp_path / "MLmodel").write_text("flavors: {}\n")
    given = inputs(tmp_path, predictor=FunctionModel(len_of), tables={"evaluation": table(ROWS)})
    assert "accepted is text" in evidence(TextFormatGate(), given).reasons[0]


def len_of(rows: pd.DataFrame) -> pd.Series:
    return pd.Series(range(len(rows)))


@pytest.mark.parametrize("good", [0, 1, 20, 39, 40])
def test_a_share_has_wilson_s_interval(good: int) -> None:
    interval = binomtest(good, 40).proportion_ci(method="wilson")
    measured = share("safe", good, 40)
    assert measured.low is not None
    assert float(measured.low) == pytest.approx(interval.low, abs=1e-9)
