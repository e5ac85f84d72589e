"""Words and numbers of others' making, made fit for a signed document."""

from __future__ import annotations

import math
from decimal import Decimal

from interlock.release.numbers import decimal_text


def plain(text: str, longest: int) -> str:
    """Return `text` on one line, at most `longest` characters, with what cannot be shown or encoded escaped."""
    escaped = "".join(one if one.isprintable() else _escaped(one) for one in text)
    words = " ".join(escaped.split())
    return words if len(words) <= longest else f"{words[: longest - 1]}…"


def _escaped(character: str) -> str:
    return " " if character.isspace() else character.encode("unicode_escape").decode("ascii")


def point(number: float) -> str | None:
    """Return a number for drawing, as decimal text of six significant digits; None for what is not finite."""
    if not math.isfinite(number):
        return None
    return decimal_text(Decimal(f"{number:.6g}"))
