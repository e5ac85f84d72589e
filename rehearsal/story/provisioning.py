"""Steps that bring the stack up, look at it again, and take it down."""

from __future__ import annotations

import json
import subprocess
import threading
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from interlock.failures import OutsideFailure
from interlock.stack import ProvisionedStack
from interlock.teardown import destroy
from rehearsal.story.context import DOMAIN_SETTING, PULUMI_STACK, Context
from rehearsal.story.step import Seen, Unexpected

UP = "pulumi up"

KEPT_TYPES = ("aws:s3/", "aws:kms/", "aws:iam/")
"""What may remain while the vault holds locked objects: its two halves with their guards, keys, and the roles by which
S3 goes on replicating them."""

KEPT_SERVICES = ("s3", "kms", "iam")


def start(context: Context) -> Seen:
    """Start the local cloud and the provider host, and choose the stack."""
    context.session.start()
    context.enter_environment()
    context.session.select_stack(PULUMI_STACK)
    domain = _tracking_domain(context)
    context.session.provide_certificate(domain)
    return Seen(
        f"AWS answers at {context.session.environment['AWS_ENDPOINT_URL']}; {domain} has a certificate",
        {"endpoint_url": context.session.environment["AWS_ENDPOINT_URL"], "domain": domain},
    )


def _tracking_domain(context: Context) -> str:
    answer = context.session.pulumi("config", "get", "--path", DOMAIN_SETTING, "--stack", PULUMI_STACK)
    return answer.stdout.strip()


def up(context: Context) -> Seen:
    """Provision both layers, and read what they say of themselves."""
    log = context.session.directory / "logs" / "up-events.jsonl"
    environment = {**context.session.environment, "PULUMI_DEBUG_COMMANDS": "true"}
    command = ["pulumi", "up", "--yes", "--skip-preview", "--non-interactive", "--color", "never"]
    output = context.session.directory / "logs" / "up.log"
    with output.open("wb") as sink:
        process = subprocess.Popen(
            [*command, "--stack", PULUMI_STACK, "--event-log", str(log)],
            cwd=context.checkout, env=environment, stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.STDOUT,
        )  # fmt: skip
        code = _watch(process, log, context)
    resources = read_events(log)
    if code != 0:
        raise Unexpected("pulumi up to end with 0", f"{code}\n{_diagnostics(output)}", [str(output), str(context.logs)])
    context.manifest = ProvisionedStack.load(f"pulumi:{PULUMI_STACK}").manifest
    created = [one for one in resources if one["op"] == "create" and one["type"].startswith("aws:")]
    slowest = max(created, key=lambda one: one["seconds"])
    return Seen(
        f"{len(created)} AWS resources; the slowest, {slowest['type']}, took {slowest['seconds']:.0f} s",
        {"resources": resources},
    )


def _watch(process: subprocess.Popen[bytes], log: Path, context: Context) -> int:
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(2.0):
            waiting = [one["type"].split(":")[-1] for one in read_events(log) if one["seconds"] is None]
            known = [name for name in waiting if not name[:1].islower()]
            context.busy_as(UP, f"waiting for {', '.join(sorted(set(known)))}" if known else "")

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        return process.wait()
    finally:
        ended.set()
        watcher.join()


def read_events(log: Path) -> list[dict[str, Any]]:
    """Return the custom resources in an engine's event log: type, name, op, start (Unix time), seconds or None."""
    found: dict[str, dict[str, Any]] = {}
    if not log.exists():
        return []
    for line in log.read_text().splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            continue  # the last line may be half written
        for kind in ("resourcePreEvent", "resOutputsEvent", "resOpFailedEvent"):
            metadata = event.get(kind, {}).get("metadata")
            if metadata is None or not _counts(metadata):
                continue
            one = found.setdefault(
                metadata["urn"],
                {
                    "type": metadata["type"],
                    "name": metadata["urn"].rpartition("::")[2],
                    "op": metadata["op"],
                    "start": event["timestamp"],
                    "seconds": None,
                },
            )
            if kind != "resourcePreEvent":
                one["seconds"] = event["timestamp"] - one["start"]
    return list(found.values())


def _counts(metadata: dict[str, Any]) -> bool:
    state = metadata.get("new") or metadata.get("old") or {}
    return bool(state.get("custom")) and not str(metadata["type"]).startswith("pulumi:providers")


def refresh(context: Context) -> Seen:
    """Refresh, and expect AWS to be as the state says."""
    return _unchanged(context, "refresh", "--yes", "--skip-preview")


def preview(context: Context) -> Seen:
    """Preview, and expect the state to be as the program says."""
    return _unchanged(context, "preview")


def _unchanged(context: Context, verb: str, *options: str) -> Seen:
    answer = context.session.pulumi(
        verb, *options, "--expect-no-changes", "--diff", "--stack", PULUMI_STACK, check=False
    )
    if answer.returncode != 0:
        raise Unexpected(f"pulumi {verb} to find no change", f"{answer.stdout[-4000:]}{answer.stderr[-2000:]}")
    return Seen("no change found")


def take_down(context: Context) -> Seen:
    """Destroy the stack, and see that exactly what the locks keep is still there."""
    result = destroy(PULUMI_STACK, now=datetime.now(UTC), directory=context.checkout, progress=context.busy)
    strangers = [one.urn for one in result.remaining if not one.kind.startswith(KEPT_TYPES)]
    if strangers:
        raise Unexpected("only the vault and what belongs to it to remain", ", ".join(strangers))
    left = {service: list(map(str, arns)) for service, arns in context.inventory().items() if arns}
    buckets = {f"arn:aws:s3:::{name}" for name in result.bucket_names}
    others = [arn for service, arns in left.items() if service not in KEPT_SERVICES for arn in arns]
    if others or set(left.get("s3", ())) != buckets:
        raise Unexpected(
            f"the cloud to hold {', '.join(sorted(buckets))}, keys and roles, and nothing else",
            "\n".join([*others, *left.get("s3", ())]) or "nothing",
        )
    until = result.deletable_from
    if until is None:
        raise OutsideFailure("the vault holds no locked object, although releases were pinned")
    kinds = Counter(one.kind for one in result.remaining)
    return Seen(
        f"all gone but the vault {', '.join(result.bucket_names)} with {len(result.locked)} locked objects, "
        f"{kinds['aws:kms/key:Key']} keys and {kinds['aws:kms/replicaKey:ReplicaKey']} replicas of keys, and "
        f"{kinds['aws:iam/role:Role']} roles that replicate; the last lock ends {until:%Y-%m-%d %H:%M} UTC",
        {
            "locked": [{"key": one.key, "until": one.lock.until.isoformat()} for one in result.locked],
            "remaining": [{"type": one.kind, "id": one.identifier} for one in result.remaining],
            "inventory": left,
            "swept": list(result.swept.deleted),
        },
    )


def _diagnostics(output: Path, lines: int = 40) -> str:
    """Return what the engine says at the end of an update that failed, or its last lines where it says nothing."""
    text = output.read_text(errors="replace")
    _, found, diagnostics = text.rpartition("Diagnostics:\n")
    return (diagnostics if found else "\n".join(text.splitlines()[-lines:])).strip()
