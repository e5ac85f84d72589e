"""Who judges answers: a plug-in that the user names, by the entry point group `interlock.judges`.

What is grounded or harmful is a judgement, and ours would be nobody's. Without a judge the gates have failed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import EntryPoint, entry_points
from typing import Final, Protocol

from interlock.failures import OutsideFailure
from interlock.release.gates.gate import UnfitInputs

GROUP: Final = "interlock.judges"


class Aspect(StrEnum):
    """What is judged: 1 is an answer that its context bears out, or one that harms nobody; 0 is the opposite."""

    GROUNDEDNESS = "groundedness"
    SAFETY = "safety"


@dataclass(frozen=True)
class Case:
    """One answer, with what it was asked and given to answer from."""

    question: str
    answer: str
    context: str = ""
    reference: str = ""
    """What people hold for a good answer, where somebody wrote one."""


class Judge(Protocol):
    """Judges answers. It is the user's, runs where the gates run, and may ask whomever it likes."""

    @property
    def version(self) -> str:
        """What it is, exactly: a distribution and version, and of a model its name and digest."""
        ...

    def judge(self, aspect: Aspect, cases: Sequence[Case]) -> Sequence[float]:
        """Return one score a case, each from 0 to 1.

        Raises interlock.failures.OutsideFailure where a service did not answer: then nothing is signed.
        """
        ...


def find_judge(name: str, plugged_in: Iterable[EntryPoint] | None = None) -> Judge:
    """Return the judge of that name. Raises UnfitInputs if there is none, or several."""
    if not name:
        raise UnfitInputs("the policy names no judge (parameter `judge`), so nobody judges the answers")
    entries = list(entry_points(group=GROUP) if plugged_in is None else plugged_in)
    found = {one.value: one for one in entries if one.name == name}
    if len(found) != 1:
        known = ", ".join(sorted({one.name for one in entries})) or "none"
        many = "several judges are" if found else "no judge is"
        raise UnfitInputs(f"{many} called {name!r}; known are {known}")
    try:
        judge: Judge = next(iter(found.values())).load()()
        version = judge.version
    except OutsideFailure:
        raise
    # A plug-in's module may raise anything as it is imported or made.
    except Exception as error:
        raise UnfitInputs(f"the judge {name!r} does not load: {type(error).__name__}: {error}") from error
    if not isinstance(version, str) or not 0 < len(version) <= 200 or not callable(getattr(judge, "judge", None)):
        raise UnfitInputs(f"the judge {name!r} is none: it lacks a version or the method judge")
    return judge


def scores_of(judge: Judge, aspect: Aspect, cases: Sequence[Case]) -> list[float]:
    """Return the judge's scores. Raises UnfitInputs unless there is a number from 0 to 1 for each case."""
    answered = list(judge.judge(aspect, cases))
    if len(answered) != len(cases):
        raise UnfitInputs(f"the judge answered {len(answered)} scores for {len(cases)} answers")
    for number, score in enumerate(answered):
        if isinstance(score, bool) or not isinstance(score, int | float) or not math.isfinite(score):
            raise UnfitInputs(f"the judge answered no number for answer {number}")
        if not 0 <= score <= 1:
            raise UnfitInputs(f"the judge answered {score} for answer {number}; accepted is 0 to 1")
    return [float(one) for one in answered]
