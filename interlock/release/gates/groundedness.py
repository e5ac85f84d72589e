"""The gate `groundedness`: answers say what the texts that they were given bear out, as the user's judge sees it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from interlock.release.gates.answers.evaluation import AnswersParameters, answered_cases, recorded
from interlock.release.gates.answers.judge import Aspect, find_judge, scores_of
from interlock.release.gates.gate import OUR_VERSION, GateInputs, Measured, Needs
from interlock.release.gates.measuring import measure, share
from interlock.release.gates.text import plain


class GroundednessParameters(AnswersParameters):
    judge: str = ""
    """The judge's name among the entry points of `interlock.judges`."""
    least_score: Annotated[float, Field(gt=0, le=1)] = 0.5
    """From which score on an answer counts as grounded."""
    context: str | None = "context"


class GroundednessGate:
    name = "groundedness"
    version = OUR_VERSION
    Parameters = GroundednessParameters

    def needs(self, parameters: GroundednessParameters) -> Needs:
        return Needs(tables=(parameters.table,), predictor=True)

    def measure(self, inputs: GateInputs) -> Measured:
        parameters = inputs.parameters
        assert isinstance(parameters, GroundednessParameters)
        judge = find_judge(parameters.judge)
        cases = answered_cases(inputs, parameters)
        scores = scores_of(judge, Aspect.GROUNDEDNESS, cases)
        grounded = sum(one >= parameters.least_score for one in scores)
        measures = [
            share("grounded", grounded, len(cases)),
            measure("mean_score", sum(scores) / len(scores), count=len(cases)),
        ]
        doubts = [f"what is grounded is what {plain(judge.version, 200)} judges to be", *recorded(inputs)]
        return Measured(measures, unchecked=doubts, details={"judge": plain(judge.version, 200)})
