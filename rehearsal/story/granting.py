"""The step that holds what each role is granted against what it did in the story."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from interlock.aws.account_reader import AccountReader
from interlock.duties.usage.granted import Granted, granted, role_called
from interlock.duties.usage.reasons import read_reasons
from interlock.duties.usage.surplus import Right, usage_of
from rehearsal.boto_session import boto_session
from rehearsal.cloud.accounts import credentials, organization_role
from rehearsal.story.context import Context
from rehearsal.story.step import Seen, Unexpected

REASONS = Path(__file__).with_name("unused_rights.yaml")


def read_rights(context: Context) -> Seen:
    """Read what every role of both accounts is granted, once both layers are up."""
    context.busy("reading every role's policies")
    context.rights = rights_of_roles(context)
    return Seen(f"the policies of {len(context.rights)} roles, as IAM has them")


def compare(context: Context) -> Seen:
    """Expect every right of every role to be used by now, or to have a reason in `unused_rights.yaml`."""
    rights = context.rights
    assert rights is not None
    used = used_by_roles(context.session.ask("decisions"), context.people.names.prefix)
    reasons = read_reasons(REASONS.read_text(encoding="utf-8"), REASONS.name)
    usage = usage_of(rights, used, reasons)
    if usage.problems():
        raise Unexpected("no right without a use or a reason", "\n".join(usage.problems()), [str(REASONS)])
    idle = [one for one in usage.rights if not one.used]
    return Seen(
        f"{len(usage.rights)} rights of {len(usage.roles)} roles: {len(usage.rights) - len(idle)} used, "
        f"{len(idle)} with a reason, none to spare",
        {"rights": [_shown(one) for one in usage.rights], "reviewed": reasons.reviewed.isoformat()},
    )


def rights_of_roles(context: Context) -> Granted:
    """Return what the roles of both accounts are granted, as IAM has it."""
    names = context.people.names
    principals = [
        principal
        for account_id in dict.fromkeys((names.workload, names.evidence))
        for principal in AccountReader(
            account_id, _clients(account_id, names.workload), names.regions, names.stack, {}
        ).principals()
    ]
    return granted(principals, names.prefix)


def used_by_roles(decisions: Mapping[str, Any], prefix: str) -> dict[str, dict[str, int]]:
    """Return how often each role was allowed each action, from the cloud's own count of its decisions."""
    used: dict[str, dict[str, int]] = {}
    for arn, actions in decisions["principals"].items():
        name = role_called(arn, prefix)
        if name is not None:
            counts = used.setdefault(name, {})
            for action, count in actions.items():
                counts[action] = counts.get(action, 0) + count["allowed"]
    return used


def _clients(account_id: str, workload: str) -> Any:
    session = boto_session()
    if account_id != workload:
        role = organization_role(account_id)
        given = credentials(session.client("sts").assume_role(RoleArn=role, RoleSessionName="rights"))
        session = boto_session(given)
    return functools.cache(lambda service, region: session.client(service, region_name=region))


def _shown(right: Right) -> dict[str, Any]:
    return {
        "role": right.role,
        "action": right.action,
        "on": list(right.resources),
        "used": right.used,
        "because": right.because,
    }
