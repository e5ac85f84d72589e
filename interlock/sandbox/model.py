"""A model whose code is run out of reach: the predictor that gates are given."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from interlock.release.gates.gate import ModelFailed, UnfitInputs
from interlock.release.manifest import Manifest
from interlock.sandbox import answers, tables
from interlock.sandbox.copying import ModelCopy
from interlock.sandbox.pipes import Broken, ConfinedProcess
from interlock.sandbox.plan import Limits
from interlock.sandbox.starting import started
from interlock.sandbox.wire import BrokenMessage, message

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd


class ModelSandbox:
    """A model's folder (any MLflow flavour with `python_function`), run confined.

    Its files are copied and compared with the manifest before any of it runs, so that what is measured is the release
    and nothing that is written beside it later. The process is started by the first call, serves many, and is ended
    by the first that it does not answer as it has to; the next call starts another. Not to be shared between threads.
    """

    def __init__(
        self, folder: Path, *, manifest: Manifest | None = None, limits: Limits | None = None, python: str | None = None
    ) -> None:
        self.limits = limits or Limits()
        self._copy = ModelCopy(folder, manifest)
        self._python = python or sys.executable
        self._numbers = itertools.count(1)
        self._process: ConfinedProcess | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def predict(self, rows: pd.DataFrame) -> npt.NDArray[Any]:
        """Return one prediction a row, shaped (rows,) or (rows, outputs): finite numbers, or text.

        Raises ModelFailed, CannotConfine, and UnfitInputs for rows that no model is given.
        """
        try:
            table, blobs = tables.packed(rows)
        except tables.UnfitTable as error:
            raise UnfitInputs(str(error)) from None
        head, content = self._ask({"do": "predict", "table": table}, blobs, self.limits.call_seconds)
        return answers.predictions(head, content, len(rows), self.limits.text_characters)

    def load(self) -> None:
        """Start the process and load the model, if there is none. Raises ModelFailed and CannotConfine."""
        if self._process is not None:
            return
        self._process = started(self._python, self._copy.folder(), self.limits)
        head, _ = self._ask({"do": "load"}, [], self.limits.load_seconds)
        if head.get("loaded") is not True:
            self._end()
            raise ModelFailed(f"the model does not load: {answers.told(head.get('failed', 'no reason given'))}")

    def close(self) -> None:
        """End the process and remove the copy."""
        self._end()
        self._copy.remove()

    def _ask(self, head: dict[str, Any], blobs: list[bytes], seconds: float) -> tuple[dict[str, Any], list[bytes]]:
        if head["do"] != "load":
            self.load()
        assert self._process is not None
        number = next(self._numbers)
        try:
            request = message({**head, "number": number}, blobs)
        except BrokenMessage as error:
            raise ModelFailed(f"the rows cannot be given to a model: {error}") from None
        try:
            answer, content = self._process.exchange(request, seconds)
            if answer.get("number") != number:
                raise Broken("its process answered what it was not asked")
        except Broken as error:
            self._end()
            raise ModelFailed(f"the model failed: {error}") from None
        return answer, content

    def _end(self) -> None:
        if self._process is not None:
            self._process.close()
            self._process = None
