"""HTML that would act or reach out when somebody looks at it.

What browsers make of broken markup no parser here follows, so only markup is accepted on which all agree: every `<`
begins a tag, a comment or a document type of the plainest form. In a file of these alone each part is harmless
wherever a browser takes it to stand. Tokens: HTML Living Standard, 13.2.5.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from interlock.release.gates.files import styles
from interlock.release.gates.files.addresses import is_inside, is_picture

ADVICE: Final = "a page may hold plain tags, styles and pictures within it: write it anew so, or as .md, .svg or .png"

_NEVER: Final = re.compile(
    r"<\s*/?\s*script|<[^<>]*\son[a-z]+\s*=|javascript\s*:|vbscript\s*:|@import|expression\s*\(|<!--+>|--!>|<\?|<!\[",
    re.IGNORECASE,
)
"""Looked for in the raw text, whatever stands around it."""

_ATTRIBUTE: Final = r"""\s+[A-Za-z][A-Za-z0-9:-]*(?:\s*=\s*(?:"[^"<>]*"|'[^'<>]*'|[\w.#%+-]+))?"""
_TOKEN: Final = re.compile(
    rf"(?P<text>[^<]+)|<(?P<end>/)?(?P<tag>[A-Za-z][A-Za-z0-9]*)(?P<attributes>(?:{_ATTRIBUTE})*)\s*/?>"
    r"|<!--[^<>-]*(?:-[^<>-]+)*-->|<!doctype\s+html\s*>",
    re.IGNORECASE | re.ASCII,
)
_EACH_ATTRIBUTE: Final = re.compile(
    r"""\s+(?P<name>[A-Za-z][A-Za-z0-9:-]*)(?:\s*=\s*(?:"(?P<a>[^"]*)"|'(?P<b>[^']*)'|(?P<c>[\w.#%+-]+)))?""", re.ASCII
)

_TAGS: Final = frozenset(
    [
        "html",
        "head",
        "title",
        "body",
        "meta",
        "style",
        "main",
        "header",
        "footer",
        "section",
        "article",
        "aside",
        "nav",
        "div",
        "span",
        "p",
        "br",
        "hr",
        "pre",
        "code",
        "kbd",
        "samp",
        "var",
        "b",
        "i",
        "u",
        "s",
        "em",
        "strong",
        "small",
        "sub",
        "sup",
        "mark",
        "abbr",
        "cite",
        "q",
        "blockquote",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "ul",
        "ol",
        "li",
        "dl",
        "dt",
        "dd",
        "table",
        "caption",
        "colgroup",
        "col",
        "thead",
        "tbody",
        "tfoot",
        "tr",
        "th",
        "td",
        "figure",
        "figcaption",
        "img",
        "a",
        "details",
        "summary",
    ]
)
_ATTRIBUTES: Final = frozenset(
    [
        "id",
        "class",
        "title",
        "lang",
        "dir",
        "alt",
        "width",
        "height",
        "border",
        "cellpadding",
        "cellspacing",
        "align",
        "valign",
        "colspan",
        "rowspan",
        "span",
        "scope",
        "style",
        "scoped",
        "type",
        "charset",
        "name",
        "content",
        "open",
        "start",
        "value",
        "halign",
    ]
)
_ADDRESSES: Final = {"a": ("href", is_inside), "img": ("src", is_picture)}
_CHARSETS: Final = ("utf-8", "utf8")


def problems_of(content: bytes) -> Iterator[str]:
    """Yield each thing in a page that acts, reaches out or is not understood, once, and then what to do about it."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        # A browser may take it for an encoding in which other bytes are a script.
        yield "is not UTF-8"
        return
    problems = list(dict.fromkeys([*_raw(text), *_tokens(text)]))
    if problems:
        *others, last = problems
        yield from others
        yield f"{last}; {ADVICE}"


def _raw(text: str) -> Iterator[str]:
    if re.search(r"[\x00-\x08\x0e-\x1f]", text):
        yield "holds control characters"
    for found in _NEVER.finditer(text):
        yield f"holds {found.group()[:40]!r}, which a browser may act on"


def _tokens(text: str) -> Iterator[str]:
    place, in_style = 0, False
    while place < len(text):
        token = _TOKEN.match(text, place)
        if token is None:
            yield f"holds markup that is not plain, at {text[place : place + 40]!r}"
            return
        tag = (token["tag"] or "").lower()
        if in_style and not (tag == "style" and token["end"]):
            yield from styles.problems_of(token.group())
        elif tag:
            in_style = tag == "style" and not token["end"]
            yield from _tag(tag, token["attributes"])
        place = token.end()


def _tag(tag: str, attributes: str) -> Iterator[str]:
    if tag not in _TAGS:
        yield f"holds a <{tag[:40]}>, which is not on the list for pages"
    for found in _EACH_ATTRIBUTE.finditer(attributes):
        value = next((one for one in (found["a"], found["b"], found["c"]) if one is not None), "")
        yield from _attribute(tag, found["name"].lower(), value)


def _attribute(tag: str, name: str, value: str) -> Iterator[str]:
    address, is_harmless = _ADDRESSES.get(tag, ("", is_inside))
    if name == address:
        if not is_harmless(value):
            yield f"refers to something outside of it by {name}"
    elif name not in _ATTRIBUTES:
        yield f"holds an attribute {name[:40]}, which is not on the list for pages"
    elif name == "style":
        # A reference to a character would say in another way what is looked for.
        yield from styles.problems_of(value.replace("&", "\\"))
    elif name == "charset" and value.lower() not in _CHARSETS:
        yield "is declared to be in another encoding than UTF-8"
