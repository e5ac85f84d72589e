from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest

from interlock.sandbox.model import ModelSandbox
from interlock.sandbox.plan import MIB, Limits
from tests.interlock.sandbox.models import answering, hostile_model, light_python

BRIEF = Limits(load_seconds=60, call_seconds=3, memory_bytes=1024 * MIB, scratch_bytes=8 * MIB, answer_bytes=MIB)

Predicting = Callable[..., ModelSandbox]


@pytest.fixture(scope="session")
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An interpreter whose MLflow takes no time to import; all else is what a model is always run by."""
    return light_python(tmp_path_factory.mktemp("light") / "python")


@pytest.fixture(scope="session")
def evaluating(tmp_path_factory: pytest.TempPathFactory, python: str) -> Iterator[ModelSandbox]:
    """A model that answers with the expression in the first row's column `expression`."""
    folder = answering(tmp_path_factory.mktemp("evaluating") / "model", "eval(rows['expression'][0])")
    with ModelSandbox(folder, limits=BRIEF, python=python) as sandbox:
        yield sandbox


@pytest.fixture
def hostile(tmp_path: Path, python: str) -> Iterator[ModelSandbox]:
    with ModelSandbox(hostile_model(tmp_path / "hostile"), limits=BRIEF, python=python) as sandbox:
        yield sandbox


@pytest.fixture
def predicting(tmp_path: Path, python: str) -> Iterator[Predicting]:
    """Makes a sandbox of a model that answers with an expression."""
    made: list[ModelSandbox] = []

    def make(expression: str, limits: Limits = BRIEF) -> ModelSandbox:
        made.append(ModelSandbox(answering(tmp_path / f"model-{len(made)}", expression), limits=limits, python=python))
        return made[-1]

    yield make
    for one in made:
        one.close()


def attacks(*names: str) -> pd.DataFrame:
    return pd.DataFrame({"attack": list(names)})
