"""Presidio's recognisers by pattern and checksum, without a language model and without a network.

Presidio's own engine wants a language model; its recognisers of patterns do without. One of them asks a server on
the internet which top-level domains there are, and is given here the list that its library ships.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from interlock.failures import OutsideFailure

WINDOW: Final = 2000
"""Characters that are looked at together: some patterns take a time that grows with the square of the text."""
MARGIN: Final = 100
"""Longer than most that is recognised; what begins in the margin of a window belongs to the window beside it."""


_DECIMAL: Final = re.compile(r"\d+\.\d+")
_BEFORE: Final = re.compile(r"\d\.")
_AFTER: Final = re.compile(r"\.\d")


@dataclass(frozen=True)
class Recognised:
    """Something that tells of a person. What it was is not kept: evidence is read by many, and for years."""

    entity: str
    line: int
    """Of the text, from 1."""
    score: float
    """Presidio's, from 0 to 1: 1 where a checksum held."""


class UnknownEntity(ValueError):
    """An entity that no recogniser of patterns knows; the text names it and those that are known."""


class Recognisers:
    """The recognisers of some kinds of entities."""

    def __init__(self, entities: Sequence[str]) -> None:
        known = _by_entity()
        unknown = [one for one in entities if one not in known]
        if unknown:
            raise UnknownEntity(f"no pattern recognises {', '.join(unknown)}; known are {', '.join(sorted(known))}")
        self._made = {one: [_made(kind) for kind in known[one]] for one in entities}

    def recognise(self, text: str, least_score: float) -> Iterator[Recognised]:
        """Yield all that is recognised in a text, each place and entity once."""
        for window in _windows(text):
            for entity, recognisers in self._made.items():
                found = [one for by in recognisers for one in by.analyze(window.text, [entity], None) or []]
                best: dict[int, float] = {}
                for one in found:
                    if one.score >= least_score and not _is_of_a_number(window.text, one.start, one.end):
                        best[one.start] = max(float(one.score), best.get(one.start, 0.0))
                for start, score in sorted(best.items()):
                    if window.owns(start):
                        line = text.count("\n", 0, window.start + start) + 1
                        yield Recognised(entity, line, round(float(score), 4))


@dataclass(frozen=True)
class _Window:
    text: str
    start: int
    is_last: bool

    def owns(self, place: int) -> bool:
        begins = MARGIN if self.start else 0
        return begins <= place and (self.is_last or place < WINDOW - MARGIN)


def _windows(text: str) -> Iterator[_Window]:
    start = 0
    while True:
        is_last = start + WINDOW >= len(text)
        yield _Window(text[start : start + WINDOW], start, is_last)
        if is_last:
            return
        start += WINDOW - 2 * MARGIN


def _is_of_a_number(text: str, start: int, end: int) -> bool:
    """Say whether what was recognised is a decimal number, or digits of one."""
    if _DECIMAL.fullmatch(text[start:end]):
        return True
    before, after = text[max(start - 2, 0) : start], text[end : end + 2]
    return text[start:end].isdigit() and bool(_BEFORE.fullmatch(before) or _AFTER.fullmatch(after))


def _by_entity() -> Mapping[str, list[type[Any]]]:
    predefined = _presidio()
    found: dict[str, list[type[Any]]] = {}
    for name in sorted(predefined.__all__):
        kind = getattr(predefined, name)
        if inspect.isclass(kind) and (issubclass(kind, predefined.PatternRecognizer) or name == "PhoneRecognizer"):
            for entity in _made(kind).supported_entities:
                found.setdefault(entity, []).append(kind)
    return found


def _made(kind: type[Any]) -> Any:
    if kind.__name__ != "EmailRecognizer":
        return kind()
    import tldextract

    # Neither asks for the newest list nor keeps one where it runs.
    extract = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)

    class OfflineEmailRecognizer(kind):  # type: ignore[misc]
        def validate_result(self, pattern_text: str) -> bool:
            return bool(extract(pattern_text).top_domain_under_public_suffix)

    return OfflineEmailRecognizer()


def _presidio() -> Any:
    try:
        from presidio_analyzer import PatternRecognizer, predefined_recognizers
    except ImportError as error:
        raise OutsideFailure(
            f"the gate of privacy needs Presidio, which is not installed ({error})",
            next_step="pip install 'interlock[gates]'",
        ) from None
    predefined_recognizers.PatternRecognizer = PatternRecognizer
    return predefined_recognizers
