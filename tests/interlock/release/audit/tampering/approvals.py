"""People who may not approve, or approved something else; and evidence that is not what it calls itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from interlock.release.acts import record_digest
from interlock.release.digests import sha256
from interlock.release.envelope import read_sealed
from interlock.release.predicates import Predicate
from interlock.release.record import envelope_key
from interlock.release.statement import parse_statement
from interlock.release.trust.document import Distrust
from interlock.release.trust.drafting import Change
from tests.interlock.release.audit.tampering.case import (
    Case,
    case,
    content_of,
    drop,
    ignored,
    kind_of,
)
from tests.interlock.release.audit.tampering.roots import publish
from tests.interlock.release.audit.world import (
    DAY,
    HOUR,
    World,
    key_id,
)


def approval_cases() -> Iterator[Case]:
    """A second approval that does not count, whoever gave it: none of them makes up for the one that is missing."""

    def add(**options: Any) -> Callable[[World], object]:
        def tamper(world: World) -> None:
            world.approve(**options)
            world.sequence()

        return tamper

    def lacking(name: str, tamper: Callable[[World], object], code: str) -> Case:
        return case(f"second approval {name}", tamper, "approval-missing", code, base="half")

    yield case("second approval: none", lambda w: None, "approval-missing", base="half")
    yield lacking("for another policy", add(person="approver-2", policy="ab" * 32), "approval-for-another-policy")
    yield lacking("elsewhere", add(person="approver-2", environment="test"), "approval-for-another-environment")
    yield lacking("of another pin", add(person="approver-2", pin="ab" * 32), "approval-for-another-pin")
    yield lacking("of another tier", add(person="approver-2", tier="low"), "approval-for-another-pin")
    yield lacking("of another record", add(person="approver-2", record="ab" * 32), "approval-of-another-record")
    yield lacking("without the evidence", _unread, "approval-without-evidence")
    yield lacking("by who asked for it", add(person="creator-1"), "approval-by-submitter")
    yield lacking("by who asked for it by another pin", _asked_twice, "approval-by-submitter")
    yield lacking("by who ran a gate", _ran_a_gate, "approval-by-builder")
    yield lacking("for longer than the tier lets it", _long, "approval-lasts-too-long")
    yield lacking("that has expired", _expired, "approval-expired")
    yield lacking("that was taken back", _withdrawn, "approval-withdrawn")
    yield lacking("that no log has", lambda w: ignored(w.approve("approver-2")), "not-in-ledger")
    yield lacking("with a key distrusted since before", _distrusted, "key-distrusted")
    yield case(
        "second approval by the same person", add(person="approver-1", reason="again"), "approval-missing", base="half"
    )
    yield case(
        "second approval by nobody of the risk group",
        add(person="approver-1", reason="x"),
        "approval-missing",
        base="half",
    )
    yield case(
        "second approval under another's name",
        add(person="approver-2", signer="approver-1"),
        "person-forged",
        base="half",
    )
    yield case(
        "second approval by a forged key", add(person="approver-2", signer="stranger"), "key-unknown", base="half"
    )
    yield case(
        "second approval by the builder's key",
        add(person="approver-2", signer="builder"),
        "key-of-wrong-duty",
        base="half",
    )
    yield case(
        "second approval by a guardian of the root", add(person="foundation-1"), "key-of-wrong-duty", base="half"
    )
    yield case("second approval for another release", _other_release, "statement-of-another-release", base="half")
    for kind, field, code in (
        (Predicate.REJECTION, "rejected_at", "rejected"),
        (Predicate.REVOCATION, "revoked_at", "revoked"),
    ):
        yield case(f"objection: {code}", _act(kind, field), code, base="half")
        yield case(f"objection: {code}, not logged yet", _act(kind, field, logged=False), code, base="half")
    yield case("gate: one failed, and passed in another run", _outvote, "evidence-failed", base="half")
    yield case("gate: one that another tier demands failed", _failed_elsewhere, "evidence-failed", base="half")
    yield case("gate: one calls itself passed below the limit", _short, "evidence-short-of-policy", base="half")
    yield case("gate: evidence of another tier", _other_tier, "evidence-for-another-tier", base="half")


def _unread(world: World) -> None:
    pins = [one.payload for one in world.record().pins]
    record = record_digest(world.digest, world.policy.digest, pins[0], pins)
    world.approve("approver-2", statements=tuple(pins), record=record)
    world.sequence()


def _asked_twice(world: World) -> None:
    before = world.record().pins[0].payload
    asked = world.pin_predicate().request
    assert asked is not None
    key = asked.key.replace("creator-1", "approver-2")
    world.say(
        Predicate.PIN,
        world.pin_predicate(request=asked.model_copy(update={"submitter": "approver-2", "key": key})),
        "builder",
    )
    world.approve("approver-2", pin=before)
    world.sequence()


def _ran_a_gate(world: World) -> None:
    world.measure("privacy", "0", builder="approver-2", inputs="7" * 64)
    world.sequence()
    world.approve("approver-2")
    world.sequence()


def _long(world: World) -> None:
    world.approve("approver-2", expires_at=world.now + 300 * DAY)
    world.sequence()


def _expired(world: World) -> None:
    world.approve("approver-2", expires_at=world.now + HOUR)
    world.sequence()
    world.now += 5 * HOUR
    world.append([])


def _withdrawn(world: World) -> None:
    key = world.approve("approver-2")
    payload = key.rpartition("/")[2].removesuffix(".dsse.json")
    world.act(Predicate.WITHDRAWAL, "approver-2", "withdrawn_at", withdrawn=payload)
    world.sequence()


def _distrusted(world: World) -> None:
    world.approve("approver-2")
    stolen = Distrust(since=world.now - HOUR, reason="stolen")
    publish(world, Change(distrusted={key_id("approver-2"): stolen}))
    world.sequence()


def _other_release(world: World) -> None:
    approval = world.approval("approver-2")
    statement = World(files={"other": b"x"})
    key = envelope_key(Predicate.APPROVAL, world.digest, "ab" * 32)
    world.say(Predicate.APPROVAL, approval, "approver-2", about=statement.digest, key=key)
    content = content_of(world, key)
    drop(world, key)
    payload = sha256(read_sealed(content).payload).hex()
    world.vault.add_version(envelope_key(Predicate.APPROVAL, world.digest, payload), content)


def _act(kind: Predicate, field: str, *, logged: bool = True) -> Callable[[World], object]:
    def tamper(world: World) -> None:
        world.approve("approver-2")
        world.sequence()
        world.act(kind, "approver-3", field)
        if logged:
            world.sequence()

    return tamper


def _outvote(world: World) -> None:
    world.measure("fairness", "0.7", inputs="ab" * 32)
    world.sequence()
    world.approve("approver-2")
    world.sequence()


def _failed_elsewhere(world: World) -> None:
    key = next(
        one for one in world.vault.objects if "/statements/" in one and kind_of(world, one) == "evidence fairness"
    )
    said = parse_statement(read_sealed(content_of(world, key)).payload).predicate
    failed = {"gate": "robustness", "tier": "critical", "outcome": "failed", "measures": [], "reasons": ["it breaks"]}
    world.say(Predicate.EVIDENCE, {**said, **failed}, "builder")
    world.sequence()
    world.approve("approver-2")
    world.sequence()


def _short(world: World) -> None:
    for key in [
        key for key in world.vault.objects if "/statements/" in key and kind_of(world, key) == "evidence fairness"
    ]:
        statement = parse_statement(read_sealed(content_of(world, key)).payload)
        drop(world, key)
        measures = [{**one, "value": "0.5", "limit": None, "holds": None} for one in statement.predicate["measures"]]
        world.say(Predicate.EVIDENCE, {**statement.predicate, "measures": measures}, "builder")
    world.sequence()


def _other_tier(world: World) -> None:
    for key in [
        key for key in world.vault.objects if "/statements/" in key and kind_of(world, key) == "evidence fairness"
    ]:
        statement = parse_statement(read_sealed(content_of(world, key)).payload)
        drop(world, key)
        world.say(Predicate.EVIDENCE, {**statement.predicate, "tier": "low"}, "builder")
    world.sequence()
