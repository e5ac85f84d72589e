"""Steps about the ledger: its functions append what was said, and co-sign it in the other region."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from interlock.duties.duty import Role
from interlock.release.verification.logs import read_logs
from rehearsal.boto_session import boto_session
from rehearsal.cloud.accounts import EVIDENCE, credentials, organization_role
from rehearsal.story.context import Context
from rehearsal.story.step import Seen, Unexpected

if TYPE_CHECKING:
    import boto3
    from mypy_boto3_cloudwatch.type_defs import DimensionTypeDef
    from mypy_boto3_lambda import LambdaClient

REPLICATION_SECONDS: Final = 60.0
SCHEDULED_SECONDS: Final = 240.0
"""Twice the minutes between two runs that the settings say."""


class RunFailed(Exception):
    """A function answered that its run failed; the text is what it raised."""


def begin(context: Context) -> Seen:
    """Have the functions begin the log with the trust root, while the platform's databases take their time."""
    appended, seen = _recorded(context)
    return Seen(
        f"{appended['origin']} begins with {appended['size']} leaves; the witness has seen them",
        {"ledger_begun": {"origin": appended["origin"], "size": appended["size"], "witnessed": seen["witnessed_at"]}},
    )


def record(what: str) -> Callable[[Context], Seen]:
    """Have all that was said so far appended and witnessed; `what` says of what it is the record."""

    def recorded(context: Context) -> Seen:
        appended, seen = _recorded(context)
        _wait_for_the_witness_at_home(context, appended["size"])
        origin, size = appended["origin"], appended["size"]
        return Seen(
            f"{what}: {appended['appended']} statements more in {origin}, which has {size}; the witness has seen them",
            {
                "ledger": {
                    "origin": origin,
                    "size": size,
                    "root": appended["root"],
                    "appended": appended["keys"],
                    "unfit": appended["unfit"],
                    "witnessed_at": seen["witnessed_at"],
                }
            },
        )

    return recorded


def by_themselves(context: Context) -> Seen:
    """Expect each function to have been run by its schedule too, and not by the story alone."""
    counted = {role: _scheduled(context, role) for role in (Role.SEQUENCER, Role.WITNESS)}
    return Seen(
        " and ".join(f"the {role.value} ran {number} times by its schedule" for role, number in counted.items()),
        {"scheduled_runs": {role.value: number for role, number in counted.items()}},
    )


def _recorded(context: Context) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Return what the sequencer appended, and what the witness has seen of the log since."""
    context.administer(EVIDENCE)
    appended = _appended(context)
    return appended, _witnessed(context, appended["size"])


def _appended(context: Context) -> Mapping[str, Any]:
    """Have the sequencer run now, rather than wait for its minute."""
    context.busy("append to the log")
    try:
        return _run(context, Role.SEQUENCER)
    except RunFailed as failed:
        raise Unexpected("the sequencer's function to append", str(failed)) from failed


def _witnessed(context: Context, size: int) -> Mapping[str, Any]:
    """Wait until the log has arrived in the other region up to `size`, and the witness has co-signed that."""
    deadline = time.monotonic() + REPLICATION_SECONDS
    while True:
        waiting = "nothing has arrived"
        try:
            seen = _run(context, Role.WITNESS)
            if seen["size"] is not None and seen["size"] >= size:
                return seen
        except RunFailed as failed:
            waiting = str(failed)
        if time.monotonic() > deadline:
            raise Unexpected(f"the log with {size} leaves where its witness is", waiting)
        context.busy("wait for the log in the other region")
        time.sleep(0.3)


def _run(context: Context, role: Role) -> Mapping[str, Any]:
    """Invoke a function of the ledger and return what it did. Raises RunFailed."""
    answer = _functions(context, role).invoke(FunctionName=_name(context, role), Payload=b"{}")
    said: dict[str, Any] = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise RunFailed(f"{said.get('errorType')}: {said.get('errorMessage')}")
    context.ledger_runs[role] = context.ledger_runs.get(role, 0) + 1
    return said


def _scheduled(context: Context, role: Role) -> int:
    """Return how often a function succeeded without being asked to by the story, once it has."""
    deadline = time.monotonic() + SCHEDULED_SECONDS
    while True:
        done = _succeeded(context, role) - context.ledger_runs.get(role, 0)
        if done > 0:
            return done
        if time.monotonic() > deadline:
            raise Unexpected(f"the schedule to have run the {role.value}'s function", "no run but the story's")
        context.busy(f"wait for the schedule of the {role.value}")
        time.sleep(1)


def _succeeded(context: Context, role: Role) -> int:
    now = datetime.now(UTC)
    of: DimensionTypeDef = {"Name": "FunctionName", "Value": _name(context, role)}
    counts = []
    for metric in ("Invocations", "Errors"):
        answer = _session(context, role).client("cloudwatch").get_metric_statistics(
            Namespace="AWS/Lambda", MetricName=metric, Dimensions=[of], Period=3600, Statistics=["Sum"],
            StartTime=now - timedelta(hours=2), EndTime=now + timedelta(hours=1),
        )  # fmt: skip
        counts.append(sum(one["Sum"] for one in answer["Datapoints"]))
    return int(counts[0] - counts[1])


def _functions(context: Context, role: Role) -> LambdaClient:
    return _session(context, role).client("lambda")


def _session(context: Context, role: Role) -> boto3.Session:
    """Return a session of the evidence account's administrators where the role's function is."""
    settings = context.people.settings
    region = settings.recovery.region if role is Role.WITNESS and settings.recovery else settings.region
    sts = boto_session().client("sts")
    given = credentials(sts.assume_role(RoleArn=organization_role(EVIDENCE), RoleSessionName="ledger"))
    return boto_session(given, region)


def _name(context: Context, role: Role) -> str:
    return context.people.names.role_name(role)


def _wait_for_the_witness_at_home(context: Context, size: int) -> None:
    """Wait until what the witness has signed in its region is there where releases are judged."""
    clients, root = context.clients_of(Role.SEQUENCER), context.trust(Role.SEQUENCER).root
    deadline = time.monotonic() + REPLICATION_SECONDS
    while True:
        logs, _ = read_logs(clients.vault_reader, root)
        if any(one.origin == root.log_origins[0] and one.witnessed_size >= size for one in logs):
            return
        if time.monotonic() > deadline:
            raise Unexpected(f"the witness's word on {size} leaves in {clients.manifest.region}", "it has not arrived")
        context.busy("wait for the witness's word to come back")
        time.sleep(0.3)
