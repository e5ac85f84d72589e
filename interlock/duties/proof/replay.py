"""Every counterexample asked again of the evaluator, which knows nothing of the proof."""

from __future__ import annotations

from collections.abc import Iterator

from interlock.duties.evaluator.decision import decide
from interlock.duties.proof.property import Violation


class Disagreement(AssertionError):
    """Proof and evaluator do not agree about a request: one of them is wrong, and nothing is proved."""


def replay(violation: Violation) -> None:
    """Ask the evaluator for each request of a counterexample. Raises Disagreement."""
    for words in disagreements(violation):
        raise Disagreement(words)


def disagreements(violation: Violation) -> Iterator[str]:
    """Yield each request of a counterexample about which the evaluator says otherwise."""
    for call in violation.calls:
        decision = decide(call.request(), call.question.layers)
        if not decision.allowed:
            yield f"the proof allows {call}; the evaluator: {decision.reason}"
    if violation.denied is not None and decide(violation.denied.request, violation.denied.layers).allowed:
        yield f"the proof denies {violation.denied}; the evaluator allows it"
