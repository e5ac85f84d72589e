"""How a document of ours that does not fit its model is told: each wrong field, what it held, and what would fit."""

from __future__ import annotations

from pydantic import ValidationError


def wrong_fields(error: ValidationError) -> list[str]:
    """Return one line for each wrong field."""
    return [
        f"{'.'.join(map(str, one['loc'])) or 'document'}: received {one['input']!r:.100}; {one['msg']}"
        for one in error.errors()
    ]
