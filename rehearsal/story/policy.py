"""The tiers policy of the story: the one that ships, with the source of the data, and patience for a busy machine."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import yaml  # type: ignore[import-untyped]

from rehearsal.story.loans import PACKAGE

MOST_MILLISECONDS: Final = 1000
SHIPPED: Final = "policy/tiers.yaml"
FIRST_POLICY: Final = "tiers.yaml"
AMENDED_POLICY: Final = "tiers-amended.yaml"
TIER: Final = "high"
"""Whether somebody gets a loan is decided about a person."""


def data_source() -> str:
    """Return where the applications come from, as a package URL: https://github.com/package-url/purl-spec"""
    return f"pkg:pypi/{PACKAGE}@{importlib.metadata.version(PACKAGE)}"


def write_policy(checkout: Path, file: Path, *, sources: Sequence[str]) -> Path:
    """Write the policy of the story, with the sources that models of its tier may be trained on; return `file`."""
    policy = yaml.safe_load((checkout / SHIPPED).read_text(encoding="utf-8"))
    rules = policy["tiers"][TIER]
    rules["sources"] = list(sources)
    # Here others keep the processors busy; a model that serves has its own.
    latency = rules["evidence"]["latency"]
    latency["parameters"] |= {"requests": 60, "warm_up": 5}
    latency["limits"]["p95_milliseconds"] = {"at_most": MOST_MILLISECONDS}
    file.write_text(yaml.safe_dump(policy, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return file
