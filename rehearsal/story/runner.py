"""Runs steps, each as soon as those it follows have passed, and keeps a record of every one."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from queue import Empty, SimpleQueue

from interlock.failures import Failure
from rehearsal.story.context import Context
from rehearsal.story.step import Outcome, Problem, Seen, Step, StepRecord, Unexpected

REMINDER_SECONDS = 15.0


def run_steps(
    steps: Sequence[Step],
    context: Context,
    records: list[StepRecord],
    *,
    reminder_seconds: float = REMINDER_SECONDS,
) -> None:
    """Run `steps` and put a record of each into `records`, in the order given; when interrupted, what there is.

    After a failure nothing more is started; what runs already is waited for. Raises ValueError if a step follows one
    that does not come before it.
    """
    _check_order(steps)
    story = _Story(steps, context, reminder_seconds)
    try:
        story.run()
    finally:
        records += story.records()


def _check_order(steps: Sequence[Step]) -> None:
    known: set[str] = set()
    for step in steps:
        unknown = [name for name in step.after if name not in known]
        if unknown or step.name in known:
            raise ValueError(f"the step {step.name!r} is doubled or follows {unknown}, which do not come before it")
        known.add(step.name)


class _Story:
    def __init__(self, steps: Sequence[Step], context: Context, reminder_seconds: float) -> None:
        self._steps = steps
        self._context = context
        self._reminder_seconds = reminder_seconds
        self._records: dict[str, StepRecord] = {}
        self._started: dict[str, float] = {}
        self._finished: SimpleQueue[StepRecord] = SimpleQueue()

    def run(self) -> None:
        reminded = time.monotonic()
        self._start_ready()
        while self._running():
            try:
                record = self._finished.get(timeout=0.5)
            except Empty:
                if time.monotonic() - reminded >= self._reminder_seconds:
                    reminded = time.monotonic()
                    self._remind()
                continue
            self._records[record.name] = record
            self._context.say(_line(record))
            reminded = time.monotonic()
            self._start_ready()

    def records(self) -> list[StepRecord]:
        return [self._records.get(step.name) or self._unfinished(step) for step in self._steps]

    def _unfinished(self, step: Step) -> StepRecord:
        if step.name not in self._started:
            return StepRecord(step.name, step.after, Outcome.NOT_RUN)
        seconds = time.monotonic() - self._started[step.name]
        started_at = datetime.now(UTC) - timedelta(seconds=seconds)
        problem = Problem("to run to its end", "an interruption", (str(self._context.logs),))
        return StepRecord(step.name, step.after, Outcome.FAILED, started_at, seconds, problem=problem)

    def _running(self) -> list[str]:
        return [name for name in self._started if name not in self._records]

    def _start_ready(self) -> None:
        if any(record.outcome is Outcome.FAILED for record in self._records.values()):
            return
        for step in self._steps:
            if step.name not in self._started and all(name in self._records for name in step.after):
                self._started[step.name] = time.monotonic()
                self._context.say(f"  …     {step.name}")
                # A daemon, so that an interrupted rehearsal does not wait for a step to notice.
                threading.Thread(target=self._run, args=(step,), daemon=True, name=step.name).start()

    def _run(self, step: Step) -> None:
        started_at, start = datetime.now(UTC), time.monotonic()
        seen, problem = Seen(""), None
        try:
            seen = step.run(self._context)
        except BaseException as error:
            problem = self._problem(error)
        self._finished.put(
            StepRecord(
                name=step.name,
                after=step.after,
                outcome=Outcome.FAILED if problem else Outcome.PASSED,
                started_at=started_at,
                seconds=time.monotonic() - start,
                summary=seen.summary,
                details=seen.details,
                problem=problem,
                actors=self._context.actors(step.name),
            )
        )

    def _problem(self, error: BaseException) -> Problem:
        logs = (str(self._context.logs),)
        if isinstance(error, Unexpected):
            return Problem(error.expected, error.seen, error.logs or logs)
        if isinstance(error, Failure):
            return Problem("the step to do its work", str(error), logs)
        trace = self._context.keep_traceback(error)
        return Problem("no exception", f"{type(error).__name__}: {error}", (trace, *logs))

    def _remind(self) -> None:
        for name in self._running():
            waited = time.monotonic() - self._started[name]
            activity = self._context.activity(name)
            self._context.say(f"        {name}: {waited:.0f} s{f', {activity}' if activity else ''}")


def _line(record: StepRecord) -> str:
    seconds = f"{record.seconds:6.1f} s" if record.seconds is not None else ""
    if record.problem is None:
        return f"  ok    {record.name} ({seconds.strip()}): {record.summary}"
    lines = [f"  FAILED {record.name} ({seconds.strip()})"]
    lines.append(f"        expected  {record.problem.expected}")
    lines.append(f"        saw       {record.problem.seen}".replace("\n", "\n                  "))
    lines += [f"        look in   {log}" for log in record.problem.logs]
    return "\n".join(lines)
