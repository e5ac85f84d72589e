"""What styles may say: nothing that fetches, imports or hides what it says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

_INSIDE: Final = re.compile(r"url\(\s*(['\"]?)#[\w.:-]+\1\s*\)", re.IGNORECASE)
_REACHING: Final = re.compile(r"(url|src|image|image-set|cross-fade|element)\s*\(|//", re.IGNORECASE)
_ACTING: Final = re.compile(r"expression\s*\(|behaviou?r\s*:|-moz-binding|script\s*:|@", re.IGNORECASE)


def problems_of(style: str) -> Iterator[str]:
    """Yield what a style sheet, a `style` or a painted attribute may not say. Grammar: CSS Syntax Level 3."""
    if "\\" in style or "/*" in style or "<" in style:
        yield "holds a style that hides what it says, by an escape, a comment or markup"
    if _REACHING.search(_INSIDE.sub("", style)):
        yield "refers to something outside of it by a style"
    if _ACTING.search(style):
        yield "holds a style that imports or acts"
