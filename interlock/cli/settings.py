"""`interlock settings`: what is wrong with a stack's settings, and how two stacks' differ."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any

import typer

from interlock.cli.terminal import OutputFormat, OutputOption, Printer, command
from interlock.failures import BadInput
from interlock.rules import Problem
from interlock.settings.difference import Difference, differences, shown
from interlock.settings.files import SettingsFileError, StackFile, stack_file, stack_files, stack_of, stack_paths
from interlock.settings.foundations import FoundationsError, read_foundations, with_foundations
from interlock.settings.model import Settings
from interlock.settings.neighbours import problems_between
from interlock.settings.reading import SettingsError, read_settings
from interlock.settings.section import Layer

app = typer.Typer(help="What is wrong with a stack's settings, and how two stacks' differ.", no_args_is_help=True)

WHICH = "A stack of this project, or a file such as stacks/Pulumi.prod.yaml"


@app.command()
@command
def check(
    stack: Annotated[
        str | None, typer.Argument(help=f"{WHICH}; all stacks unless given.", metavar="[STACK|FILE]")
    ] = None,
    output: OutputOption = OutputFormat.TEXT,
) -> None:
    """Check settings, and name all that is wrong with them, without Pulumi and without credentials."""
    read = [_beside_its_neighbours(file, *_read(file)) for file in _files(stack)]
    if any(problems for _, _, problems in read):
        raise _wrong(read)
    Printer(output).result(
        {"outcome": "right", "stacks": {file.stack: _summary(settings) for file, settings, _ in read if settings}},
        [f"{file.stack}: {_in_words(settings)}" for file, settings, _ in read if settings],
    )


@app.command()
@command
def diff(
    first: Annotated[str, typer.Argument(help=f"{WHICH}.", metavar="STACK|FILE")],
    second: Annotated[str, typer.Argument(help="The one to compare it with.", metavar="STACK|FILE")],
    output: OutputOption = OutputFormat.TEXT,
) -> None:
    """Say in words how the settings of two stacks differ; defaults count as if they had been written."""
    read = [(file, *_read(file)) for file in (*_files(first), *_files(second))]
    if any(problems for _, _, problems in read):
        raise _wrong(read)
    (one, here, _), (other, there, _) = read
    assert here is not None
    assert there is not None
    names = (one.stack, other.stack) if one.stack != other.stack else (str(one.path), str(other.path))
    found = differences(names, here, there)
    Printer(output).result(
        {"stacks": list(names), "differences": [_fields(names, difference) for difference in found]},
        _lines(names, found) or [f"{names[0]} and {names[1]} do not differ"],
    )


@app.command("import")
@command
def import_(
    outputs: Annotated[
        Path, typer.Argument(help="What `terraform output -json` printed for infra/bootstrap.", metavar="OUTPUTS")
    ],
    stack: Annotated[str, typer.Argument(help=f"{WHICH}.", metavar="STACK|FILE")],
    layer: Annotated[Layer, typer.Option(help="The layer that the stack provisions.")] = Layer.PLATFORM,
    output: OutputOption = OutputFormat.TEXT,
) -> None:
    """Have a stack live where the foundations of its accounts are: account, region, role and secrets provider."""
    file = _files(stack)[0]
    try:
        foundations = read_foundations(outputs.read_text(encoding="utf-8"), layer.value)
    except FoundationsError as error:
        raise BadInput(f"{outputs} is not what was asked for", reasons=[str(one) for one in error.problems]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{outputs}: {getattr(error, 'strerror', None) or 'not UTF-8'}") from None
    before = file.path.read_text(encoding="utf-8")
    after = with_foundations(before, foundations)
    file.path.write_text(after, encoding="utf-8")
    Printer(output).result(
        {"outcome": "imported" if after != before else "unchanged", "stack": file.stack, "file": str(file.path)},
        [f"{file.stack}: {'lives where the foundations are' if after != before else 'lived there already'}"],
    )


def _files(stack: str | None) -> list[StackFile]:
    try:
        return stack_files(Path.cwd()) if stack is None else [stack_file(stack, Path.cwd())]
    except SettingsFileError as error:
        raise BadInput(str(error)) from error


def _read(file: StackFile) -> tuple[Settings | None, Sequence[Problem]]:
    try:
        return read_settings(file.stack, file.config), ()
    except SettingsError as error:
        return None, error.problems


def _beside_its_neighbours(
    file: StackFile, settings: Settings | None, problems: Sequence[Problem]
) -> tuple[StackFile, Settings | None, Sequence[Problem]]:
    """Add what the settings of other stacks in the same folder contradict; one that is wrong itself is passed over."""
    if settings is None:
        return file, settings, problems
    named = {settings.images.replicated_by, *settings.images.replicates} - {None, file.stack}
    beside = {stack_of(path): path for path in stack_paths(file.path.parent)}
    read = {name: _read(stack_file(str(beside[name]), Path.cwd()))[0] for name in named if name in beside}
    others = {name: one for name, one in read.items() if one is not None}
    return file, settings, list(problems_between(file.stack, settings, others))


def _wrong(read: Sequence[tuple[StackFile, Settings | None, Sequence[Problem]]]) -> BadInput:
    wrong = [(file, problems) for file, _, problems in read if problems]
    count = sum(len(problems) for _, problems in wrong)
    names = ", ".join(file.stack for file, _ in wrong)
    return BadInput(
        f"the settings of {names} have {count} wrong {'value' if count == 1 else 'values'}",
        reasons=[
            f"{file.stack}  {problem}" if len(read) > 1 else str(problem)
            for file, problems in wrong
            for problem in problems
        ],
        details={
            "problems": [
                {"stack": file.stack, "path": one.path, "received": one.received, "accepted": one.accepted}
                for file, problems in wrong
                for one in problems
            ]
        },
    )


def _summary(settings: Settings) -> dict[str, Any]:
    return {
        "environment": settings.environment.value,
        "accounts": sorted({settings.account_id, *_others(settings)}),
        "regions": [settings.region, *([settings.recovery.region] if settings.recovery else [])],
        "layers": [layer.value for layer in settings.layers],
    }


def _others(settings: Settings) -> list[str]:
    accounts = settings.accounts
    return [one.account_id for one in (accounts.evidence, accounts.audit) if one is not None]


def _in_words(settings: Settings) -> str:
    summary = _summary(settings)
    accounts, regions = summary["accounts"], summary["regions"]
    return (
        f"nothing wrong; environment {summary['environment']}, {' and '.join(summary['layers'])} in "
        f"{' and '.join(regions)}, {len(accounts)} {'account' if len(accounts) == 1 else 'accounts'}"
    )


def _lines(names: tuple[str, str], found: Sequence[Difference]) -> list[str]:
    lines: list[str] = []
    for section, group in groupby(
        sorted(found, key=lambda one: _position(found, one.section)), lambda one: one.section
    ):
        lines.append(section)
        lines += [
            f"  {one.path}: {names[0]} {shown(one.first)}, {names[1]} {shown(one.second)}"
            + (f" — {one.words}" if one.words else "")
            for one in group
        ]
    return lines


def _position(found: Sequence[Difference], section: str) -> int:
    return next(number for number, one in enumerate(found) if one.section == section)


def _fields(names: tuple[str, str], difference: Difference) -> dict[str, Any]:
    return {
        "path": difference.path,
        "section": difference.section,
        "values": dict(zip(names, (difference.first, difference.second), strict=True)),
        "words": difference.words,
    }
