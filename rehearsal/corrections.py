"""The list of all corrections of the local cloud, as `docs/rehearsal.md` shows it.

`python -m rehearsal.corrections docs/rehearsal.md` writes it there, between its two markers.
"""

from __future__ import annotations

import inspect
import sys
from dataclasses import dataclass
from pathlib import Path

from rehearsal.cloud.services import discover

BEGIN = "<!-- corrections: begin -->"
END = "<!-- corrections: end -->"


@dataclass(frozen=True)
class Declared:
    """A correction as it is declared: its name, what AWS does, and the page of AWS's documentation that says so."""

    name: str
    what: str
    source: str


def declared() -> list[Declared]:
    """Return every correction that any service declares, by name."""
    found = []
    for kind in discover():
        for method in vars(kind).values():
            name_and_source = getattr(method, "__dict__", {}).get("correction")
            if name_and_source is not None:
                what = " ".join((inspect.getdoc(method) or "").partition("\n\n")[0].split())
                found.append(Declared(name_and_source[0], what, name_and_source[1]))
    return sorted(found, key=lambda one: one.name)


def as_table(corrections: list[Declared]) -> str:
    """Return the corrections as a Markdown table."""
    rows = [f"| [{one.name}]({one.source}) | {one.what.replace('|', chr(92) + '|')} |" for one in corrections]
    return "\n".join(["| correction, and its source | as AWS does it |", "| --- | --- |", *rows])


def with_table(page: str) -> str:
    """Return `page` with the table of today between its markers. Raises ValueError if it lacks a marker."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page has no {BEGIN} … {END}")
    return f"{before}{BEGIN}\n{as_table(declared())}\n{END}{after}"


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(with_table(path.read_text(encoding="utf-8")), encoding="utf-8")
