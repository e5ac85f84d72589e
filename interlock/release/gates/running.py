"""Running a gate: whatever it does, there is evidence afterwards, and only a gate that decided can have passed.

Evidence that a gate failed speaks against a release for good. So what was given beside the release must not be its
fault: `Answer.unfit` says where a gate had nothing that it could measure on, and such an answer is signed by nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from pydantic import ValidationError

from interlock.release.digests import canonical_json
from interlock.release.evidence import Evidence, Limit, Measure, Outcome, inputs_digest
from interlock.release.gates.excusing import Beside, let_through
from interlock.release.gates.gate import Gate, GateInputs, Measured, ModelFailed, Needs, NotMeasurable, UnfitInputs
from interlock.release.gates.measuring import told
from interlock.release.gates.tables import clashing
from interlock.release.gates.text import plain
from interlock.release.numbers import decimal_text
from interlock.release.tiers import Demand

MOST_DETAIL_BYTES: Final = 256 * 1024
MOST_SENTENCES: Final = 100
MOST_MEASURES: Final = 5000


@dataclass(frozen=True)
class Terms:
    """Under which part of which policy a gate runs."""

    policy: str
    """The policy's digest, in hexadecimal digits."""
    tier: str
    demand: Demand


@dataclass(frozen=True)
class Answer:
    """What running a gate came to."""

    evidence: Evidence
    unfit: str | None = None
    """Why this tells nothing of the release, if it does not: then the evidence, that the gate failed, is not signed."""


@dataclass(frozen=True)
class PreparedGate:
    """A gate with all that its answer depends on; `digest` is that of the inputs, known before it runs."""

    gate: Gate
    terms: Terms
    inputs: GateInputs
    data: Mapping[str, str]
    digest: str
    problem: str | None
    """Why it cannot run, if it cannot."""
    unfit: str | None = None
    """What it was not given, or what of it cannot be measured on."""

    def run(self, clock: Callable[[], datetime], builder: str = "") -> Evidence:
        """Measure and return the evidence. Whatever the gate raises is its failure and not the caller's.

        Raises Failure or MemoryError where the machine, a service or the champion's record stood in the way.
        """
        return self.answer(clock, builder).evidence

    def answer(self, clock: Callable[[], datetime], builder: str = "") -> Answer:
        """Measure as `run` does, for the session named `builder`, and say whether it tells anything of the release."""
        started = clock()
        measured = self._measured()
        unfit = "; ".join(_few([*measured.unfit, *_against(self.terms.demand.limits, measured)[3]])) or None
        return Answer(self._evidence(measured, started, clock(), builder), unfit)

    def _evidence(self, measured: Measured, started: datetime, ended: datetime, builder: str) -> Evidence:
        measures, reasons, unchecked, _ = _against(self.terms.demand.limits, measured)
        details, problem = _storable(measured.details)
        reasons = [*measured.unfit, *reasons, *([problem] if problem else [])]
        return Evidence(
            gate=self.gate.name,
            gate_version=self.gate.version,
            policy=self.terms.policy,
            tier=self.terms.tier,
            inputs=self.digest,
            outcome=Outcome.FAILED if reasons else Outcome.PASSED,
            measures=tuple(measures),
            reasons=_few(reasons),
            unchecked=_few([*unchecked, *_weighed(self.inputs)]),
            data=dict(self.data),
            columns={part: table.columns for part, table in self.inputs.tables.items()},
            builder=builder,
            details=details,
            started_at=started,
            ended_at=ended,
        )

    def _measured(self) -> Measured:
        if self.problem is not None:
            return Measured(reasons=[self.problem])
        if self.unfit is not None:
            return Measured(unfit=[self.unfit])
        try:
            measured = self.gate.measure(self.inputs)
        except UnfitInputs as error:
            return Measured(unfit=[f"it could not decide: {error}"])
        except NotMeasurable as error:
            return Measured(reasons=[f"it could not decide: {error}"])
        except ModelFailed as error:
            return Measured(reasons=[f"the model failed: {error}"])
        # A gate may be anybody's plug-in and meets data that nobody foresaw; a crash is an answer: failed.
        except Exception as error:
            let_through(error)
            return Measured(reasons=[f"it crashed: {type(error).__name__}: {error}"])
        return _sound(measured)


def prepare_gate(gate: Gate, inputs: GateInputs, terms: Terms) -> PreparedGate:
    """Return the gate with exactly what it declares to need, and the digest of all that its answer depends on.

    Never raises for what the policy or the inputs lack: the prepared gate then fails and says so.
    """
    try:
        parameters = gate.Parameters.model_validate(dict(terms.demand.parameters))
        needs = gate.needs(parameters)
    except ValidationError as error:
        unfit = "; ".join(_told(one) for one in error.errors())
        return _prepared(gate, replace(inputs, tables={}, documents={}), terms, Needs(), unfit=unfit)
    # `needs` is the plug-in's code as well.
    except Exception as error:
        let_through(error)
        problem = f"it crashed: {type(error).__name__}: {error}"
        return _prepared(gate, replace(inputs, tables={}, documents={}), terms, Needs(), problem=problem)
    narrowed = _narrowed(replace(inputs, parameters=parameters), needs)
    return _prepared(gate, narrowed, terms, needs, unfit=_missing(narrowed, needs) or _clash(narrowed))


def run_gate(gate: Gate, inputs: GateInputs, terms: Terms, clock: Callable[[], datetime]) -> Evidence:
    """Prepare the gate and run it."""
    return prepare_gate(gate, inputs, terms).run(clock)


def _told(error: Any) -> str:
    where = ".".join(["parameters", *map(str, error["loc"])])
    return f"{where} of the policy: received {plain(repr(error['input']), 120)}; {error['msg']}"


def _prepared(
    gate: Gate,
    inputs: GateInputs,
    terms: Terms,
    needs: Needs,
    *,
    problem: str | None = None,
    unfit: str | None = None,
) -> PreparedGate:
    data = {part: table.sha256 for part, table in inputs.tables.items()}
    data |= {part: document.sha256 for part, document in inputs.documents.items()}
    data["release"] = inputs.manifest.subject_digest
    if needs.champion and inputs.champion_digest is not None:
        data["champion"] = inputs.champion_digest
    settings = {
        "tier": terms.tier,
        "demand": terms.demand.model_dump(mode="json"),
        "protected_attributes": list(inputs.protected_attributes),
        "approved_sources": list(inputs.approved_sources),
        "columns": {part: table.columns.model_dump(mode="json") for part, table in inputs.tables.items()},
    }
    if inputs.origin is not None:
        settings["origin"] = {"sources": list(inputs.origin.sources), "snapshots": dict(inputs.origin.snapshots)}
    digest = inputs_digest(gate.name, gate.version, terms.policy, data, settings)
    return PreparedGate(gate, terms, replace(inputs, seed=int(digest[:16], 16)), data, digest, problem, unfit)


def _narrowed(inputs: GateInputs, needs: Needs) -> GateInputs:
    declared = {*needs.tables, *needs.documents, *needs.optional}
    return replace(
        inputs,
        predictor=inputs.predictor if needs.predictor else None,
        champion=Beside(inputs.champion) if needs.champion and inputs.champion is not None else None,
        champion_digest=inputs.champion_digest if needs.champion else None,
        server=inputs.server if needs.server else None,
        origin=inputs.origin if needs.origin else None,
        # A copy that costs nothing until it is written to, so that no gate changes what the next one measures.
        tables={
            part: replace(table, frame=table.frame.copy(deep=False))
            for part, table in inputs.tables.items()
            if part in declared
        },
        documents={part: document for part, document in inputs.documents.items() if part in declared},
    )


def _missing(inputs: GateInputs, needs: Needs) -> str | None:
    missing = [f"the table {part!r}" for part in needs.tables if part not in inputs.tables]
    missing += [f"the document {part!r}" for part in needs.documents if part not in inputs.documents]
    missing += ["the model's predictions"] if needs.predictor and inputs.predictor is None else []
    missing += ["what the release's pin says of its origin"] if needs.origin and inputs.origin is None else []
    missing += ["a serving process"] if needs.server and inputs.server is None else []
    return f"it was not given {', '.join(missing)}" if missing else None


def _clash(inputs: GateInputs) -> str | None:
    found = [
        f"tables.{part}.{clash}"
        for part, table in inputs.tables.items()
        for clash in clashing(table.columns, inputs.protected_attributes)
    ]
    return "; ".join(found) or None


def _weighed(inputs: GateInputs) -> Iterator[str]:
    for part, table in inputs.tables.items():
        if table.weight is not None:
            yield f"rows of the table {part!r} count by its column {table.weight!r}: whoever made it vouches for that"


def _sound(measured: object) -> Measured:
    if not isinstance(measured, Measured):
        return Measured(reasons=[f"it answered a {type(measured).__name__} instead of what it measured"])
    strange = [type(one).__name__ for one in measured.measures if not isinstance(one, Measure)]
    if strange:
        return Measured(reasons=[f"it answered a {strange[0]} among its measures"])
    if len(measured.measures) > MOST_MEASURES:
        return Measured(reasons=[f"it answered {len(measured.measures)} measures; accepted are {MOST_MEASURES}"])
    try:
        canonical_json([one.model_dump(mode="json") for one in measured.measures])
    except ValueError as error:
        return Measured(reasons=[f"its measures cannot be written down: {error}"])
    if not measured.measures and not measured.reasons and not measured.unfit:
        return Measured(reasons=["it measured nothing"], unchecked=measured.unchecked)
    return measured


def _against(limits: Mapping[str, Limit], measured: Measured) -> tuple[list[Measure], list[str], list[str], list[str]]:
    """Return the measures with their verdicts, all reasons, what was not checked, and the reasons of inputs alone."""
    measures: list[Measure] = []
    of_inputs: list[str] = []
    reasons = list(measured.reasons)
    unchecked = list(measured.unchecked)
    for one in measured.measures:
        bare = one.model_copy(update={"limit": None, "holds": None})
        limit = limits.get(one.name)
        if limit is None:
            measures.append(bare)
        elif one.suppressed:
            measures.append(bare)
            unchecked.append(f"{told(one)} was not compared with its limit, {limit}: too few rows to tell of")
        else:
            judged = bare.against(limit)
            measures.append(judged)
            broken = [] if judged.holds else [_broken(judged, limit)]
            reasons += broken
            of_inputs += broken if measured.of_inputs & {one.name, told(one)} else []
    known = {one.name for one in measures if not one.suppressed}
    for name, limit in limits.items():
        if name not in known:
            reasons.append(f"it measured no {name}, which the policy limits to {limit}")
    return measures, reasons, unchecked, of_inputs


def _broken(measure: Measure, limit: Limit) -> str:
    if measure.value is None:
        return f"{told(measure)} has no value; the limit is {limit}"
    beside = []
    if measure.low is not None and measure.high is not None:
        beside.append(f"interval {decimal_text(measure.low)} to {decimal_text(measure.high)}")
    if measure.count is not None:
        beside.append(f"n={measure.count}")
    unit = f" {measure.unit}" if measure.unit else ""
    said = f" ({', '.join(beside)})" if beside else ""
    return f"{told(measure)} is {decimal_text(measure.value)}{unit}{said}; the limit is {limit}"


def _storable(details: Mapping[str, Any]) -> tuple[dict[str, Any], str | None]:
    try:
        size = len(canonical_json(dict(details)))
    # Anything may lie in a plug-in's details, and a document that cannot be signed must not end the run.
    except Exception as error:
        return {}, f"its details cannot be written down: {error}"
    if size > MOST_DETAIL_BYTES:
        return {}, f"its details take {size} bytes; accepted are {MOST_DETAIL_BYTES}"
    return dict(details), None


def _few(sentences: Sequence[str]) -> tuple[str, ...]:
    told = [plain(str(one), 600) for one in dict.fromkeys(sentences)]
    if len(told) <= MOST_SENTENCES:
        return tuple(told)
    return (*told[: MOST_SENTENCES - 1], f"and {len(told) - MOST_SENTENCES + 1} more")
