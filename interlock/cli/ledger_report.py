"""What the commands of the ledger show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.table import Table

from interlock.cli.terminal import rows, visible
from interlock.ledger.checkpoint import Checkpoint, timestamp
from interlock.ledger.ledger import Ledger
from interlock.ledger.sequencing import Appended
from interlock.ledger.view import LedgerView, Recorded
from interlock.ledger.witnessing import Sighting


def appended_document(log: str, done: Appended) -> dict[str, Any]:
    """Return what a run of a sequencer did, for programs."""
    return {
        "log": log,
        "checkpoint": _checkpoint(done.checkpoint),
        "appended": [leaf.key for leaf in done.leaves],
        "unfit": [{"key": key, "reason": reason} for key, reason in done.unfit],
    }


def appended_lines(log: str, done: Appended) -> list[str]:
    """Return the same for people."""
    at = timestamp(done.checkpoint.time)
    ends = f"{done.checkpoint.size} at checkpoint {done.checkpoint.number} of {at}"
    return [
        f"appended {len(done.leaves)} leaves to {log}: {ends}",
        *(f"  no statement: {key}: {reason}" for key, reason in done.unfit),
    ]


def sighting_document(log: str, seen: Sighting) -> dict[str, Any]:
    """Return what a run of a witness did, for programs."""
    known = seen.witnessed
    return {
        "log": log,
        "witnessed": {**_checkpoint(known.checkpoint), "at": timestamp(known.at)} if known else None,
        "is_new": seen.is_new,
        "waiting": list(seen.waiting),
    }


def sighting_lines(log: str, seen: Sighting) -> list[str]:
    """Return the same for people."""
    known = seen.witnessed
    if known is None:
        return [f"{log} has shown nothing yet", *(f"  waiting: {one}" for one in seen.waiting)]
    what = "co-signed" if seen.is_new else "nothing newer than"
    return [
        f"{what} checkpoint {known.checkpoint.number} of {log}, with {known.checkpoint.size} leaves",
        *(f"  waiting: {one}" for one in seen.waiting),
    ]


def _checkpoint(checkpoint: Checkpoint) -> dict[str, Any]:
    return {
        "origin": checkpoint.origin,
        "number": checkpoint.number,
        "size": checkpoint.size,
        "root": checkpoint.root.hex(),
        "time": timestamp(checkpoint.time),
    }


def log_document(view: LedgerView) -> dict[str, Any]:
    """Return where a log ends, for programs."""
    seen = view.last_witnessed
    return {
        **_checkpoint(view.checkpoint),
        "witnessed": {**_checkpoint(seen.checkpoint), "at": timestamp(seen.at)} if seen else None,
        "goes_on_from": view.predecessor.key if view.predecessor else None,
    }


def logs_table(ledger: Ledger) -> Table:
    """Return where the logs end, for people."""
    table = rows("log", "leaves", "signed", "witnessed", "root")
    for view in ledger.logs:
        seen = view.last_witnessed
        witnessed = f"{seen.checkpoint.size} leaves, {timestamp(seen.at)}" if seen else "nothing"
        table.add_row(view.origin, str(view.size), timestamp(view.time), witnessed, view.root.hex())
    return table


def leaf_document(view: LedgerView, one: Recorded) -> dict[str, Any]:
    """Return a leaf with the proof that it is in its log, for programs."""
    return {
        "log": view.origin,
        "index": one.index,
        "witnessed": view.is_witnessed(one.index),
        "leaf": one.leaf.model_dump(mode="json"),
        "proof": [step.hex() for step in view.inclusion(one.index)],
        "size": view.size,
        "root": view.root.hex(),
    }


def leaves_table(found: Sequence[tuple[LedgerView, Recorded]]) -> Table:
    """Return leaves with the logs that hold them, for people."""
    table = rows("log", "leaf", "recorded", "seen by the witness", "what", "key")
    for view, one in found:
        table.add_row(
            view.checkpoint.origin,
            str(one.index),
            timestamp(one.leaf.recorded_at),
            "yes" if view.is_witnessed(one.index) else "not yet",
            visible(one.leaf.predicate_type),
            visible(one.leaf.key),
        )
    return table
