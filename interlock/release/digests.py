"""SHA-256 digests and the canonical JSON they are taken of."""

from __future__ import annotations

import hashlib
import re
from typing import Annotated, Any, NewType

import rfc8785
from pydantic import StringConstraints

Sha256 = NewType("Sha256", bytes)
"""The 32 bytes of a SHA-256 digest."""

HexDigest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""A SHA-256 digest as 64 lower-case hexadecimal digits."""

_HEX_DIGEST = re.compile(r"[0-9a-f]{64}")


def sha256(content: bytes) -> Sha256:
    """Return the SHA-256 digest of `content`."""
    return Sha256(hashlib.sha256(content).digest())


def is_hex_digest(text: str) -> bool:
    """Say whether `text` is a SHA-256 digest in lower-case hexadecimal digits."""
    return _HEX_DIGEST.fullmatch(text) is not None


def canonical_json(document: Any) -> bytes:
    """Return `document` as RFC 8785 JSON, the same bytes for the same document everywhere.

    Raises ValueError for what that format cannot hold exactly: NaN, infinities, integers of 2^53 and more.
    """
    try:
        return rfc8785.dumps(document)
    except rfc8785.CanonicalizationError as error:
        raise ValueError(f"the document has no canonical JSON: {error}") from error
