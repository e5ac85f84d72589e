"""The organization's policies as `infra/guardrails` writes them, above the accounts of a world."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

from interlock.duties.organization import Controls, above_all, read_controls
from interlock.duties.world import World

ORGANIZATION = "o-exampleorgid"
WRITTEN = Path(__file__).with_name("guardrails.json")
"""What the module puts out for the environment prod and the owner `owner`; a test of the module compares them."""
ANY_VAULT = "arn:aws:s3:::interlock-*-vault-*"


def guardrails(vaults: list[str]) -> dict[str, Any]:
    """Return the documents as the module's output has them; `vaults` are names of buckets."""
    documents: dict[str, Any] = json.loads(_text())
    for policies in documents.values():
        for statement in (one for policy in policies.values() for one in policy["Statement"]):
            if ANY_VAULT in statement["Resource"]:
                statement["Resource"] = [f"arn:aws:s3:::{one}{ending}" for one in vaults for ending in ("", "/*")]
    return documents


@functools.cache
def _text() -> str:
    return WRITTEN.read_text(encoding="utf-8")


def organised(world: World, documents: dict[str, Any]) -> World:
    """Return the world with the documents above each of its accounts."""
    found = read_controls(documents, "guardrails")
    return above_all(world, Controls(found.scps, found.rcps, ORGANIZATION))
