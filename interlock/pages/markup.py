"""HTML and SVG from plain data; whatever is shown goes through `text` or an attribute of `tag`, which escape it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape


class Markup(str):
    """Text that is markup already."""

    __slots__ = ()


def text(value: object) -> Markup:
    """Return `value` as markup that shows it."""
    return value if isinstance(value, Markup) else Markup(escape(str(value)))


def join(parts: Iterable[object]) -> Markup:
    """Return the parts one after the other."""
    return Markup("".join(text(part) for part in parts))


def tag(name: str, *children: object, **attributes: object) -> Markup:
    """Return an element; `class_` is `class`, other underscores are hyphens."""
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Markup(f"<{name}{given}>{join(children)}</{name}>")


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], numeric: Sequence[int] = ()) -> Markup:
    """Return a table that scrolls by itself where it is too wide; `numeric` are the indices of columns of numbers."""

    def cell(kind: str, index: int, content: object) -> Markup:
        scope = "col" if kind == "th" else None
        return tag(kind, content, class_="n" if index in numeric else None, scope=scope)

    head = tag("tr", *(cell("th", index, column) for index, column in enumerate(columns)))
    body = (tag("tr", *(cell("td", index, one) for index, one in enumerate(row))) for row in rows)
    return tag("div", tag("table", tag("thead", head), tag("tbody", *body)), class_="scroll")


def card(heading: str, *content: object, kind: str = "") -> Markup:
    """Return a section with a heading."""
    return tag("section", tag("h2", heading), *content, class_=f"card {kind}".strip())


def picture(width: int, height: int, title: str, *shapes: object, class_: str | None = None) -> Markup:
    """Return an SVG drawing with a name for those who cannot see it."""
    return tag(
        "svg",
        tag("title", title),
        *shapes,
        viewBox=f"0 0 {width} {height}",
        width=width,
        role="img",
        aria_label=title,
        class_=class_,
    )


_DIGEST = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{52}\b")


def shortened(text: str) -> str:
    """Return a text with only the beginning of each digest in it."""
    return _DIGEST.sub(r"\1…", text)
