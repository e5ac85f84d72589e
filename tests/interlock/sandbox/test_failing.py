"""A model that does not answer as it has to has failed, is gone when that is told, and has left nothing."""

from __future__ import annotations

import re
import time
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest

from interlock.release.gates.gate import ModelFailed
from interlock.release.manifest import manifest_of
from interlock.sandbox.model import ModelSandbox
from interlock.sandbox.plan import MIB, Limits
from tests.interlock.sandbox.conftest import BRIEF, Predicting, attacks
from tests.interlock.sandbox.models import model_of

ROWS = pd.DataFrame({"a": [1.0, 2.0, 3.0]})


def left_over() -> list[psutil.Process]:
    return psutil.Process().children(recursive=True)


@pytest.mark.parametrize(
    ("attack", "reason"),
    [
        ("sleep", "took longer than 3 s"),
        ("flood", "its process"),
        ("tamper", "what it was not asked"),
        ("close_pipes", "its process ended"),
        ("leave", "its process ended with status 0"),
        ("crash", "its process ended with status"),
        ("lie_about_size", "4,294,967,295 bytes; accepted are 1,048,576"),
        ("exit_politely", "SystemExit"),
        # On a busy machine its time is over before its memory is.
        ("fill_memory", "MemoryError|took longer"),
    ],
)
def test_an_attack_on_the_process_that_measures_is_a_failure(hostile: ModelSandbox, attack: str, reason: str) -> None:
    before = left_over()
    hostile.load()
    started = time.monotonic()
    try:
        # What a model catches itself, such as having no more memory, it may answer; it still gained nothing.
        told = str(hostile.predict(attacks(attack))[0])
        if attack == "tamper":
            # A pipe that holds an answer before it is asked for is never read as an answer.
            hostile.predict(attacks("who"))
    except ModelFailed as error:
        told = str(error)
    assert re.search(reason, told)
    assert time.monotonic() - started < 10
    hostile.close()
    assert left_over() == before


def test_an_answer_that_the_model_put_into_the_pipe_itself_is_not_taken_for_one(hostile: ModelSandbox) -> None:
    hostile.load()
    hostile.predict(attacks("who"))
    with pytest.raises(ModelFailed, match=r"its process .* not asked"):
        # Its number is the one before this one's.
        hostile.predict(attacks("tamper"))


def test_after_a_failure_the_next_call_is_another_process(hostile: ModelSandbox) -> None:
    with pytest.raises(ModelFailed):
        hostile.predict(attacks("leave"))
    assert str(hostile.predict(attacks("who"))[0]).startswith("got:")


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("np.array([1.0, np.nan, 2.0])", r"predicted nan \(value 1\)"),
        ("np.array([1.0, -np.inf, 2.0])", r"predicted -inf \(value 1\)"),
        ("np.array([1.0, 2.0])", r"3 rows with predictions shaped \(2,\)"),
        ("1.0", r"3 rows with predictions shaped \(\)"),
        ("np.zeros((3, 0))", r"shaped \(3, 0\)"),
        ("np.zeros((3, 1001))", r"shaped \(3, 1001\)"),
        ("np.zeros((3, 2, 2))", r"shaped \(3, 2, 2\)"),
        ("np.zeros(3, dtype=complex)", "are of type complex128"),
        ("np.array([b'a', b'b', b'c'])", "are of type"),
        ("[object(), 1, 2]", "predictions are int, object"),
        ("None", "predictions are NoneType"),
        ("[None, None, None]", "predictions are NoneType"),
        ("pd.DataFrame({'a': [1.0, None, 2.0]})", "predicted nan"),
        ("['x' * 200_000] * 3", "200,000 characters; accepted are 100,000"),
        ("np.zeros((3, 900), dtype=complex)", "complex"),
        ("np.zeros((3, 1 << 20))", "bytes; accepted are 1,048,576"),
        ("pd.to_datetime(['2026-01-01'] * 3)", "are of type datetime64"),
        ("1 / 0", "the model raised ZeroDivisionError"),
    ],
)
def test_an_answer_of_another_kind_is_a_failure_with_its_reason(
    evaluating: ModelSandbox, expression: str, reason: str
) -> None:
    with pytest.raises(ModelFailed, match=reason):
        evaluating.predict(ROWS.assign(expression=expression))


def test_what_a_model_says_of_its_failure_cannot_steer_a_terminal(predicting: Predicting) -> None:
    sandbox = predicting(r"(_ for _ in ()).throw(ValueError('\x1b]0;owned\x07\n\u202egnp.exe' + 'x' * 5000))")
    with pytest.raises(ModelFailed) as caught:
        sandbox.predict(ROWS)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400


def test_a_model_that_does_not_load_is_a_failure(tmp_path: Path, python: str) -> None:
    before = left_over()
    code = "raise ImportError('no such thing')\n"
    with ModelSandbox(model_of(tmp_path / "model", code), limits=BRIEF, python=python) as sandbox:
        with pytest.raises(ModelFailed, match="the model does not load: ImportError: no such thing"):
            sandbox.load()
        assert left_over() == before


def test_a_model_that_takes_too_long_to_load_is_a_failure(tmp_path: Path, python: str) -> None:
    code = "import time\ntime.sleep(600)\n"
    limits = Limits(load_seconds=1.5)
    sandbox = ModelSandbox(model_of(tmp_path / "model", code), limits=limits, python=python)
    with sandbox, pytest.raises(ModelFailed, match=r"took longer than 1\.5 s"):
        sandbox.load()


def test_memory_is_what_the_limit_says(predicting: Predicting) -> None:
    with pytest.raises(ModelFailed, match="MemoryError"):
        predicting("np.zeros(1 << 27)[:3]").predict(ROWS)
    roomy = Limits(memory_bytes=3072 * MIB)
    assert predicting("np.zeros(1 << 27)[:3]", roomy).predict(ROWS).tolist() == [0.0, 0.0, 0.0]


def test_files_that_are_not_those_of_the_manifest_are_never_run(tmp_path: Path, python: str) -> None:
    folder = model_of(tmp_path / "model", "raise SystemExit('this ran')\n")
    manifest = manifest_of(folder)
    (folder / "code" / "model_code.py").write_text("raise SystemExit('this ran too')\n")
    sandbox = ModelSandbox(folder, manifest=manifest, limits=BRIEF, python=python)
    with sandbox, pytest.raises(ModelFailed, match="not those of its manifest"):
        sandbox.load()


def test_files_that_change_after_they_were_compared_are_not_the_ones_that_run(predicting: Predicting) -> None:
    sandbox = predicting("rows['a'] * 2")
    assert np.array_equal(sandbox.predict(ROWS), [2.0, 4.0, 6.0])
    code = sandbox._copy._folder / "code" / "model_code.py"
    code.write_text(code.read_text().replace("* 2", "* 3"))
    sandbox._end()
    assert np.array_equal(sandbox.predict(ROWS), [2.0, 4.0, 6.0])
