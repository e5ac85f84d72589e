"""The passport as a page: one file, no scripts, nothing loaded from anywhere, everything in it escaped."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from decimal import Decimal
from html import escape
from typing import Final

from interlock.pages.markup import Markup, card, join, shortened, table, tag
from interlock.pages.style import STYLE
from interlock.release.champion import Comparison
from interlock.release.passport.measured import measured_card
from interlock.release.passport.model import GateView, Passport, State, Voice
from interlock.release.passport.parts import (
    cohorts,
    data_text,
    drawings,
    is_told,
    measure_row,
    measures_table,
    other_details,
    whole,
)
from interlock.release.passport.words import moment, number, plain, size, spoken, title

_OWN_STYLE: Final = """
.verdict { border-left: .35rem solid var(--good); } .verdict.refused { border-left-color: var(--bad); }
.verdict h2 { font-size: 1.35rem; } .verdict ul { margin: .4rem 0 0; padding-left: 1.2rem; max-width: 56rem; }
.verdict li { margin: .2rem 0; }
.gates { display: flex; flex-wrap: wrap; gap: .4rem; margin: .9rem 0 0; padding: 0; list-style: none; }
.verdict ul.gates { padding: 0; max-width: none; } .scroll + .scroll { margin-top: 1rem; }
.gates a { text-decoration: none; border: 1.5px solid currentColor; border-radius: 1rem;
  padding: .1rem .7rem; font-size: .88rem; font-weight: 600; display: inline-block; }
.missing, .does-not-count { color: var(--warn); } .small { font-size: .84rem; margin-top: .7rem; margin-bottom: 0; }
.places { display: grid; grid-template-columns: repeat(auto-fit, minmax(17rem, 1fr)); gap: .7rem; margin-top: .8rem; }
.places > div { border: 1px solid var(--line); border-radius: .6rem; padding: .6rem .9rem; }
.places .vacant { border-style: dashed; color: var(--soft); }
.places strong { display: block; } figure.wide { grid-column: 1 / -1; } h2 .badge { font-size: .78rem; }
td svg { min-width: 10rem; } ul.plain { margin: .3rem 0 0; padding-left: 1.2rem; } .two { margin-top: .8rem; }
.digest { overflow-wrap: anywhere; font: .84em ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
"""
_STYLES: Final = STYLE + _OWN_STYLE
_HASH: Final = base64.b64encode(hashlib.sha256(_STYLES.encode()).digest()).decode()
POLICY: Final = f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'"
"""What a browser may do with the page: use its one style sheet, whose digest this names, and nothing else."""
_CLASSES: Final = {
    State.PASSED: "passed",
    State.FAILED: "failed",
    State.MISSING: "missing",
    State.UNCOUNTED: "does-not-count",
}
_MOST_FILES: Final = 200


def page(passport: Passport) -> str:
    """Return the page."""
    body = tag(
        "main",
        _head(passport),
        _verdict(passport),
        _people(passport),
        *([_findings(passport)] if any(one.changes for one in passport.findings) else []),
        *([_changes(passport)] if passport.champion else []),
        *_gates(passport),
        card("What it was measured on", *(measured_card(passport) or [tag("p", "Nothing that a gate named.")])),
        _unchecked(passport),
        _origin(passport),
        _digests(passport),
    )
    head = (
        '<meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"{tag('title', f'Passport: {plain(passport.name)}')}<style>{_STYLES}</style>"
    )
    return f'<!doctype html>\n<html lang="en">\n<head>{head}</head>\n<body>{body}</body>\n</html>\n'


def _head(passport: Passport) -> Markup:
    pin = passport.pin
    verdict, kind = ("verifies", "passed") if passport.verifies else ("refused", "failed")
    facts: list[tuple[str, object]] = [("environment", plain(passport.environment))]
    if pin is not None:
        facts.append(("tier", plain(pin.tier) or "–"))
        if pin.request:
            facts.append(("ticket", plain(pin.request.document.ticket)))
            facts.append(("asked for by", plain(pin.request.submitter)))
    required = [gate for gate in passport.gates if gate.required]
    facts.append(("gates passed", f"{sum(one.state is State.PASSED for one in required)} of {len(required)}"))
    facts.append(("approvals", _approval_count(passport)))
    asked = pin.request.document.reason if pin and pin.request else ""
    return tag(
        "header",
        tag("h1", plain(passport.name), tag("span", verdict, class_=f"badge {kind}")),
        tag(
            "p", "Asks to serve", f": {plain(asked)}" if asked else f" in {plain(passport.environment)}.", class_="soft"
        ),
        tag("dl", *(tag("div", tag("dt", name), tag("dd", value)) for name, value in facts), class_="facts"),
        *([tag("p", plain(passport.unmeasured), ".", class_="failed")] if passport.unmeasured else []),
        *([_comparison(passport.comparison)] if passport.comparison else []),
        *(tag("p", plain(one), class_="soft") for one in passport.other_pins),
    )


def _comparison(found: Comparison) -> Markup:
    said = str(found)
    return tag("p", said[0].upper() + said[1:] + ".", class_="soft" if found.holds else "failed")


def _approval_count(passport: Passport) -> str:
    counted = sum(one.did == "approved" and one.counts for one in passport.voices)
    wanted = sum(one.count for one in passport.rules.approvals) if passport.rules else 0
    return f"{counted} of {wanted}" if wanted else str(counted)


def _verdict(passport: Passport) -> Markup:
    badges = tag("ul", *(tag("li", _gate_link(one)) for one in passport.gates), class_="gates")
    if passport.verifies:
        heading, said = (
            "Everything that the tier demands is there",
            tag("p", "Nothing speaks against it.", class_="soft"),
        )
    else:
        count = len(passport.reasons)
        heading = "One thing speaks against it" if count == 1 else f"{count} things speak against it"
        said = tag("ul", *(tag("li", shortened(plain(one))) for one in passport.reasons))
    return card(heading, said, badges, kind="verdict" if passport.verifies else "verdict refused")


def _gate_link(gate: GateView) -> Markup:
    return tag("a", f"{spoken(gate.name)}: {gate.state}", href=f"#gate-{gate.name}", class_=_CLASSES[gate.state])


def _people(passport: Passport) -> Markup:
    voices = [_voice_box(one) for one in passport.voices]
    vacant = [tag("div", tag("strong", "missing"), plain(one), class_="vacant") for one in passport.lacking]
    could = ", ".join(map(plain, passport.could_approve))
    more = [tag("p", f"Could still approve: {could}.", class_="soft small")] if vacant and could else []
    heading = "Who agrees, who objects, who is missing"
    content = (
        [tag("div", *voices, *vacant, class_="places")] if voices or vacant else [tag("p", "Nobody has said anything.")]
    )
    return card(heading, *content, *more)


def _voice_box(voice: Voice) -> Markup:
    good = voice.did == "approved"
    kind = ("passed" if good else "failed") if voice.counts else "not-run"
    until = f", until {moment(voice.until)}" if voice.until else ""
    lines: list[object] = [
        tag(
            "strong",
            plain(voice.person),
            tag("span", voice.did if voice.counts else f"{voice.did}, does not count", class_=f"badge {kind}"),
        ),
        tag("span", f"“{plain(voice.reason)}” ({plain(voice.ticket)})"),
        tag("p", f"{moment(voice.at)}{until}", class_="soft small"),
    ]
    if voice.why_not and not voice.counts:
        lines.append(tag("p", shortened(plain(voice.why_not)), class_="soft small"))
    return tag("div", *lines)


def _findings(passport: Passport) -> Markup:
    rows = (
        (
            moment(finding.observed_at),
            tag("strong", spoken(one.kind.value), class_="failed" if finding.contradicts else None),
            plain(one.what),
            shortened(plain(one.before)) or "–",
            shortened(plain(one.after)) or "–",
        )
        for finding in passport.findings
        for one in finding.changes
    )
    said = (
        "The registry changed what it shows under this name since it was pinned; what is asked for lies in the vault."
    )
    table_of = table(("seen", "what happened", "to", "before", "after"), rows)
    return card("What the watch over the registry found", tag("p", said, class_="soft"), table_of)


def _changes(passport: Passport) -> Markup:
    assert passport.champion is not None
    measured = [one for one in passport.changes if one.numbers]
    others = [one for one in passport.changes if not one.numbers]
    parts: list[object] = [
        tag("p", f"Compared with {plain(passport.champion.name)}, ", tag("code", passport.champion.digest[:12] + "…"),
            ", which serves.", class_="soft")
    ]  # fmt: skip
    if measured:
        rows = (
            (spoken(one.what), number(one.numbers[0]), number(one.numbers[1]), _signed(one.numbers))
            for one in measured
            if one.numbers
        )
        parts.append(table(("measure", "champion", "this release", "difference"), rows, numeric=(1, 2, 3)))
    if others:
        rows_of = (
            (plain(one.what), shortened(plain(one.before)) or "–", shortened(plain(one.after)) or "–") for one in others
        )
        parts.append(table(("what", "champion", "this release"), rows_of))
    if not passport.changes:
        parts.append(tag("p", "Nothing that this record holds differs."))
    return card("What changed since the champion", *parts)


def _signed(numbers: tuple[Decimal, Decimal]) -> str:
    before, after = numbers
    return ("+" if after >= before else "−") + number(abs(after - before))


def _gates(passport: Passport) -> Iterator[Markup]:
    """A card for each gate that needs a closer look or has something to draw; the others in one."""
    missing = [gate for gate in passport.gates if gate.evidence is None]
    plain_ones = [gate for gate in passport.gates if _is_plain(gate)]
    loud = [gate for gate in passport.gates if gate not in plain_ones and gate not in missing]
    yield from (_gate(gate) for gate in loud if gate.state is not State.PASSED)
    if missing:
        items = (tag("li", title(gate.name), id=f"gate-{gate.name}") for gate in missing)
        said = tag("p", "The tier demands these gates, and there is no evidence of them under the release's policy.")
        badge = tag("span", State.MISSING.value, class_=f"badge {_CLASSES[State.MISSING]}")
        yield card(join(["Gates that nobody has seen pass", badge]), said, tag("ul", *items, class_="plain"))
    yield from (_gate(gate) for gate in loud if gate.state is State.PASSED)
    if plain_ones:
        yield _plain_gates(plain_ones)


def _is_plain(gate: GateView) -> bool:
    if gate.state is not State.PASSED or gate.evidence is None:
        return False
    groups = {one.name for one in gate.evidence.measures if one.of is not None and one.value != 0}
    return not groups and not drawings(gate.evidence)


def _plain_gates(gates: Sequence[GateView]) -> Markup:
    rows: list[tuple[object, ...]] = []
    notes: list[Markup] = []
    for gate in gates:
        evidence = gate.evidence
        assert evidence is not None
        name = tag("span", spoken(gate.name), *([] if gate.required else [" (not demanded)"]), id=f"gate-{gate.name}")
        ordered = [one for one in evidence.measures if one.limit is not None] or list(evidence.measures[:1])
        measured = [measure_row(one) for one in ordered] or [("no figures", "", "", "", "", "")]
        rows += [(name if index == 0 else "", *row) for index, row in enumerate(measured)]
        notes.append(tag("p", f"{title(gate.name)}: {data_text(evidence)}", class_="soft small"))
        others = [one for one in evidence.measures if one not in ordered]
        notes += [measures_table(others)] if others else []
        notes += other_details(evidence)
    columns = ("gate", "measure", "value", "interval", "limit", "", "")
    more = tag("details", tag("summary", "on which data, and all that they told"), *notes)
    return card("Gates that passed, in short", table(columns, rows, numeric=(2,)), more)


def _gate(gate: GateView) -> Markup:
    badge = tag("span", gate.state.value, class_=f"badge {_CLASSES[gate.state]}")
    optional = [] if gate.required else [tag("p", "The tier does not demand this gate.", class_="soft")]
    content = list(_gate_content(gate))
    heading = join([title(gate.name), badge])
    return tag("section", tag("h2", heading), *optional, *content, class_="card", id=f"gate-{gate.name}")


def _gate_content(gate: GateView) -> Iterator[Markup]:
    evidence = gate.evidence
    assert evidence is not None
    if evidence.reasons:
        yield tag("ul", *(tag("li", plain(one)) for one in evidence.reasons), class_="plain failed")
    everything = whole(evidence)
    limited = [one for one in evidence.measures if one.limit is not None and is_told(one, evidence.measures)]
    if limited:
        yield measures_table(limited)
    yield from cohorts(evidence)
    figures = drawings(evidence)
    if figures:
        yield tag("div", *figures, class_="two")
    yield from other_details(evidence)
    others = [one for one in everything if one.limit is None]
    if others:
        yield tag("details", tag("summary", "further measures"), measures_table(others))
    if evidence.unchecked:
        yield tag(
            "p", "Not looked at: " + "; ".join(plain(one) for one in evidence.unchecked) + ".", class_="soft small"
        )
    yield tag("p", data_text(evidence), class_="soft small")


def _unchecked(passport: Passport) -> Markup:
    rows = [(spoken(gate), plain(text)) for gate, text in passport.unchecked]
    ours = "That the labels are right, that the data are what production will bring, and what nobody thought to ask."
    content: list[object] = [tag("p", ours)]
    if rows:
        content.append(table(("gate", "what it did not look at"), rows))
    if passport.notes:
        content.append(tag("ul", *(tag("li", shortened(plain(one))) for one in passport.notes), class_="plain soft"))
    return card("What was not checked", *content)


def _origin(passport: Passport) -> Markup:
    pin = passport.pin
    if pin is None:
        return card("Where it comes from", tag("p", "No builder has signed for these bytes."))
    run = pin.training
    pairs: list[tuple[str, str]] = [
        ("model version", f"{plain(pin.source.name)}/{plain(pin.source.version)} of {plain(pin.source.registry)}"),
        ("logged model", plain(pin.source.logged_model_id)),
        ("run", plain(run.run_id) if run else plain(pin.source.run_id)),
        ("trained by", plain(run.user) if run else ""),
        ("code", f"{plain(pin.code.repository)} {plain(pin.code.revision)}".strip()),
        ("built by", plain(pin.builder)),
        ("sources", ", ".join(map(plain, pin.sources))),
    ]
    if pin.request:
        asked = pin.request.document
        pairs.append(
            ("asked for", f"{moment(asked.submitted_at)} by {plain(pin.request.submitter)}, {plain(asked.ticket)}")
        )
    listed = [part for name, value in pairs if value for part in (tag("dt", name), tag("dd", value))]
    parts: list[object] = [tag("dl", *listed, class_="pairs")]
    if pin.data:
        rows = ((plain(one.name), plain(one.context), plain(one.source), plain(one.digest)) for one in pin.data)
        parts += [tag("h3", "Data"), table(("name", "used for", "source", "digest"), rows)]
    if pin.signature:
        rows_of = ((plain(one.get("name", "")), plain(one.get("type", ""))) for one in pin.signature.inputs)
        parts.append(tag("details", tag("summary", "declared inputs"), table(("name", "type"), rows_of)))
    return card("Where it comes from", *parts)


def _digests(passport: Passport) -> Markup:
    pairs = [("release", passport.digest), ("record", passport.record or "–")]
    pairs += [("policy", passport.pin.policy)] if passport.pin and passport.pin.policy else []
    pairs.append(("trust root", f"version {passport.root_version}"))
    listed = [
        part for name, value in pairs for part in (tag("dt", name), tag("dd", tag("span", value, class_="digest")))
    ]
    files = (
        (plain(path), size(count), tag("span", digest, class_="digest"))
        for path, count, digest in passport.files[:_MOST_FILES]
    )
    total = sum(count for _, count, _ in passport.files)
    more = len(passport.files) - _MOST_FILES
    summary = f"{len(passport.files):,} files, {size(total)}" + (
        f"; the first {_MOST_FILES} of them" if more > 0 else ""
    )
    statements = ((tag("span", payload, class_="digest"), plain(key)) for payload, key in passport.digests.items())
    judged = f"As of {moment(passport.now)}. " if passport.now else ""
    return card(
        "Digests",
        tag("dl", *listed, class_="pairs"),
        tag("details", tag("summary", summary), table(("path", "size", "SHA-256"), files, numeric=(1,))),
        tag(
            "details",
            tag("summary", f"{len(passport.digests)} statements of the builder's"),
            table(("payload", "key"), statements),
        ),
        tag("p", judged + "This page proves nothing: interlock verify and verify.py do.", class_="soft small"),
    )
