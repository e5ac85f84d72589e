"""The layers as the roles of their duties deploy them: on the state and the key that `infra/bootstrap` has made."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml  # type: ignore[import-untyped]

from interlock.duties.duty import Role
from rehearsal.layers import FOUNDATION, PLATFORM
from rehearsal.story.step import Unexpected

if TYPE_CHECKING:
    from rehearsal.story.context import Context

ROLES = {FOUNDATION: Role.FOUNDATION, PLATFORM: Role.PLATFORM}
PROJECT_FILE = "Pulumi.yaml"
TIMEOUT_SECONDS = 120


def settle(context: Context, outputs: Path, settings: dict[str, Any]) -> None:
    """Have each layer's stack live where Terraform's `outputs` say, with a state that its own role has begun.

    `settings` is the output of that name. The checkout's files stay as they are: the stacks' are copied.
    """
    _lay_out(context)
    context.session.backend_url = settings[ROLES[FOUNDATION].value]["backend_url"]
    with ThreadPoolExecutor(len(ROLES)) as pool:
        for done in [pool.submit(_begin, context, outputs, settings, stack) for stack in ROLES]:
            done.result()


def _lay_out(context: Context) -> None:
    (context.project / "stacks").mkdir(parents=True)
    project = yaml.safe_load((context.checkout / PROJECT_FILE).read_text(encoding="utf-8"))
    program = str(context.checkout / project["main"])
    (context.project / PROJECT_FILE).write_text(yaml.safe_dump({**project, "main": program}), encoding="utf-8")
    for stack in ROLES:
        file = f"stacks/Pulumi.{stack}.yaml"
        (context.project / file).write_bytes((context.checkout / file).read_bytes())


def _begin(context: Context, outputs: Path, settings: dict[str, Any], stack: str) -> None:
    layer = ROLES[stack].value
    environment = context.deployer(stack)
    answer = subprocess.run(
        ["interlock", "settings", "import", str(outputs), stack, "--layer", layer],
        cwd=context.project, env=environment, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False,
    )  # fmt: skip
    if answer.returncode != 0:
        raise Unexpected(f"interlock settings import of {stack} to end with 0", f"{answer.stdout}{answer.stderr}")
    context.session.pulumi(
        "stack", "init", stack, "--secrets-provider", settings[layer]["secrets_provider"],
        directory=context.project, environment=environment,
    )  # fmt: skip
