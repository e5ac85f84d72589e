"""Stacks of the program beside stack local: a project of their own, so that the checkout's files stay as they are."""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from rehearsal.session import Session

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


def foundation_of_local() -> dict[str, Any]:
    """Return the settings of the foundation that stack local stands on, as its file has them."""
    return config_of("local-foundation")


def foundation_config() -> dict[str, Any]:
    """Return settings of a small stack: the layer `foundation` alone, in one account and region, and disposable."""
    names = ("accounts", "administrators", "recovery", "approvers", "duties", "ledger", "vault")
    spread = {f"interlock:{name}" for name in names}
    return {key: value for key, value in foundation_of_local().items() if key not in spread}


class Project:
    """One stack of the program, in a project folder of its own."""

    def __init__(self, session: Session, directory: Path, config: Mapping[str, Any]) -> None:
        self.session = session
        self.stack = f"evidence-{uuid.uuid4().hex[:8]}"
        self.directory = lay_out(directory, self.stack, config)
        self.pulumi("stack", "init", self.stack)

    def pulumi(self, *arguments: str, check: bool = True) -> Any:
        return self.session.pulumi(*arguments, directory=self.directory, check=check)

    def inventory(self) -> dict[str, list[str]]:
        """Return what lies in the cloud, service by service."""
        return {service: list(arns) for service, arns in self.session.ask("inventory").items()}

    def foundation(self) -> dict[str, Any]:
        """Return what the layer `foundation` gives to a platform."""
        outputs: dict[str, Any] = json.loads(self.pulumi("stack", "output", "--json").stdout)["foundation"]
        return outputs


def added(before: Mapping[str, list[str]], after: Mapping[str, list[str]]) -> dict[str, set[str]]:
    found = {service: set(arns) - set(before.get(service, [])) for service, arns in after.items()}
    return {service: arns for service, arns in found.items() if arns}
