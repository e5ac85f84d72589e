"""The documents that both layers register for a stack."""

from __future__ import annotations

from collections.abc import Sequence

from policy.checkov.plan import Declared
from policy.documents.document import Document, documents_among


def documents_of(declared: Sequence[Declared], group: str) -> list[Document]:
    """Return the documents among what is declared; addresses begin with `group`."""
    return [
        document
        for one in declared
        for document in documents_among(one.inputs, f"{group}.{one.type.rpartition(':')[2]}.{one.name}", one.type)
    ]
