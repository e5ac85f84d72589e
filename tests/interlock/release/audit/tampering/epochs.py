"""Logs of later epochs: forked, or going on from what the log before them was not, or was only in part."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from interlock.ledger.believing import Witnessed
from interlock.ledger.checkpoint import Checkpoint, cosign_checkpoint, sign_checkpoint
from interlock.ledger.epochs import epoch_leaf
from interlock.ledger.layout import checkpoints_prefix, log_prefix, numbered, origin_of, witness_name, witnessed_prefix
from interlock.ledger.leaf import Leaf, LeafKind
from interlock.ledger.merkle import Tree
from interlock.ledger.statements import leaf_of
from interlock.ledger.tiles import Edge, entries_of
from interlock.release.vault import ObjectVersion
from tests.interlock.release.audit.tampering.case import Case, case, content_of, drop, on
from tests.interlock.release.audit.world import LATER_LOGS, LOG, NAME, SIGNERS, World, key_id

NEXT, LAST = LATER_LOGS


def epoch_cases() -> Iterator[Case]:
    for size in (0, 1, 4):
        text = f"epoch: one that drops what was witnessed after entry {size}"
        yield case(text, on(_after_fewer, size), "ledger-refused")
    yield case("epoch: two that go on from one log (a fork)", _forked, "ledger-refused")
    yield case("epoch: two that go on from one log at different entries", _forked_at_an_earlier_entry, "ledger-refused")
    yield case("epoch: a later log that goes on from another history", _of_another_history, "ledger-refused")
    yield case("epoch: a later log that goes on after more entries than there are", _after_more, "ledger-refused")
    yield case("epoch: a later log that goes on from itself", _of_itself, "ledger-refused")
    yield case("epoch: two logs that go on from each other", _in_a_circle, "ledger-refused")
    yield case("epoch: a later log that goes on from none", lambda w: begin(w, NEXT, *_late(w)), "ledger-refused")
    yield case(
        "epoch: a later log that goes on from a log that is gone",
        lambda w: begin(w, LAST, replaced(goes_on(w), key=origin_of(NAME, NEXT))),
        "ledger-refused",
    )
    yield case(
        "epoch: a later log that goes on from one that the root does not name",
        lambda w: begin(w, NEXT, replaced(goes_on(w), key=origin_of(NAME, "xx-west-1-1"))),
        "ledger-of-unknown-origin",
    )
    yield case("epoch: one in the middle of a log", _in_the_middle, "ledger-refused")
    yield case("epoch: the log before it is gone", _without_the_log_before, "ledger-refused")
    yield case(
        "epoch: an approval that only a lost tail had recorded",
        _only_in_a_lost_tail,
        "not-in-ledger",
        "approval-missing",
        base="half",
    )


def entries(world: World) -> list[bytes]:
    """The entries of the world's own log."""
    size = world.edge.size
    return entries_of(content_of(world, f"{log_prefix(LOG)}tile/entries/000.p/{size}"), size) if size else []


def goes_on(world: World, size: int | None = None) -> Leaf:
    """The leaf that goes on from the world's own log as it was with `size` entries, by default all that it has."""
    tree = Tree(entries(world)[:size])
    before = Checkpoint(origin_of(NAME, LOG), tree.size, tree.root(), world.number - 1, world.now)
    return epoch_leaf(Witnessed(before, world.now, b""), world.now)


def replaced(leaf: Leaf, **changes: object) -> Leaf:
    return leaf.model_copy(update=changes)


def begin(world: World, log: str, *leaves: Leaf) -> None:
    """Write a log of these leaves, each recorded now, under a checkpoint of a minute later, which is witnessed."""
    at, edge = world.now + timedelta(minutes=1), Edge()
    contents = [replaced(leaf, recorded_at=world.now).content for leaf in leaves]
    for made in [*edge.append(log, contents), *edge.partial(log)]:
        world.vault.add_version(made.key, made.content)
    signed = sign_checkpoint(
        Checkpoint(origin_of(NAME, log), edge.size, edge.root(), 0, at), key_id("log"), SIGNERS["log"]
    )
    world.vault.add_version(numbered(checkpoints_prefix(log), 0), signed.note.content)
    both = cosign_checkpoint(signed, witness_name(NAME), key_id("witness"), SIGNERS["witness"], at)
    world.vault.add_version(numbered(witnessed_prefix(log), 0), both.note.content)


def _late(world: World) -> Sequence[Leaf]:
    key = world.measure("privacy", "0", inputs="ab" * 32)
    version = ObjectVersion(key, world.version(key), is_latest=True)
    return [leaf_of(version, content_of(world, key), LeafKind.LATE, world.now)]


def _forked(world: World) -> None:
    for log in LATER_LOGS:
        begin(world, log, goes_on(world))


def _forked_at_an_earlier_entry(world: World) -> None:
    begin(world, NEXT, goes_on(world))
    begin(world, LAST, goes_on(world, 4))


def _after_fewer(world: World, size: int) -> None:
    begin(world, NEXT, goes_on(world, size))


def _of_another_history(world: World) -> None:
    begin(world, NEXT, replaced(goes_on(world), sha256="ab" * 32))


def _after_more(world: World) -> None:
    begin(world, NEXT, replaced(goes_on(world), version_id=str(world.edge.size + 1)))


def _of_itself(world: World) -> None:
    begin(world, NEXT, replaced(goes_on(world, 0), key=origin_of(NAME, NEXT)))


def _in_a_circle(world: World) -> None:
    begin(world, NEXT, replaced(goes_on(world, 0), key=origin_of(NAME, LAST)))
    begin(world, LAST, replaced(goes_on(world, 0), key=origin_of(NAME, NEXT)))


def _in_the_middle(world: World) -> None:
    world.append([replaced(goes_on(world), recorded_at=world.now).content])


def _without_the_log_before(world: World) -> None:
    begin(world, NEXT, goes_on(world))
    for key in [key for key in world.vault.objects if key.startswith((log_prefix(LOG), f"witness/{LOG}/"))]:
        drop(world, key)


def _only_in_a_lost_tail(world: World) -> None:
    seen = goes_on(world)
    world.approve("approver-2")
    world.sequence(witnessed=False)
    begin(world, NEXT, seen)
