"""A gate's test cases in the standard form: in-toto's test result, said of the gate's evidence and never beside it.

Source: https://github.com/in-toto/attestation/blob/main/spec/predicates/test-result.md (v0.1).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from interlock.release.evidence import Evidence, Outcome
from interlock.release.predicates import Predicate
from interlock.release.statement import Statement, statement_about

TESTING_GATE: Final = "contract-tests"
"""The gate whose evidence lists cases."""


def result_of(evidence: Evidence, payload: str) -> dict[str, Any]:
    """Return the predicate that says what `evidence` says, `payload` being its statement's digest.

    It follows from them alone, so that whoever reads both can tell whether they agree. Cases are those that the
    evidence lists; its measures say how many there were.
    """
    cases = _cases(evidence.details)
    given = {"evidence": payload, "policy": evidence.policy}
    data = {f"data/{part}": digest for part, digest in sorted(evidence.data.items())}
    return {
        "result": "PASSED" if evidence.outcome is Outcome.PASSED else "FAILED",
        "configuration": [{"name": name, "digest": {"sha256": one}} for name, one in {**given, **data}.items()],
        "passedTests": [f"{case['group']}: {case['name']}" for case in cases if case["passed"]],
        "warnedTests": [],
        "failedTests": [f"{case['group']}: {case['name']}" for case in cases if not case["passed"]],
    }


def result_statement(subject_digest: str, evidence: Evidence, payload: str) -> Statement:
    """Return the statement of it about a release, to be signed by the builder."""
    return statement_about(subject_digest, Predicate.TEST_RESULT, result_of(evidence, payload))


def _cases(details: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the cases that are of the form that the gate gives them; a gate of others' making may write any."""
    cases = details.get("cases")
    kinds = {"group": str, "name": str, "passed": bool}
    return [
        one
        for one in (cases if isinstance(cases, list) else [])
        if isinstance(one, dict) and all(isinstance(one.get(name), kind) for name, kind in kinds.items())
    ]
