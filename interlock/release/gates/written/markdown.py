"""The parts of a Markdown document that a reader looks for: its date, its sections, and whether they say anything.

Format: https://spec.commonmark.org/0.31.2/ (headings, fenced code, HTML comments), and YAML between lines of `---`
before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from interlock.written_documents import InvalidDocument, read_yaml

_HEADING: Final = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*")
_UNDERLINE: Final = re.compile(r" {0,3}(=+|-+)[ \t]*")
_FENCE: Final = re.compile(r" {0,3}(`{3,}|~{3,})")
_COMMENT: Final = re.compile(r"<!--.*?(-->|\Z)", re.DOTALL)
_DATED: Final = re.compile(r"[*_ \t-]*(?:date|dated|updated|last updated)[*_]*\s*:[*_ \t]*(\d{4}-\d{2}-\d{2})\b", re.I)
_EMPTY_WORDS: Final = frozenset(("todo", "tbd", "tba", "fixme", "xxx", "na", "n", "a", "none", "lorem", "ipsum"))
_WORD: Final = re.compile(r"\w+", re.UNICODE)


class NoDocument(ValueError):
    """Bytes that are no document; the text says why."""


@dataclass(frozen=True)
class Written:
    """A document: the day that it is of, or None, and the words below each of its headings, by the heading."""

    day: date | None
    sections: Mapping[str, int]
    """Each heading in lower case, and how many words stand below it, those of the headings below it included."""
    words: int


def read_markdown(content: bytes) -> Written:
    """Return what a Markdown file holds. Raises NoDocument."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NoDocument("it is not UTF-8") from None
    head, body = _parted(text)
    lines = _COMMENT.sub("", body).splitlines()
    return Written(_day(head, lines), _sections(lines), _said(lines))


def _parted(text: str) -> tuple[str | None, str]:
    if not text.startswith("---\n"):
        return None, text
    head, mark, body = text[4:].partition("\n---\n")
    return (head, body) if mark else (None, text)


def _day(head: str | None, lines: list[str]) -> date | None:
    if head is not None:
        try:
            document = read_yaml(head.encode())
        except InvalidDocument as error:
            raise NoDocument(f"what stands between its lines of --- cannot be read: {error}") from None
        for key in ("date", "updated"):
            if key in document:
                return _as_day(document[key])
    found = next((match for line in lines if (match := _DATED.match(line))), None)
    return _as_day(found.group(1)) if found else None


def _as_day(value: object) -> date:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise NoDocument(f"it is dated {str(value)[:40]!r}; accepted is a day such as 2026-11-22") from None


def _sections(lines: list[str]) -> dict[str, int]:
    headings = list(_headings(lines))
    sections: dict[str, int] = {}
    for place, (line, level, name, length) in enumerate(headings):
        later = (start for start, other, _, _ in headings[place + 1 :] if other <= level)
        below = lines[line + length : next(later, len(lines))]
        # Of two sections with the same name the fuller one counts.
        sections[name] = max(_said(below), sections.get(name, 0))
    return sections


def _headings(lines: list[str]) -> Iterator[tuple[int, int, str, int]]:
    """Yield each heading's line, level, name in lower case, and how many lines it takes."""
    fence: str | None = None
    for number, line in enumerate(lines):
        mark = _FENCE.match(line)
        if fence is not None:
            if mark and mark.group(1).startswith(fence) and not line[mark.end() :].strip():
                fence = None
            continue
        if mark:
            fence = mark.group(1)
            continue
        heading = _HEADING.fullmatch(line)
        following = lines[number + 1] if number + 1 < len(lines) else ""
        if heading:
            yield number, len(heading.group(1)), _name(heading.group(2) or ""), 1
        elif line.strip() and not line.lstrip().startswith(("-", "*", ">", "|")) and _UNDERLINE.fullmatch(following):
            yield number, 1 if following.strip().startswith("=") else 2, _name(line), 2


def _name(text: str) -> str:
    words = re.sub(r"^\s*[\d.]+\s+", "", re.sub(r"[*_`]", "", text))
    return " ".join(words.lower().rstrip(": ").split())


def _said(lines: list[str]) -> int:
    """Return how many words say something, headings and fillers left out."""
    words = [word.lower() for line in lines if not _HEADING.fullmatch(line) for word in _WORD.findall(line)]
    return sum(word not in _EMPTY_WORDS for word in words)
