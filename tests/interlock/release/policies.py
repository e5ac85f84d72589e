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


def varied(path: str, value: Any, **more: Any) -> bytes:
    """The example with another value at `path`, and at `more` with __ for the dots; None removes the key."""
    document = deepcopy(yaml.safe_load(EXAMPLE.read_text()))
    for at, other in {path: value, **{name.replace("__", "."): one for name, one in more.items()}}.items():
        *parents, last = at.split(".")
        place = document
        for part in parents:
            place = place[part]
        if other is None:
            del place[last]
        else:
            place[last] = other
    written: str = yaml.safe_dump(document, sort_keys=False)
    return written.encode()
