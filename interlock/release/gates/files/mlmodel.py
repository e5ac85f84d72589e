"""The `MLmodel` file: which code loads the model, and from which of its files.

Format: https://mlflow.org/docs/latest/ml/model#storage-format
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from interlock.release.manifest import path_problem
from interlock.written_documents import InvalidDocument, read_yaml

_PATH_KEYS: Final = frozenset(
    [
        "artifact_path",
        "artifacts",
        "code",
        "conda",
        "data",
        "input_schema",
        "model_code_path",
        "model_path",
        "pickled_model",
        "python_model",
        "serving_input_path",
        "virtualenv",
        "path",
    ]
)
_LOADER: Final = re.compile(r"mlflow(\.[a-z_][a-z0-9_]*)+")


def problems_of(folder: Path, loaders: Sequence[str] = ()) -> Iterator[str]:
    """Yield what is wrong with the release's MLmodel file, if it has one.

    `loaders` are modules that may load a model beside MLflow's own flavours.
    """
    path = folder / "MLmodel"
    if not path.is_file():
        return
    try:
        document = read_yaml(path.read_bytes())
    except InvalidDocument as error:
        yield f"cannot be read: {error}"
        return
    flavours = document.get("flavors")
    if not isinstance(flavours, dict) or not all(isinstance(one, dict) for one in flavours.values()):
        yield "names no flavours"
        return
    loader = flavours.get("python_function", {}).get("loader_module")
    if loader is not None and not _is_known(str(loader), loaders):
        yield f"has {loader!r} load the model; accepted are MLflow's own modules" + "".join(
            f", {one}" for one in loaders
        )
    yield from _wrong_paths(document, folder)


def _is_known(loader: str, loaders: Sequence[str]) -> bool:
    return _LOADER.fullmatch(loader) is not None or loader in loaders


def _wrong_paths(node: Mapping[str, Any], folder: Path) -> Iterator[str]:
    for key, value in node.items():
        if isinstance(value, dict):
            yield from _wrong_paths(value, folder)
        elif key in _PATH_KEYS and isinstance(value, str) and key != "artifact_path":
            outwards = path_problem(value.removeprefix("./").rstrip("/"))
            if outwards is not None or "://" in value:
                yield f"takes {key} from {value!r}, which is no path in the release"
            elif not (folder / value).exists():
                yield f"takes {key} from {value!r}, which is not there"
