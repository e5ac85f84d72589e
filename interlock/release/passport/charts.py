"""The drawings of a passport: intervals against limits, curves, bars. Colours are those of the page, light and dark."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from interlock.pages.markup import Markup, picture, tag
from interlock.release.evidence import Limit, Measure
from interlock.release.passport.words import number

_GOOD: Final = "var(--green)"
_BAD: Final = "var(--bad)"
_PLAIN: Final = "var(--accent)"
_LINE: Final = "var(--line)"
_IDLE: Final = "var(--idle)"
_LABEL_LENGTH: Final = 30


@dataclass(frozen=True)
class Row:
    """One line of a chart of intervals."""

    label: str
    value: float | None
    low: float | None = None
    high: float | None = None
    holds: bool | None = None
    note: str = ""
    rows: str = ""
    """How many rows of data it is of, in words."""


def label(x: float, y: float, content: object, *, anchor: str = "start", size: int = 12, soft: bool = False) -> Markup:
    """Return a piece of text in a drawing."""
    kind = "soft" if soft else None
    return tag("text", content, x=f"{x:.1f}", y=f"{y:.1f}", text_anchor=anchor, font_size=size, class_=kind)


def line(x1: float, y1: float, x2: float, y2: float, colour: str, *, width: float = 1, dashed: bool = False) -> Markup:
    """Return a straight line."""
    ends = {"x1": f"{x1:.1f}", "y1": f"{y1:.1f}", "x2": f"{x2:.1f}", "y2": f"{y2:.1f}"}
    return tag("line", **ends, stroke=colour, stroke_width=width, stroke_dasharray="4 4" if dashed else None)


def real(value: object) -> float | None:
    """Return a number that a gate's details hold as text, or None for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        return None
    try:
        found = float(Decimal(str(value)))
    except (InvalidOperation, ValueError, OverflowError):
        return None
    return found if abs(found) < 1e300 else None


def row_of(measure: Measure, text: str, holds: bool | None = None) -> Row:
    """Return a measure as a line of a chart; a suppressed one has no number to draw."""
    if measure.suppressed or measure.value is None:
        return Row(text, None, note="too few to tell" if measure.suppressed else "not measured")
    found = tuple(None if one is None else float(one) for one in (measure.low, measure.high))
    count = f"n = {measure.count:,}" if measure.count is not None else ""
    verdict = measure.holds if holds is None else holds
    return Row(text, float(measure.value), found[0], found[1], verdict, number(measure.value), count)


def limit_value(limit: Limit | None) -> float | None:
    """Return where a limit lies."""
    if limit is None:
        return None
    given = next(one for one in (limit.at_least, limit.at_most, limit.above, limit.below) if one is not None)
    return float(given)


def intervals_chart(
    title: str, rows: Sequence[Row], limit: float | None, words: str = "", *, zero: bool = False
) -> Markup:
    """Draw values with their intervals on one axis, and the limit as a line across; `zero` draws a line there."""
    left, right, top, step = 210, 560, 30, 24
    known = [one for row in rows for one in (row.value, row.low, row.high) if one is not None]
    known += [limit] if limit is not None else []
    known += [0.0] if zero else []
    place, ticks = _axis(known or [0.0, 1.0], left, right)
    height = top + step * len(rows) + 6
    shapes = []
    for tick in ticks:
        shapes += [line(place(tick), top - 8, place(tick), height - 4, _LINE)]
        shapes += [label(place(tick), 14, _short(tick), anchor="middle", soft=True)]
    if zero:
        shapes.append(line(place(0.0), top - 8, place(0.0), height - 4, _IDLE, width=1.5))
    if limit is not None:
        shapes.append(line(place(limit), top - 10, place(limit), height, _BAD, width=1.5, dashed=True))
    for index, row in enumerate(rows):
        shapes += _interval_row(row, top + index * step + step / 2, place)
    spoken = f"{title}; limit {words}" if words else title
    return picture(760, int(height), spoken, *shapes)


def _interval_row(row: Row, y: float, place: Callable[[float], float]) -> list[Markup]:
    colour = {None: _PLAIN, True: _GOOD, False: _BAD}[row.holds]
    shapes = [label(200, y + 4, _cut(row.label), anchor="end")]
    if row.value is None:
        return [*shapes, label(576, y + 4, row.note, soft=True)]
    if row.low is not None and row.high is not None:
        start, width = place(row.low), max(place(row.high) - place(row.low), 2)
        shapes.append(
            tag("rect", x=f"{start:.1f}", y=y - 4, width=f"{width:.1f}", height=8, rx=3, fill=colour, fill_opacity=0.3)
        )
    shapes.append(tag("circle", cx=f"{place(row.value):.1f}", cy=y, r=4, fill=colour))
    return [*shapes, label(576, y + 4, row.note), label(640, y + 4, row.rows, soft=True)]


def meter(measure: Measure) -> Markup:
    """Draw one measure against its own limit, small enough for a cell of a table."""
    limit = limit_value(measure.limit)
    value, low, high = (None if one is None else float(one) for one in (measure.value, measure.low, measure.high))
    known = [one for one in (value, low, high, limit) if one is not None]
    if value is None or limit is None:
        return Markup("")
    ends = [*known, min(known) - 0.15 * _span(known), max(known) + 0.15 * _span(known)]
    place = _linear(min(ends), max(ends), 4, 156)
    colour = _GOOD if measure.holds else _BAD
    shapes = [line(4, 9, 156, 9, _LINE, width=2)]
    if low is not None and high is not None:
        width = max(place(high) - place(low), 2)
        shapes.append(
            tag("rect", x=f"{place(low):.1f}", y=5, width=f"{width:.1f}", height=8, rx=3, fill=colour, fill_opacity=0.3)
        )
    shapes.append(line(place(limit), 1, place(limit), 17, "var(--ink)", width=1.5))
    shapes.append(tag("circle", cx=f"{place(value):.1f}", cy=9, r=4, fill=colour))
    spoken = f"{number(measure.value)} against the limit {measure.limit}"
    return picture(160, 18, spoken, *shapes)


def curve_chart(
    title: str, x_name: str, y_name: str, curves: Sequence[tuple[str, Sequence[tuple[float, float]]]]
) -> Markup:
    """Draw curves in the unit square, with the diagonal that means nothing is known (or all is right)."""
    size, left, bottom = 230, 46, 246
    square = _linear(0, 1, left, left + size)
    up = _linear(0, 1, bottom, bottom - size)
    shapes = [
        tag("rect", x=left, y=bottom - size, width=size, height=size, fill="none", stroke=_LINE),
        line(left, bottom, left + size, bottom - size, _IDLE, dashed=True),
    ]
    for value in (0.0, 0.5, 1.0):
        shapes.append(label(square(value), bottom + 16, f"{value:g}", anchor="middle", soft=True))
        shapes.append(label(left - 6, up(value) + 4, f"{value:g}", anchor="end", soft=True))
    for index, (_, points) in enumerate(curves):
        colour = ("var(--blue)", _IDLE)[min(index, 1)]
        path = " ".join(f"{square(_within(x)):.1f},{up(_within(y)):.1f}" for x, y in points)
        shapes.append(tag("polyline", points=path, fill="none", stroke=colour, stroke_width=2 if index == 0 else 1.5))
    shapes.append(label(left + size / 2, bottom + 34, x_name, anchor="middle"))
    side = label(0, 0, y_name, anchor="middle")
    shapes.append(tag("g", side, transform=f"translate(12 {bottom - size / 2}) rotate(-90)"))
    return picture(300, 286, title, *shapes)


def calibration_chart(bins: Sequence[Mapping[str, Any]]) -> Markup:
    """Draw what was observed against what was predicted; a dot's area is the number of rows behind it."""
    size, left, bottom = 230, 46, 246
    across, up = _linear(0, 1, left, left + size), _linear(0, 1, bottom, bottom - size)
    found = [(real(one.get("predicted")), real(one.get("observed")), real(one.get("count"))) for one in bins]
    dots = [(x, y, n or 1.0) for x, y, n in found if x is not None and y is not None]
    most = max((n for _, _, n in dots), default=1.0)
    shapes = [
        tag("rect", x=left, y=bottom - size, width=size, height=size, fill="none", stroke=_LINE),
        line(left, bottom, left + size, bottom - size, _IDLE, dashed=True),
    ]
    for value in (0.0, 0.5, 1.0):
        shapes.append(label(across(value), bottom + 16, f"{value:g}", anchor="middle", soft=True))
        shapes.append(label(left - 6, up(value) + 4, f"{value:g}", anchor="end", soft=True))
    for x, y, n in dots:
        radius = 2.5 + 6 * (n / most) ** 0.5
        spot = {"cx": f"{across(_within(x)):.1f}", "cy": f"{up(_within(y)):.1f}", "r": f"{radius:.1f}"}
        shapes.append(tag("circle", **spot, fill="var(--blue)", fill_opacity=0.55))
    shapes.append(label(left + size / 2, bottom + 34, "predicted probability", anchor="middle"))
    side = label(0, 0, "observed share", anchor="middle")
    shapes.append(tag("g", side, transform=f"translate(12 {bottom - size / 2}) rotate(-90)"))
    return picture(300, 286, "Calibration: observed shares against predicted probabilities", *shapes)


def bars_chart(title: str, rows: Sequence[Row]) -> Markup:
    """Draw lengths from a line at zero, to the right what is above it and to the left what is below."""
    left, right, step = 210, 560, 22
    known = [row.value for row in rows if row.value is not None]
    place = _linear(min([0.0, *known]), max([0.0, *known, 1e-12]), left, right)
    height = step * len(rows) + 8
    shapes = []
    for index, row in enumerate(rows):
        y = index * step + 4
        shapes += [label(200, y + 13, _cut(row.label), anchor="end"), label(576, y + 13, row.note)]
        if row.value is not None:
            start, end = sorted((place(0), place(row.value)))
            bar = {"x": f"{start:.1f}", "y": y + 2, "width": f"{max(end - start, 1):.1f}"}
            shapes.append(tag("rect", **bar, height=14, rx=2, fill=_PLAIN))
    shapes.append(line(place(0), 0, place(0), height, _IDLE))
    return picture(760, height, title, *shapes)


def pairs_chart(title: str, names: Sequence[str], first: Sequence[float], second: Sequence[float]) -> Markup:
    """Draw two shares a bin side by side: training and serving."""
    width, base, top = 300, 120, 8
    most = max([*first, *second, 1e-12])
    slot = width / max(len(names), 1)
    shapes = [line(0, base, width, base, _LINE)]
    for index, name in enumerate(names):
        for offset, values, colour in ((0.12, first, _IDLE), (0.5, second, "var(--blue)")):
            tall = (base - top) * (values[index] if index < len(values) else 0.0) / most
            bar = {"x": f"{index * slot + offset * slot:.1f}", "y": f"{base - tall:.1f}"}
            shapes.append(tag("rect", **bar, width=f"{slot * 0.36:.1f}", height=f"{tall:.1f}", fill=colour))
        if len(names) <= 6 or index in (0, len(names) - 1):
            anchor = "middle" if len(names) <= 6 else ("start" if index == 0 else "end")
            middle = index * slot + slot / 2 if anchor == "middle" else (0 if index == 0 else width)
            shapes.append(label(middle, base + 14, _cut(name, 14), anchor=anchor, size=10, soft=True))
    return picture(width, base + 22, title, *shapes)


def _linear(low: float, high: float, start: float, end: float) -> Callable[[float], float]:
    span = high - low or 1.0
    return lambda value: start + (end - start) * (value - low) / span


def _axis(known: Sequence[float], left: float, right: float) -> tuple[Callable[[float], float], list[float]]:
    """Return a scale with round ticks that all of `known` lie on."""
    low, high = min(known), max(known)
    span = _span(known)
    step = 10.0 ** len(str(int(span))) if span >= 1 else 1.0
    while span / step < 3:
        step /= 2 if span / (step / 2) >= 3 else 10 if span / (step / 10) < 3 else 5
    first, last = int(low // step), int(-(-high // step))
    ticks = [index * step for index in range(first, last + 1)]
    return _linear(ticks[0], ticks[-1], left, right), ticks


def _span(known: Sequence[float]) -> float:
    return max(known) - min(known) or max(abs(known[0]), 1.0) * 0.1


def _within(value: float) -> float:
    return min(max(value, 0.0), 1.0)


def _short(value: float) -> str:
    return f"{value:.10g}" if abs(value) >= 1e-9 else "0"


def _cut(text: str, length: int = _LABEL_LENGTH) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
