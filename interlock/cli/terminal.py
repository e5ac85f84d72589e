"""What a command prints: text for people on a terminal, or one JSON document."""

from __future__ import annotations

import errno
import functools
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from typing import Annotated, Any, ParamSpec

import typer
from rich.console import Console, RenderableType
from rich.table import Table

from interlock.failures import BadInput, Failure, OutsideFailure

QUIET_SECONDS = 2.0
"""What takes less needs no progress."""

WIDTH_OF_A_PIPE = 1000

INTERRUPTED = 130
"""The exit code of what a signal ended by hand, as shells have it."""

_LINE_EVERY_SECONDS = 5.0


class OutputFormat(StrEnum):
    TEXT = "text"
    JSON = "json"


OutputOption = Annotated[OutputFormat, typer.Option("--output", "-o", help="Text for people, or one JSON document.")]


def visible(text: object) -> str:
    """Return `text` on one line, with every character that a terminal would act on shown as its escape.

    Names and messages come from whoever registered a model, and may hold anything: a line of their own would read as
    one of ours. What has several lines of ours is printed line by line.
    """
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in str(text))


def console(*, errors: bool = False) -> Console:
    """Return a console that prints text as it is: no markup, no emoji codes, no colours of its own finding."""
    made = Console(stderr=errors, markup=False, emoji=False, highlight=False, soft_wrap=True)
    if not made.is_terminal:
        # Whatever reads a pipe wants one line for one thing.
        made.width = WIDTH_OF_A_PIPE
    return made


def show(what: RenderableType) -> None:
    """Print a whole document, such as a passport; into a pipe without the blanks that fill its columns up."""
    target = console()
    if target.is_terminal:
        target.print(what, soft_wrap=False)
        return
    with target.capture() as written:
        target.print(what, soft_wrap=False)
    sys.stdout.write("".join(f"{line.rstrip()}\n" for line in written.get().splitlines()))


class Printer:
    """Prints the result of one command in the format that was asked for."""

    def __init__(self, output: OutputFormat) -> None:
        self.output = output
        self._console = console()

    def result(self, document: Any, lines: Sequence[str] = (), table: Table | None = None) -> None:
        """Print `document` as JSON, or the `lines` and the `table` that say the same to a person."""
        if self.output is OutputFormat.JSON:
            sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=True, default=str) + "\n")
            return
        self.text(lines, table)

    def text(self, lines: Sequence[str] = (), table: Table | None = None) -> None:
        """Print `lines` and a `table` for a person, as one part of a result in several."""
        for line in lines:
            self._console.print(visible(line))
        if table is not None:
            show(table)

    def failure(self, failure: Failure) -> None:
        """Print why a command ended without having done its work."""
        outcome = {1: "refused", 2: "bad input", 3: "failed"}[failure.exit_code]
        if self.output is OutputFormat.JSON:
            document = {
                "outcome": outcome,
                "message": failure.message,
                "reasons": list(failure.reasons),
                "next": failure.next_step,
                **failure.details,
            }
            sys.stdout.write(json.dumps(document, indent=2, default=str) + "\n")
            return
        errors = console(errors=True)
        errors.print(visible(f"{outcome}: {failure.message}"))
        for reason in failure.reasons:
            errors.print(visible(f"  {reason}"))
        if failure.next_step:
            errors.print(visible(f"  next  {failure.next_step}"))


def rows(*columns: str) -> Table:
    """Return an empty table without lines around it."""
    table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """Give a function that shows what a command is at, once that takes longer than two seconds."""
    errors = console(errors=True)
    start = time.monotonic()
    if errors.is_terminal:
        with errors.status("") as status:
            yield lambda text: status.update(visible(text) if time.monotonic() - start > QUIET_SECONDS else "")
        return
    last = start

    def say(text: str) -> None:
        nonlocal last
        now = time.monotonic()
        if now - start > QUIET_SECONDS and (last == start or now - last > _LINE_EVERY_SECONDS):
            last = now
            errors.print(visible(text))

    yield say


_Parameters = ParamSpec("_Parameters")


def command(function: Callable[_Parameters, None]) -> Callable[_Parameters, None]:
    """Let a command's failures end it with one message and the exit code of their kind."""

    @functools.wraps(function)
    def run(*args: _Parameters.args, **kwargs: _Parameters.kwargs) -> None:
        try:
            function(*args, **kwargs)
        except KeyboardInterrupt:
            console(errors=True).print("interrupted: nothing was concluded")
            raise typer.Exit(INTERRUPTED) from None
        except (Failure, OSError) as error:
            failure = error if isinstance(error, Failure) else _of_a_file(error)
            output = kwargs.get("output")
            Printer(output if isinstance(output, OutputFormat) else OutputFormat.TEXT).failure(failure)
            raise typer.Exit(failure.exit_code) from error

    return run


_OF_THE_MACHINE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EMFILE, errno.ENFILE})


def _of_a_file(error: OSError) -> Failure:
    """Return as what a command ends that could not use a file. Raises `error` where it is of no file."""
    if error.filename is None:
        raise error
    text = f"the file {error.filename!r} cannot be used: {error.strerror}"
    return OutsideFailure(text) if error.errno in _OF_THE_MACHINE else BadInput(text)
