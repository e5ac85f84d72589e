"""Whether S3 may replicate: the role it assumes, what that role is granted, and what the destination's policy says."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from moto.iam.exceptions import NotFoundException
from moto.iam.models import IAMBackend, ManagedPolicy, Role, iam_backends
from moto.kms.models import Key
from moto.s3.models import FakeBucket

from rehearsal.cloud.callers import Caller
from rehearsal.cloud.policies import Request, Verdict, caller_values, judge, listed
from rehearsal.cloud.services.kms.accounts import permits

_SERVICE = "s3.amazonaws.com"


@dataclass(frozen=True)
class Need:
    """An action that the role takes on a resource, and the condition keys that come with it."""

    action: str
    resource: str
    values: Mapping[str, str] = field(default_factory=dict)


def role_refusal(role_arn: str, source: FakeBucket, needs: Sequence[Need], now: datetime) -> str | None:
    """Return why S3 cannot assume the role for `source`, or what the role may not do there; None if it may do all.

    The role's policies and its boundary are read with their conditions. A guardrail above the account is not.
    """
    _, partition, _, _, account_id, _ = role_arn.split(":", 5)
    iam: IAMBackend = iam_backends[account_id][partition]
    try:
        role: Role = iam.get_role_by_arn(role_arn)
    except NotFoundException:
        return "AssumeRoleNotPermitted: the role does not exist"
    session = _session(role_arn)
    standard = caller_values(session, source.region_name, now)
    # Neither aws:SourceArn nor aws:SourceAccount: AWS does not document that S3 sends them when it replicates.
    assuming = Request(session, "sts:AssumeRole", role_arn, standard)
    if not judge(_for_anyone(role.assume_role_policy_document, _SERVICE), assuming).permits:
        return f"AssumeRoleNotPermitted: the role does not let {_SERVICE} assume it"
    documents: list[str | Mapping[str, Any]] = list(_documents(role))
    boundary = iam.managed_policies.get(role.permissions_boundary_arn) if role.permissions_boundary_arn else None
    for need in needs:
        values = standard | {name: [value] for name, value in need.values.items()}
        request = Request(session, need.action, need.resource, values)
        within = boundary is None or _permits([_current(boundary)], request)
        if not within or not _permits(documents, request):
            return f"the role is not granted {need.action} on {need.resource}"
    return None


def destination_refusal(
    bucket: FakeBucket, role_arn: str, key: str, actions: Sequence[str], now: datetime
) -> str | None:
    """Return why the policy of the destination `bucket` keeps the role out, None if it lets it in.

    Across accounts a policy has to allow, within one it must not deny.
    """
    caller = _session(role_arn)
    values = caller_values(caller, bucket.region_name, now)
    own = {"aws:resourceaccount": bucket.account_id, "s3:resourceaccount": bucket.account_id, "s3:tlsversion": "1.3"}
    values |= {name: [value] for name, value in own.items()}
    for action in actions:
        verdict = judge(bucket.policy, Request(caller, action, f"{bucket.arn}/{key}", values))
        if verdict.denied_by is not None:
            return f"the destination's policy denies {action}: {verdict.denied_by}"
        if caller.account_id != bucket.account_id and not verdict.allowed:
            return f"the destination's policy does not allow {action} to {role_arn}"
    return None


def key_refusal(key: Key, role_arn: str, action: str, now: datetime) -> str | None:
    """Return why a key of another account keeps the role out, None if it lets it in or is of the role's account."""
    caller = _session(role_arn)
    if key.account_id == caller.account_id or permits(key, caller, action, now, via="s3"):
        return None
    return f"the policy of {key.arn} does not allow {action} to {role_arn}"


def _session(role_arn: str) -> Caller:
    role_name, account_id = role_arn.rpartition("/")[2], role_arn.split(":")[4]
    arn = f"arn:aws:sts::{account_id}:assumed-role/{role_name}/s3-replication"
    return Caller(account_id, f"{role_name}:s3-replication", arn, role_arn, "AssumedRole", None)


def _permits(documents: Sequence[str | Mapping[str, Any]], request: Request) -> bool:
    verdicts: list[Verdict] = [judge(_for_anyone(document), request) for document in documents]
    return any(verdict.allowed for verdict in verdicts) and all(verdict.denied_by is None for verdict in verdicts)


def _documents(role: Role) -> Iterator[str | Mapping[str, Any]]:
    yield from role.policies.values()
    for managed in role.managed_policies.values():
        yield _current(managed)


def _current(policy: ManagedPolicy) -> str:
    document: str = next(version.document for version in policy.versions if version.is_default)
    return document


def _for_anyone(document: str | Mapping[str, Any], service: str | None = None) -> str:
    """Return a policy without its principals, or the part of it that is about `service`: who asks is known."""
    read = json.loads(document) if isinstance(document, str) else document
    kept = [
        {**statement, "Principal": "*"}
        for statement in listed(read["Statement"])
        if service is None or _names(statement.get("Principal"), service)
    ]
    return json.dumps({"Statement": kept})


def _names(principal: Any, service: str) -> bool:
    return principal == "*" or (isinstance(principal, Mapping) and service in listed(principal.get("Service", [])))
