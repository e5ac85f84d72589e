"""HTML and SVG that would act when somebody looks at them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Final

_ACTIVE_TAGS: Final = frozenset(
    [
        "script",
        "iframe",
        "object",
        "embed",
        "applet",
        "foreignobject",
        "form",
        "meta",
        "link",
        "base",
        "set",
        "animate",
        "handler",
        "listener",
    ]
)
_ADDRESSES: Final = frozenset(("href", "xlink:href", "src", "action", "formaction", "data", "srcset", "poster"))
_HARMLESS_ADDRESS: Final = re.compile(r"#[\w.-]*|data:image/(png|jpeg|gif);base64,[A-Za-z0-9+/=\s]*")


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.problems: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag.rpartition(":")[2] in _ACTIVE_TAGS:
            self.problems.append(f"holds a <{tag}>")
        for name, value in attrs:
            if name.startswith("on"):
                self.problems.append(f"holds an attribute {name}")
            elif name in _ADDRESSES and not _HARMLESS_ADDRESS.fullmatch((value or "").strip()):
                self.problems.append(f"refers to something outside of it by {name}")
            elif name == "style" and "url(" in (value or "").replace(" ", "").lower():
                self.problems.append("refers to something outside of it by a style")

    def handle_decl(self, decl: str) -> None:
        if "[" in decl or "entity" in decl.lower():
            self.problems.append("declares entities")

    def unknown_decl(self, data: str) -> None:
        self.problems.append(f"holds a declaration that no page needs ({data[:20]})")

    def handle_pi(self, data: str) -> None:
        if not data.lower().startswith("xml "):
            self.problems.append("holds a processing instruction")


def problems_of(content: bytes) -> Iterator[str]:
    """Yield each thing in a page or a picture that acts or reaches out, once."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        # A browser may take it for an encoding in which other bytes are a script.
        yield "is not UTF-8"
        return
    reader = _Reader()
    reader.feed(text)
    reader.close()
    if re.search(r"@import|expression\s*\(|javascript\s*:", text, re.IGNORECASE):
        reader.problems.append("holds a style that imports, or an address that is a script")
    yield from dict.fromkeys(reader.problems)
