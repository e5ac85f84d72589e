"""Tiers policies for tests: the one of this repository, and an example that stays as it is, with variations of it."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from interlock.release.tiers import TiersPolicy, parse_policy

REAL = Path(__file__).resolve().parents[3] / "policy" / "tiers.yaml"
EXAMPLE = Path(__file__).with_name("tiers.yaml")


def example_policy() -> TiersPolicy:
    return parse_policy(EXAMPLE.read_bytes())


def varied(path: str, value: Any) -> bytes:
    """The example with another value at `path`; None removes the key."""
    document = deepcopy(yaml.safe_load(EXAMPLE.read_text()))
    *parents, last = path.split(".")
    place = document
    for part in parents:
        place = place[part]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return yaml.safe_dump(document, sort_keys=False).encode()
