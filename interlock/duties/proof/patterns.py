"""Patterns of * and ?, against a text that is known and against one that a solver chooses."""

from __future__ import annotations

import functools
import re
from typing import Final, TypeAlias

import z3

from interlock.duties.evaluator.policy import Escaped, NotModelled, Template, Variable
from interlock.duties.proof.logic import Truth

Text: TypeAlias = str | z3.SeqRef
_PIECES = "_pieces"
_LAST: Final = 0x2FFFF
"""The last character that the solver has."""
_PLAIN: Final = frozenset(chr(one) for one in range(32, 127)) - {"\\"}
_FOLDED: Final = {"k": "\u212a", "s": "\u017f"}
"""The Kelvin sign and the long s, which are letters of ASCII where case is ignored."""
Piece = tuple[str, bool]
"""Characters, and whether * and ? among them stand for others."""


class Unfilled(NotModelled):
    """A variable stands for a value of the request that is open, or that the request surely lacks."""

    def __init__(self, variable: Variable, template: Template) -> None:
        super().__init__(
            f"{template.written!r}: the proof knows no single value of {variable.key}; "
            "accepted are variables that the principal or the resource fixes, and aws:SourceIdentity"
        )
        self.key = variable.key


def pieces(template: Template, known: dict[str, tuple[str, ...]]) -> tuple[Piece, ...]:
    """Return a policy's text with its variables filled in. Raises Unfilled for one whose value is not known."""
    if template.variables:
        return tuple(_piece(part, template, known) for part in template.parts)
    # Asked for of the same few templates again and again.
    found: tuple[Piece, ...] | None = template.__dict__.get(_PIECES)
    if found is None:
        found = template.__dict__[_PIECES] = tuple(_piece(part, template, known) for part in template.parts)
    return found


def _piece(part: str | Escaped | Variable, template: Template, known: dict[str, tuple[str, ...]]) -> Piece:
    if isinstance(part, str):
        return part, True
    if isinstance(part, Escaped):
        return part.character, False
    return value_of(part, template, known), False


def value_of(variable: Variable, template: Template, known: dict[str, tuple[str, ...]]) -> str:
    """Return what a variable in a template stands for. Raises Unfilled if that is not known."""
    values = known.get(variable.key)
    if values is not None and len(values) == 1:
        return values[0]
    raise Unfilled(variable, template)


def with_anything(template: Template) -> tuple[Piece, ...]:
    """Return a policy's text with each variable as a wildcard: it stands for all that the text could, and for more."""
    return tuple(("*", True) if isinstance(part, Variable) else _piece(part, template, {}) for part in template.parts)


def names(resource: str, parts: tuple[Piece, ...]) -> bool:
    """Return whether a policy names a resource: wildcards stay within a part of the ARN, but for the * that ends one.

    Source: IAM User Guide, "IAM JSON policy elements: Resource", "Using wildcards in resource ARNs".
    """
    return re.fullmatch(_naming(parts), resource, re.DOTALL) is not None


def tokens(parts: tuple[Piece, ...]) -> tuple[tuple[str, bool, bool], ...]:
    """Return the characters of a policy's text that names resources: each with whether it is a wildcard, and whether
    that wildcard stays within its part of the ARN."""
    flat = [(character, wild and character in "*?") for text, wild in parts for character in text]
    found, colons = [], 0
    for place, (character, wild) in enumerate(flat):
        ends = place + 1 == len(flat) or flat[place + 1][0] == ":"
        found.append((character, wild, wild and colons < 5 and not (character == "*" and ends)))
        colons += character == ":" and not wild
    return tuple(found)


@functools.lru_cache(maxsize=65536)
def _naming(parts: tuple[Piece, ...]) -> str:
    written = []
    for character, wild, inner in tokens(parts):
        one = "[^:]" if inner else "."
        written.append(re.escape(character) if not wild else f"{one}*" if character == "*" else one)
    return "".join(written)


def text_of(parts: tuple[Piece, ...]) -> str:
    return "".join(text for text, _ in parts)


def has_wildcard(parts: tuple[Piece, ...]) -> bool:
    return any(wild and ("*" in text or "?" in text) for text, wild in parts)


def matches(value: Text, parts: tuple[Piece, ...], *, arn: bool = False) -> Truth:
    """Return whether a text matches; of an ARN, no wildcard reaches over a colon but in the sixth part."""
    if isinstance(value, str):
        return re.fullmatch(_python(parts, arn), value, re.DOTALL) is not None
    if not has_wildcard(parts):
        return value == constant(text_of(parts))
    if not arn and text_of(parts) == "*":
        return True
    return z3.InRe(value, _z3(parts, arn))


def same_ignoring_case(value: Text, text: str) -> Truth:
    if isinstance(value, str):
        return value.casefold() == text.casefold()
    return z3.InRe(value, _ignoring_case(text))


def may_name(parts: tuple[Piece, ...], pattern: str) -> bool:
    """Return whether a policy's text might name something that `pattern` stands for; False only if it surely does not.

    They are compared up to the first wildcard of either, from both ends.
    """
    mine = text_of(parts)
    start, end = _literal_ends(mine)
    other_start, other_end = _literal_ends(pattern)
    return (start.startswith(other_start) or other_start.startswith(start)) and (
        end.endswith(other_end) or other_end.endswith(end)
    )


@functools.lru_cache(maxsize=1 << 14)
def _literal_ends(text: str) -> tuple[str, str]:
    return re.split(r"[*?]", text, maxsplit=1)[0], re.split(r"[*?]", text)[-1]


@functools.lru_cache(maxsize=65536)
def _python(parts: tuple[Piece, ...], arn: bool) -> str:
    written, colons = [], 0
    for text, wild in parts:
        for character in text:
            inner = arn and colons < 5
            if wild and character == "*":
                written.append("[^:]*" if inner else ".*")
            elif wild and character == "?":
                written.append("[^:]" if inner else ".")
            else:
                colons += character == ":"
                written.append(re.escape(character))
    return "".join(written)


@functools.lru_cache(maxsize=65536)
def _z3(parts: tuple[Piece, ...], arn: bool) -> z3.ReRef:
    terms: list[z3.ReRef] = []
    literal, colons = "", 0

    def flush() -> None:
        nonlocal literal
        if literal:
            terms.append(z3.Re(constant(literal)))
            literal = ""

    for text, wild in parts:
        for character in text:
            if wild and character in "*?":
                flush()
                one = _no_colon() if arn and colons < 5 else z3.AllChar(z3.ReSort(z3.StringSort()))
                terms.append(z3.Star(one) if character == "*" else one)
            else:
                colons += character == ":"
                literal += character
    flush()
    if not terms:
        return z3.Re(z3.StringVal(""))
    return terms[0] if len(terms) == 1 else z3.Concat(*terms)


def constant(text: str) -> z3.SeqRef:
    """Return a text as the solver takes it. Raises NotModelled for a character that it does not have."""
    if any(_is_strange(one) for one in text):
        raise NotModelled(f"{text!r}: the solver has no such characters; accepted are those up to U+2FFFF")
    # What looks like an escape of the solver's own is none in a policy.
    return z3.StringVal("".join(one if one in _PLAIN else f"\\u{{{ord(one):x}}}" for one in text))


def written(value: z3.ExprRef) -> str:
    """Return the text of a string constant: what `constant` was given."""
    assert isinstance(value, z3.SeqRef)
    return re.sub(r"\\u\{([0-9a-fA-F]+)\}", lambda found: chr(int(found[1], 16)), value.as_string())


def _is_strange(character: str) -> bool:
    # Halves of characters are no text: neither a request nor a certificate can bear them.
    return "\ud800" <= character <= "\udfff" or ord(character) > _LAST


@functools.lru_cache(maxsize=1)
def _no_colon() -> z3.ReRef:
    return z3.Union(_range(0, ord(":") - 1), _range(ord(":") + 1, _LAST))


@functools.lru_cache(maxsize=2)
def any_text(*, empty: bool) -> z3.ReRef:
    """Return what any text matches that a request can bear, the empty one if asked for."""
    one = z3.Union(_range(0, 0xD7FF), _range(0xE000, _LAST))
    return z3.Star(one) if empty else z3.Plus(one)


@functools.lru_cache(maxsize=1)
def readable() -> z3.ReRef:
    """Return what a text matches that is easily read: an example has one where that is enough."""
    return z3.Plus(z3.Range("!", "~"))


def _range(first: int, last: int) -> z3.ReRef:
    return z3.Range(f"\\u{{{first:x}}}", f"\\u{{{last:x}}}")


@functools.lru_cache(maxsize=4096)
def _ignoring_case(text: str) -> z3.ReRef:
    if not text.isascii():
        raise NotModelled(f"{text!r}: the proof ignores the case of ASCII letters alone, for a value that is free")
    terms = [_letter(one) for one in text]
    if not terms:
        return z3.Re(z3.StringVal(""))
    return terms[0] if len(terms) == 1 else z3.Concat(*terms)


def _letter(one: str) -> z3.ReRef:
    alike = dict.fromkeys((one.lower(), one.upper(), *_FOLDED.get(one.lower(), "")))
    found = [z3.Re(constant(character)) for character in alike]
    return found[0] if len(found) == 1 else z3.Union(*found)
