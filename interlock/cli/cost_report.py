"""How an estimate of costs is told: as tables for a person, or as one document."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from interlock.cli.terminal import Printer, rows, visible
from interlock.cost.estimate import Assumption, Difference, Estimate, Line, Unpriced, differences
from interlock.cost.prices import STALE_DAYS

_CENT: Final = Decimal("0.01")


def show_estimate(printer: Printer, found: Estimate, priced_regions: Sequence[str], today: datetime.date) -> None:
    """Print an estimate for a person; the list prices of `priced_regions` are known."""
    printer.text([f"{_heading(found)} costs about {_usd(found.total)} US dollars a month", ""], _shares(found))
    printer.text(["", "what costs most"], _dominant(found))
    _show_unpriced(printer, found, priced_regions)
    if found.assumptions:
        printer.text(["", "assumed, a month (change it with --usage FILE)"], _assumptions(found.assumptions))
    printer.text(["", *_notes(found, today)])


def show_comparison(printer: Printer, first: Estimate, second: Estimate, today: datetime.date) -> None:
    """Print for a person what `second` costs more or less than `first`."""
    more = second.total - first.total
    word = "more" if more >= 0 else "less"
    printer.text(
        [f"{_heading(second)} costs about {_usd(abs(more))} US dollars a month {word} than {_heading(first)}", ""],
        _differences(first, second),
    )
    for one in (first, second):
        if one.unpriced:
            printer.text(
                ["", f"{len(one.unpriced)} parts of {one.stack} are not priced; without --compare they are named"]
            )
    printer.text(["", *dict.fromkeys([*_notes(first, today), *_notes(second, today)])])


def estimate_fields(found: Estimate, today: datetime.date) -> dict[str, Any]:
    """Return an estimate as a document; amounts are US dollars a month, as decimal texts."""
    return {
        "stack": found.stack,
        "environment": found.environment,
        "usd_a_month": _usd(found.total),
        "shares": [
            {"component": component.name, "type": component.type, "region": region, "usd_a_month": _usd(usd)}
            for (component, region), usd in found.shares().items()
        ],
        "dominant": [_line_fields(line) for line in found.dominant()],
        "lines": [_line_fields(line) for line in found.lines],
        "not_priced": [_unpriced_fields(one) for one in found.unpriced],
        "assumptions": [_assumption_fields(one) for one in found.assumptions],
        "prices_as_of": [day.isoformat() for day in found.dates()],
        "stale": [day.isoformat() for day in found.stale(today)],
        "unused_usage": list(found.unused_usage),
    }


def comparison_fields(first: Estimate, second: Estimate, today: datetime.date) -> dict[str, Any]:
    """Return two estimates and their differences as a document."""
    return {
        "first": estimate_fields(first, today),
        "second": estimate_fields(second, today),
        "more_usd_a_month": _usd(second.total - first.total),
        "differences": [
            {
                "component": one.component,
                "region": one.region,
                "first_usd_a_month": _usd(one.usd[0]),
                "second_usd_a_month": _usd(one.usd[1]),
                "more_usd_a_month": _usd(one.more),
            }
            for one in differences(first, second)
        ],
    }


def _shares(found: Estimate) -> Any:
    table = rows("component", "region", "USD a month", "share")
    _right(table, 2, 3)
    for (component, region), usd in found.shares().items():
        share = usd / found.total if found.total else Decimal(0)
        table.add_row(visible(component), region, _usd(usd), f"{share:.1%}")
    for region, usd in _by_region(found).items():
        table.add_row("all", region, _usd(usd), f"{usd / found.total if found.total else Decimal(0):.1%}")
    table.add_row("all", "all", _usd(found.total), "100.0%")
    return table


def _by_region(found: Estimate) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = {}
    for (_, region), usd in found.shares().items():
        sums[region] = sums.get(region, Decimal(0)) + usd
    return sums


def _dominant(found: Estimate) -> Any:
    table = rows("USD a month", "resource", "region", "what", "units at USD")
    _right(table, 0)
    for line in found.dominant():
        table.add_row(
            _usd(line.usd),
            visible(line.resource.name),
            line.region,
            visible(line.charge.what),
            f"{_number(line.charge.quantity)} {line.price.unit} at {_number(line.price.usd)}",
        )
    return table


def _show_unpriced(printer: Printer, found: Estimate, priced_regions: Sequence[str]) -> None:
    if not found.unpriced:
        return
    table = rows("resource", "region", "what", "why")
    for one in found.unpriced:
        table.add_row(visible(one.resource.name), one.resource.region or "?", visible(one.what), visible(one.why))
    heading = f"not priced, and not in the total; there are prices for {', '.join(priced_regions)} (others: --prices)"
    printer.text(["", heading], table)


def _assumptions(assumptions: Sequence[Assumption]) -> Any:
    table = rows("what", "value", "setting", "of")
    _right(table, 1)
    for one in assumptions:
        table.add_row(one.words, _number(one.value), one.path, visible(one.of or "all"))
    return table


def _differences(first: Estimate, second: Estimate) -> Any:
    table = rows("component", "region", f"{first.stack} USD", f"{second.stack} USD", "more")
    _right(table, 2, 3, 4)
    total = Difference("all", "all", (first.total, second.total))
    for one in (*differences(first, second), total):
        table.add_row(
            visible(one.component), one.region, _usd(one.usd[0]), _usd(one.usd[1]), f"{_cents(one.more):+,.2f}"
        )
    return table


def _notes(found: Estimate, today: datetime.date) -> list[str]:
    days = ", ".join(day.isoformat() for day in found.dates())
    notes = [
        f"prices as of {days or 'no day: nothing was priced'}; on demand, without tax, free tier and savings plans",
        "not counted: what autoscaling adds, traffic between zones and to the internet, support",
    ]
    notes += [
        f"warning: the prices of {day.isoformat()} are {(today - day).days} days old, more than {STALE_DAYS}; "
        "give newer ones with --prices FILE"
        for day in found.stale(today)
    ]
    notes += [
        f"warning: --usage speaks of {name}, and {found.stack} has no such resource" for name in found.unused_usage
    ]
    return notes


def _heading(found: Estimate) -> str:
    same = found.environment in ("", found.stack)
    return found.stack if same else f"{found.stack} (environment {found.environment})"


def _line_fields(line: Line) -> dict[str, Any]:
    return {
        "resource": line.resource.name,
        "type": line.resource.type,
        "component": line.component.name,
        "region": line.region,
        "what": line.charge.what,
        "quantity": _number(line.charge.quantity),
        "unit": line.price.unit,
        "usd_a_unit": _number(line.price.usd),
        "usd_a_month": _usd(line.usd),
        "page": line.price.page,
        "as_of": line.price.as_of.isoformat(),
        "assumes": list(line.charge.assumes),
    }


def _unpriced_fields(one: Unpriced) -> dict[str, Any]:
    return {
        "resource": one.resource.name,
        "type": one.resource.type,
        "component": one.resource.component.name,
        "region": one.resource.region,
        "what": one.what,
        "why": one.why,
    }


def _assumption_fields(one: Assumption) -> dict[str, Any]:
    return {"path": one.path, "words": one.words, "value": _number(one.value), "of": one.of or None}


def _right(table: Any, *columns: int) -> None:
    for column in columns:
        table.columns[column].justify = "right"


def _cents(usd: Decimal) -> Decimal:
    return usd.quantize(_CENT, ROUND_HALF_UP)


def _usd(usd: Decimal) -> str:
    return f"{_cents(usd):.2f}"


def _number(value: Decimal) -> str:
    """Return a decimal without exponent or idle zeros."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
