"""`index.html`: the report for people, in one file that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from interlock.pages.markup import Markup, card, join, shortened, table, tag
from interlock.pages.style import STYLE
from rehearsal.report.charts import (
    COLOURS,
    latency_chart,
    legend,
    predictions_chart,
    resources_table,
    shares_chart,
    shares_table,
)
from rehearsal.report.duties import actors_cell, breaches_card, certificate_card
from rehearsal.report.platform_drawing import drawing
from rehearsal.report.release import acts_card, audit_card, findings_card, ledger_card, passports_card
from rehearsal.report.rights import rights_card, work_card

Report = Mapping[str, Any]


def page(report: Report) -> str:
    """Return the page for a report, as `rehearsal.json` holds it; parts that a broken-off story lacks are left out."""
    body = tag("main", _head(report), *_problems(report), _timeline(report), *_parts(report), _everything(report))
    head = (
        '<meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"{tag('title', 'Rehearsal: ' + report['outcome'])}<style>{STYLE}</style>"
    )
    return f'<!doctype html>\n<html lang="en">\n<head>{head}</head>\n<body>{body}</body>\n</html>\n'


def _details(report: Report, fragment: str) -> list[Mapping[str, Any]]:
    """Return what those steps saw in whose details there is a field `fragment`, in the order of the story."""
    return [step["details"] for step in report["steps"] if fragment in step["details"]]


def _head(report: Report) -> Markup:
    steps = report["steps"]
    passed = [step for step in steps if step["outcome"] == "passed"]
    started = datetime.fromisoformat(report["started_at"])
    facts = [("whole story", f"{report['seconds']:.0f} s"), ("steps passed", f"{len(passed)} of {len(steps)}")]
    made = _created(_provisioned(report))
    facts += [("AWS resources", str(len(made)))] if made else []
    facts += [("invocations", f"{sum(one['counts'].values()):,}") for one in _details(report, "counts")]
    facts += [("attacks refused", str(len(one["attempts"]))) for one in _details(report, "attempts")]
    return tag(
        "header",
        tag("h1", "Rehearsal", tag("span", report["outcome"], class_=f"badge {report['outcome']}")),
        tag(
            "p",
            "One stack, really provisioned by Pulumi on a local AWS: a model of real loan applications goes from "
            "training to traffic, over two regions and three accounts.",
            class_="soft",
        ),
        tag("p", f"Started {started:%Y-%m-%d %H:%M:%S} UTC", class_="soft"),
        tag("dl", *(tag("div", tag("dt", name), tag("dd", value)) for name, value in facts), class_="facts"),
    )


def _provisioned(report: Report) -> list[Mapping[str, Any]]:
    """Return the resources of every stack's update."""
    return [resource for one in _details(report, "resources") for resource in one["resources"]]


def _created(resources: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [one for one in resources if one["op"] == "create" and one["type"].startswith("aws:")]


def _problems(report: Report) -> list[Markup]:
    return [
        card(
            f"Failed: {step['name']}",
            tag(
                "dl",
                *_pair("expected", step["problem"]["expected"]),
                *_pair("seen", step["problem"]["seen"]),
                *(part for log in step["problem"]["logs"] for part in _pair("look in", log)),
                class_="pairs",
            ),
            kind="problem",
        )
        for step in report["steps"]
        if step["problem"]
    ]


def _pair(name: str, value: str) -> list[Markup]:
    return [tag("dt", name), tag("dd", tag("pre", value))]


def _timeline(report: Report) -> Markup:
    begun = datetime.fromisoformat(report["started_at"])
    whole = max(report["seconds"], 0.001)
    rows = []
    for step in report["steps"]:
        if step["seconds"] is None:
            track: object = tag("span", "not run", class_="seconds not-run")
        else:
            offset = (datetime.fromisoformat(step["started_at"]) - begun).total_seconds()
            left, width = 100 * offset / whole, 100 * step["seconds"] / whole
            place = f"right:{100 - left:.2f}%" if left + width > 88 else f"left:{left + width:.2f}%"
            track = join(
                [
                    tag("span", class_=f"bar {step['outcome']}", style=f"left:{left:.2f}%;width:{width:.2f}%"),
                    tag("span", f"{step['seconds']:.1f} s", class_="seconds", style=place),
                ]
            )
        rows.append(tag("li", tag("span", step["name"]), tag("div", track, class_="track")))
    ticks = [whole * part / 4 for part in range(5)]
    axis = (tag("span", f"{tick:.0f} s", style=f"left:{100 * tick / whole:.0f}%") for tick in ticks)
    rows.append(tag("li", tag("span"), tag("div", *axis, class_="axis"), aria_hidden="true"))
    return card(
        "When",
        tag("p", "Steps that need nothing of each other ran side by side.", class_="soft"),
        tag("ol", *rows, class_="time"),
    )


def _parts(report: Report) -> list[Markup]:
    phases = [phase for one in _details(report, "phases") for phase in one["phases"]]
    parts = [certificate_card(one) for one in _details(report, "certificate")]
    if report["stack"]:
        watched = next((one["audit"]["trail_bucket"] for one in _details(report, "audit")), None)
        drawn = drawing(report["stack"], _final_shares(report, phases), watched)
        parts.append(card("The platform", tag("div", drawn, class_="scroll")))
    parts += _predictions(report)
    if phases:
        parts.append(_traffic(phases))
    parts += [_latency(one["latencies"]) for one in _details(report, "latencies")]
    parts += [_releases(one["releases"]) for one in _details(report, "releases")]
    parts += _record(report)
    parts += _standing_by(report)
    parts += [_attacks(one["attempts"]) for one in _details(report, "attempts")]
    tried = [attempt for one in _details(report, "breaches") for attempt in one["breaches"]]
    parts += [breaches_card(tried)] if tried else []
    parts += [work_card(one["work"]) for one in _details(report, "work")]
    parts += [rights_card(one["rights"], one["reviewed"]) for one in _details(report, "rights")]
    provisioned = _provisioned(report)
    parts += [_resources(provisioned)] if provisioned else []
    parts += [_remains(one) for one in _details(report, "remaining")]
    return parts


def _record(report: Report) -> list[Markup]:
    parts = [passports_card(one["passports"]) for one in _details(report, "passports")]
    acts = [act for one in _details(report, "acts") for act in one["acts"]]
    refusals = [refusal for one in _details(report, "refusals") for refusal in one["refusals"]]
    parts += [acts_card(acts, refusals)] if acts or refusals else []
    records = [one["ledger"] for one in _details(report, "ledger")]
    parts += [ledger_card(records)] if records else []
    findings = [finding for one in _details(report, "findings") for finding in one["findings"]]
    parts += [findings_card(findings)] if any(one["changes"] for one in findings) else []
    return [*parts, *(audit_card(one["audited"]) for one in _details(report, "audited"))]


def _final_shares(report: Report, phases: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Return the shares at the end, of those variants that serve a release."""
    states = [one["state"] for one in _details(report, "state")] + [phase["state"] for phase in phases]
    if not states:
        return {}
    variants = states[-1]["variants"]
    total = sum(one["weight"] for one in variants.values()) or 1.0
    return {name: one["weight"] / total for name, one in variants.items() if one["release"]}


def _predictions(report: Report) -> list[Markup]:
    compared = _details(report, "pairs")
    if not compared:
        return []
    figures = [
        tag(
            "figure",
            predictions_chart(one["model"], variant, one["pairs"]),
            tag(
                "figcaption",
                f"{variant}, {one['model']}: {len(one['pairs'])} held-out applications, "
                f"largest difference {one['largest_difference']:.1e}",
            ),
        )
        for variant, one in zip(COLOURS, compared, strict=False)
    ]
    return [
        card(
            "Every answer compared",
            tag(
                "p",
                "Each held-out application was sent to the endpoint; what it answered is compared with what the "
                "trained model says of the same application. Equal answers lie on the diagonal.",
                class_="soft",
            ),
            tag("div", *figures, class_="two"),
        )
    ]


def _traffic(phases: Sequence[Mapping[str, Any]]) -> Markup:
    return card(
        "Traffic follows the weights",
        tag(
            "p",
            "Each dot is the share of the requests that a variant answered; the bar is the interval in which a fair "
            "draw with these weights stays with 99.9 % probability.",
            class_="soft",
        ),
        legend(*COLOURS.items()),
        tag("div", shares_chart(phases), class_="scroll"),
        tag("details", tag("summary", "The numbers"), shares_table(phases)),
    )


def _latency(rows: Sequence[Mapping[str, Any]]) -> Markup:
    numbers = table(
        ("variant", "percentile", "requests", "model (CloudWatch), ms", "whole answer (client), ms"),
        (
            (r["variant"], f"p{r['percent']}", r["requests"], f"{r['model_ms']:.2f}", f"{r['client_ms']:.2f}")
            for r in rows
        ),
        numeric=(2, 3, 4),
    )
    return card(
        "Latency, counted twice",
        tag(
            "p",
            "CloudWatch's ModelLatency is the model's own time; the client's time adds the way there and back, so it "
            "lies just above.",
            class_="soft",
        ),
        legend(("model, as CloudWatch has it", "var(--blue)"), ("client", "var(--idle)")),
        tag("div", latency_chart(rows), class_="scroll"),
        tag("details", tag("summary", "The numbers"), numbers),
    )


def _releases(releases: Sequence[Mapping[str, Any]]) -> Markup:
    return card(
        "Releases in the vault",
        table(
            ("model version", "release (subject digest)", "files", "bytes", "signed by", "locked until (UTC)"),
            (
                (
                    one["version"],
                    tag("code", one["digest"]),
                    one["files"],
                    f"{one['bytes']:,}",
                    ", ".join(one["signed_by"]),
                    one["locked_until"][:16].replace("T", " "),
                )
                for one in releases
            ),
            numeric=(2, 3),
        ),
    )


def _standing_by(report: Report) -> list[Markup]:
    """What was seen of the second region and of a secret's rotation: each step's own words."""
    seen = [step for step in report["steps"] if "standing_by" in step["details"]]
    if not seen:
        return []
    rows = ((step["details"]["standing_by"], step["summary"]) for step in seen)
    return [card("What stands by", table(("what", "seen"), rows))]


def _attacks(attempts: Sequence[Mapping[str, Any]]) -> Markup:
    return card(
        "Attacks on the vault, all refused",
        table(
            ("attempt", "what AWS answered"),
            ((one["attempt"], tag("code", shortened(one["answer"]))) for one in attempts),
        ),
    )


def _resources(resources: Sequence[Mapping[str, Any]]) -> Markup:
    return card("What was provisioned", resources_table(_created(resources)))


def _remains(details: Mapping[str, Any]) -> Markup:
    return card(
        "What remains after the destruction",
        tag("p", "The vault's locks outlive the stack; the bucket and the keys that belong to it stay.", class_="soft"),
        table(("type", "identifier"), ((one["type"], tag("code", one["id"])) for one in details["remaining"])),
        tag("h3", "Locked objects"),
        table(
            ("locked until (UTC)", "object"),
            ((one["until"][:16].replace("T", " "), tag("code", one["key"])) for one in details["locked"]),
        ),
    )


def _everything(report: Report) -> Markup:
    steps = table(
        ("step", "outcome", "seconds", "under", "what it saw"),
        (
            (
                step["name"],
                tag("span", step["outcome"], class_=step["outcome"].replace(" ", "-")),
                "" if step["seconds"] is None else f"{step['seconds']:.1f}",
                actors_cell(step["actors"]),
                step["summary"] or (step["problem"] or {}).get("seen", ""),
            )
            for step in report["steps"]
        ),
        numeric=(2,),
    )
    tools = table(("tool", "version"), report["tools"].items())
    return join([card("Every step", steps), card("Tools", tools)])
