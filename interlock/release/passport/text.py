"""The passport on a terminal: what somebody reads before they sign."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from interlock.pages.markup import shortened
from interlock.release.evidence import Measure
from interlock.release.passport.measured import measured_lines
from interlock.release.passport.model import Passport, State
from interlock.release.passport.words import interval, limit, moment, number, plain, size, spoken

_COLOURS: Final = {State.PASSED: "green", State.FAILED: "bold red", State.MISSING: "yellow", State.UNCOUNTED: "yellow"}


def text(passport: Passport) -> RenderableType:
    """Return the passport for a terminal: verdict first, digests last; control characters are shown as text."""
    return Group(*_parts(passport))


def _parts(passport: Passport) -> Iterator[RenderableType]:
    word, colour = ("verifies", "bold green") if passport.verifies else ("refused", "bold red")
    yield Text.assemble((plain(passport.name), "bold"), " for ", plain(passport.environment), "  ", (word, colour))
    yield from _lines([shortened(plain(one)) for one in passport.reasons])
    if passport.unmeasured:
        yield Padding(Text(plain(passport.unmeasured), "bold yellow"), (0, 0, 0, 2))
    if passport.comparison is not None:
        yield Padding(Text(str(passport.comparison), "" if passport.comparison.holds else "bold yellow"), (0, 0, 0, 2))
    yield _heading("asked for")
    yield from _lines(_asked(passport))
    yield _heading("gates")
    yield Padding(_gates(passport), (0, 0, 0, 2))
    yield _heading("people")
    yield from _lines(_people(passport) or ["nobody has said anything"])
    found = [(finding, one) for finding in passport.findings for one in finding.changes]
    if found:
        yield _heading("found in the registry since")
        yield from _lines(
            [f"{moment(finding.observed_at)}  {spoken(one.kind.value)}: {plain(one.what)}" for finding, one in found]
        )
    if passport.champion is not None:
        yield _heading(f"changed since {plain(passport.champion.name)}")
        yield from _lines(_changes(passport) or ["nothing that the record holds"])
    yield _heading("measured on")
    yield from _lines(list(measured_lines(passport)) or ["nothing that a gate named"])
    yield _heading("not checked")
    yield from _lines([f"{spoken(gate)}: {plain(what)}" for gate, what in passport.unchecked] or ["nothing was named"])
    yield _heading("digests")
    yield from _lines(_digests(passport))


def _heading(words: str) -> Text:
    return Text(f"\n{words}", style="bold")


def _lines(lines: list[str]) -> Iterator[RenderableType]:
    for one in lines:
        yield Padding(Text(one), (0, 0, 0, 2))


def _asked(passport: Passport) -> list[str]:
    pin = passport.pin
    if pin is None:
        return ["no builder has signed for these bytes"]
    if pin.request is None:
        return [f"pinned by {plain(pin.builder)}; nobody asked for its release"]
    asked = pin.request.document
    lines = [
        f"tier {plain(pin.tier)}{' (emergency)' if asked.emergency else ''}, {plain(asked.ticket)}, by "
        f"{plain(pin.request.submitter)} at {moment(asked.submitted_at)}",
        f"from {plain(pin.source.name)}/{plain(pin.source.version)} of {plain(pin.source.registry)}",
    ]
    if pin.code.revision:
        lines.append(f"code {plain(pin.code.repository)} {plain(pin.code.revision)}".replace("  ", " "))
    if asked.reason:
        lines.append(f"“{plain(asked.reason)}”")
    return [*lines, *map(plain, passport.other_pins)]


def _gates(passport: Passport) -> Table:
    table = Table(box=None, pad_edge=False, show_edge=False, header_style="dim")
    for column in ("gate", "", "measure", "value", "interval", "limit"):
        table.add_column(column, overflow="fold", justify="right" if column == "value" else "left")
    for gate in passport.gates:
        state = Text(gate.state.value, style=_COLOURS[gate.state])
        name = spoken(gate.name) + ("" if gate.required else " (not demanded)")
        limited = [one for one in gate.evidence.measures if one.limit is not None] if gate.evidence else []
        shown = _most_telling(limited)
        if not shown:
            table.add_row(name, state, "", "", "", "")
        for index, one in enumerate(shown):
            of = f" {plain(one.of.attribute)}: {plain(one.of.value)}" if one.of else ""
            value = Text(
                "suppressed" if one.suppressed else number(one.value), style="red" if one.holds is False else ""
            )
            first = (name, state) if index == 0 else ("", "")
            table.add_row(*first, spoken(one.name) + of, value, interval(one), limit(one.limit))
        for reason in gate.evidence.reasons if gate.evidence else ():
            table.add_row("", "", Text(plain(reason), style="red"), "", "", "")
    return table


def _most_telling(limited: list[Measure]) -> list[Measure]:
    """Return every broken limit, and of each measure that holds everywhere the group that is nearest to its limit."""
    broken = [one for one in limited if one.holds is False]
    shown = {one.name for one in broken}
    nearest: dict[str, Measure] = {}
    for one in limited:
        known = nearest.get(one.name)
        if one.name not in shown and (known is None or _distance(one) < _distance(known)):
            nearest[one.name] = one
    return [*broken, *nearest.values()]


def _distance(one: Measure) -> float:
    assert one.limit is not None
    value = one.at(one.limit.bound)
    given = (one.limit.at_least, one.limit.at_most, one.limit.above, one.limit.below)
    bound = next(limit for limit in given if limit is not None)
    return float(abs(value - bound)) if value is not None else float("inf")


def _people(passport: Passport) -> list[str]:
    lines = []
    for one in passport.voices:
        until = f", until {moment(one.until)}" if one.until else ""
        lines.append(
            f"{plain(one.person)} {one.did} ({plain(one.ticket)}, {moment(one.at)}{until}): {plain(one.reason)}"
        )
        if not one.counts:
            lines.append(f"  does not count: {shortened(plain(one.why_not))}")
    lines += [f"missing: {plain(one)}" for one in passport.lacking]
    if passport.lacking and passport.could_approve:
        lines.append(f"could approve: {', '.join(map(plain, passport.could_approve))}")
    return lines


def _changes(passport: Passport) -> list[str]:
    lines = []
    for one in passport.changes:
        if one.numbers:
            before, after = one.numbers
            lines.append(f"{spoken(one.what)}: {number(before)} → {number(after)}")
        else:
            old, new = shortened(plain(one.before)), shortened(plain(one.after))
            lines.append(f"{plain(one.what)}: {old or '–'} → {new or '–'}")
    return lines


def _digests(passport: Passport) -> list[str]:
    total = sum(count for _, count, _ in passport.files)
    lines = [f"release  {passport.digest}", f"record   {passport.record or '–'}"]
    if passport.pin and passport.pin.policy:
        lines.append(f"policy   {passport.pin.policy}")
    return [*lines, f"{len(passport.files):,} files, {size(total)}"]
