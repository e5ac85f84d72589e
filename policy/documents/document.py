"""A policy document of ours, and where it stands."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What a document does: who may become a role, what a principal may do, or who may do what with a resource."""

    TRUST = "trust"
    IDENTITY = "identity"
    RESOURCE = "resource"
    CONTROL = "control"
    """An organization's; it allows nobody anything."""


@dataclass(frozen=True)
class Document:
    """A document as text; `address` is the group it comes from, its resource's type and name."""

    address: str
    kind: Kind
    text: str


def documents_among(values: Mapping[str, Any], address: str, resource_type: str) -> Iterator[Document]:
    """Return the documents among a resource's properties: each text that is an object with statements."""
    for key, value in values.items():
        if isinstance(value, str) and is_document(value):
            yield Document(address, _kind(resource_type, key), value)


def is_document(text: str) -> bool:
    """Return whether a text is a policy document."""
    if '"Statement"' not in text:
        return False
    try:
        return isinstance(json.loads(text).get("Statement"), list)
    except (json.JSONDecodeError, AttributeError):
        return False


def _kind(resource_type: str, key: str) -> Kind:
    if key in ("assumeRolePolicy", "assume_role_policy"):
        return Kind.TRUST
    if resource_type.startswith(("aws:iam/", "aws_iam_")):
        return Kind.IDENTITY
    return Kind.CONTROL if resource_type.startswith("aws_organizations_") else Kind.RESOURCE
