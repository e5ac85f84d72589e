"""`interlock cost`: what a stack will cost a month, before anything of it exists."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from interlock.cli.cost_report import comparison_fields, estimate_fields, show_comparison, show_estimate
from interlock.cli.loading import StackOption, pulumi_stack_of
from interlock.cli.previewing import plan_of_file, plan_of_stack
from interlock.cli.terminal import OutputFormat, OutputOption, Printer, command, progress
from interlock.cost.estimate import estimate
from interlock.cost.plan import Plan
from interlock.cost.prices import DocumentError, PriceList, PriceTable, parse, published, read_prices
from interlock.cost.usage import Usage, read_usage
from interlock.failures import BadInput

Say = Callable[[str], None]
_T = TypeVar("_T")


@command
def cost(
    stack: StackOption = None,
    preview: Annotated[
        Path | None,
        typer.Option(help="A saved `pulumi preview --json --show-sames`, to read in place of making one."),
    ] = None,
    compare: Annotated[
        str | None, typer.Option(metavar="STACK", help="Another stack, or file:PREVIEW, to show the difference to.")
    ] = None,
    prices: Annotated[
        list[Path] | None,
        typer.Option(help="A price table of your own; its prices go before the published ones. May be repeated."),
    ] = None,
    usage: Annotated[Path | None, typer.Option(help="What to assume about use, in YAML or JSON.")] = None,
    output: OutputOption = OutputFormat.TEXT,
) -> None:
    """Estimate what a stack costs a month in US dollars, by component and region, from its preview.

    Nothing has to exist yet. What cannot be priced is named, and is not in the total.
    """
    today = datetime.datetime.now(datetime.UTC).date()
    price_list = PriceList([*(_price_table(path) for path in prices or ()), published()])
    assumed = _usage(usage)
    with progress() as say:
        first = estimate(_plan(stack, preview, say), price_list, assumed)
        second = estimate(_other_plan(compare, say), price_list, assumed) if compare else None
    printer = Printer(output)
    if output is OutputFormat.JSON:
        printer.result(comparison_fields(first, second, today) if second else estimate_fields(first, today))
    elif second:
        show_comparison(printer, first, second, today)
    else:
        show_estimate(printer, first, price_list.regions, today)


def _plan(stack: str | None, preview: Path | None, say: Say) -> Plan:
    if preview is not None:
        return plan_of_file(preview)
    name = pulumi_stack_of(stack)
    say(f"previewing {name}")
    return plan_of_stack(name)


def _other_plan(source: str, say: Say) -> Plan:
    scheme, _, path = source.partition(":")
    return _plan(None, Path(path), say) if scheme == "file" and path else _plan(source, None, say)


def _price_table(path: Path) -> PriceTable:
    return _document(path, "--prices", read_prices)


def _usage(path: Path | None) -> Usage:
    return _document(path, "--usage", read_usage) if path else Usage()


def _document(path: Path, option: str, read: Callable[[object, str], _T]) -> _T:
    try:
        return read(parse(path.read_text(encoding="utf-8"), str(path)), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{option}: {path}: {getattr(error, 'strerror', None) or 'is no text'}") from error
    except DocumentError as error:
        raise BadInput(f"{option}: {path} cannot be used", reasons=[str(one) for one in error.problems]) from error
