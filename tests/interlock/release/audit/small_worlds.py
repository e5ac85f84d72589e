"""Small records made by chance: what people, keys, logs and roots do to a release before anybody decides on it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from random import Random

from interlock.ledger.leaf import LeafKind
from interlock.ledger.statements import leaf_of
from interlock.release.envelope import payload_digest
from interlock.release.predicates import Predicate
from interlock.release.tiers import parse_policy
from interlock.release.trust.document import Distrust
from interlock.release.trust.published import policy_key, root_key
from interlock.release.vault import ObjectVersion
from tests.interlock.release.audit.tampering.case import content_of, drop
from tests.interlock.release.audit.tampering.epochs import begin, goes_on
from tests.interlock.release.audit.world import (
    DAY,
    HOUR,
    LATER_LOGS,
    MEASURED,
    POLICY,
    World,
    key_id,
    sealed_root,
)

APPROVERS = ("approver-1", "approver-2", "approver-3", "creator-1")
AGO = tuple(timedelta(minutes=minutes) for minutes in (-3, 0, 14, 50, 70, 80, 600, 3000))
"""How long before it is written a statement says that it was made."""


def small_world(seed: int) -> World:
    """The world of a seed: pinned, and mostly measured and approved, with some steps that should not have been."""
    random = Random(seed)
    world = World()
    world.pin()
    for gate, value in MEASURED.items():
        if random.random() < 0.97:
            world.measure(gate, value)
    world.sequence()
    steps = [_agree] * 2 + random.choices(list(STEPS), weights=list(STEPS.values()), k=random.randint(1, 4))
    random.shuffle(steps)
    for step in steps:
        step(world, random)
        if random.random() < 0.6 and not _has_ended(world):
            world.sequence(witnessed=random.random() < 0.9)
    if not _has_ended(world):
        world.sequence(witnessed=random.random() < 0.95)
    return world


def _has_ended(world: World) -> bool:
    """Whether another log goes on from the world's own, so that nothing is appended there."""
    return any(f"ledger/{log}/" in key for key in world.vault.objects for log in LATER_LOGS)


def _agree(world: World, random: Random) -> None:
    if world.record().pins:
        for person in ("approver-1", "approver-2"):
            world.approve(person)


def _approve(world: World, random: Random) -> None:
    given = world.now - random.choice(AGO)
    lasts = random.choice((HOUR / 4, 5 * DAY, 13 * DAY, 20 * DAY))
    if world.record().pins:
        world.approve(random.choice(APPROVERS), approved_at=given, expires_at=given + lasts)


def _object(world: World, random: Random) -> None:
    kind, when = random.choice(
        [
            (Predicate.REJECTION, "rejected_at"),
            (Predicate.REVOCATION, "revoked_at"),
            (Predicate.RETIREMENT, "retired_at"),
        ]
    )
    at = (world.now - random.choice(AGO)).isoformat()
    key = world.act(kind, random.choice(APPROVERS), when, **{when: at})
    if random.random() < 0.5:
        world.sequence()
        _take_back(world, random, key)


def _take_back(world: World, random: Random, key: str | None = None) -> None:
    acts = [one for one in world.vault.objects if one.startswith("approvals/")]
    if acts:
        payload = payload_digest(content_of(world, key or random.choice(sorted(acts))))
        at = (world.now - random.choice(AGO)).isoformat()
        world.act(Predicate.WITHDRAWAL, random.choice(APPROVERS), "withdrawn_at", withdrawn=payload, withdrawn_at=at)


def _measure_again(world: World, random: Random) -> None:
    gate = random.choice(sorted(MEASURED))
    world.measure(gate, random.choice(("0", "0.9", "1")), inputs=f"{random.randrange(16):x}" * 64)


def _change_root(world: World, random: Random) -> None:
    """Publish a version of the root that distrusts a key, or names another policy, or only dates itself oddly."""
    version = len([key for key in world.vault.objects if key.endswith(".root.json")]) + 1
    if version > 2:
        return
    changes: dict[str, object] = {
        "version": version,
        "previous": world.root.fingerprint,
        "issued_at": max(world.root.issued_at, world.now - random.choice(AGO)),
    }
    if random.random() < 0.6:
        name = random.choice(("approver-1", "approver-2", "builder", "log", "witness"))
        since = world.now + random.choice((-4, -1, 0, 1)) * HOUR - timedelta(minutes=random.choice((0, 30)))
        key = world.root.keys[key_id(name)].model_copy(update={"distrusted": Distrust(since=since, reason="lost")})
        changes["keys"] = {**world.root.keys, key_id(name): key}
    else:
        other = parse_policy(POLICY.replace("approval_days: 14", "approval_days: 13").encode())
        world.vault.add_version(policy_key(other.digest), other.content)
        changes["policies"] = {"tiers": other.digest}
    world.vault.add_version(root_key(version), sealed_root(world.root.model_copy(update=changes)))


def _fail_over(world: World, random: Random) -> None:
    """Begin one later log or two, from all that there is or from less, with what is not logged yet, or without."""
    if _has_ended(world):
        return
    seen = goes_on(world)
    if random.random() < 0.5:
        _approve(world, random)
        world.sequence(witnessed=random.random() < 0.3)
    size = random.choice((None, None, None, 0, 3))
    first = seen if random.random() < 0.6 else goes_on(world, size)
    late = []
    for key in sorted(world.vault.objects):
        if key.endswith((".dsse.json", ".root.json")) and (key not in world.logged or random.random() < 0.2):
            version = ObjectVersion(key, world.version(key), is_latest=True)
            kind = LeafKind.LATE if random.random() < 0.8 else LeafKind.STATEMENT
            late.append(leaf_of(version, content_of(world, key), kind, world.now))
    logs = LATER_LOGS if random.random() < 0.15 else random.sample(LATER_LOGS, 1)
    for log in logs:
        begin(world, log, first, *(late if random.random() < 0.8 else []))
    world.now += HOUR


def _backdate_an_entry(world: World, random: Random) -> None:
    if _has_ended(world) or not world.record().pins:
        return
    key = world.approve("approver-3", approved_at=world.now - 2 * HOUR, expires_at=world.now + DAY)
    if key not in world.logged:
        version = ObjectVersion(key, world.version(key), is_latest=True)
        at = world.now - random.choice((timedelta(0), HOUR / 2, HOUR, 2 * HOUR))
        entry = leaf_of(version, content_of(world, key), LeafKind.STATEMENT, at).content
        world.append([entry], [key], witnessed=random.random() < 0.8)


def _lose_a_statement(world: World, random: Random) -> None:
    drop(world, random.choice(sorted(key for key in world.vault.objects if key.endswith(".dsse.json"))))


def _lose_a_checkpoint(world: World, random: Random) -> None:
    prefix = random.choice(("witness/", "ledger/"))
    found = [key for key in world.vault.objects if key.startswith(prefix) and ("/tile/" not in key)]
    if found:
        drop(world, random.choice(sorted(found)))


def _wait(world: World, random: Random) -> None:
    world.now += random.choice((HOUR, 8 * HOUR))


STEPS: dict[Callable[[World, Random], None], float] = {
    _approve: 4,
    _object: 3,
    _take_back: 2,
    _measure_again: 2,
    _change_root: 3,
    _fail_over: 3,
    _backdate_an_entry: 1,
    _lose_a_statement: 0.5,
    _lose_a_checkpoint: 1,
    _wait: 1,
}
