"""Whose key a key is, by its alias: `alias/interlock-<stack>-<duty>`, or `…-approver-<name>`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from interlock.duties.duty import SigningDuty
from interlock.duties.matrix import MATRIX
from interlock.duties.world import Document, Resource, ResourceKind


def key_resource(
    arn: str,
    account_id: str,
    policy: Document | None,
    aliases: Sequence[str],
    stack: str,
    source_identities: Mapping[str, str],
    *,
    usage: str,
    source: str,
) -> Resource:
    """Return a key as the proof sees it; `source_identities` are the approvers' by their names."""
    start = f"alias/interlock-{stack}-"
    role = next((one.removeprefix(start) for one in aliases if one.startswith(start)), "")
    evidence = {"evidence": "true"} if role == "evidence" else {}
    return Resource(
        arn=arn,
        kind=ResourceKind.KEY,
        account_id=account_id,
        policy=policy,
        owner=_owner(role, source_identities),
        used_by=tuple(sorted({row.duty.value for row in MATRIX.values() if row.signs_with == role})),
        attributes={"usage": usage, **evidence},
        context={"kms:ResourceAliases": tuple(aliases)} if aliases else {},
        source=source,
    )


def _owner(role: str, source_identities: Mapping[str, str]) -> str | None:
    if role in tuple(SigningDuty):
        return role
    if role.startswith("approver-"):
        name = role.removeprefix("approver-")
        return f"approver:{source_identities.get(name, name)}"
    return None
