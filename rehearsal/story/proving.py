"""The step that proves the duties over what the engine would make, before it has made any of it."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from rehearsal.layers import PLATFORM, as_one_stack
from rehearsal.story.context import Context
from rehearsal.story.step import Seen, Unexpected

TIMEOUT_SECONDS = 300
LITTLE = 10
"""A niceness: what there is else to do goes first."""


def prove(context: Context) -> Seen:
    """Preview both layers as one stack, and have `interlock duties prove` certify what they would make."""
    context.administer(context.people.settings.account_id)
    # What this thread starts leaves the processors to what makes the foundation, which the platform waits for too.
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LITTLE)
    folder = context.session.directory / "proof"
    folder.mkdir()
    preview = folder / "preview.json"
    preview.write_text(_previewed(context, folder))
    context.certificate = folder / "certificate"
    context.busy("proving")
    answer = subprocess.run(
        [
            "interlock", "duties", "prove", "--plan", str(preview), "--certificate", str(context.certificate),
            "--output", "json",
        ],
        cwd=context.checkout, env=dict(os.environ), capture_output=True, text=True, timeout=TIMEOUT_SECONDS,
        check=False,
    )  # fmt: skip
    document: dict[str, Any] = json.loads(answer.stdout or "{}")
    if answer.returncode != 0:
        said = "\n".join([document.get("message", ""), *document.get("reasons", []), answer.stderr[-2000:]])
        raise Unexpected("interlock duties prove to end with 0", f"{answer.returncode}\n{said}", [str(folder)])
    claims = document["claims"]
    return Seen(
        f"{len(claims)} claims hold of {len(document['documents'])} policy documents: no one person gets a model into "
        "production, weakens evidence or locks others out",
        {
            "certificate": document["world_sha256"],
            "claims": [{"name": one["name"], "sentence": one["sentence"]} for one in claims],
            "documents": len(document["documents"]),
            "assumptions": len(document["assumptions"]),
        },
    )


def _previewed(context: Context, folder: Path) -> str:
    stacks = context.checkout / "stacks"
    salt = yaml.safe_load((stacks / f"Pulumi.{PLATFORM}.yaml").read_text(encoding="utf-8"))["encryptionsalt"]
    settings = folder / f"Pulumi.{PLATFORM}.yaml"
    settings.write_text(yaml.safe_dump({"config": as_one_stack(stacks), "encryptionsalt": salt}))
    context.busy("preview both layers")
    # Nothing is there yet: neither the roles of the layers nor a place for their states.
    environment = {**context.session.environment, "PULUMI_BACKEND_URL": context.session.own_backend_url}
    answer = context.session.pulumi(
        "preview", "--json", "--show-sames", "--stack", PLATFORM, "--config-file", str(settings),
        environment=environment, check=False,
    )  # fmt: skip
    if answer.returncode != 0:
        raise Unexpected("a preview of both layers", f"{answer.stdout[-3000:]}{answer.stderr[-2000:]}")
    return answer.stdout
