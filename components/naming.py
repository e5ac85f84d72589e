"""Names that a component makes of one that it was given."""

from __future__ import annotations

import hashlib
from typing import Final

_LONGEST: Final = 63
"""Of a database instance; a function may have one more. Source: RDS API Reference, CreateDBInstance."""
_DIGITS: Final = 7


def followed_by(name: str, what: str) -> str:
    """Return `<name>-<what>`; of a name too long for that its beginning, and digits that tell it from others alike."""
    whole = f"{name}-{what}"
    if len(whole) <= _LONGEST:
        return whole
    told_apart = hashlib.sha256(name.encode()).hexdigest()[:_DIGITS]
    # Two hyphens side by side RDS refuses.
    beginning = name[: _LONGEST - _DIGITS - len(what) - 2].rstrip("-")
    return f"{beginning}-{told_apart}-{what}"
