"""The step that makes with Terraform what the accounts must have before a stack: the roles that deploy among it."""

from __future__ import annotations

import json
from typing import Any

from interlock.duties.duty import Duty
from rehearsal.infra import Infra
from rehearsal.session import Session
from rehearsal.story.context import Context
from rehearsal.story.deploying import settle
from rehearsal.story.step import Seen
from rehearsal.story.terraforming import administer, terraform

EXAMPLE = "bootstrap/examples/two-accounts"
REPOSITORY = "example/interlock"


def initialize(context: Context) -> Seen:
    """Lay out a copy of `infra/`, and have Terraform find the module's provider."""
    assert isinstance(context.session, Session)
    context.infra = Infra(context.session, context.session.directory / "terraform")
    with terraform("to initialize infra/bootstrap"):
        context.infra.root(EXAMPLE).initialize()
    return Seen("infra/bootstrap with its provider")


def apply(context: Context) -> Seen:
    """Apply `infra/bootstrap` as the accounts' administrator, and have the stacks live on what it has made."""
    assert isinstance(context.session, Session)
    assert context.infra is not None
    context.busy("terraform")
    wanted = values(context, context.session)
    administer(context, wanted)
    root = context.infra.root(EXAMPLE)
    with terraform("to apply infra/bootstrap"):
        root.apply(wanted)
        said = root.said()
        context.by_terraform |= root.arns()
    settings = said["settings"]["value"]
    context.busy("interlock settings import")
    outputs = context.session.directory / "outputs.json"
    outputs.write_text(json.dumps(said))
    settle(context, outputs, settings)
    return Seen(
        f"buckets and a key for states, and the roles {' and '.join(settings[one]['role_arn'] for one in settings)}",
        {"bootstrap": {"settings": settings, "boundaries": said["boundary_arns"]["value"]}},
    )


def values(context: Context, session: Session) -> dict[str, Any]:
    """Return the module's variables: what the foundation's settings say of accounts, regions and people."""
    people, accounts = context.people.assignments, session.cloud.accounts
    return {
        "environment": context.people.settings.environment.value,
        "region": session.cloud.region,
        "regions": list(session.cloud.regions),
        "workload_account_id": accounts["workload"],
        "evidence_account_id": accounts["evidence"],
        "github": {
            "repository": REPOSITORY,
            "foundation_environment": "local-foundation",
            "platform_environment": "local-platform",
        },
        "people": {
            duty.value: {one.name: one.principal for one in people.people_of(duty)}
            for duty in (Duty.FOUNDATION, Duty.PLATFORM)
        },
    }
