"""The step in which the creator asks for a release of each candidate."""

from __future__ import annotations

from datetime import UTC, datetime

from interlock.building.submitting import Subject, submit
from interlock.duties.duty import Role
from interlock.release.submitting import Submission
from rehearsal.story.context import REGISTERED_MODEL, Context
from rehearsal.story.policy import TIER
from rehearsal.story.registration import tracking_credentials
from rehearsal.story.step import Seen, Unexpected

FIRST_TICKET = 1001


def ticket_of(index: int) -> str:
    """Return the change ticket of a candidate."""
    return f"CHG-{FIRST_TICKET + index}"


def submitted(context: Context, index: int) -> Submission:
    """Ask for a release of a candidate, as the creator."""
    assert context.manifest is not None
    credentials = tracking_credentials(context, Role.CREATOR)
    return submit(
        context.clients_of(Role.CREATOR),
        Subject.parse(f"{REGISTERED_MODEL}/{context.versions[index]}"),
        lambda: credentials,
        now=datetime.now(UTC),
        progress=context.busy,
        tier=TIER,
        ticket=ticket_of(index),
        environment=context.manifest.environment,
        reason=context.models[index].title,
    )


def name_of(asked: Submission) -> str:
    """Return by what the builder is told of what somebody asked for."""
    return f"{asked.submitter}/{asked.request.identifier}"


def ask(context: Context) -> Seen:
    """Submit every candidate so far as the creator, and the first once more, which must change nothing."""
    *made, again = [submitted(context, index) for index in (*range(len(context.versions)), 0)]
    if again.is_new or again.key != made[0].key:
        raise Unexpected("asking for the same again to change nothing", f"{again.key} beside {made[0].key}")
    context.submissions = [name_of(one) for one in made]
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
