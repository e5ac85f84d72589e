"""Steps that bring the stack up, look at it again, and take it down."""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from interlock.failures import OutsideFailure
from interlock.stack import ProvisionedStack
from interlock.teardown import destroy
from rehearsal.layers import FOUNDATION, PLATFORM, SETTLES_SLOWLY, Update, UpdateError
from rehearsal.story.context import DOMAIN_SETTING, Context
from rehearsal.story.step import Seen, Unexpected

KEPT_TYPES = ("aws:s3/", "aws:kms/", "aws:iam/")
"""What may remain while the vault holds locked objects: its two halves with their guards, keys, and the roles by which
S3 goes on replicating them."""

DATABASE = "Instance"
"""What the engine calls it, and waits for longest."""

KEPT_SERVICES = ("s3", "kms", "iam")


def start(context: Context) -> Seen:
    """Start the local cloud and the provider host, and choose the stack."""
    context.session.start()
    context.enter_environment()
    for stack in (FOUNDATION, PLATFORM):
        context.session.select_stack(stack)
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
    people = context.people.arrive()
    return Seen(
        f"{len(people)} people, each with a user that may only take on the roles of their duties",
        {"people": {one.name: [duty.value for duty in one.duties] for one in context.people.assignments.people}},
    )


def foundation_up(context: Context) -> Seen:
    """Provision the foundation but for what settles slowly, which nothing of the platform stands on."""
    return _brought_up(context, Update(context.session, FOUNDATION, context.checkout, but=SETTLES_SLOWLY))


def foundation_rest(context: Context) -> Seen:
    """Provision the rest of the foundation, while the platform's databases take their time."""
    while not context.waits_for_database.wait(0.5):
        context.busy("the platform has the processors")
    return _brought_up(context, Update(context.session, FOUNDATION, context.checkout))


def platform_up(context: Context) -> Seen:
    """Provision the platform on the foundation, and read what it says of itself."""
    try:
        seen = _brought_up(context, Update(context.session, PLATFORM, context.checkout))
    finally:
        context.waits_for_database.set()
    context.manifest = ProvisionedStack.load(f"pulumi:{PLATFORM}").manifest
    return seen


def _brought_up(context: Context, update: Update) -> Seen:
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
    answer = context.session.pulumi(verb, *options, "--expect-no-changes", "--diff", "--stack", stack, check=False)
    if answer.returncode != 0:
        raise Unexpected(
            f"pulumi {verb} of {stack} to find no change", f"{answer.stdout[-4000:]}{answer.stderr[-2000:]}"
        )
    return Seen("no change found")


def take_down(context: Context) -> Seen:
    """Destroy the platform and then its foundation, and see that exactly what the locks keep is still there."""
    platform, result = (
        destroy(stack, now=datetime.now(UTC), directory=context.checkout, progress=context.busy)
        for stack in (PLATFORM, FOUNDATION)
    )
    strangers = [one.urn for one in result.remaining if not one.kind.startswith(KEPT_TYPES)]
    if strangers:
        raise Unexpected("only the vault and what belongs to it to remain", ", ".join(strangers))
    left = {service: list(map(str, arns)) for service, arns in context.inventory().items() if arns}
    buckets = {f"arn:aws:s3:::{name}" for name in result.bucket_names} | context.state_buckets
    others = [arn for service, arns in left.items() if service not in KEPT_SERVICES for arn in arns]
    if others or set(left.get("s3", ())) != buckets:
        raise Unexpected(
            f"the cloud to hold {', '.join(sorted(buckets))}, keys and roles, and nothing else",
            "\n".join([*others, *left.get("s3", ())]) or "nothing",
        )
    until = result.deletable_from
    if until is None:
        raise OutsideFailure("the vault holds no locked object, although releases were pinned")
    kinds = Counter(one.kind for one in result.remaining)
    return Seen(
        f"all gone but the vault {', '.join(result.bucket_names)} with {len(result.locked)} locked objects, "
        f"{kinds['aws:kms/key:Key']} keys and {kinds['aws:kms/replicaKey:ReplicaKey']} replicas of keys, and "
        f"{kinds['aws:iam/role:Role']} roles that replicate; the last lock ends {until:%Y-%m-%d %H:%M} UTC",
        {
            "locked": [{"key": one.key, "until": one.lock.until.isoformat()} for one in result.locked],
            "remaining": [{"type": one.kind, "id": one.identifier} for one in result.remaining],
            "inventory": left,
            "swept": list(platform.swept.deleted),
        },
    )
