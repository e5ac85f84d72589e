"""The charts of a report: shares of traffic, latencies, predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from interlock.pages.markup import Markup, join, picture, table, tag

COLOURS = {"blue": "var(--blue)", "green": "var(--green)"}
SOFT_COLOURS = {"blue": "var(--blue-soft)", "green": "var(--green-soft)"}


def label(x: float, y: float, content: object, *, anchor: str = "start", size: int = 13, soft: bool = False) -> Markup:
    """Return a piece of text in a drawing."""
    return tag(
        "text", content, x=f"{x:.1f}", y=f"{y:.1f}", text_anchor=anchor, font_size=size, class_="soft" if soft else None
    )


def shares_chart(phases: Sequence[Mapping[str, Any]]) -> Markup:
    """Draw each variant's share of the requests of each phase, with the interval in which a fair draw stays."""
    left, right, top, row = 150, 610, 34, 26
    rows = [(phase, one) for phase in phases for one in phase["shares"]]
    height = top + row * len(rows) + 12 * len(phases) + 4

    def x(part: float) -> float:
        return left + (right - left) * part

    shapes = []
    for percent in (0, 25, 50, 75, 100):
        shapes.append(
            tag("line", x1=x(percent / 100), x2=x(percent / 100), y1=top - 8, y2=height, stroke="var(--line)")
        )
        shapes.append(label(x(percent / 100), 16, f"{percent} %", anchor="middle", size=12, soft=True))
    y = top + 0.0
    for phase in phases:
        for one in phase["shares"]:
            shapes += _share_row(one, y + row / 2, x)
            y += row
        weights = "/".join(f"{value:g}" for value in phase["weights"].values())
        shapes.append(label(0, y - row * len(phase["shares"]) / 2 + 5, f"weights {weights}", size=13))
        y += 12
    return picture(760, height, "Share of the requests that each variant answered", *shapes)


def _share_row(one: Mapping[str, Any], y: float, x: Any) -> list[Markup]:
    colour, total = COLOURS[one["variant"]], max(one["total"], 1)
    low, high, found = x(one["low"] / total), x(one["high"] / total), x(one["count"] / total)
    width = max(high - low, 3)
    return [
        tag(
            "rect",
            x=low - (width - high + low) / 2,
            y=y - 8,
            width=width,
            height=16,
            rx=4,
            fill=SOFT_COLOURS[one["variant"]],
        ),
        tag("circle", cx=found, cy=y, r=4.5, fill=colour, stroke="var(--card)", stroke_width=1.5),
        label(620, y + 4.5, f"{one['count']:,} of {one['total']:,}"),
    ]


def shares_table(phases: Sequence[Mapping[str, Any]]) -> Markup:
    """List the numbers behind the chart of shares."""
    return table(
        ("weights", "variant", "expected", "answered", "of", "99.9 % interval", "requests/s"),
        (
            (
                "/".join(f"{value:g}" for value in phase["weights"].values()),
                one["variant"],
                f"{one['expected']:.1%}",
                f"{one['count']:,}",
                f"{one['total']:,}",
                f"{one['low']:,} to {one['high']:,}",
                f"{phase['requests_per_second']:.0f}",
            )
            for phase in phases
            for one in phase["shares"]
        ),
        numeric=(2, 3, 4, 5, 6),
    )


def latency_chart(rows: Sequence[Mapping[str, Any]]) -> Markup:
    """Draw the latency of the model, as CloudWatch has it, beside what the client measured around it."""
    left, right, top, step = 150, 640, 8, 44
    longest = max(max(float(one["client_ms"]), float(one["model_ms"])) for one in rows)

    def width(milliseconds: float) -> float:
        return max((right - left) * float(milliseconds) / longest, 1.0)

    shapes = []
    for index, one in enumerate(rows):
        y = top + index * step
        shapes.append(label(0, y + 20, f"{one['variant']}, p{one['percent']}"))
        for offset, field, colour in ((0, "model_ms", COLOURS[one["variant"]]), (15, "client_ms", "var(--idle)")):
            shapes.append(tag("rect", x=left, y=y + offset, width=width(one[field]), height=13, rx=2, fill=colour))
            shapes.append(label(left + width(one[field]) + 6, y + offset + 11, f"{one[field]:.1f} ms", size=12))
    return picture(740, top + step * len(rows), "Latency of each variant by percentile", *shapes)


def predictions_chart(title: str, variant: str, pairs: Sequence[Sequence[float]]) -> Markup:
    """Draw served probabilities of approval against the model's own: equal ones lie on the diagonal."""
    size, left, bottom = 230, 44, 244

    def x(value: float) -> float:
        return left + size * value

    def y(value: float) -> float:
        return bottom - size * value

    shapes = [
        tag("rect", x=left, y=bottom - size, width=size, height=size, fill="none", stroke="var(--line)"),
        tag("line", x1=x(0), y1=y(0), x2=x(1), y2=y(1), stroke="var(--idle)", stroke_dasharray="4 4"),
    ]
    for value in (0.0, 0.5, 1.0):
        shapes.append(label(x(value), bottom + 16, f"{value:g}", anchor="middle", size=12, soft=True))
        shapes.append(label(left - 6, y(value) + 4, f"{value:g}", anchor="end", size=12, soft=True))
    dots = (
        tag("circle", cx=f"{x(own):.1f}", cy=f"{y(served):.1f}", r=2.6, fill=COLOURS[variant], fill_opacity=0.5)
        for own, served in pairs
    )
    shapes.append(tag("g", *dots))
    shapes.append(
        label(left + size / 2, bottom + 34, "the model's own probability of approval", anchor="middle", size=12)
    )
    side = label(0, 0, "served", anchor="middle", size=12)
    shapes.append(tag("g", side, transform=f"translate(12 {bottom - size / 2}) rotate(-90)"))
    return picture(300, 286, f"{title}: served against own predictions", *shapes)


def resources_table(resources: Sequence[Mapping[str, Any]]) -> Markup:
    """List what `pulumi up` created: how many of each type, and how long the slowest took."""
    types: dict[str, list[float]] = {}
    for one in resources:
        types.setdefault(one["type"], []).append(one["seconds"] or 0.0)
    longest = max((max(seconds) for seconds in types.values()), default=1.0) or 1.0
    ordered = sorted(types.items(), key=lambda one: (-max(one[1]), one[0]))
    return table(
        ("type", "number", "slowest", ""),
        (
            (
                tag("code", _short(name)),
                len(seconds),
                f"{max(seconds):.0f} s",
                tag(
                    "div",
                    tag("i", style=f"width:{100 * max(seconds) / longest:.1f}%"),
                    class_="meter",
                    aria_hidden="true",
                ),
            )
            for name, seconds in ordered
        ),
        numeric=(1, 2),
    )


def _short(kind: str) -> str:
    """Return `aws:s3/bucket:Bucket` as `s3 Bucket`."""
    module, _, name = kind.removeprefix("aws:").rpartition(":")
    return f"{module.partition('/')[0]} {name}"


def legend(*entries: tuple[str, str]) -> Markup:
    """Return a line that says what each colour means."""
    parts = (join([tag("span", class_="key", style=f"background:{colour}"), name]) for name, colour in entries)
    return tag("p", *parts, class_="soft")
