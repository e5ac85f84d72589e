"""The platform as a drawing: what was provisioned, and what serves at the end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rehearsal.report.charts import COLOURS, SOFT_COLOURS, label
from rehearsal.report.markup import Markup, picture, tag

Box = tuple[float, float, float, float]


def drawing(stack: Mapping[str, Any], shares: Mapping[str, float]) -> Markup:
    """Draw the stack that the manifest `stack` describes; `shares` are the variants' parts of the traffic (0 to 1)."""
    endpoint = next(iter(stack["endpoints"].values()))
    template, tracking, vault = endpoint["serving_template"], stack["tracking"], stack["vault"]
    database = tracking["database"]
    network = (196.0, 34.0, 348.0, 366.0)
    shapes = [
        _area(
            network,
            f"network {stack['network']['vpc_id']}, private subnets: {len(stack['network']['private_subnet_ids'])}",
        ),
        _box((216, 66, 308, 62), "internal load balancer", "HTTPS 443", tracking["domain"]),
        _box((216, 160, 146, 74), "MLflow", "ECS service", tracking["service"]),
        _box((384, 160, 140, 74), "PostgreSQL", "RDS, TLS, KMS", database["identifier"]),
        _endpoint((216, 266, 308, 120), endpoint, shares),
        _box((10, 66, 146, 62), "data scientist", "MLflow's client"),
        _box((10, 296, 146, 62), "applicant", "InvokeEndpoint"),
        _box((590, 66, 200, 74), "artifacts", "S3, versioned", stack["artifact_store"]["bucket_name"]),
        _box((590, 172, 200, 62), "signing keys", f"KMS: {len(stack['signing_keys'])} duties, P-256 each"),
        _vault((590, 266, 200, 120), vault),
        _arrow((156, 97), (216, 97)),
        _arrow((289, 128), (289, 160)),
        _arrow((362, 197), (384, 197)),
        _arrow((156, 327), (216, 327)),
        _bend([(350, 160), (350, 144), (566, 144), (566, 103), (590, 103)]),
        _arrow((590, 326), (524, 326), "its bytes"),
        _arrow((690, 234), (690, 266)),
        label(10, 424, f"account {stack['account_id']}, {stack['region']}, stack {stack['stack']}", size=12, soft=True),
        label(790, 424, f"serving image {template['image'].rpartition('/')[2]}", anchor="end", size=12, soft=True),
    ]
    marker = tag(
        "marker", tag("path", d="M0 0 8 4 0 8z", fill="var(--soft)"),
        id="tip", viewBox="0 0 8 8", refX=7, refY=4, markerWidth=8, markerHeight=8, orient="auto",
    )  # fmt: skip
    return picture(800, 432, "The platform", tag("defs", marker), *shapes, class_="wide")


def _area(box: Box, name: str) -> Markup:
    x, y, width, height = box
    frame = tag(
        "rect", x=x, y=y, width=width, height=height, rx=10, fill="none", stroke="var(--idle)", stroke_dasharray="5 4"
    )
    return tag("g", frame, label(x + 4, y - 8, name, size=12, soft=True))


def _box(box: Box, name: str, kind: str, identifier: str = "", *, fill: str = "var(--fill)") -> Markup:
    x, y, width, height = box
    lines = [label(x + 12, y + 22, name, size=14), label(x + 12, y + 40, _cut(kind, width), size=12, soft=True)]
    if identifier:
        lines.append(label(x + 12, y + 56, _cut(identifier, width), size=11, soft=True))
    frame = tag("rect", x=x, y=y, width=width, height=height, rx=7, fill=fill, stroke="var(--line)")
    return tag("g", tag("title", f"{name}: {kind} {identifier}".strip()), frame, *lines)


def _endpoint(box: Box, endpoint: Mapping[str, Any], shares: Mapping[str, float]) -> Markup:
    x, y, width, height = box
    frame = tag("rect", x=x, y=y, width=width, height=height, rx=7, fill="var(--fill)", stroke="var(--line)")
    shapes = [frame, label(x + 12, y + 22, f"endpoint {_cut(endpoint['endpoint_name'], width - 60)}", size=14)]
    inside, gap = width - 24, 8
    each = (inside - gap) / 2
    for index, variant in enumerate(endpoint["variants"]):
        left, colour = x + 12 + index * (each + gap), COLOURS.get(variant, "var(--accent)")
        share = shares.get(variant)
        shapes += [
            tag(
                "rect",
                x=left,
                y=y + 36,
                width=each,
                height=48,
                rx=5,
                fill=SOFT_COLOURS.get(variant, "none"),
                stroke=colour,
            ),
            label(left + 12, y + 57, variant, size=14),
            label(left + 12, y + 74, "holding" if share is None else f"{share:.0%} of requests", size=12, soft=True),
        ]
        if share:
            shapes.append(tag("rect", x=left, y=y + 92, width=each * share, height=8, rx=3, fill=colour))
    return tag("g", *shapes)


def _vault(box: Box, vault: Mapping[str, Any]) -> Markup:
    x, y, width, height = box
    drawn = _box(box, "vault", f"S3, locked {vault['retention_days']} days", vault["bucket_name"])
    lock = tag(
        "g",
        tag("rect", x=x + width - 36, y=y + 16, width=20, height=15, rx=3, fill="var(--warn)"),
        tag(
            "path",
            d=f"M{x + width - 32} {y + 16}v-4a6 6 0 0 1 12 0v4",
            fill="none",
            stroke="var(--warn)",
            stroke_width=2.5,
        ),
    )
    note = label(x + 12, y + height - 14, "COMPLIANCE: nobody deletes", size=12, soft=True)
    return tag("g", drawn, lock, note)


def _arrow(start: tuple[float, float], end: tuple[float, float], name: str = "") -> Markup:
    line = _bend([start, end])
    if not name:
        return line
    return tag("g", line, label((start[0] + end[0]) / 2, start[1] - 8, name, anchor="middle", size=11, soft=True))


def _bend(points: list[tuple[float, float]]) -> Markup:
    path = " ".join(f"{x:g},{y:g}" for x, y in points)
    return tag("polyline", points=path, fill="none", stroke="var(--soft)", stroke_width=1.5, marker_end="url(#tip)")


def _cut(name: str, width: float) -> str:
    """Shorten a name in its middle to what fits into `width` units of a small font."""
    room = int((width - 20) / 6.1)
    return name if len(name) <= room else f"{name[: room - 8]}…{name[-7:]}"
