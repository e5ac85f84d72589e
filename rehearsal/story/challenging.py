"""The step in which a challenger comes, while the champion serves: it will be measured against it."""

from __future__ import annotations

from rehearsal.story.candidates import CHALLENGER
from rehearsal.story.context import Context
from rehearsal.story.pinning import pin_one
from rehearsal.story.registration import register_challenger
from rehearsal.story.step import Seen
from rehearsal.story.submitting import name_of, submitted


def come(context: Context) -> Seen:
    """Log, register, submit and pin the challenger: the creator's work, and then the builder's."""
    context.busy("log and register")
    register_challenger(context)
    asked = submitted(context, CHALLENGER)
    context.submissions.append(name_of(asked))
    pinned = pin_one(context, CHALLENGER)
    title = context.models[CHALLENGER].title
    return Seen(
        f"{title}: version {asked.request.version} is pinned as {pinned.digest[:12]}, while the champion serves",
        {"challenger": {"title": title, "version": asked.request.version, "release": pinned.digest}},
    )
