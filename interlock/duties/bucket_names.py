"""What the foundation's buckets are called before they exist, so that every policy about them is known by then."""

from __future__ import annotations

import hashlib
from typing import Final

LONGEST: Final = 63
"""Characters of a bucket's name. Source: Amazon S3 User Guide, "General purpose bucket naming rules"."""
_DIGITS: Final = 12
VAULT: Final = "vault"
STAGING: Final = "staging"


def bucket_name(prefix: str, what: str, account_id: str, region: str) -> str:
    """Return the name of one bucket of a stack: the same wherever it is asked for, and nobody else's.

    Where account and region do not fit into a name, the beginning of their digest stands for them.
    """
    whole = f"{prefix}-{what}-{account_id}-{region}"
    if len(whole) <= LONGEST:
        return whole
    start = f"{prefix}-{what}-"
    return start + hashlib.sha256(whole.encode()).hexdigest()[: min(_DIGITS, LONGEST - len(start))]
