"""A whole release in memory, from the trust root to approvals in a witnessed ledger, for tests to spoil."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from interlock.ledger.believing import Witnessed
from interlock.ledger.checkpoint import Checkpoint
from interlock.ledger.leaf import Leaf, LeafKind
from interlock.ledger.merkle import Tree
from interlock.ledger.view import LedgerView
from interlock.release.acts import Approval, Rejection, Retirement, Revocation, Withdrawal, record_digest
from interlock.release.digests import sha256
from interlock.release.envelope import payload_digest, seal
from interlock.release.evidence import Evidence, Measure, Outcome
from interlock.release.manifest import Manifest, ManifestFile
from interlock.release.pin_statement import PinnedRequest, PinPredicate, Source
from interlock.release.predicates import Predicate
from interlock.release.record import Record, RecordedStatement, envelope_key, gather
from interlock.release.request import ReleaseRequest, SubjectKind, submission_key
from interlock.release.served import Served
from interlock.release.signing import PrivateKeySigner, Signer
from interlock.release.statement import statement_about
from interlock.release.tiers import TiersPolicy
from interlock.release.trust.document import Distrust, KeyDuty, TrustRoot
from interlock.release.trust.drafting import Change, NewKey, first_root, next_root
from interlock.release.trust.published import publish
from interlock.release.vault import files_prefix, manifest_key
from interlock.release.verification.judging import Verdict, admit, load
from interlock.release.verification.reason import ReasonCode
from interlock.release.verification.summary import summary_of, summary_statement
from interlock.release.verification.trust import Trust, read_trust
from tests.interlock.release.memory import MemoryVault
from tests.interlock.release.trust.people import DAY, NOW, new_key, signed

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
ORIGIN = "acme/eu-west-1-1"
PEOPLE = ("approver-1", "approver-2", "approver-3", "approver-4", "creator-1")
"""Who have an approver's key; creator-1 submits as well."""
DUTIES = (KeyDuty.BUILDER, KeyDuty.DEPLOYER, KeyDuty.OBSERVER, KeyDuty.LOG, KeyDuty.WITNESS)
KEYS: dict[str, PrivateKeySigner] = {
    name: PrivateKeySigner(ec.generate_private_key(ec.SECP256R1()))
    for name in (*PEOPLE, *(duty.value for duty in DUTIES), "stranger")
}
FILES = {"MLmodel": b"flavors: {}\n", "data/model.bin": b"weights", "data/empty": b""}
MEASURED = {
    "performance": ("area_under_curve", "0.8"),
    "privacy": ("findings", "0"),
    "fairness": ("disparate_impact", "0.9"),
}


def policy(**changes: Any) -> TiersPolicy:
    evidence = {
        "performance": {"limits": {"area_under_curve": {"at_least": "0.7"}}},
        "privacy": {"limits": {"findings": {"at_most": 0}}},
        "fairness": {"limits": {"disparate_impact": {"at_least": "0.8"}}},
    }
    tier = {
        "evidence": evidence,
        "approvals": [{"count": 2}],
        "rollout": {"steps_percent": [100], "step_minutes": 1},
        "retention_days": 365,
        "approval_days": 30,
        "review_days": 365,
        "emergency": {"evidence": ["privacy"], "approvals": [{"count": 3}], "complete_within_hours": 24},
    }
    critical = {
        **tier,
        "approvals": [{"count": 1, "group": "risk"}, {"count": 1}],
        "environments": ["staging"],
    }
    document = {
        "review_by": date(2027, 1, 1),
        "groups": {"risk": ["approver-1", "approver-3"]},
        "protected_attributes": ["race"],
        "tiers": {"high": {**tier, **changes}, "critical": critical},
    }
    return TiersPolicy.model_validate(document)


POLICY = policy()


def root(policies: Mapping[str, str]) -> TrustRoot:
    keys = [
        *(new_key(person) for person in ("ann", "ben")),
        *(NewKey(KeyDuty.APPROVER, person, KEYS[person].public_key()) for person in PEOPLE),
        *(NewKey(duty, None, KEYS[duty.value].public_key()) for duty in DUTIES),
    ]
    change = Change(keys, log_origins=[ORIGIN], policies=policies)
    return first_root("acme", change, now=NOW - DAY, life=365 * DAY, key_life=1000 * DAY)


@dataclass
class World:
    """What lies in the vault, and the log over it. Times: opened at `NOW`, an hour for each step."""

    tier: str = "high"
    environment: str = "prod"
    emergency: bool = False
    builder: str = "pipeline-7"
    policy: TiersPolicy = POLICY
    files: Mapping[str, bytes] = field(default_factory=lambda: FILES)
    roots_of: World | None = None
    """Another world, whose trust root is this one's too."""
    vault: MemoryVault = field(default_factory=MemoryVault)
    leaves: list[Leaf] = field(default_factory=list)
    roots: list[TrustRoot] = field(default_factory=list)
    newest_pin: str = ""
    witnessed: int | None = None
    """How many leaves the witness has seen; None is all."""

    def __post_init__(self) -> None:
        if self.roots_of is not None:
            self.roots.extend(self.roots_of.roots)
            shared = {key: list(one) for key, one in self.roots_of.vault.objects.items() if key.startswith("trust/")}
            self.vault.objects.update(shared)
        else:
            self.roots.append(root({"tiers": self.policy.digest}))
            self.publish(self.policy)
        files = tuple(
            ManifestFile(path=path, size=len(content), sha256=sha256(content).hex())
            for path, content in sorted(self.files.items())
        )
        self.manifest = Manifest(files=files)
        self.digest = self.manifest.subject_digest
        for path, content in self.files.items():
            self.vault.add_version(files_prefix(self.digest) + path, content)
        self.vault.add_version(manifest_key(self.digest), self.manifest.content)

    # What is written

    def publish(self, *policies: TiersPolicy) -> None:
        roots = [signed(one, ("ann", "ben")) for one in self.roots]
        publish(roots, policies, writer=self.vault, reader=self.vault)

    def change_root(
        self, policy: TiersPolicy | None = None, *, distrusted: str | None = None, since: datetime | None = None
    ) -> None:
        """Add a version of the root: another policy, or a key that is distrusted."""
        before = self.roots[-1]
        off = {KEYS[distrusted].key_id: Distrust(since=since or NOW, reason="stolen")} if distrusted else {}
        change = Change((), off, policies={"tiers": policy.digest} if policy else {})
        self.roots.append(next_root(before, change, now=NOW, life=365 * DAY, key_life=1000 * DAY))
        self.publish(*([policy] if policy else []))

    def end_key(self, name: str, at: datetime) -> None:
        """Have every version of the root say that a key is valid until `at` only."""
        key_id = KEYS[name].key_id
        for index, one in enumerate(self.roots):
            keys = {
                key: k.model_copy(update={"valid_until": at}) if key == key_id else k for key, k in one.keys.items()
            }
            self.roots[index] = one.model_copy(update={"keys": keys})
        for key in [key for key in self.vault.objects if key.endswith(".root.json")]:
            del self.vault.objects[key]
        self.publish(self.policy)

    def write(self, kind: Predicate, what: Mapping[str, Any], signer: Signer, *, about: str | None = None) -> str:
        """Put a statement into the vault; return its payload's digest."""
        envelope = seal(statement_about(about or self.digest, kind, dict(what)), signer).content
        payload = payload_digest(envelope)
        self.vault.add_version(envelope_key(kind, self.digest, payload), envelope)
        return payload

    def pin(self, *, submitter: str = "creator-1", builder: str | None = None, **changes: Any) -> str:
        asked = ReleaseRequest(
            kind=SubjectKind.MODEL, name="loans", version="3", tier=self.tier, environment=self.environment,
            ticket="CHG-1", emergency=self.emergency, submitted_at=NOW - HOUR,
        ).model_copy(update=changes)  # fmt: skip
        key = submission_key(submitter, asked)
        content = sha256(asked.content).hex()
        request = PinnedRequest(document=asked, key=key, version_id="v1", sha256=content, submitter=submitter)
        objects = {key: self.vault.objects[key][0][0] for key in self.vault.objects if "/files/" in key}
        objects[manifest_key(self.digest)] = self.vault.objects[manifest_key(self.digest)][0][0]
        pinned = PinPredicate(
            source=Source(registry="https://mlflow.example", name="loans", version="3"),
            objects=objects,
            request=request,
            tier=asked.tier,
            environment=asked.environment,
            policy=self.policy.digest,
            builder=builder or self.builder,
        )
        self.newest_pin = self.write(Predicate.PIN, pinned.model_dump(mode="json"), KEYS["builder"])
        return self.newest_pin

    def show(self, gate: str, *, value: str | None = None, signer: str = "builder", **changes: Any) -> str:
        """Write a gate's evidence; a `value` short of the limit fails it."""
        name, good = MEASURED[gate]
        limit = self.policy.tiers[next(iter(self.policy.tiers))].evidence[gate].limits[name]
        measure = Measure(name=name, value=value or good).against(limit)
        broken = () if measure.holds else (f"{name} is {value}",)
        evidence = Evidence(
            gate=gate, gate_version="interlock 0.1.0", policy=self.policy.digest, tier=self.tier, inputs="1" * 64,
            outcome=Outcome.FAILED if broken else Outcome.PASSED, measures=(measure,), reasons=broken,
            started_at=NOW, ended_at=NOW + MINUTE,
        )  # fmt: skip
        document = {**evidence.model_dump(mode="json"), **changes}
        return self.write(Predicate.EVIDENCE, document, KEYS[signer])

    def approve(
        self, person: str, *, at: datetime = NOW + 2 * HOUR, signer: str | None = None, days: float = 10,
        statements: Sequence[str] | None = None, pin: str | None = None, tier: str | None = None, **changes: Any,
    ) -> str:  # fmt: skip
        """Write an approval of all that the builder has signed, or of `statements`; of the newest pin, or of `pin`."""
        of = pin or self.newest_pin
        read = sorted(self.payloads() if statements is None else statements)
        approval = Approval(
            person=person, reason="reads well", ticket="CHG-1", environment=self.environment,
            policy=self.policy.digest, pin=of, tier=tier or self.tier,
            record=record_digest(self.digest, self.policy.digest, of, read),
            statements=tuple(read), approved_at=at, expires_at=at + timedelta(days=days),
        )  # fmt: skip
        document = {**approval.model_dump(mode="json"), **changes}
        return self.write(Predicate.APPROVAL, document, KEYS[signer or person])

    def reject(self, person: str, at: datetime = NOW + 3 * HOUR) -> str:
        said = Rejection(person=person, reason="unfair", ticket="CHG-2", rejected_at=at)
        return self.write(Predicate.REJECTION, said.model_dump(mode="json"), KEYS[person])

    def withdraw(self, person: str, payload: str, at: datetime = NOW + 4 * HOUR) -> str:
        said = Withdrawal(person=person, reason="a mistake", ticket="CHG-2", withdrawn=payload, withdrawn_at=at)
        return self.write(Predicate.WITHDRAWAL, said.model_dump(mode="json"), KEYS[person])

    def revoke(self, person: str, at: datetime = NOW + 4 * HOUR) -> str:
        said = Revocation(person=person, reason="it leaks", ticket="CHG-3", revoked_at=at)
        return self.write(Predicate.REVOCATION, said.model_dump(mode="json"), KEYS[person])

    def retire(self, person: str, at: datetime = NOW + 4 * HOUR) -> str:
        said = Retirement(person=person, reason="succeeded", ticket="CHG-4", retired_at=at)
        return self.write(Predicate.RETIREMENT, said.model_dump(mode="json"), KEYS[person])

    def decide(
        self, verdict: Verdict, environment: str | None = None, at: datetime = NOW + 4 * HOUR,
        passed: bool | None = None,
    ) -> str:  # fmt: skip
        """Write the deployer's summary of a verdict, or one that says `passed` whatever the verdict was."""
        summary = summary_of(
            self.digest, environment=environment or self.environment, policy=self.policy.digest, tier=self.tier,
            inputs=verdict.rests_on, passed=verdict.verifies if passed is None else passed, now=at, version="0.1.0",
        )  # fmt: skip
        envelope = seal(summary_statement(self.digest, summary), KEYS["deployer"]).content
        payload = payload_digest(envelope)
        self.vault.add_version(envelope_key(Predicate.VERIFICATION, self.digest, payload), envelope)
        return payload

    def serve(
        self, decision: str, environment: str = "staging", variant: str = "blue", signer: str = "deployer"
    ) -> str:
        """Write that the release serves where a decision admitted it."""
        served = Served(decision=decision, environment=environment, endpoint="credit", variant=variant)
        return self.write(Predicate.SERVED, served.model_dump(mode="json"), KEYS[signer])

    def payloads(self) -> list[str]:
        """The digests of all that the builder has signed."""
        return [one.payload for one in self.record().statements if one.key.startswith("releases/")]

    # What is seen

    def sequence(self, at: datetime) -> None:
        """Append a leaf for each statement that has none."""
        known = {leaf.key for leaf in self.leaves}
        for one in self.record().statements:
            if one.key not in known:
                self.leaves.append(leaf_of(one, self.digest, at))

    def record(self) -> Record:
        return gather(self.vault, self.digest, self.trust(None).public_keys())

    def trust(self, now: datetime | None) -> Trust:
        return read_trust(self.vault, self.roots[0].fingerprint, now=now)

    def view(self, time: datetime) -> LedgerView:
        tree = Tree([leaf.content for leaf in self.leaves])
        newest = Checkpoint(ORIGIN, tree.size, tree.root(), 1, time)
        count = tree.size if self.witnessed is None else self.witnessed
        seen = Witnessed(Checkpoint(ORIGIN, count, tree.root(count), 1, time), time, b"")
        return LedgerView(newest, b"", (seen,), tuple(self.leaves), tree)

    def admit(self, now: datetime = NOW + 5 * HOUR, environment: str | None = None, **options: Any) -> Verdict:
        options = {"logs": [self.view(now)], **options}
        logs = options.pop("logs")
        where = environment or self.environment
        return admit(self.record(), self.vault, self.trust(now), logs, environment=where, now=now, **options)

    def load(self, environment: str | None = None) -> Verdict:
        where = environment or self.environment
        return load(self.record(), self.vault, self.trust(None), environment=where)

    def spoiled(self) -> World:
        """A copy to spoil."""
        return copy.deepcopy(self)


def leaf_of(one: RecordedStatement, subject: str, at: datetime) -> Leaf:
    return Leaf(
        kind=LeafKind.STATEMENT, key=one.key, version_id=one.version_id, sha256=one.sha256, payload=one.payload,
        predicate_type=one.predicate_type, subject=subject, recorded_at=at,
    )  # fmt: skip


def shown_world(**options: Any) -> World:
    """A release that is pinned and shows all that is demanded, in the ledger an hour later."""
    world = World(**options)
    world.pin()
    for gate in MEASURED:
        world.show(gate)
    world.sequence(NOW + HOUR)
    return world


def approved_world(**options: Any) -> World:
    """A release that verifies: two people approved, in the ledger three hours after it was pinned."""
    world = shown_world(**options)
    for person in ("approver-1", "approver-2"):
        world.approve(person)
    world.sequence(NOW + 3 * HOUR)
    return world


def admitted_world(**options: Any) -> World:
    """A release that verifies, and that the deployer has admitted."""
    world = approved_world(**options)
    world.decide(world.admit())
    return world


def codes(verdict: Verdict) -> set[ReasonCode]:
    return {one.code for one in verdict.reasons}
