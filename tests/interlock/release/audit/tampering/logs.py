"""Logs that were cut, forked, dated back, or signed by others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

from interlock.ledger.checkpoint import Checkpoint, sign_checkpoint
from interlock.ledger.layout import checkpoints_prefix, log_prefix, numbered, origin_of, witnessed_prefix
from interlock.ledger.leaf import LeafKind
from interlock.ledger.statements import leaf_of
from interlock.ledger.tiles import Edge, entries_of
from interlock.release.vault import ObjectVersion
from tests.interlock.release.audit.tampering.case import (
    Case,
    case,
    content_of,
    drop,
    put,
    renamed,
)
from tests.interlock.release.audit.world import (
    DAY,
    HOUR,
    LOG,
    NAME,
    SIGNERS,
    World,
    key_id,
)


def log_cases() -> Iterator[Case]:
    yield case(
        "log: cut before the approvals", lambda w: _cut(w, keep=1), "ledger-refused", program=("ledger-refused",)
    )
    yield case(
        "log: an old checkpoint for the newest, the witness's too",
        lambda w: _rewind(w, keep=1),
        "not-in-ledger",
        program=("not-in-ledger",),
        base="half",
    )
    yield case("log: an entry changed", _change_entry, "ledger-refused")
    yield case("log: an entry dropped and signed anew", lambda w: _fork(w, lambda found: found[:-1]), "ledger-refused")
    yield case("log: an entry changed and signed anew", lambda w: _fork(w, _redated), "ledger-refused")
    yield case("log: a backdated entry", _backdated_entry, "ledger-refused")
    yield case(
        "log: a statement that was backdated",
        _backdated_statement,
        "approval-missing",
        "statement-backdated",
        base="half",
    )
    yield case("log: signed by another duty's key", lambda w: _sign_newest(w, "builder"), "ledger-refused")
    yield case("log: signed by a stranger", lambda w: _sign_newest(w, "stranger"), "ledger-refused")
    yield case("log: none", _no_log, "ledger-missing")
    yield case("log: no witness", _no_witness, "ledger-unwitnessed", "not-in-ledger", base="half")
    yield case(
        "log: a log that the root does not name",
        _strange_log,
        "ledger-missing",
        program=("ledger-of-unknown-origin",),
    )


def _newest(world: World, prefix: str) -> str:
    return max(key for key in world.vault.objects if key.startswith(prefix))


def _entries(world: World) -> list[bytes]:
    size = world.edge.size
    return entries_of(content_of(world, f"{log_prefix(LOG)}tile/entries/000.p/{size}"), size)


def _cut(world: World, *, keep: int) -> None:
    """Take back the log's own checkpoints, and leave the witness's, which lie in the other region."""
    for number in range(keep, world.number):
        drop(world, numbered(checkpoints_prefix(LOG), number))
    size = world.edge.size
    for key in [key for key in world.vault.objects if f".p/{size}" in key]:
        drop(world, key)


def _rewind(world: World, *, keep: int) -> None:
    for number in range(keep, world.number):
        drop(world, numbered(checkpoints_prefix(LOG), number))
        drop(world, numbered(witnessed_prefix(LOG), number))


def _change_entry(world: World) -> None:
    key = f"{log_prefix(LOG)}tile/entries/000.p/{world.edge.size}"
    content = content_of(world, key)
    put(world, key, content.replace(b"T11:00:00Z", b"T10:30:00Z", 1))


def _fork(world: World, change: Callable[[list[bytes]], list[bytes]]) -> None:
    """Write another history under the same numbers, signed by the log's own key: the witness knows better."""
    entries = change(_entries(world))
    newest = _newest(world, checkpoints_prefix(LOG))
    for key in [key for key in world.vault.objects if key.startswith(f"{log_prefix(LOG)}tile/")]:
        drop(world, key)
    edge = Edge()
    for made in [*edge.append(LOG, entries), *edge.partial(LOG)]:
        world.vault.add_version(made.key, made.content)
    world.edge = edge
    checkpoint = Checkpoint(origin_of(NAME, LOG), edge.size, edge.root(), world.number - 1, world.now - HOUR)
    put(world, newest, sign_checkpoint(checkpoint, key_id("log"), SIGNERS["log"]).note.content)


def _redated(entries: list[bytes]) -> list[bytes]:
    return [one.replace(b"T12:00:00Z", b"T12:00:01Z") for one in entries]


def _backdated_entry(world: World) -> None:
    key = world.measure("privacy", "0", inputs="ab" * 32)
    version = ObjectVersion(key, world.version(key), is_latest=True)
    entry = leaf_of(version, content_of(world, key), LeafKind.STATEMENT, world.now - 3 * HOUR).content
    world.append([entry], [key])


def _backdated_statement(world: World) -> None:
    world.now += 3 * DAY
    world.append([])
    world.approve("approver-2", approved_at=world.now - 2 * DAY, expires_at=world.now + DAY)
    world.sequence()


def _sign_newest(world: World, signer: str) -> None:
    key = _newest(world, checkpoints_prefix(LOG))
    checkpoint = Checkpoint(
        origin_of(NAME, LOG),
        world.edge.size,
        world.edge.root(),
        world.number - 1,
        world.now - HOUR + timedelta(minutes=1),
    )
    put(world, key, sign_checkpoint(checkpoint, key_id(signer), SIGNERS[signer]).note.content)


def _no_log(world: World) -> None:
    for key in [key for key in world.vault.objects if key.startswith(("ledger/", "witness/"))]:
        drop(world, key)


def _no_witness(world: World) -> None:
    for key in [key for key in world.vault.objects if key.startswith("witness/")]:
        drop(world, key)


def _strange_log(world: World) -> None:
    for key in [key for key in world.vault.objects if key.startswith(("ledger/", "witness/"))]:
        renamed(world, key, key.replace(LOG, "xx-west-1-9"))
