"""Numbers, limits and names as a reader sees them."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

from interlock.release.evidence import Limit, Measure
from interlock.release.numbers import decimal_text

_DIGITS: Final = 3
_ABBREVIATIONS: Final = frozenset({"sbom"})


def plain(text: object) -> str:
    """Return `text` on one line, every character that a terminal would act on shown as its escape.

    Names, reasons and cards are written by whoever registered a model, and may hold anything.
    """
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in str(text))


def number(value: Decimal | None, unit: str = "") -> str:
    """Return a number with three decimals at most, a dash where there is none."""
    if value is None:
        return "–"
    rounded = value.quantize(Decimal(1).scaleb(-_DIGITS), rounding=ROUND_HALF_EVEN) if abs(value) < 10**9 else value
    # A small number that is not nothing must not read as nothing.
    text = decimal_text(rounded) if rounded or not value else f"{value:.1e}"
    return f"{text} {unit}".rstrip()


def interval(measure: Measure) -> str:
    """Return the ends of a measure's interval, or nothing where it has none."""
    if measure.low is None or measure.high is None:
        return ""
    return f"{number(measure.low)} to {number(measure.high)}"


def limit(one: Limit | None) -> str:
    """Return a limit for people."""
    return "" if one is None else plain(one)


def spoken(name: str) -> str:
    """Return a measure's or a gate's name as words."""
    return plain(name).replace("_", " ").replace("-", " ")


def title(name: str) -> str:
    """Return a gate's name as a heading."""
    words = spoken(name)
    return words.upper() if words in _ABBREVIATIONS else words[:1].upper() + words[1:]


def moment(time: datetime) -> str:
    """Return a time in UTC, to the minute."""
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def size(count: int) -> str:
    """Return a number of bytes for people."""
    amount = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if amount < 1000 or unit == "GB":
            return f"{amount:,.0f} {unit}" if unit == "bytes" else f"{amount:,.1f} {unit}"
        amount /= 1000
    raise AssertionError("the loop ends at the largest unit")
