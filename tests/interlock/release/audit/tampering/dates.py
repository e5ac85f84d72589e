"""Statements that are dated back past a checkpoint which the witness has seen, and which does not hold them."""

from __future__ import annotations

from collections.abc import Iterator

from interlock.release.envelope import payload_digest
from interlock.release.predicates import Predicate
from tests.interlock.release.audit.tampering.case import Case, case, content_of, on
from tests.interlock.release.audit.world import DAY, HOUR, World

ACTS = {
    Predicate.REJECTION: ("rejected_at", "rejected"),
    Predicate.REVOCATION: ("revoked_at", "revoked"),
    Predicate.RETIREMENT: ("retired_at", "retired"),
}


def date_cases() -> Iterator[Case]:
    for kind, (field, code) in ACTS.items():
        name = kind.value.split(":")[3]
        yield case(f"date: {name} dated back", on(act_dated_back, kind, field), code, base="half")
    yield case("date: the only decision dated back", _decision, "approval-missing", program=_BACKDATED, base="half")
    yield case("date: decision dated back past an objection", _past_an_objection, "rejected")
    yield case("date: approval dated back", _approval, "approval-missing", *_BACKDATED, base="half")


_BACKDATED = ("statement-backdated",)


def act_dated_back(world: World, kind: Predicate, field: str) -> None:
    world.act(kind, "approver-3", field, **{field: (world.now - 2 * HOUR).isoformat()})
    world.sequence()


def withdrawal_dated_back(world: World) -> None:
    key = world.act(Predicate.REJECTION, "approver-3", "rejected_at")
    world.sequence()
    payload = payload_digest(content_of(world, key))
    earlier = (world.now - 2 * HOUR).isoformat()
    world.act(Predicate.WITHDRAWAL, "approver-3", "withdrawn_at", withdrawn=payload, withdrawn_at=earlier)
    world.sequence()


def _decision(world: World) -> None:
    world.decide(at=world.now - 2 * HOUR)
    world.sequence()


def _past_an_objection(world: World) -> None:
    world.act(Predicate.REJECTION, "approver-3", "rejected_at")
    world.sequence()
    world.decide(at=world.now - 2 * HOUR)
    world.sequence()


def _approval(world: World) -> None:
    world.approve("approver-2", approved_at=world.now - 2 * HOUR, expires_at=world.now + DAY)
    world.sequence()
