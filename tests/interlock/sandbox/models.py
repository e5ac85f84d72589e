"""Models for the sandbox to run, written as files: no code of theirs is run by the test's own process."""

from __future__ import annotations

import pickle
import sys
import venv
from pathlib import Path

HOSTILE_CODE = Path(__file__).with_name("hostile_code.py")

_STAND_IN = '''"""MLflow's loader of models, without the four seconds that importing MLflow takes."""
import importlib
import sys


def load_model(path):
    sys.path.append(f"{path}/code")
    return importlib.import_module("model_code")._load_pyfunc(path)
'''


def model_of(folder: Path, code: str) -> Path:
    """Write a model whose code is the module `code`, which has `_load_pyfunc(path)`."""
    (folder / "code").mkdir(parents=True)
    (folder / "code" / "model_code.py").write_text(code)
    (folder / "MLmodel").write_text(
        "flavors:\n"
        "  python_function:\n"
        "    loader_module: model_code\n"
        "    code: code\n"
        f"    python_version: {sys.version.split()[0]}\n"
    )
    return folder


def hostile_model(folder: Path) -> Path:
    """Write the model that tries everything."""
    return model_of(folder, HOSTILE_CODE.read_text())


def answering(folder: Path, expression: str) -> Path:
    """Write a model that predicts what `expression` says of `rows`, with `np` and `pd` at hand."""
    return model_of(
        folder,
        "import numpy as np\nimport pandas as pd\n\n\nclass Model:\n    def predict(self, rows):\n"
        f"        return {expression}\n\n\ndef _load_pyfunc(path):\n    return Model()\n",
    )


class _Payload:
    def __init__(self, command: str) -> None:
        self._command = command

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return eval, (self._command,)


def pickled_model(folder: Path, command: str) -> Path:
    """Write a model of MLflow's own Python flavour whose pickle evaluates `command` as it is loaded."""
    folder.mkdir(parents=True)
    (folder / "python_model.pkl").write_bytes(pickle.dumps(_Payload(command)))
    (folder / "MLmodel").write_text(
        "flavors:\n"
        "  python_function:\n"
        "    loader_module: mlflow.pyfunc.model\n"
        "    python_model: python_model.pkl\n"
        f"    python_version: {sys.version.split()[0]}\n"
    )
    return folder


def light_python(folder: Path) -> str:
    """Return an interpreter that has this one's libraries and a stand-in for MLflow, which imports in a second."""
    venv.create(folder, symlinks=True, with_pip=False)
    packages = next(folder.glob("lib/python*/site-packages"))
    (packages / "mlflow").mkdir()
    (packages / "mlflow" / "__init__.py").touch()
    (packages / "mlflow" / "pyfunc.py").write_text(_STAND_IN)
    installed = [one for one in sys.path if one.endswith("site-packages")]
    (packages / "installed.pth").write_text("\n".join(installed) + "\n")
    return str(folder / "bin" / "python")
