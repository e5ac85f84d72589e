"""A gate that crashed, said nothing or could not decide has failed, and the evidence says why."""

from __future__ import annotations

import errno
from collections.abc import Callable
from importlib.metadata import EntryPoint
from typing import Any

import pandas as pd
import pytest

from interlock.failures import OutsideFailure
from interlock.release.evidence import Columns, Evidence, Measure, Outcome, Slice
from interlock.release.gates.gate import (
    GateInputs,
    GateParameters,
    Measured,
    ModelFailed,
    Needs,
    NotMeasurable,
    UnfitInputs,
)
from interlock.release.gates.registry import GROUP, UnknownGate, find_gate
from interlock.release.gates.running import prepare_gate
from tests.interlock.release.gates.given import NOW, BrokenModel, document, evidence, inputs, table, terms


class Plug:
    """A gate that answers what it is told to."""

    name = "plug"
    version = "plugs 1"

    class Parameters(GateParameters):
        minimum: int = 3

    def __init__(self, answer: Callable[[GateInputs], Any], needs: Needs | None = None) -> None:
        self._answer = answer
        self._needs = needs or Needs()

    def needs(self, parameters: Any) -> Needs:
        return self._needs

    def measure(self, inputs: GateInputs) -> Measured:
        answer: Measured = self._answer(inputs)
        return answer


class PlugInPlace(Plug):
    def __init__(self) -> None:
        super().__init__(lambda _: Measured([Measure(name="count", value=1)]))


def raises(error: BaseException) -> Callable[[GateInputs], Any]:
    def measure(_: GateInputs) -> Any:
        raise error

    return measure


def measured(**fields: Any) -> Callable[[GateInputs], Any]:
    return lambda _: Measured([Measure(name="count", **fields)])


LIMIT = {"count": {"at_least": "0.8"}}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (raises(RuntimeError("no\nway")), "it crashed: RuntimeError: no way"),
        (raises(FileNotFoundError(2, "No such file")), "it crashed: FileNotFoundError"),
        (raises(NotMeasurable("3 rows have no label")), "it could not decide: 3 rows have no label"),
        (raises(ModelFailed("killed")), "the model failed: killed"),
        (lambda _: None, "it answered a NoneType instead of what it measured"),
        (lambda _: Measured(), "it measured nothing"),
        (lambda _: Measured([1]), "it answered a int among its measures"),  # type: ignore[list-item]
        (lambda _: Measured([Measure(name="other", value=1)]), "it measured no count, which the policy limits to ≥"),
        (measured(value=None), "count has no value; the limit is ≥ 0.8"),
        (measured(value="0.7999"), "count is 0.7999; the limit is ≥ 0.8"),
        (measured(value=1, suppressed=True), "it measured no count, which the policy limits to ≥ 0.8"),
        (
            lambda _: Measured([Measure(name="count", value=1)], details={"curve": [0.5, float("nan")]}),
            "its details cannot be written down",
        ),
        (
            lambda _: Measured([Measure(name="count", value=1)], details={"much": "x" * 300_000}),
            "its details take 300011 bytes; accepted are 262144",
        ),
        (
            lambda _: Measured([Measure(name="count", value=1, count=2**60)]),
            "its measures cannot be written down",
        ),
    ],
)  # fmt: skip
def test_a_gate_that_did_not_decide_has_failed_and_says_why(answer: Callable[[GateInputs], Any], reason: str) -> None:
    said = evidence(Plug(answer), inputs(), LIMIT)
    assert said.outcome is Outcome.FAILED
    assert any(one.startswith(reason) for one in said.reasons), said.reasons


@pytest.mark.parametrize(
    "error", [OutsideFailure("the kernel gives no namespaces"), OSError(errno.ENOSPC, "No space left"), MemoryError()]
)
def test_what_the_machine_lacks_is_no_evidence_against_a_release(error: Exception) -> None:
    with pytest.raises((OutsideFailure, MemoryError)):
        evidence(Plug(raises(error)), inputs(), LIMIT)


def test_a_number_that_is_none_crashes_the_gate_that_measured_it() -> None:
    said = evidence(Plug(lambda _: Measured([Measure(name="count", value=float("nan"))])), inputs(), LIMIT)
    assert said.outcome is Outcome.FAILED
    assert "accepted is a finite number" in said.reasons[0]


def test_a_measure_exactly_on_its_limit_passes_and_its_verdict_stands_beside_it() -> None:
    said = evidence(Plug(measured(value="0.8")), inputs(), LIMIT)
    assert (said.outcome, said.reasons) == (Outcome.PASSED, ())
    assert said.measures[0].holds is True


def test_a_gate_cannot_give_itself_a_verdict() -> None:
    said = evidence(Plug(measured(value="0.1", holds=True)), inputs())
    assert said.measures[0].holds is None


def test_a_limit_at_a_bound_breaks_where_there_is_no_interval() -> None:
    limit = {"count": {"at_least": "0.8", "bound": "lower"}}
    assert evidence(Plug(measured(value=1)), inputs(), limit).outcome is Outcome.FAILED
    assert evidence(Plug(measured(value=1, low="0.8", high=1)), inputs(), limit).outcome is Outcome.PASSED


def test_a_suppressed_slice_is_not_compared_and_stands_among_what_was_not_checked() -> None:
    small = Measure(name="count", suppressed=True, of=Slice(attribute="race", value="x"))
    said = evidence(Plug(lambda _: Measured([small, Measure(name="count", value=1)])), inputs(), LIMIT)
    assert said.outcome is Outcome.PASSED
    assert said.unchecked == ("count of race=x was not compared with its limit, ≥ 0.8: too few rows to tell of",)


def test_parameters_that_the_gate_does_not_take_fail_it_with_the_field_and_what_was_received() -> None:
    said = evidence(Plug(measured(value=1)), inputs(), minimum="many")
    assert said.reasons[0].startswith("parameters.minimum of the policy: received 'many'; ")
    assert evidence(Plug(measured(value=1)), inputs(), maximum=1).outcome is Outcome.FAILED


def test_a_gate_gets_what_it_declared_and_nothing_else() -> None:
    seen: list[GateInputs] = []

    def look(given: GateInputs) -> Measured:
        seen.append(given)
        return Measured([Measure(name="count", value=1)])

    documents = {"contract": document("a"), "other": document("b")}
    given = inputs(documents=documents, predictor=BrokenModel())
    said = evidence(Plug(look, Needs(documents=("contract",))), given)
    assert set(seen[0].documents) == {"contract"}
    assert seen[0].predictor is None
    assert set(said.data) == {"contract", "release"}


def test_a_gate_that_writes_into_its_table_changes_no_other_gate_s() -> None:
    def spoil(given: GateInputs) -> Measured:
        given.tables["evaluation"].frame.loc[:, "a"] = 0
        given.tables["evaluation"].frame["b"] = 1
        return Measured([Measure(name="count", value=1)])

    shared = table(pd.DataFrame({"a": [1, 2]}))
    assert evidence(Plug(spoil, Needs(tables=("evaluation",))), inputs(tables={"evaluation": shared})).reasons == ()
    assert shared.frame.equals(pd.DataFrame({"a": [1, 2]}))


def test_what_was_not_given_is_named_and_tells_nothing_of_the_release() -> None:
    needs = Needs(tables=("evaluation",), documents=("contract",), predictor=True, server=True, origin=True)
    answer = prepare_gate(Plug(measured(value=1), needs), inputs(), terms()).answer(lambda: NOW)
    assert answer.unfit == (
        "it was not given the table 'evaluation', the document 'contract', the model's predictions, "
        "what the release's pin says of its origin, a serving process"
    )
    assert (answer.evidence.outcome, answer.evidence.reasons) == (Outcome.FAILED, (answer.unfit,))


@pytest.mark.parametrize(
    ("measure", "unfit"),
    [
        (raises(UnfitInputs("3 rows have no label")), "it could not decide: 3 rows have no label"),
        (lambda _: Measured([Measure(name="count", value=1)], unfit=["of 2020", "empty"]), "of 2020; empty"),
        (raises(NotMeasurable("the model answered text")), None),
        (raises(ModelFailed("killed")), None),
        (raises(ZeroDivisionError()), None),
        (measured(value="0.1"), None),
    ],
)  # fmt: skip
def test_only_what_a_gate_found_of_the_release_itself_speaks_against_it(
    measure: Callable[[GateInputs], Any], unfit: str | None
) -> None:
    answer = prepare_gate(Plug(measure), inputs(), terms(LIMIT)).answer(lambda: NOW)
    assert (answer.evidence.outcome, answer.unfit) == (Outcome.FAILED, unfit)


@pytest.mark.parametrize(("rows", "unfit"), [(2, None), (1, "count is 1; the limit is ≥ 2")])
def test_a_limit_on_what_was_given_makes_it_unfit_and_the_release_no_worse(rows: int, unfit: str | None) -> None:
    plug = Plug(lambda _: Measured([Measure(name="count", value=rows)], of_inputs=frozenset({"count"})))
    answer = prepare_gate(plug, inputs(), terms({"count": {"at_least": 2}})).answer(lambda: NOW)
    assert (answer.evidence.outcome is Outcome.PASSED, answer.unfit) == (unfit is None, unfit)


def test_evidence_says_which_columns_were_taken_for_what_and_who_chose_them() -> None:
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": [0, 1], "race": [0, 1], "kept": [1, 0]})
    plug = Plug(measured(value=1), Needs(tables=("evaluation",)))
    given = inputs(tables={"evaluation": table(frame, target="b", weight="kept", protected=("race",))})
    said = prepare_gate(plug, given, terms()).run(lambda: NOW, "pipeline-1")
    assert said.builder == "pipeline-1"
    assert said.columns == {"evaluation": Columns(target="b", weight="kept", protected=("race",))}
    assert said.unchecked == (
        "rows of the table 'evaluation' count by its column 'kept': whoever made it vouches for that",
    )
    assert Evidence.model_validate(said.model_dump(mode="json")) == said


def test_the_same_file_with_other_columns_is_another_input() -> None:
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": [0, 1]})
    plug = Plug(measured(value=1), Needs(tables=("evaluation",)))
    roles: list[dict[str, Any]] = [
        {}, {"target": "a"}, {"target": "b"}, {"prediction": "a"}, {"decision": "a"}, {"weight": "a"},
        {"identifier": "a"}, {"protected": ("a",)},
    ]  # fmt: skip
    prepared = [prepare_gate(plug, inputs(tables={"evaluation": table(frame, **one)}), terms()) for one in roles]
    assert len({one.digest for one in prepared}) == len(roles)
    assert len({frozenset(one.data.items()) for one in prepared}) == 1


@pytest.mark.parametrize("role", ["target", "prediction", "decision", "weight"])
def test_a_column_that_the_policy_protects_has_no_other_role(role: str) -> None:
    frame = pd.DataFrame({"a": [1.0, 2.0], "Race": [0, 1]})
    plug = Plug(measured(value=1), Needs(tables=("evaluation",)))
    given = inputs(tables={"evaluation": table(frame, **{role: "Race"})}, protected_attributes=("race",))
    answer = prepare_gate(plug, given, terms()).answer(lambda: NOW)
    expected = f"tables.evaluation.{role}: received 'Race'; accepted is a column that is no protected attribute"
    assert answer.unfit == expected


def test_the_digest_of_the_inputs_changes_with_each_thing_that_the_answer_depends_on() -> None:
    needs = Needs(documents=("contract",), champion=True)
    plug = Plug(measured(value=1), needs)
    usual: dict[str, Any] = {"documents": {"contract": document("a")}}
    prepared = [
        prepare_gate(plug, inputs(**usual), terms()),
        prepare_gate(plug, inputs(documents={"contract": document("b")}), terms()),
        prepare_gate(plug, inputs(**usual, champion_digest="ef" * 32), terms()),
        prepare_gate(plug, inputs(**usual, protected_attributes=("race",)), terms()),
        prepare_gate(plug, inputs(**usual), terms(LIMIT)),
        prepare_gate(plug, inputs(**usual), terms(minimum=4)),
    ]
    assert len({one.digest for one in prepared}) == len(prepared)
    assert len({one.inputs.seed for one in prepared}) == len(prepared)
    assert prepared[0].digest == prepare_gate(plug, inputs(**usual), terms()).digest


def test_what_an_author_wrote_stands_in_reasons_without_control_characters() -> None:
    said = evidence(Plug(raises(ModelFailed("\x1b[31mred\x00\ud800" + "y" * 5000))), inputs())
    assert said.reasons[0].startswith("the model failed: \\x1b[31mred\\x00\\ud800yyy")
    assert len(said.reasons[0]) == 600


HERE = "tests.interlock.release.gates.test_running"


def point_at(*values: str, name: str = "plug") -> list[EntryPoint]:
    return [EntryPoint(name, value, GROUP) for value in values]


def test_a_gate_of_another_distribution_is_found_by_its_entry_point() -> None:
    assert find_gate("plug", point_at(f"{HERE}:PlugInPlace")).version == "plugs 1"


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ([], "no gate is called 'plug'"),
        (point_at("nowhere.at.all:Gate"), "does not load: ModuleNotFoundError"),
        (point_at(f"{HERE}:Missing"), "does not load: AttributeError"),
        (point_at("builtins:object"), "is no gate: it lacks needs, measure, name, version, Parameters"),
        (point_at("one:A", "two:B"), "several distributions have a gate 'plug': one:A, two:B"),
    ],
)
def test_a_gate_that_is_missing_or_cannot_be_used_is_told(points: list[EntryPoint], message: str) -> None:
    with pytest.raises(UnknownGate, match=message):
        find_gate("plug", points)


def test_a_gate_that_calls_itself_otherwise_is_refused() -> None:
    with pytest.raises(UnknownGate, match="calls itself 'plug'"):
        find_gate("plag", point_at(f"{HERE}:PlugInPlace", name="plag"))


def test_evidence_says_when_it_was_measured() -> None:
    assert evidence(Plug(measured(value=1)), inputs()).started_at == NOW
