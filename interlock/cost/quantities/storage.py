"""What holds bytes: buckets and image repositories, and their replication."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from interlock.cost.plan import NotKnownError, Plan, Planned
from interlock.cost.quantities.charge import Charge, Charges
from interlock.cost.usage import Usage

BUCKET: Final = "aws:s3/bucket:Bucket"
LIFECYCLES: Final = (
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
    "aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2",
)
REPOSITORY: Final = "aws:ecr/repository:Repository"


def bucket(resource: Planned, plan: Plan, usage: Usage) -> Charges:
    """Bytes and requests; where a rule moves objects to colder storage, the share assumed lies there."""
    used = usage.bucket
    colder = _colder_class(resource, plan)
    share = used.colder_share if colder else Decimal(0)
    yield Charge("storage", "s3.storage", "STANDARD", used.gib * (1 - share), _assumed("gib", colder))
    if colder:
        yield Charge("colder storage", "s3.storage", colder, used.gib * share, _assumed("gib", colder))
    yield Charge("writes and lists", "s3.write", "STANDARD", used.writes, ("bucket.writes",))
    yield Charge("reads", "s3.read", "STANDARD", used.reads, ("bucket.reads",))


def _assumed(field: str, colder: str | None) -> tuple[str, ...]:
    return (f"bucket.{field}", "bucket.colder_share") if colder else (f"bucket.{field}",)


def _colder_class(resource: Planned, plan: Plan) -> str | None:
    """Return where the bucket's rules move current objects first."""
    lifecycles = [one for kind in LIFECYCLES for one in plan.users(resource, kind)]
    found = [move for one in lifecycles for move in _moves(one.inputs.get("rules"))]
    return min(found, default=(0, None), key=lambda move: move[0])[1]


def _moves(rules: Any) -> Iterator[tuple[int, str | None]]:
    for rule in rules if isinstance(rules, Sequence) and not isinstance(rules, str) else ():
        given = rule.get("transitions") if isinstance(rule, Mapping) and rule.get("status") == "Enabled" else None
        for move in given or ():
            yield int(move.get("days") or 0), move.get("storageClass")


def replication(resource: Planned, plan: Plan, usage: Usage) -> Charges:
    """What is written, sent to the other region; with time control also for the promise of fifteen minutes."""
    rules = resource.inputs.get("rules")
    if not isinstance(rules, Sequence) or isinstance(rules, str):
        raise NotKnownError("its rules are not known before it is made")
    source = plan.source(resource, "bucket", BUCKET)
    written = (usage.for_resource(source.name) if source else usage).bucket.written_gib
    for rule in rules:
        yield Charge("to the other region", "transfer.region", "each", written, ("bucket.written_gib",))
        if _timed(rule):
            yield Charge("within 15 minutes", "s3.timed", "each", written, ("bucket.written_gib",))


def _timed(rule: Any) -> bool:
    destination = rule.get("destination") if isinstance(rule, Mapping) else None
    control = destination.get("replicationTime") if isinstance(destination, Mapping) else None
    return isinstance(control, Mapping) and control.get("status") == "Enabled"


def repository(resource: Planned, plan: Plan, usage: Usage) -> Charges:
    """An image repository by the layers it holds."""
    yield Charge("images", "ecr.storage", "each", usage.repository.gib, ("repository.gib",))


def image_replication(resource: Planned, plan: Plan, usage: Usage) -> Charges:
    """What is pushed to the region's repositories, sent to each destination, and held there.

    A destination whose repositories the stack has too holds nothing beside what these are assumed to hold.
    """
    configuration = resource.inputs.get("replicationConfiguration")
    rules = configuration.get("rules") if isinstance(configuration, Mapping) else None
    if not isinstance(rules, Sequence) or isinstance(rules, str):
        raise NotKnownError("its rules are not known before it is made")
    sources = [one for one in plan.of_type(REPOSITORY) if one.region == resource.region]
    pushed = sum((usage.for_resource(one.name).repository.pushed_gib for one in sources), Decimal(0))
    held = sum((usage.for_resource(one.name).repository.gib for one in sources), Decimal(0))
    counted = {one.region for one in plan.of_type(REPOSITORY)}
    for destination in _destinations(rules):
        yield Charge(f"to {destination}", "transfer.region", "each", pushed, ("repository.pushed_gib",))
        if destination not in counted:
            yield Charge(f"copies in {destination}", "ecr.storage", "each", held, ("repository.gib",))


def _destinations(rules: Sequence[Any]) -> list[str]:
    given = [one for rule in rules if isinstance(rule, Mapping) for one in rule.get("destinations") or ()]
    return [str(one.get("region")) for one in given if isinstance(one, Mapping)]
