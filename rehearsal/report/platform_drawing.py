"""The platform as a drawing: what was provisioned, and what serves at the end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from interlock.pages.markup import Markup, picture, tag
from rehearsal.report.charts import COLOURS, SOFT_COLOURS, label

Box = tuple[float, float, float, float]


PRIMARY: Box = (8, 8, 592, 476)
RECOVERY: Box = (672, 8, 220, 476)
WORKLOAD: Box = (0, 44, 900, 262)
EVIDENCE: Box = (0, 322, 900, 110)


def drawing(stack: Mapping[str, Any], shares: Mapping[str, float], trail_bucket: str | None) -> Markup:
    """Draw the stack that the manifest `stack` describes; `shares` are the variants' parts of the traffic (0 to 1).

    `trail_bucket` is where the accounts' trails write, None if nobody has them watched.
    """
    recovery = stack.get("recovery")
    accounts = stack["accounts"]
    shapes = [
        _region(PRIMARY, "primary region", stack["region"]),
        *([_region(RECOVERY, "recovery region", recovery["region"])] if recovery else []),
        _account(WORKLOAD, "workload", accounts),
        _account(EVIDENCE, "evidence", accounts),
        *_primary(stack, shares),
        *(_recovery(recovery) if recovery else []),
        label(24, 470, f"audit account {accounts['audit']}: {_watched(trail_bucket)}", size=12, soft=True),
        label(0, 508, f"stack {stack['stack']}", size=12, soft=True),
        label(900, 508, f"serving image {_image(stack)}", anchor="end", size=12, soft=True),
    ]
    return picture(900, 516, "The platform", tag("defs", _tip()), *shapes, class_="wide")


def _primary(stack: Mapping[str, Any], shares: Mapping[str, float]) -> list[Markup]:
    tracking, store = stack["tracking"], stack.get("artifact_store") or {}
    database = tracking.get("database") or {}
    return [
        _endpoint((24, 76, 210, 212), next(iter(stack["endpoints"].values())), shares),
        _box((262, 76, 150, 62), "load balancer", "HTTPS 443", tracking["domain"]),
        _box((262, 160, 150, 62), "MLflow", "ECS service", tracking.get("service") or ""),
        _box((440, 76, 144, 62), "PostgreSQL", "RDS, TLS, KMS", database.get("identifier", "")),
        _box((440, 160, 144, 62), "artifacts", "S3, versioned", store.get("bucket_name", "")),
        _box((262, 240, 222, 48), "secrets, tables, runner", "rotated; of this region"),
        _box((24, 352, 250, 68), "signing keys", f"KMS: {len(stack['signing_keys'])} duties, P-256 each"),
        _vault((302, 352, 282, 68), stack["vault"]),
        _arrow((337, 138), (337, 160)),
        _bend([(412, 180), (426, 180), (426, 107), (440, 107)]),
        _arrow((412, 198), (440, 198)),
        _arrow((536, 222), (536, 352)),
        label(544, 318, "pinned", size=11, soft=True),
        _bend([(340, 352), (340, 314), (129, 314), (129, 288)]),
        label(138, 301, "what verifies", size=11, soft=True),
        _arrow((274, 386), (302, 386)),
    ]


def _recovery(part: Mapping[str, Any]) -> list[Markup]:
    """Draw what stands by, and what brings it there."""
    database, store = part.get("database") or {}, part.get("artifact_store") or {}
    copied: list[Markup] = []
    if database:
        copied += [
            _box((688, 76, 190, 62), "PostgreSQL standby", "read-only, follows", database["identifier"]),
            _copy((584, 107), (688, 107), "streams"),
        ]
    if store:
        copied += [
            _box((688, 160, 190, 62), "artifacts", "S3, the same objects", store["bucket_name"]),
            _copy((584, 191), (688, 191), "copies"),
        ]
    return [
        *copied,
        _box(
            (688, 240, 190, 48), "secrets, tables, runner", f"endpoints that hold: {len(part.get('endpoints') or {})}"
        ),
        _copy((484, 264), (688, 264)),
        _vault((688, 352, 190, 68), part["vault"]),
        _copy((584, 386), (688, 386), "both ways", both=True),
    ]


def _watched(trail_bucket: str | None) -> str:
    return "no trail writes to it" if trail_bucket is None else f"trails of the others in {trail_bucket}, locked"


def _image(stack: Mapping[str, Any]) -> str:
    template = next(iter(stack["endpoints"].values()))["serving_template"]
    return str(template["image"]).rpartition("/")[2]


def _region(box: Box, name: str, region: str) -> Markup:
    x, y, width, height = box
    frame = tag("rect", x=x, y=y, width=width, height=height, rx=10, fill="var(--fill)")
    return tag("g", frame, label(x + 16, y + 23, f"{name} {region}", size=13))


def _account(box: Box, name: str, accounts: Mapping[str, str]) -> Markup:
    x, y, width, height = box
    frame = tag(
        "rect", x=x + 1, y=y, width=width - 2, height=height, rx=10,
        fill="none", stroke="var(--idle)", stroke_dasharray="5 4",
    )  # fmt: skip
    return tag("g", frame, label(x + 24, y + 20, f"{name} account {accounts[name]}", size=12, soft=True))


def _tip() -> Markup:
    return tag(
        "marker", tag("path", d="M0 0 8 4 0 8z", fill="var(--soft)"),
        id="tip", viewBox="0 0 8 8", refX=7, refY=4, markerWidth=8, markerHeight=8, orient="auto-start-reverse",
    )  # fmt: skip


def _box(box: Box, name: str, kind: str, identifier: str = "", *, fill: str = "var(--card)") -> Markup:
    x, y, width, height = box
    lines = [label(x + 12, y + 22, name, size=14), label(x + 12, y + 40, _cut(kind, width), size=12, soft=True)]
    if identifier:
        lines.append(label(x + 12, y + 56, _cut(identifier, width), size=11, soft=True))
    frame = tag("rect", x=x, y=y, width=width, height=height, rx=7, fill=fill, stroke="var(--line)")
    return tag("g", tag("title", f"{name}: {kind} {identifier}".strip()), frame, *lines)


def _endpoint(box: Box, endpoint: Mapping[str, Any], shares: Mapping[str, float]) -> Markup:
    x, y, width, height = box
    inside, each = width - 24, 66
    shapes = [
        tag("rect", x=x, y=y, width=width, height=height, rx=7, fill="var(--card)", stroke="var(--line)"),
        label(x + 12, y + 22, "endpoint", size=14),
        label(x + 12, y + 40, _cut(endpoint["endpoint_name"], width), size=12, soft=True),
    ]
    for index, variant in enumerate(endpoint["variants"]):
        top, colour = y + 52 + index * (each + 10), COLOURS.get(variant, "var(--accent)")
        share, soft = shares.get(variant), SOFT_COLOURS.get(variant, "none")
        shapes += [
            tag("rect", x=x + 12, y=top, width=inside, height=each, rx=5, fill=soft, stroke=colour),
            label(x + 24, top + 22, variant, size=14),
            label(x + 24, top + 40, "holding" if share is None else f"{share:.0%} of requests", size=12, soft=True),
        ]
        if share:
            shapes.append(tag("rect", x=x + 24, y=top + 49, width=(inside - 24) * share, height=8, rx=3, fill=colour))
    return tag("g", *shapes)


def _vault(box: Box, vault: Mapping[str, Any]) -> Markup:
    x, y, width, _ = box
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
    return tag("g", drawn, lock)


def _arrow(start: tuple[float, float], end: tuple[float, float]) -> Markup:
    return _bend([start, end])


def _copy(start: tuple[float, float], end: tuple[float, float], name: str = "", *, both: bool = False) -> Markup:
    """Draw a replication, which crosses from one region to the other between them."""
    line = tag(
        "line", x1=start[0], y1=start[1], x2=end[0], y2=end[1],
        stroke="var(--accent)", stroke_width=1.8, marker_end="url(#tip)", marker_start="url(#tip)" if both else None,
    )  # fmt: skip
    between = (PRIMARY[0] + PRIMARY[2] + RECOVERY[0]) / 2
    return tag("g", line, label(between, start[1] - 8, name, anchor="middle", size=11, soft=True)) if name else line


def _bend(points: list[tuple[float, float]]) -> Markup:
    path = " ".join(f"{x:g},{y:g}" for x, y in points)
    return tag("polyline", points=path, fill="none", stroke="var(--soft)", stroke_width=1.5, marker_end="url(#tip)")


def _cut(name: str, width: float) -> str:
    """Shorten a name in its middle to what fits into `width` units of a small font."""
    room = int((width - 20) / 6.1)
    return name if len(name) <= room else f"{name[: room - 8]}…{name[-7:]}"
