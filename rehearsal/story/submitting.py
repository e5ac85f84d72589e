"""The step in which the creator asks for a release of each candidate."""

from __future__ import annotations

from datetime import UTC, datetime

from interlock.building.submitting import Subject, submit
from interlock.duties.duty import Role
from rehearsal.story.context import REGISTERED_MODEL, Context
from rehearsal.story.policy import TIER
from rehearsal.story.registration import tracking_credentials
from rehearsal.story.step import Seen, Unexpected

FIRST_TICKET = 1001


def ticket_of(index: int) -> str:
    """Return the change ticket of a candidate."""
    return f"CHG-{FIRST_TICKET + index}"


def ask(context: Context) -> Seen:
    """Submit every candidate as the creator, and the first once more, which must change nothing."""
    assert context.manifest is not None
    clients = context.clients_of(Role.CREATOR)
    credentials = tracking_credentials(context, Role.CREATOR)
    asked = []
    for index in (*range(len(context.versions)), 0):
        model, version = context.models[index], context.versions[index]
        asked.append(
            submit(
                clients,
                Subject.parse(f"{REGISTERED_MODEL}/{version}"),
                lambda: credentials,
                now=datetime.now(UTC),
                progress=context.busy,
                tier=TIER,
                ticket=ticket_of(index),
                environment=context.manifest.environment,
                reason=model.title,
            )
        )
    *made, again = asked
    if again.is_new or again.key != made[0].key:
        raise Unexpected("asking for the same again to change nothing", f"{again.key} beside {made[0].key}")
    context.submissions = [f"{one.submitter}/{one.request.identifier}" for one in made]
    return Seen(
        f"{made[0].submitter} asked for {len(made)} releases, tier {TIER} for {made[0].request.environment}",
        {
            "submissions": [
                {
                    "submitter": one.submitter,
                    "id": one.request.identifier,
                    "version": one.request.version,
                    "ticket": one.request.ticket,
                    "reason": one.request.reason,
                }
                for one in made
            ]
        },
    )
