"""The gate `file-safety`: what lies in a release is of known kinds, and none of it acts as it is opened.

Decides from the files alone, before they are kept anywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from interlock.release.gates.files import kinds, mlmodel, requirements
from interlock.release.gates.files.problem import FileProblem
from interlock.release.gates.gate import OUR_VERSION, GateInputs, GateParameters, Measured, Needs
from interlock.release.gates.measuring import measure
from interlock.release.gates.text import plain

MOST_TOLD: Final = 200


class FileSafetyParameters(GateParameters):
    imports: tuple[str, ...] = ()
    """What a pickle may name beside the names that are always allowed: `module.name`, or all of `module.*`."""
    loaders: tuple[str, ...] = ()
    """Modules that may load a model beside MLflow's own flavours."""
    python_code: bool = True
    """Whether a release may bring Python code of its own, which runs confined in gates and where it serves."""


class FileSafetyGate:
    name = "file-safety"
    version = OUR_VERSION
    Parameters = FileSafetyParameters

    def needs(self, parameters: FileSafetyParameters) -> Needs:  # noqa: ARG002 (every gate is asked so)
        return Needs()

    def measure(self, inputs: GateInputs) -> Measured:
        parameters = inputs.parameters
        assert isinstance(parameters, FileSafetyParameters)
        problems = list(problems_of(inputs, parameters))
        code = [one.path for one in inputs.manifest.files if one.path.endswith(".py")]
        unsafe = {one.path for one in problems}
        measures = [
            measure("files", len(inputs.manifest.files)),
            measure("unsafe_files", len(unsafe)),
            measure("code_files", len(code)),
        ]
        told = [{"path": plain(one.path, 200), "what": plain(one.what, 300)} for one in problems[:MOST_TOLD]]
        return Measured(
            measures, [str(one) for one in problems], list(_unchecked(code)), {"problems": told, "code": _few(code)}
        )


def problems_of(inputs: GateInputs, parameters: FileSafetyParameters) -> Iterator[FileProblem]:
    """Yield everything that is wrong with the release's files, file by file."""
    for file in inputs.manifest.files:
        for what in kinds.problems_of(inputs.folder, file.path, parameters.imports):
            yield FileProblem(file.path, what)
        if file.path.endswith(".py") and not parameters.python_code:
            yield FileProblem(file.path, "is Python code, which the policy does not accept")
    for what in mlmodel.problems_of(inputs.folder, parameters.loaders):
        yield FileProblem("MLmodel", what)
    for line in requirements.requirements_of(inputs.folder).strange:
        yield FileProblem("requirements.txt", f"asks for what is no version of a distribution: {line}")


def _unchecked(code: list[str]) -> Iterator[str]:
    yield "weights were not looked into: a model may have been trained to answer some inputs as its author wants"
    if code:
        yield f"nothing here read the {len(code)} files of Python code; they run confined in gates and where they serve"


def _few(paths: list[str]) -> list[str]:
    return [plain(one, 200) for one in paths[:MOST_TOLD]]
