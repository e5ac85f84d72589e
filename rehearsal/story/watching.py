"""The step in which the observer finds what somebody did to the registry behind a release."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path

from interlock.duties.duty import Role
from interlock.release.finding import Change, ChangeKind
from interlock.release.verification.reason import ReasonCode
from interlock.release.watching import Watched
from interlock.running import running_releases
from interlock.watch import watch_registry
from rehearsal.story.candidates import CHAMPION, REFUSED
from rehearsal.story.context import REGISTERED_MODEL, Context
from rehearsal.story.registration import as_user_of, tracking_credentials
from rehearsal.story.step import Seen, Unexpected

OVERWRITTEN = "requirements.txt"


def look_first(context: Context) -> Seen:
    """Look at every pinned version as the observer, who finds all as it was pinned."""
    seen = _look(context)
    wrong = [one for one in seen if one.standing]
    if wrong or len(seen) != len(context.pins):
        raise Unexpected(f"{len(context.pins)} versions as they were pinned", f"{len(seen)}, {wrong}")
    return Seen(f"{len(seen)} pinned versions are in the registry as they were pinned", {"findings": _told(seen)})


def find_what_changed(context: Context) -> Seen:
    """Have the creator overwrite a file of the released champion and move an alias; the observer finds both, once."""
    _tamper(context)
    changed = {one.pinned.digest: one for one in _look(context) if one.finding is not None}
    found = {
        context.pins[index].digest: {ChangeKind.ALIAS_MOVED, *more}
        for index, more in ((CHAMPION, {ChangeKind.FILES_OVERWRITTEN}), (REFUSED, set[ChangeKind]()))
    }
    kinds = {digest: {one.kind for one in _changes(seen)} for digest, seen in changed.items()}
    if kinds != found:
        raise Unexpected(f"findings {found}", f"{kinds}")
    again = [one.pinned.digest for one in _look(context) if one.finding is not None]
    if again:
        raise Unexpected("nothing to record of what was found before", f"findings about {', '.join(again)}")
    details = [text for seen in changed.values() for one in _changes(seen) for text in one.details]
    return Seen(
        f"found and recorded once: {details[0]}; an alias that moved",
        {"findings": _told(list(changed.values()))},
    )


def find_revoked(context: Context) -> Seen:
    """Find, as the observer, that what was revoked serves all the same."""
    digest = context.pins[CHAMPION].digest
    found = list(running_releases(context.clients_of(Role.OBSERVER), context.trust(Role.OBSERVER)))
    told = [
        {
            "what": f"{one.variant} of {one.endpoint} runs {one.release[:12]}, with {one.share:.0%} of the traffic",
            "reasons": [str(reason) for reason in one.reasons],
        }
        for one in found
    ]
    against = {reason.code for one in found for reason in one.reasons}
    if {one.release for one in found} != {digest} or against != {ReasonCode.REVOKED}:
        raise Unexpected(f"the revoked release {digest} to be found running", f"{told}")
    return Seen(f"{told[-1]['what']}, and was revoked", {"refusals": told})


def _tamper(context: Context) -> None:
    with as_user_of(context, Role.CREATOR), tempfile.TemporaryDirectory() as scratch:
        import mlflow

        client = mlflow.MlflowClient()
        files = Path(scratch) / OVERWRITTEN
        files.write_text("scikit-learn==0.0.1\n", encoding="utf-8")
        # MLflow takes it for a model that is READY and registered, and tells nobody.
        source = client.get_model_version(REGISTERED_MODEL, context.versions[CHAMPION]).source
        client.log_model_artifact(source.removeprefix("models:/"), str(files))
        client.set_registered_model_alias(REGISTERED_MODEL, "candidate", context.versions[REFUSED])


def _look(context: Context) -> list[Watched]:
    clients = context.clients_of(Role.OBSERVER)
    credentials = tracking_credentials(context, Role.OBSERVER)
    root = context.trust(Role.OBSERVER).root
    return list(watch_registry(clients, root, credentials, lambda: datetime.now(UTC), progress=context.busy))


def _changes(seen: Watched) -> list[Change]:
    return list(seen.finding.changes) if seen.finding else []


def _told(seen: list[Watched]) -> list[dict[str, object]]:
    return [
        {
            "release": one.pinned.digest,
            "version": f"{one.pinned.source.name}/{one.pinned.source.version}",
            "changes": [change.model_dump(mode="json") for change in _changes(one)],
            "statement": one.stored.key if one.stored else None,
        }
        for one in seen
    ]
