"""The documents of the modules in `infra/`, as Terraform plans them with nothing behind it.

Source of the format: Terraform, Command: test, options -json and -verbose; JSON Output Format, resource_changes.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from policy.documents.document import Document, documents_among
from rehearsal.infra import write_mirror

INFRA: Final = Path(__file__).resolve().parents[2] / "infra"
RUNS: Final = Path(__file__).with_name("modules")
"""For each module what it is planned with, and what the accounts answer."""
_FOLDER: Final = "scanned"
_HELD: Final = {"policy", "assume_role_policy", "content"}
TIMEOUT_SECONDS: Final = 300


class FoundationsError(RuntimeError):
    """A module could not be planned, or leaves a document open; the text ends with what Terraform said."""


def documents_of_modules(terraform: Path, provider: Path, directory: Path) -> list[Document]:
    """Return the documents of all modules, each once; `directory` is to work in. Raises FoundationsError."""
    modules = sorted(folder.parent.name for folder in INFRA.glob("*/versions.tf"))
    shutil.copytree(INFRA, directory / "infra", ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*"))
    configuration = write_mirror(directory, provider)
    found = [one for name in modules for one in _of_module(name, terraform, configuration, directory / "infra" / name)]
    return list(dict.fromkeys(found))


def _of_module(name: str, terraform: Path, configuration: Path, folder: Path) -> Iterator[Document]:
    runs = RUNS / f"{name}.tftest.hcl"
    if not runs.exists():
        raise FoundationsError(f"{name}: nothing says what it is planned with; accepted is a file {runs.name}")
    (folder / _FOLDER).mkdir()
    shutil.copy(runs, folder / _FOLDER)
    shutil.copy(RUNS / "answers.tfmock.hcl", folder / _FOLDER)
    own = {key: value for key, value in os.environ.items() if not key.startswith(("TF_", "AWS_"))}
    environment = {**own, "TF_CLI_CONFIG_FILE": str(configuration), "CHECKPOINT_DISABLE": "1"}
    tests = f"-test-directory={_FOLDER}"
    _said(terraform, ("init", "-backend=false", "-input=false", "-no-color", tests), folder, environment)
    text = _said(terraform, ("test", "-json", "-verbose", tests), folder, environment)
    yield from read_plans(name, text)


def _said(terraform: Path, arguments: tuple[str, ...], folder: Path, environment: Mapping[str, str]) -> str:
    try:
        answer = subprocess.run(
            [str(terraform), *arguments],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise FoundationsError(f"terraform {arguments[0]} did not end in {TIMEOUT_SECONDS} s") from error
    if answer.returncode != 0:
        problems = [line for line in answer.stdout.splitlines() if '"error"' in line[:40]] or [answer.stdout[-1000:]]
        raise FoundationsError(
            f"terraform {arguments[0]} of {folder.name}: {problems[0][:1000]}{answer.stderr[-1000:]}"
        )
    return answer.stdout


def read_plans(module: str, text: str) -> Iterator[Document]:
    """Read the documents of a module out of what its tests print. Raises FoundationsError for one that is left open."""
    planned = 0
    for line in text.splitlines():
        message = json.loads(line)
        if message.get("type") == "test_plan":
            planned += 1
            for change in message["test_plan"].get("resource_changes") or []:
                yield from _of_change(module, change)
    if not planned:
        raise FoundationsError(f"{module}: Terraform planned nothing")


def _of_change(module: str, change: Mapping[str, Any]) -> Iterator[Document]:
    kind, unknown = change["type"], change["change"].get("after_unknown") or {}
    # A bucket's own attribute of that name is what AWS answers, and nothing that a module says.
    left_open = sorted(key for key in _HELD if unknown.get(key) is True) if kind != "aws_s3_bucket" else []
    if left_open:
        raise FoundationsError(f"{module}: {change['address']}: {', '.join(left_open)} is not known in the plan")
    address = re.sub(r"\[\"?([^\"\]]*)\"?\]", r".\1", change["address"])
    yield from documents_among(change["change"].get("after") or {}, f"{module}.{address}", kind)
