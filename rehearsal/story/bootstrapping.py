"""The step that makes with Terraform what the accounts must have before a stack: the roles that deploy among it."""

from __future__ import annotations

from typing import Any

from interlock.duties.duty import Duty
from rehearsal.infra import Infra, InfraError
from rehearsal.session import Session
from rehearsal.story.context import Context
from rehearsal.story.step import Seen, Unexpected

EXAMPLE = "bootstrap/examples/two-accounts"
REPOSITORY = "example/interlock"


def apply(context: Context) -> Seen:
    """Apply `infra/bootstrap` to the workload and the evidence account, as their administrator."""
    assert isinstance(context.session, Session)
    context.busy("terraform")
    try:
        root = Infra(context.session, context.session.directory / "terraform").root(EXAMPLE)
        root.initialize()
        root.apply(values(context, context.session))
        outputs = root.outputs()
    except InfraError as failed:
        raise Unexpected("Terraform to apply infra/bootstrap", str(failed)[-4000:]) from failed
    settings = outputs["settings"]
    backends = [one["backend_url"].removeprefix("s3://").partition("?")[0] for one in settings.values()]
    names = {outputs["terraform_backend"]["bucket"], *backends}
    context.state_buckets = {f"arn:aws:s3:::{name}" for name in names}
    return Seen(
        f"buckets and a key for states, and the roles {' and '.join(settings[one]['role_arn'] for one in settings)}",
        {"bootstrap": {"settings": settings, "boundaries": outputs["boundary_arns"]}},
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
