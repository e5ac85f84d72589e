"""Steps that put the accounts under watch and under the organization's control policies, with Terraform."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from interlock.duties.duty import Role
from rehearsal.boto_session import boto_session
from rehearsal.cloud.accounts import ADMINISTRATOR, MANAGEMENT, organization_role
from rehearsal.layers import FOUNDATION
from rehearsal.session import Session
from rehearsal.story.breaching import Call, refusal_of, unbind, widen
from rehearsal.story.context import Context
from rehearsal.story.step import Seen
from rehearsal.story.terraforming import apply_root, terraform

AUDIT = "audit/examples/three-accounts"
GUARDRAILS = "guardrails/examples/organization"
ATTACHMENTS = "module.guardrails.aws_organizations_policy_attachment.this"
ELSEWHERE = "us-east-1"


def watch(context: Context) -> Seen:
    """Apply `infra/audit` as the administrator of each account, beside the platform's databases."""
    assert isinstance(context.session, Session)
    context.give_way()
    said = context.pulumi("stack", "output", "--json", "foundation", stack=FOUNDATION).stdout
    outputs = apply_root(context, AUDIT, audit_values(context.session, json.loads(said)))
    trails = [arn.split(":")[4] for arn in outputs["trail_arns"]]
    return Seen(
        f"trails of {' and '.join(trails)} write to {outputs['trail_bucket']}, locked, in the audit account",
        {"audit": outputs},
    )


def restrain(context: Context) -> Seen:
    """Apply `infra/guardrails` as the management account's administrator; whatever follows is held by it."""
    assert isinstance(context.session, Session)
    outputs = apply_root(context, GUARDRAILS, guardrails_values(context.session))
    names = sorted(name for documents in outputs["documents"].values() for name in documents)
    breaches = [
        {
            "duty": ADMINISTRATOR,
            "who": ADMINISTRATOR,
            "tried": words,
            "answer": refusal_of(words, call, boto_session()),
        }
        for words, call in _beyond_administrators(context)
    ]
    return Seen(
        f"{', '.join(names)} hold every account of the environment; {len(breaches)} attempts of the workload account's "
        "administrator, who has every right there, refused",
        {"guardrails": names, "breaches": breaches},
    )


def release(context: Context) -> None:
    """Take the guardrails off, as the management account's administrator: what they hold cannot be given up."""
    assert context.infra is not None
    with terraform("to detach the guardrails"):
        context.infra.root(GUARDRAILS).run("destroy", "-input=false", "-auto-approve", f"-target={ATTACHMENTS}")


def audit_values(session: Session, foundation: dict[str, Any]) -> dict[str, Any]:
    """Return the example's variables: accounts, and the vault's buckets as the foundation tells them."""
    halves = [foundation["vault"], *([foundation["recovery"]["vault"]] if foundation["recovery"] else [])]
    return {
        "environment": "local",
        "region": session.cloud.region,
        **{f"{name}_account_id": session.cloud.accounts[name] for name in ("workload", "evidence", "audit")},
        "retention_days": 30,
        "vault_bucket_arns": [f"arn:aws:s3:::{half['bucket_name']}" for half in halves],
    }


def guardrails_values(session: Session) -> dict[str, Any]:
    """Return the example's variables: the organization's unit of the environment's accounts."""
    organizations = session.client("organizations", "management")
    root = organizations.list_roots()["Roots"][0]["Id"]
    (unit,) = organizations.list_organizational_units_for_parent(ParentId=root)["OrganizationalUnits"]
    return {
        "environment": "local",
        "management_account_id": MANAGEMENT,
        "management_role_arn": organization_role(MANAGEMENT),
        "target_ids": [unit["Id"]],
        "regions": list(session.cloud.regions),
        "github_organization": "example",
    }


def _beyond_administrators(context: Context) -> Iterator[tuple[str, Call]]:
    platform, settings = context.people.role_arn(Role.PLATFORM), context.people.settings
    trail = f"arn:aws:cloudtrail:{settings.region}:{settings.account_id}:trail/interlock-local"
    yield "give the platform's role more rights", widen(platform)
    yield "take the platform's boundary off", unbind(platform)
    yield "stop the trail", lambda session: session.client("cloudtrail").stop_logging(Name=trail)
    yield (
        "make themselves a key that lasts",
        lambda session: session.client("iam").create_access_key(UserName=ADMINISTRATOR),
    )
    yield f"work in {ELSEWHERE}", lambda session: session.client("sns", region_name=ELSEWHERE).create_topic(Name="away")
