"""What a case of tampering is, who judges it, and what can be done to a vault in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from interlock.release.envelope import read_sealed
from interlock.release.evidence import Evidence, Outcome
from interlock.release.predicates import Predicate
from interlock.release.record import gather
from interlock.release.statement import parse_statement
from interlock.release.test_result import result_of
from interlock.release.tiers import parse_policy
from interlock.release.trust.chain import RootRefused
from interlock.release.verification.judging import Verdict, admit
from interlock.release.verification.logs import read_logs
from interlock.release.verification.trust import read_trust
from tests.interlock.release.audit.world import (
    ENVIRONMENT,
    MEASURED,
    POLICY,
    START,
    World,
    judged,
    released,
)

PROMOTED = "promoted"
STAGING = "staging"
TWO_STEPS = parse_policy(
    POLICY.replace("    retention_days", "    environments: [staging]\n    retention_days").encode()
)


@dataclass(frozen=True)
class Case:
    """One way of tampering: what it is called, what it does to a world, and which reasons each judge must give."""

    name: str
    tamper: Callable[[World], object]
    library: frozenset[str]
    program: frozenset[str]
    base: str = "released"

    def __str__(self) -> str:
        return self.name


def case(
    name: str, tamper: Callable[[World], object], *codes: str, program: tuple[str, ...] = (), base: str = "released"
) -> Case:
    return Case(name, tamper, frozenset(codes), frozenset(program or codes), base)


def on(tamper: Callable[..., object], *given: object) -> Callable[[World], object]:
    """Return what does `tamper` to a world, with what is given now."""
    return lambda world: tamper(world, *given)


def library_codes(world: World, fingerprint: str) -> set[str]:
    """What `interlock verify` finds, as codes."""
    try:
        return {one.code.value for one in library_verdict(world, fingerprint).reasons}
    except RootRefused:
        return {"root-refused"}


def library_verdict(world: World, fingerprint: str) -> Verdict:
    """What `interlock verify` finds. Raises RootRefused."""
    trust = read_trust(world.vault, fingerprint, now=world.now)
    record = gather(world.vault, world.digest, trust.public_keys())
    logs, unread = read_logs(world.vault, trust.root, world.digest)
    return admit(record, world.vault, trust, logs, environment=ENVIRONMENT, now=world.now, unread=unread)


def program_codes(world: World, fingerprint: str) -> set[str]:
    """What verify.py finds in a bundle exported now, as codes."""
    return judged(world.bundle(), fingerprint)


def bases() -> dict[str, World]:
    """The worlds that cases start from: one admitted, one that lacks the second approval, one that served before."""
    half = World()
    half.pin()
    for gate, value in MEASURED.items():
        half.measure(gate, value)
    half.sequence()
    half.approve("approver-1")
    half.sequence()
    return {"released": released(), "half": half, PROMOTED: promoted()}


def promoted() -> World:
    """A release that served in staging before it was admitted, with a test result beside its evidence."""
    world = World(policy=TWO_STEPS)
    world.pin()
    for gate, value in MEASURED.items():
        world.measure(gate, value)
    contract = Evidence(
        gate="contract-tests", gate_version="interlock 0.1.0", policy=world.policy.digest, tier="high",
        inputs="1" * 64, outcome=Outcome.PASSED, data={"release": world.digest}, started_at=START, ended_at=START,
    )  # fmt: skip
    shown = world.say(Predicate.EVIDENCE, contract, "builder").rpartition("/")[2].removesuffix(".dsse.json")
    world.say(Predicate.TEST_RESULT, result_of(contract, shown), "builder")
    world.sequence()
    for environment in (STAGING, ENVIRONMENT):
        for person in ("approver-1", "approver-2"):
            world.approve(person, environment=environment)
    world.sequence()
    world.serve(world.decide(environment=STAGING), STAGING)
    world.sequence()
    world.decide(inputs=world.verdict().rests_on)
    world.sequence()
    return world


def content_of(world: World, key: str) -> bytes:
    return world.vault.objects[key][0][1]


def put(world: World, key: str, content: bytes) -> None:
    """Change the bytes under a key without a new version, as only somebody behind S3 could."""
    version = world.vault.objects[key][0][0] if key in world.vault.objects else f"{key}#0"
    world.vault.objects[key] = [(version, content)]


def flipped(content: bytes, place: int) -> bytes:
    changed = bytearray(content)
    changed[place % len(changed)] ^= 1
    return bytes(changed)


def renamed(world: World, key: str, other: str) -> None:
    world.vault.objects[other] = world.vault.objects.pop(key)


def swapped(world: World, one: str, other: str) -> None:
    mine, theirs = content_of(world, one), content_of(world, other)
    put(world, one, theirs)
    put(world, other, mine)


def recreated(world: World, key: str) -> None:
    world.vault.objects[key] = [("another-version", content_of(world, key))]


def drop(world: World, key: str) -> None:
    del world.vault.objects[key]


def kind_of(world: World, key: str) -> str:
    statement = parse_statement(read_sealed(content_of(world, key)).payload)
    gate = statement.predicate.get("gate") or statement.predicate.get("person") or ""
    if statement.predicate_type == Predicate.VERIFICATION:
        return "decision"
    return f"{statement.predicate_type.split('/')[-1].removesuffix(':v1').split(':')[-1]} {gate}".strip()


def ignored(_: object) -> None:
    return None
