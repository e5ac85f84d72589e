"""Imports point inwards: the library never learns of the components, the program or the rehearsal."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("cost", "release", "ledger", "rollout", "monitoring", "duties", "recovery", "settings")
PURE = tuple(f"interlock.{room}" for room in ROOMS)
ADAPTERS = ("interlock.aws", "interlock.kubernetes", "interlock.mlflow")
CLIENTS = (
    *("boto3", "botocore", "mlflow", "kubernetes", "pulumi", "pulumi_aws"),
    *("requests", "urllib", "socket", "subprocess"),
)
# It starts a process that has neither a network nor a service to talk to, and is asked for by commands alone.
SANDBOX = "interlock.sandbox"
OUTSIDE = ("components", "stacks", "rehearsal", "tests")

FORBIDDEN: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(PURE, (*ADAPTERS, SANDBOX, "interlock.cli", "interlock.stack", *OUTSIDE, *CLIENTS)),
    **dict.fromkeys(ADAPTERS, (SANDBOX, "interlock.cli", *OUTSIDE)),
    SANDBOX: (*ADAPTERS, "interlock.cli", "interlock.stack", *OUTSIDE, *(set(CLIENTS) - {"subprocess", "mlflow"})),
    "interlock": (*OUTSIDE, "scripts"),
    "components": ("stacks", "rehearsal", "tests", "interlock.aws", "interlock.cli", "interlock.mlflow"),
    "stacks": ("rehearsal", "tests", "interlock.aws", "interlock.cli", "interlock.mlflow"),
    "images": OUTSIDE,
    "policy": ("tests",),
    "rehearsal": ("tests",),
}


def imported_modules(source: str) -> Iterator[str]:
    """Yield the absolute name of every module that `source` imports, wherever in it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: a relative import hides its room"
            assert node.module is not None
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def forbidden_imports(source: str, room: str) -> list[str]:
    """Return what `source`, a file of `room`, imports although it may not."""
    return [
        module
        for module in imported_modules(source)
        if any(module == name or module.startswith(f"{name}.") for name in FORBIDDEN[room])
    ]


@pytest.mark.parametrize("room", sorted(FORBIDDEN))
def test_a_room_imports_nothing_that_lies_outside_of_it(room: str) -> None:
    files = sorted((ROOT / room.replace(".", "/")).rglob("*.py"))
    found = {str(file.relative_to(ROOT)): forbidden_imports(file.read_text(), room) for file in files}
    assert {file: modules for file, modules in found.items() if modules} == {}


@pytest.mark.parametrize(
    ("room", "line"),
    [
        ("interlock", "from rehearsal.cloud import server"),
        ("interlock.release", "import boto3"),
        ("interlock.release", "from interlock import stack"),
        ("interlock.release", "from interlock.sandbox.model import ModelSandbox"),
        ("interlock.sandbox", "import socket"),
        ("interlock.sandbox", "from interlock.aws import kms"),
        ("components", "import interlock.aws.kms"),
        ("policy", "from tests.components.programs import PROGRAMS"),
        ("stacks", "def f():\n    import rehearsal"),
    ],
)
def test_an_import_outwards_is_found(room: str, line: str) -> None:
    assert forbidden_imports(line, room) != []
