"""Statements that are dated back past a checkpoint which the witness has seen, and which does not hold them."""

from __future__ import annotations

from collections.abc import Iterator

from interlock.release.envelope import payload_digest
from interlock.release.predicates import Predicate
from tests.interlock.release.audit.tampering.case import Case, case, content_of, on
from tests.interlock.release.audit.world import DAY, HOUR, World

ACTS = {
    Predicate.REJECTION: "rejected_at",
    Predicate.REVOCATION: "revoked_at",
    Predicate.RETIREMENT: "retired_at",
}


def date_cases() -> Iterator[Case]:
    for kind, field in ACTS.items():
        name = kind.value.split(":")[3]
        yield case(f"date: {name} dated back", on(_act, kind, field), "statement-backdated")
    yield case("date: withdrawal dated back", _withdrawal, "statement-backdated")
    yield case("date: decision dated back", lambda world: _decision(world, passed=True), "statement-backdated")
    yield case("date: decision against it dated back", lambda world: _decision(world, passed=False), *_BACKDATED)
    yield case("date: decision dated back past an objection", _past_an_objection, "rejected", *_BACKDATED)
    yield case("date: approval dated back", _approval, "approval-missing", *_BACKDATED, base="half")


_BACKDATED = ("statement-backdated",)


def _act(world: World, kind: Predicate, field: str) -> None:
    world.act(kind, "approver-3", field, **{field: (world.now - 2 * HOUR).isoformat()})
    world.sequence()


def _withdrawal(world: World) -> None:
    key = world.act(Predicate.REJECTION, "approver-3", "rejected_at")
    world.sequence()
    payload = payload_digest(content_of(world, key))
    earlier = (world.now - 2 * HOUR).isoformat()
    world.act(Predicate.WITHDRAWAL, "approver-3", "withdrawn_at", withdrawn=payload, withdrawn_at=earlier)
    world.sequence()


def _decision(world: World, *, passed: bool) -> None:
    world.decide(passed=passed, at=world.now - 2 * HOUR)
    world.sequence()


def _past_an_objection(world: World) -> None:
    world.act(Predicate.REJECTION, "approver-3", "rejected_at")
    world.sequence()
    world.decide(at=world.now - 2 * HOUR)
    world.sequence()


def _approval(world: World) -> None:
    world.approve("approver-2", approved_at=world.now - 2 * HOUR, expires_at=world.now + DAY)
    world.sequence()
