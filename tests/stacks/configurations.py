"""Configurations of a stack as Pulumi hands them to the program."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

LOCAL = Path(__file__).resolve().parents[2] / "stacks" / "Pulumi.local.yaml"


def as_handed_over(config: Mapping[str, Any]) -> dict[str, str]:
    """Return a configuration with every value as text, objects and lists as JSON."""
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()}


def local(**changed: Any) -> dict[str, str]:
    """Return the settings of stack local with some replaced; those changed to `...` are left out."""
    config = yaml.safe_load(LOCAL.read_text())["config"]
    config |= {f"interlock:{key}": value for key, value in changed.items()}
    return as_handed_over({key: value for key, value in config.items() if value is not ...})


def section(name: str, **changed: Any) -> dict[str, Any]:
    """Return a section of stack local's settings with some of it replaced."""
    settings: dict[str, Any] = yaml.safe_load(LOCAL.read_text())["config"][f"interlock:{name}"]
    return {key: value for key, value in {**settings, **changed}.items() if value is not ...}
