"""Addresses in pages and drawings that lead nowhere outside."""

from __future__ import annotations

import re
from typing import Final

_INSIDE: Final = re.compile(r"#[\w.:-]*", re.ASCII)
_PICTURE: Final = re.compile(r"data:image/(png|jpeg|gif);base64,[A-Za-z0-9+/=\s]*", re.ASCII)


def is_inside(address: str) -> bool:
    return _INSIDE.fullmatch(address) is not None


def is_picture(address: str) -> bool:
    """Return whether the address is itself a picture of a kind that holds no markup."""
    return _PICTURE.fullmatch(address) is not None
