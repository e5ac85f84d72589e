"""Steps that bring the stack up, look at it again, and take it down."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator, Sequence

from interlock.manifest import read_manifest
from rehearsal.layers import AFTER_THE_CEREMONY, FOUNDATION, PLATFORM, SETTLES_SLOWLY, Update, UpdateError
from rehearsal.story.context import DOMAIN_SETTING, Context
from rehearsal.story.step import Seen, Unexpected

DATABASE = "Instance"
"""What the engine calls it, and waits for longest."""


def start(context: Context) -> Seen:
    """Start the local cloud and the provider host, and choose the stack."""
    context.session.start()
    context.enter_environment()
    context.session.select_stack(PLATFORM)
    domain = _tracking_domain(context)
    context.session.provide_certificate(domain)
    return Seen(
        f"AWS answers at {context.session.environment['AWS_ENDPOINT_URL']}; {domain} has a certificate",
        {"endpoint_url": context.session.environment["AWS_ENDPOINT_URL"], "domain": domain},
    )


def _tracking_domain(context: Context) -> str:
    answer = context.session.pulumi("config", "get", "--path", DOMAIN_SETTING, "--stack", PLATFORM)
    return answer.stdout.strip()


def people_arrive(context: Context) -> Seen:
    """Make a user with a second factor for everybody who has a duty, as the account's administrator."""
    context.administer(context.people.settings.account_id)
    people = context.people.arrive()
    context.session.let_in(context.people.entrances())
    return Seen(
        f"{len(people)} people, each with a user that may only take on the roles of their duties",
        {"people": {one.name: [duty.value for duty in one.duties] for one in context.people.assignments.people}},
    )


def foundation_up(context: Context) -> Seen:
    """Provision the foundation but for what nothing of the platform stands on: it settles slowly, or needs the root."""
    return _brought_up(context, FOUNDATION, but=(*SETTLES_SLOWLY, *AFTER_THE_CEREMONY))


def foundation_rest(context: Context) -> Seen:
    """Provision the rest of the foundation, while the platform's databases take their time."""
    context.give_way()
    return _brought_up(context, FOUNDATION)


def platform_up(context: Context) -> Seen:
    """Provision the platform on the foundation, and read what it says of itself."""
    try:
        seen = _brought_up(context, PLATFORM)
    finally:
        context.waits_for_database.set()
    # Of the new backend, for whoever keeps the rehearsal.
    context.session.pulumi("stack", "select", PLATFORM)
    said = context.pulumi("stack", "output", "--json", "manifest", stack=PLATFORM).stdout
    context.manifest = read_manifest(json.loads(said))
    staging = context.manifest.vault.staging_bucket_name
    context.session.manifest_uri = f"s3://{staging}/stacks/{PLATFORM}/manifest.json"
    return seen


def _brought_up(context: Context, stack: str, *, but: Sequence[str] = ()) -> Seen:
    update = Update(context.session, stack, context.project, but=but, environment=context.deployer(stack))
    with _watched(context, update):
        try:
            resources = update.finish()
        except UpdateError as failed:
            expected, logs = f"pulumi up of {update.stack} to end with 0", [str(failed.log), str(context.logs)]
            raise Unexpected(expected, f"{failed.code}\n{failed.said}", logs) from failed
    created = [one for one in resources if one["op"] == "create" and one["type"].startswith("aws:")]
    slowest = max(created, key=lambda one: one["seconds"])
    return Seen(
        f"{len(created)} AWS resources; the slowest, {slowest['type']}, took {slowest['seconds']:.0f} s",
        {"resources": resources},
    )


@contextlib.contextmanager
def _watched(context: Context, update: Update) -> Iterator[None]:
    ended, step = threading.Event(), threading.current_thread().name

    def look() -> None:
        while not ended.wait(2.0):
            known = update.waiting_for()
            context.busy_as(step, f"waiting for {', '.join(known)}" if known else "")
            if DATABASE in known:
                context.waits_for_database.set()

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()


def refresh(stack: str) -> Callable[[Context], Seen]:
    """Refresh a stack, and expect AWS to be as its state says."""
    return lambda context: _unchanged(context, stack, "refresh", "--yes", "--skip-preview")


def preview(stack: str) -> Callable[[Context], Seen]:
    """Preview a stack, and expect its state to be as the program says."""
    return lambda context: _unchanged(context, stack, "preview")


def _unchanged(context: Context, stack: str, verb: str, *options: str) -> Seen:
    answer = context.pulumi(verb, *options, "--expect-no-changes", "--diff", stack=stack, check=False)
    if answer.returncode != 0:
        raise Unexpected(
            f"pulumi {verb} of {stack} to find no change", f"{answer.stdout[-4000:]}{answer.stderr[-2000:]}"
        )
    return Seen("no change found")
