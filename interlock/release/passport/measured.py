"""What a release was measured on: which tables, what each of their columns was taken for, and who chose that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from interlock.pages.markup import Markup, table, tag
from interlock.release.evidence import Columns
from interlock.release.passport.model import Passport
from interlock.release.passport.words import plain, spoken


@dataclass(frozen=True)
class MeasuredOn:
    """A file that gates measured on, as they understood it; the same file understood otherwise is another one."""

    part: str
    sha256: str
    columns: str
    """What its columns were taken for, such as `target approve; weight kept`; empty of a document."""
    gates: tuple[str, ...]


def measured_on(passport: Passport) -> list[MeasuredOn]:
    """Return the tables and documents of all gates' evidence, tables first, then by name."""
    found: dict[tuple[bool, str, str, str], list[str]] = {}
    for gate in passport.gates:
        if gate.evidence is None:
            continue
        for part, digest in gate.evidence.data.items():
            columns = gate.evidence.columns.get(part)
            if part != "release":
                told = columns_text(columns) if columns else ""
                found.setdefault((columns is None, part, digest, told), []).append(gate.name)
    return [
        MeasuredOn(part, digest, told, tuple(gates)) for (_, part, digest, told), gates in sorted(found.items())
    ]  # fmt: skip


def columns_text(columns: Columns) -> str:
    """Say what columns were taken for."""
    told = [f"{role} {plain(name)}" for role, name in columns.roles.items()]
    told += [f"protected {', '.join(map(plain, columns.protected))}"] if columns.protected else []
    return "; ".join(told) or "all columns are inputs"


def measured_by(passport: Passport) -> tuple[str, ...]:
    """Return the sessions that chose what was measured on; they approve nothing of it."""
    return tuple(sorted({one.evidence.builder for one in passport.gates if one.evidence and one.evidence.builder}))


def measured_lines(passport: Passport) -> Iterator[str]:
    """Yield all of that for a terminal."""
    for one in measured_on(passport):
        told = f"  {one.columns}" if one.columns else ""
        yield f"{plain(one.part)} {one.sha256[:12]}…{told}"
    if people := measured_by(passport):
        yield f"chosen and measured by {', '.join(map(plain, people))}"


def measured_card(passport: Passport) -> list[object]:
    """Return all of that for a page; nothing where no gate said anything."""
    rows = [(plain(one.part), f"{one.sha256[:12]}…", one.columns, _gates(one)) for one in measured_on(passport)]
    if not rows:
        return []
    people = ", ".join(map(plain, measured_by(passport)))
    by: list[Markup] = [tag("p", f"Chosen and measured by {people}, who approves nothing of it.")] if people else []
    return [*by, table(("part", "digest", "columns", "gates"), rows)]


def _gates(one: MeasuredOn) -> str:
    return ", ".join(spoken(gate) for gate in one.gates)
