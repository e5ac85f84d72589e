"""SEARCH expressions: which metrics they mean (pure).

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/search-expression-syntax.html
"""

from __future__ import annotations

import re
from collections.abc import Callable

from rehearsal.cloud.services.cloudwatch.expressions.syntax import ExpressionError
from rehearsal.cloud.services.cloudwatch.store import MetricId

Matcher = Callable[[MetricId], bool]

_WORD = re.compile(r'\s*(?:(?P<sign>[()])|(?P<key>:?[\w.]+)=(?P<value>"[^"]*"|[^\s()]+)|(?P<text>"[^"]*"|[^\s()]+))')
_SCHEMA = re.compile(r"\s*\{(?P<schema>[^}]*)\}")


def matcher(expression: str) -> Matcher:
    """Return whether a metric is found by a search expression. Raises ExpressionError."""
    schema = _SCHEMA.match(expression)
    rest = expression[schema.end() :] if schema else expression
    words = _Words(rest)
    terms = words.either() if words.left() else _always
    if words.left():
        raise ExpressionError(f"Error in search expression '{expression}': unexpected {words.left()[0][1]}")
    if schema is None:
        return terms
    namespace, *names = [part.strip().strip('"') for part in re.findall(r'"[^"]*"|[^,]+', schema["schema"])]
    dimensions = {name for name in names if name}
    return lambda metric: (
        metric.namespace == namespace and {name for name, _ in metric.dimensions} == dimensions and terms(metric)
    )


class _Words:
    """Reads terms: AND (or nothing) binds before OR, NOT before both."""

    def __init__(self, text: str) -> None:
        self._words: list[tuple[str, str, str]] = []
        place, text = 0, text.rstrip()
        while place < len(text):
            match = _WORD.match(text, place)
            assert match is not None
            place = match.end()
            kind = "sign" if match["sign"] else "pair" if match["key"] else "text"
            self._words.append((kind, match["sign"] or match["key"] or match["text"], match["value"] or ""))

    def left(self) -> list[tuple[str, str, str]]:
        return self._words

    def either(self) -> Matcher:
        found = [self.both()]
        while self._take("OR"):
            found.append(self.both())
        return lambda metric: any(one(metric) for one in found)

    def both(self) -> Matcher:
        found = [self._one()]
        while self._words and self._words[0][1] not in (")", "OR"):
            self._take("AND")
            found.append(self._one())
        return lambda metric: all(one(metric) for one in found)

    def _one(self) -> Matcher:
        if self._take("NOT"):
            denied = self._one()
            return lambda metric: not denied(metric)
        if self._take("("):
            inside = self.either()
            if not self._take(")"):
                raise ExpressionError("Error in search expression: a parenthesis is not closed")
            return inside
        if not self._words:
            raise ExpressionError("Error in search expression: a term is missing at the end")
        kind, text, value = self._words.pop(0)
        return _property(text, value) if kind == "pair" else _anywhere(text)

    def _take(self, word: str) -> bool:
        taken = bool(self._words) and self._words[0][0] != "pair" and self._words[0][1] == word
        if taken:
            self._words.pop(0)
        return taken


def _property(key: str, value: str) -> Matcher:
    matches = _matching(value)
    name = key.removeprefix(":")
    if name == "MetricName":
        return lambda metric: matches(metric.name)
    if name == "Namespace":
        return lambda metric: matches(metric.namespace)
    return lambda metric: any(dimension == name and matches(held) for dimension, held in metric.dimensions)


def _anywhere(text: str) -> Matcher:
    matches = _matching(text)

    def found(metric: MetricId) -> bool:
        parts = [metric.namespace, metric.name, *(part for dimension in metric.dimensions for part in dimension)]
        return any(matches(part) for part in parts)

    return found


def _matching(term: str) -> Callable[[str], bool]:
    """Quoted terms match whole values, others every one of their tokens in any place, in either case."""
    if term.startswith('"'):
        return lambda held: held == term[1:-1]
    wanted = _tokens(term)
    return lambda held: held.lower() == term.lower() or set(wanted) <= set(_tokens(held))


def _tokens(text: str) -> list[str]:
    return [part.lower() for part in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", text)]


def _always(_: MetricId) -> bool:
    return True
