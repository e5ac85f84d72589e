"""What a vault has to be set to, beside its lock, wherever that is read from: a preview or an account."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from interlock.duties.landscape import Landscape
from interlock.duties.world import Resource, ResourceKind


class VaultParts(Protocol):
    """What is known of the settings of one vault."""

    @property
    def is_encrypted(self) -> bool:
        """Whether everything is encrypted under the key of evidence of the vault's region."""
        ...

    @property
    def is_lasting(self) -> bool:
        """Whether nothing expires or moves by a rule of the bucket's lifecycle."""
        ...

    @property
    def is_closed(self) -> bool:
        """Whether all public access is blocked."""
        ...

    @property
    def is_owned(self) -> bool:
        """Whether what others write there is the bucket's owner's."""
        ...

    def is_replicated(self, *, wanted: bool) -> bool:
        """Return whether all of the vault, and nothing by which it vanishes, goes to the other, if that is wanted."""
        ...


def evidence_keys(resources: Sequence[Resource], land: Landscape) -> list[Resource]:
    """Return the keys that evidence is encrypted with, by their alias: one a region."""
    alias = land.key_alias("evidence")
    keys = (one for one in resources if one.kind is ResourceKind.KEY)
    return [one for one in keys if alias in one.context.get("kms:ResourceAliases", ())]


def unlike(name: str, parts: VaultParts, *, replicated: bool) -> Iterator[str]:
    """Yield, in words, what the vault of a name has to be set to, and is not."""
    if not parts.is_encrypted:
        yield f"encryption of {name} under the key of evidence of its region"
    if not parts.is_lasting:
        yield f"{name} without rules by which what lies in it expires or moves"
    if not parts.is_closed:
        yield f"{name} with all public access blocked"
    if not parts.is_owned:
        yield f"{name} whose owner owns all that lies in it"
    if not parts.is_replicated(wanted=replicated):
        whole = "into the stack's other vault, whole, under its key, and without delete markers"
        yield f"replication of {name} {whole if replicated else 'nowhere'}"
