"""A gate that asks a hostile model has failed, says why, and its evidence holds nothing that the model slipped in."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from interlock.release.evidence import Outcome
from interlock.release.gates.performance import PerformanceGate
from interlock.sandbox.model import ModelSandbox
from interlock.sandbox.starting import CannotConfine
from tests.interlock.release.gates.given import BrokenModel, evidence, inputs, table
from tests.interlock.sandbox.conftest import BRIEF
from tests.interlock.sandbox.models import hostile_model, model_of

ROWS = pd.DataFrame({"attack": ["sleep"] * 40, "label": [0, 1] * 20})
LIMITS = {"area_under_curve": {"at_least": "0.5"}}

# As it is loaded, when there is nothing to answer yet.
WHILE_LOADING = {
    "reads credentials": f"open({str(Path.home() / '.aws/credentials')!r})",
    "opens a socket": "__import__('socket').create_connection(('127.0.0.1', 80))",
    "writes a file": "open('/model/written', 'w')",
    "forks": "__import__('os').fork()",
    "fills memory": "b'x' * (8 << 30)",
    "leaves": "__import__('os')._exit(0)",
    "prints a fake result": "print('area_under_curve 1.0') or 1 / 0",
    "answers before it is asked": "[__import__('os').write(n, b'\\0\\0\\0\\0') for n in range(3, 64)]",
}


@pytest.mark.parametrize("attack", ["sleep", "leave", "flood", "crash", "fake_result"])
def test_a_gate_whose_model_attacks_has_failed(tmp_path: Path, python: str, attack: str) -> None:
    given_table = table(ROWS.assign(attack=attack), target="label")
    with ModelSandbox(hostile_model(tmp_path / "model"), limits=BRIEF, python=python) as sandbox:
        said = evidence(PerformanceGate(), inputs(predictor=sandbox, tables={"evaluation": given_table}), LIMITS)
    assert said.outcome is Outcome.FAILED
    assert [one for one in said.measures if one.name == "area_under_curve"] == []


@pytest.mark.parametrize("attack", WHILE_LOADING)
def test_a_model_that_attacks_as_it_is_loaded_fails_its_gate(tmp_path: Path, python: str, attack: str) -> None:
    code = f"def attack():\n    return {WHILE_LOADING[attack]}\n\n\nattack()\nraise ImportError('and no model')\n"
    given_table = table(ROWS, target="label")
    with ModelSandbox(model_of(tmp_path / "model", code), limits=BRIEF, python=python) as sandbox:
        said = evidence(PerformanceGate(), inputs(predictor=sandbox, tables={"evaluation": given_table}), LIMITS)
    assert said.outcome is Outcome.FAILED
    assert said.reasons[0].startswith("the model failed: ")


def test_a_machine_that_cannot_confine_is_no_failure_of_the_model() -> None:
    class Unconfined(BrokenModel):
        def predict(self, rows: pd.DataFrame) -> object:  # type: ignore[override]
            raise CannotConfine("this machine gives no namespaces")

    given_inputs = inputs(predictor=Unconfined(), tables={"evaluation": table(ROWS, target="label")})
    with pytest.raises(CannotConfine):
        evidence(PerformanceGate(), given_inputs, LIMITS)
