from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from interlock.failures import OutsideFailure
from rehearsal.story import DESTROY, STEPS
from rehearsal.story.context import Context, StorySession
from rehearsal.story.runner import run_steps
from rehearsal.story.step import Outcome, Seen, Step, StepRecord, Unexpected


class Telling:
    """Runs steps and keeps what was said and recorded."""

    def __init__(self, directory: Path) -> None:
        self.said: list[str] = []
        self.records: list[StepRecord] = []
        session = cast(StorySession, SimpleNamespace(directory=directory))
        self.context = Context(session=session, checkout=directory, say=self.said.append)

    def run(self, *steps: Step, **options: float) -> dict[str, StepRecord]:
        run_steps(steps, self.context, self.records, **options)
        return {record.name: record for record in self.records}


@pytest.fixture
def telling(tmp_path: Path) -> Telling:
    return Telling(tmp_path)


def seeing(summary: str, **details: Any) -> Callable[[Context], Seen]:
    return lambda _: Seen(summary, details)


def test_steps_run_after_those_they_follow_and_are_recorded_with_what_they_saw(telling: Telling) -> None:
    order: list[str] = []

    def note(name: str) -> Callable[[Context], Seen]:
        return lambda _: order.append(name) or Seen(name)  # type: ignore[func-returns-value]

    records = telling.run(
        Step("one", note("one")), Step("two", note("two"), ("one",)), Step("three", note("three"), ("two",))
    )
    assert order == ["one", "two", "three"]
    assert [record.outcome for record in records.values()] == [Outcome.PASSED] * 3
    assert records["two"].summary == "two"
    assert records["three"].started_at is not None
    assert records["two"].started_at is not None
    assert records["three"].started_at > records["two"].started_at


def test_steps_that_need_nothing_of_each_other_run_side_by_side(telling: Telling) -> None:
    barrier = threading.Barrier(2, timeout=60)
    records = telling.run(
        Step("left", lambda _: Seen(str(barrier.wait()))), Step("right", lambda _: Seen(str(barrier.wait())))
    )
    assert {record.outcome for record in records.values()} == {Outcome.PASSED}


def test_after_a_failure_nothing_more_starts_and_what_runs_is_waited_for(telling: Telling) -> None:
    failed = threading.Event()

    def fail(_: Context) -> Seen:
        failed.set()
        raise Unexpected("a lock", "none", ["/some/log"])

    def outlast(_: Context) -> Seen:
        failed.wait(5)
        threading.Event().wait(0.3)
        return Seen("done")

    records = telling.run(
        Step("fails", fail), Step("runs", outlast), Step("follows the failure", seeing(""), ("fails",)),
        Step("follows the other", seeing(""), ("runs",)),
    )  # fmt: skip
    assert [record.outcome for record in records.values()] == [
        Outcome.FAILED,
        Outcome.PASSED,
        Outcome.NOT_RUN,
        Outcome.NOT_RUN,
    ]
    problem = records["fails"].problem
    assert problem is not None
    assert (problem.expected, problem.seen, problem.logs) == ("a lock", "none", ("/some/log",))
    assert any("expected  a lock" in line and "look in   /some/log" in line for line in telling.said)


def test_an_exception_is_a_failure_whose_traceback_lies_in_a_file(telling: Telling) -> None:
    def crash(_: Context) -> Seen:
        raise ZeroDivisionError("by zero")

    problem = telling.run(Step("crashes", crash))["crashes"].problem
    assert problem is not None
    assert problem.seen == "ZeroDivisionError: by zero"
    assert "in crash" in Path(problem.logs[0]).read_text()


def test_a_failure_of_the_library_is_shown_with_its_reasons(telling: Telling) -> None:
    def refuse(_: Context) -> Seen:
        raise OutsideFailure("no answer", reasons=["the first", "the second"])

    problem = telling.run(Step("asks", refuse))["asks"].problem
    assert problem is not None
    assert problem.seen == "no answer\n  the first\n  the second"


def test_whoever_waits_is_told_what_for(telling: Telling) -> None:
    def wait(context: Context) -> Seen:
        context.busy("the database")
        threading.Event().wait(1.3)
        return Seen("")

    telling.run(Step("waits", wait), reminder_seconds=0.1)
    assert any("waits" in line and "the database" in line for line in telling.said)


def test_one_line_says_that_a_step_runs_and_one_what_it_saw(telling: Telling) -> None:
    telling.run(Step("looks", seeing("forty-two")))
    assert len(telling.said) == 2
    assert "looks" in telling.said[0]
    assert telling.said[1].startswith("  ok")
    assert telling.said[1].endswith("forty-two")


def test_a_step_that_follows_a_later_one_is_refused(telling: Telling) -> None:
    with pytest.raises(ValueError, match="do not come before it"):
        telling.run(Step("one", seeing(""), ("two",)), Step("two", seeing("")))


def test_the_story_itself_is_in_order_and_destroys_last(telling: Telling) -> None:
    quiet = [Step(step.name, seeing(step.name), step.after) for step in (*STEPS, DESTROY)]
    records = telling.run(*quiet)
    assert [record.outcome for record in records.values()] == [Outcome.PASSED] * len(quiet)
    assert telling.said[-1].startswith("  ok    destroy")
