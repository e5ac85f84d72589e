"""What the program registers for a stack, with plausible answers of AWS, so that no policy is left unknown."""

from __future__ import annotations

import json
from pathlib import Path

import yaml  # type: ignore[import-untyped]

from policy.checkov.plan import Declared
from policy.recording.monitor import record
from stacks.program import provision

STACKS = Path(__file__).resolve().parents[2] / "stacks"


def declared_for(stack: str) -> list[Declared]:
    """Return the resources of a stack as it would be brought up with its settings. Raises ArgumentError, OSError."""
    settings = yaml.safe_load((STACKS / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8"))["config"]
    handed_over = {key: value if isinstance(value, str) else json.dumps(value) for key, value in settings.items()}
    recording = record(lambda: provision(handed_over), preview=False, stack=stack)
    return [
        Declared(one.urn, one.type, one.name, one.inputs, one.property_dependencies)
        for one in recording.resources
        if one.custom
    ]
