"""The step that gives the environment up, which is nobody's duty: the accounts' administrators do it."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Mapping
from typing import Any

import yaml  # type: ignore[import-untyped]

from rehearsal.cloud.accounts import EVIDENCE, MANAGEMENT, WORKLOAD
from rehearsal.layers import FOUNDATION, PLATFORM, administered
from rehearsal.story import guarding
from rehearsal.story.context import Context
from rehearsal.story.step import Seen, Unexpected

KEPT_TYPES = ("aws:s3/", "aws:kms/", "aws:iam/")
"""What may remain while the vault holds locked objects: its two halves with their guards, keys, and the roles by which
S3 goes on replicating them."""
KEPT_SERVICES = ("s3", "kms", "iam")
PROVIDERS = "**pulumi:providers:aws::*"
DESTROYED, LOCKED = 0, 1
"""What `interlock stack destroy` ends with: nothing remains, or what the vault's locks keep."""
TIMEOUT_SECONDS = 900


def take_down(context: Context) -> Seen:
    """Destroy the platform and then its foundation, and see that exactly what the locks keep is still there.

    No role of a deployer takes away what it has published, keys, vault or alarm: the administrators come in, after
    they have taken the guardrails off.
    """
    context.administer(WORKLOAD, EVIDENCE, MANAGEMENT)
    context.busy("take the guardrails off")
    guarding.release(context)
    platform = _destroyed(context, PLATFORM)
    _hand_over(context)
    result = _destroyed(context, FOUNDATION)
    remaining, locked = result["remaining"], result["locked"]
    strangers = [one["urn"] for one in remaining if not one["type"].startswith(KEPT_TYPES)]
    if strangers:
        raise Unexpected("only the vault and what belongs to it to remain", ", ".join(strangers))
    left = {service: list(map(str, arns)) for service, arns in context.inventory().items() if arns}
    _expect_alone(context, left, {f"arn:aws:s3:::{name}" for name in result["buckets"]})
    if not locked:
        raise Unexpected("locked objects in the vault", "none, although releases were pinned")
    until = max(one["locked_until"] for one in locked)
    kinds = Counter(one["type"] for one in remaining)
    return Seen(
        f"all gone but the vault {', '.join(result['buckets'])} with {len(locked)} locked objects, "
        f"{kinds['aws:kms/key:Key']} keys and {kinds['aws:kms/replicaKey:ReplicaKey']} replicas of keys, and "
        f"{kinds['aws:iam/role:Role']} roles that replicate; the last lock ends {until[:16].replace('T', ' ')} UTC",
        {
            "locked": [{"key": one["key"], "until": one["locked_until"]} for one in locked],
            "remaining": [{"type": one["type"], "id": one["id"]} for one in remaining],
            "inventory": left,
            "swept": platform["swept"],
        },
    )


def _destroyed(context: Context, stack: str) -> dict[str, Any]:
    context.busy(f"interlock stack destroy, {stack}")
    answer = subprocess.run(
        ["interlock", "stack", "destroy", "--yes", "--stack", f"pulumi:{stack}", "--output", "json"],
        cwd=context.project,
        env=context.session.environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    document: dict[str, Any] = json.loads(answer.stdout or "{}")
    if answer.returncode not in (DESTROYED, LOCKED) or "remaining" not in document:
        raise Unexpected(f"interlock stack destroy of {stack} to destroy it", f"{answer.stdout}{answer.stderr}"[-4000:])
    return document


def _hand_over(context: Context) -> None:
    """Have the foundation's stack enter the evidence account as its administrators do, and change nothing else."""
    context.busy("hand the foundation over to the administrators")
    file = context.project / "stacks" / f"Pulumi.{FOUNDATION}.yaml"
    document = yaml.safe_load(file.read_text(encoding="utf-8"))
    file.write_text(yaml.safe_dump({**document, "config": administered(document["config"])}), encoding="utf-8")
    answer = context.session.pulumi(
        "up", "--yes", "--skip-preview", "--target", PROVIDERS, "--stack", FOUNDATION,
        directory=context.project, check=False,
    )  # fmt: skip
    if answer.returncode != 0:
        raise Unexpected("pulumi up of the foundation's providers to end with 0", f"{answer.stdout}{answer.stderr}")


def _expect_alone(context: Context, left: Mapping[str, list[str]], buckets: set[str]) -> None:
    others = [
        arn
        for service, arns in left.items()
        if service not in KEPT_SERVICES
        for arn in arns
        if arn not in context.by_terraform
    ]
    found = set(left.get("s3", ())) - context.by_terraform
    if others or found != buckets:
        raise Unexpected(
            f"the cloud to hold {', '.join(sorted(buckets))}, keys and roles, and nothing else but what Terraform made",
            "\n".join([*others, *sorted(found)]) or "nothing",
        )
