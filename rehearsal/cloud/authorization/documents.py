"""Documents as the evaluator reads them; each text is read once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from interlock.duties.evaluator.parsing import parse
from interlock.duties.evaluator.policy import Policy, PolicyKind

_MOST_DOCUMENTS = 8192


@lru_cache(maxsize=_MOST_DOCUMENTS)
def read(text: str, kind: PolicyKind, name: str) -> Policy:
    """Return a policy. Raises PolicyError or NotModelled (both BadInput)."""
    return parse(text, kind, name)


def document_text(document: str | bytes | Mapping[str, Any]) -> str:
    """Return a document as moto holds it, in one of three ways, as text."""
    if isinstance(document, bytes):
        return document.decode()
    return document if isinstance(document, str) else json.dumps(document)
