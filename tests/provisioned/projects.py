"""Stacks of the program beside stack local: a project of their own, so that the checkout's files stay as they are."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

ROOT = Path(__file__).resolve().parents[2]


def lay_out(directory: Path, stack: str, config: Mapping[str, Any]) -> Path:
    """Write a project with the repository's program and the settings of one stack, and return its folder."""
    (directory / "stacks").mkdir(parents=True)
    shutil.copy(ROOT / "Pulumi.yaml", directory)
    shutil.copy(ROOT / "stacks" / "__main__.py", directory / "stacks")
    (directory / "stacks" / f"Pulumi.{stack}.yaml").write_text(yaml.safe_dump({"config": dict(config)}))
    return directory


def config_of(stack: str) -> dict[str, Any]:
    """Return the settings of a stack of this repository, as its file has them."""
    config: dict[str, Any] = yaml.safe_load((ROOT / "stacks" / f"Pulumi.{stack}.yaml").read_text())["config"]
    return config


def local_config() -> dict[str, Any]:
    """Return the settings of stack local, as its file has them."""
    return config_of("local")


def foundation_config() -> dict[str, Any]:
    """Return settings of a small stack: the layer `foundation` alone, in one account and region, and disposable."""
    platform, spread = ("network", "tracking", "endpoints", "runner", "budget"), ("accounts", "recovery", "approvers")
    left_out = {f"interlock:{name}" for name in (*platform, *spread)}
    config = {key: value for key, value in local_config().items() if key not in left_out}
    return config | {"interlock:layers": ["foundation"]}
