"""`interlock stack adopt`: existing resources become a stack's own."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml  # type: ignore[import-untyped]

from interlock.adoption import Adoption, adopt
from interlock.cli.loading import StackOption, pulumi_stack_of
from interlock.cli.terminal import OutputFormat, OutputOption, Printer, command, progress
from interlock.failures import BadInput

FORM = "a mapping of the program's resource names to the ids of existing resources, as YAML or JSON"


@command
def adopt_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Resource name to id, as YAML or JSON.")],
    stack: StackOption = None,
    output: OutputOption = OutputFormat.TEXT,
) -> None:
    """Take existing resources into the stack's state, and show what the next pulumi up would change of them.

    Only the state changes. Running it again completes what is missing. If one of them would be replaced or deleted,
    the reasons are named and the exit code is 1. docs/adopting.md leads through a whole adoption.
    """
    identifiers = read_identifiers(file)
    name = pulumi_stack_of(stack)
    with progress() as say:
        result = adopt(name, identifiers, progress=say)
    Printer(output).result(_fields(result), _lines(name, result))


def read_identifiers(file: Path) -> dict[str, str]:
    """Return the ids in `file` by resource name. Raises BadInput."""
    try:
        document: Any = yaml.safe_load(file.read_text())
    except OSError as error:
        raise BadInput(f"file: {file}: {error.strerror}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise BadInput(f"file: {file} is neither YAML nor JSON: {' '.join(str(error).split())}") from error
    if not isinstance(document, dict) or not document:
        raise BadInput(f"file: received {type(document).__name__} in {file}; accepted is {FORM}")
    wrong = [
        f"{name}: received {identifier!r}; accepted is an id, as text"
        for name, identifier in document.items()
        if not isinstance(name, str) or not isinstance(identifier, str) or not identifier
    ]
    if wrong:
        raise BadInput(f"file: {file}", reasons=wrong)
    return document


def _lines(name: str, result: Adoption) -> list[str]:
    kept = [f"  was in the state already  {one}" for one in result.already]
    changes = [f"  {one.operation} of {one.name}: {', '.join(one.paths) or 'its options'}" for one in result.changes]
    head = f"{len(result.imported)} resources are now part of {name}"
    if not changes:
        return [head, *kept, "pulumi up would change nothing of them"]
    return [head, *kept, "pulumi up would change, and replace nothing:", *changes]


def _fields(result: Adoption) -> dict[str, Any]:
    return {
        "imported": list(result.imported),
        "already": list(result.already),
        "changes": [asdict(one) for one in result.changes],
    }
