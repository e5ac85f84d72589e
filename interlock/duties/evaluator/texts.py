"""Texts of a policy against texts of a request: variables filled in, wildcards matched."""

from __future__ import annotations

import re
from functools import lru_cache

from interlock.duties.evaluator.logic import Truth, known
from interlock.duties.evaluator.policy import Escaped, Template, Variable
from interlock.duties.evaluator.request import Context

_ARN_PARTS = 6


@lru_cache(maxsize=65536)
def wildcard(pattern: str) -> tuple[str, re.Pattern[str]]:
    """Return a pattern of `*`, any characters, and `?`, any one: its text before the first of them, and all of it."""
    pieces = re.split(r"([*?])", pattern)
    parts = (".*" if piece == "*" else "." if piece == "?" else re.escape(piece) for piece in pieces)
    return pieces[0], re.compile("".join(parts), re.DOTALL)


_STAR, _QUESTION = "\ue000", "\ue001"
"""A literal * and ? of a value that is filled in, in Unicode's private area, so that they are no wildcards."""


def resolved(template: Template, values: Context, complete: bool) -> str | None:
    """Return a template with its variables filled in, or None where the request does not tell one of them.

    Wildcards that were meant literally are marked; `literal` gives the plain text. Only a key with one value can be
    filled in. Source: IAM User Guide, "IAM policy elements: Variables and tags".
    """
    if len(template.parts) == 1 and isinstance(template.parts[0], str):
        return template.parts[0]
    filled = []
    for part in template.parts:
        if isinstance(part, str):
            filled.append(part)
            continue
        text = part.character if isinstance(part, Escaped) else _value(part, values, complete)
        if text is None:
            return None
        filled.append(text.replace("*", _STAR).replace("?", _QUESTION))
    return "".join(filled)


def literal(text: str) -> str:
    """Return a resolved template as plain text."""
    return text.replace(_STAR, "*").replace(_QUESTION, "?")


def _value(variable: Variable, values: Context, complete: bool) -> str | None:
    found = values.get(variable.key)
    if not found:
        return variable.default if complete else None
    return found[0] if len(found) == 1 else None


def like(pattern: str, text: str) -> bool:
    """Say whether a text matches a resolved pattern with wildcards."""
    start, whole = wildcard(pattern)
    marked = _marked(pattern, text)
    # Most patterns differ from most texts before their first wildcard.
    return marked.startswith(start) and whole.fullmatch(marked) is not None


def _marked(pattern: str, text: str) -> str:
    # A literal * of the pattern is matched by nothing but a *; marking the text too keeps one expression for both.
    if _STAR in pattern:
        text = text.replace("*", _STAR)
    return text.replace("?", _QUESTION) if _QUESTION in pattern else text


def like_resource(pattern: str, text: str) -> bool:
    """Say whether a resource matches: wildcards stand within a part of the ARN, but a * that ends a part may go on.

    Source: IAM User Guide, "IAM JSON policy elements: Resource", "Using wildcards in resource ARNs".
    """
    if pattern == "*":
        return True
    marked = _marked(pattern, text)
    if "*" not in pattern and "?" not in pattern:
        return marked == pattern
    start, whole = _resource(pattern)
    return marked.startswith(start) and whole.fullmatch(marked) is not None


@lru_cache(maxsize=65536)
def _resource(pattern: str) -> tuple[str, re.Pattern[str]]:
    *parts, last = pattern.split(":", _ARN_PARTS - 1)
    # What stands behind the fifth colon is one part, whatever colons are in it.
    expressions = [*(_within_part(part) for part in parts), wildcard(last)[1].pattern]
    return re.split(r"[*?]", pattern, maxsplit=1)[0], re.compile(":".join(expressions), re.DOTALL)


def _within_part(part: str) -> str:
    goes_on = part.endswith("*")
    pieces = re.split(r"([*?])", part[:-1] if goes_on else part)
    inside = ("[^:]*" if piece == "*" else "[^:]" if piece == "?" else re.escape(piece) for piece in pieces)
    return "".join(inside) + (".*" if goes_on else "")


def like_arn(pattern: str, text: str) -> Truth:
    """Say whether an ARN matches part by part, so that a wildcard reaches no further than its part.

    A pattern of fewer parts is described nowhere: it is unknown where a match of the whole text would succeed.
    Source: IAM User Guide, "IAM JSON policy elements: Condition operators", "Amazon Resource Name (ARN)".
    """
    patterns, parts = pattern.split(":", _ARN_PARTS - 1), text.split(":", _ARN_PARTS - 1)
    if len(patterns) < _ARN_PARTS:
        return Truth.UNKNOWN if like(pattern, text) else Truth.NO
    return known(len(parts) == _ARN_PARTS and all(like(one, part) for one, part in zip(patterns, parts, strict=True)))
