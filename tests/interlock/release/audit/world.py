"""A whole release in a vault in memory: pinned, measured, approved, decided on and logged, by keys of every duty."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from interlock.ledger.checkpoint import Checkpoint, cosign_checkpoint, sign_checkpoint
from interlock.ledger.layout import checkpoints_prefix, numbered, origin_of, witness_name, witnessed_prefix
from interlock.ledger.leaf import LeafKind
from interlock.ledger.statements import leaf_of
from interlock.ledger.tiles import Edge
from interlock.release.acts import Approval, record_digest
from interlock.release.audit import verify
from interlock.release.audit.bundle import bundle_files, write_zip
from interlock.release.audit.contents import IndexedObject, indexed, log_names, log_part
from interlock.release.digests import sha256
from interlock.release.envelope import enclose, seal, sign_payload
from interlock.release.evidence import Evidence, Measure, Outcome, inputs_digest
from interlock.release.manifest import Manifest, ManifestFile
from interlock.release.pin_statement import PinnedRequest, PinPredicate, Source
from interlock.release.predicates import Predicate
from interlock.release.record import Record, envelope_key, gather
from interlock.release.request import ReleaseRequest, SubjectKind, submission_key
from interlock.release.served import Served
from interlock.release.statement import statement_about
from interlock.release.tiers import TiersPolicy, parse_policy
from interlock.release.trust.document import PAYLOAD_TYPE, KeyDuty, TrustedKey, TrustRoot
from interlock.release.trust.published import policy_key, root_key
from interlock.release.vault import ObjectVersion, files_prefix, manifest_key
from interlock.release.verification.judging import Verdict, admit
from interlock.release.verification.logs import read_logs
from interlock.release.verification.summary import summary_of, summary_statement
from interlock.release.verification.trust import read_trust
from tests.interlock.release.memory import LocalSigner, MemoryVault

START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
NAME = "bank"
LOG = "eu-west-1-1"
"""The log that a world is recorded in."""
LATER_LOGS = ("eu-central-1-2", "eu-north-1-3")
"""Logs of later epochs, which go on from it where a test begins them."""
ENVIRONMENT = "prod"

POLICY = """
schema_version: 1
review_by: 2027-06-30
groups: {risk: [approver-2, approver-3]}
protected_attributes: [race]
tiers:
  high:
    evidence:
      performance: {limits: {area_under_curve: {at_least: 0.7}}}
      fairness: {limits: {disparate_impact: {at_least: 0.8}}}
      privacy: {limits: {findings: {at_most: 0}}}
      file-safety: {limits: {unsafe_files: {at_most: 0}}}
    approvals: [{count: 1}, {count: 1, group: risk}]
    rollout: {steps_percent: [10, 100], step_minutes: 15}
    retention_days: 365
    approval_days: 14
    review_days: 182
  critical:
    evidence:
      robustness: {limits: {accuracy_drop: {at_most: 0.1}}}
    approvals: [{count: 2}]
    rollout: {steps_percent: [10, 100], step_minutes: 15}
    retention_days: 365
    approval_days: 14
    review_days: 182
"""
FILES = {"MLmodel": b"flavors: {}\n", "model/weights.bin": bytes(range(256)) * 8, "requirements.txt": b"numpy==2.4\n"}
MEASURED = {"performance": "0.81", "fairness": "0.86", "privacy": "0", "file-safety": "0"}

PEOPLE = ("foundation-1", "foundation-2", "approver-1", "approver-2", "approver-3", "creator-1")
SERVICES = (KeyDuty.BUILDER, KeyDuty.DEPLOYER, KeyDuty.RESPONDER, KeyDuty.OBSERVER, KeyDuty.LOG, KeyDuty.WITNESS)
SIGNERS = {name: LocalSigner(name) for name in (*PEOPLE, *(duty.value for duty in SERVICES), "stranger")}


def duty_of(name: str) -> KeyDuty:
    if name in PEOPLE:
        return KeyDuty.FOUNDATION if name.startswith("foundation") else KeyDuty.APPROVER
    return KeyDuty(name)


def trusted(name: str) -> TrustedKey:
    return TrustedKey(
        duty=duty_of(name),
        person=name if name in PEOPLE else None,
        public_key=SIGNERS[name].public_key.pem,
        valid_from=START - DAY,
        valid_until=START + 1000 * DAY,
    )


def key_id(name: str) -> str:
    return SIGNERS[name].public_key.key_id


def first_root(policy: TiersPolicy, **changes: Any) -> TrustRoot:
    names = (*PEOPLE, *(duty.value for duty in SERVICES))
    root = TrustRoot(
        name=NAME,
        version=1,
        issued_at=START,
        expires_at=START + 365 * DAY,
        threshold=2,
        keys={key_id(name): trusted(name) for name in names},
        log_origins=tuple(origin_of(NAME, log) for log in (LOG, *LATER_LOGS)),
        policies={"tiers": policy.digest},
    )
    return root.model_copy(update=changes)


def sealed_root(root: TrustRoot, people: Sequence[str] = ("foundation-1", "foundation-2")) -> bytes:
    signatures = [sign_payload(PAYLOAD_TYPE, root.content, SIGNERS[one]) for one in people]
    return enclose(PAYLOAD_TYPE, root.content, signatures).content


@dataclass
class World:
    """The vault, and what it takes to add to it."""

    vault: MemoryVault = field(default_factory=MemoryVault)
    files: Mapping[str, bytes] = field(default_factory=lambda: dict(FILES))
    policy: TiersPolicy = field(default_factory=lambda: parse_policy(POLICY.encode()))
    now: datetime = START + HOUR
    edge: Edge = field(default_factory=Edge)
    logged: set[str] = field(default_factory=set)
    number: int = 0
    root: TrustRoot = field(init=False)

    def __post_init__(self) -> None:
        self.vault.until = START + 3000 * DAY
        self.root = first_root(self.policy)
        self.vault.add_version(policy_key(self.policy.digest), self.policy.content)
        self.vault.add_version(root_key(1), sealed_root(self.root))

    def copy(self) -> World:
        """Another world that starts as this one stands; the keys are the same."""
        return deepcopy(self)

    @property
    def manifest(self) -> Manifest:
        found = [ManifestFile(path=p, size=len(b), sha256=sha256(b).hex()) for p, b in sorted(self.files.items())]
        return Manifest(files=tuple(found))

    @property
    def digest(self) -> str:
        return self.manifest.subject_digest

    def version(self, key: str) -> str:
        return self.vault.objects[key][0][0]

    def record(self) -> Record:
        keys = {name: signer.public_key for name, signer in ((key_id(one), SIGNERS[one]) for one in SIGNERS)}
        return gather(self.vault, self.digest, keys)

    def say(
        self,
        kind: Predicate,
        predicate: BaseModel | Mapping[str, Any],
        signer: str,
        *,
        about: str | None = None,
        key: str | None = None,
    ) -> str:
        """Put a signed statement where it belongs, or under `key`; return that key."""
        content = predicate.model_dump(mode="json") if isinstance(predicate, BaseModel) else dict(predicate)
        statement = statement_about(about or self.digest, kind, content)
        place = key or envelope_key(kind, self.digest, sha256(statement.content).hex())
        if place not in self.vault.objects:
            self.vault.add_version(place, seal(statement, SIGNERS[signer]).content)
        return place

    def pin(self, **changes: Any) -> str:
        for path, content in self.files.items():
            self.vault.add_version(files_prefix(self.digest) + path, content)
        self.vault.add_version(manifest_key(self.digest), self.manifest.content)
        return self.say(Predicate.PIN, self.pin_predicate(**changes), "builder")

    def request(self, **changes: Any) -> ReleaseRequest:
        given: dict[str, Any] = {
            "kind": SubjectKind.MODEL,
            "name": "loans",
            "version": "3",
            "tier": "high",
            "environment": ENVIRONMENT,
            "ticket": "CHG-1234",
            "submitted_at": START,
        }
        return ReleaseRequest(**{**given, **changes})

    def pinned_request(self, request: ReleaseRequest) -> PinnedRequest:
        return PinnedRequest(
            document=request,
            key=submission_key("creator-1", request),
            version_id="s1",
            sha256=sha256(request.content).hex(),
            submitter="creator-1",
        )

    def pin_predicate(self, **changes: Any) -> PinPredicate:
        keys = [files_prefix(self.digest) + path for path in self.files] + [manifest_key(self.digest)]
        given: dict[str, Any] = {
            "source": Source(registry="https://mlflow", name="loans", version="3", logged_model_id="m-1", run_id="r"),
            "objects": {key: self.version(key) for key in keys},
            "request": self.pinned_request(self.request()),
            "tier": "high",
            "environment": ENVIRONMENT,
            "policy": self.policy.digest,
            "builder": "pipeline",
        }
        return PinPredicate(**{**given, **changes})

    def measure(self, gate: str, value: str, signer: str = "builder", **changes: Any) -> str:
        name, limit = next(iter(self.policy.tiers[next(iter(self.policy.tiers))].evidence[gate].limits.items()))
        measure = Measure(name=name, value=Decimal(value), count=500).against(limit)
        given: dict[str, Any] = {
            "gate": gate,
            "gate_version": "interlock 0.1.0",
            "policy": self.policy.digest,
            "tier": "high",
            "inputs": inputs_digest(gate, "interlock 0.1.0", self.policy.digest, {}, {}),
            "outcome": Outcome.PASSED if measure.holds else Outcome.FAILED,
            "reasons": () if measure.holds else (f"{name} is {value}",),
            "measures": (measure,),
            "started_at": self.now,
            "ended_at": self.now,
        }
        return self.say(Predicate.EVIDENCE, Evidence(**{**given, **changes}), signer)

    def approve(self, person: str, signer: str | None = None, **changes: Any) -> str:
        predicate = self.approval(person, **changes)
        return self.say(Predicate.APPROVAL, predicate, signer or person)

    def approval(self, person: str, **changes: Any) -> Approval:
        read = sorted(one.payload for one in self.record().statements if one.key.startswith("releases/"))
        pin = changes.get("pin") or self.record().pins[0].payload
        given: dict[str, Any] = {
            "person": person,
            "reason": "read it",
            "ticket": "CHG-1234",
            "environment": ENVIRONMENT,
            "policy": self.policy.digest,
            "pin": pin,
            "tier": "high",
            "record": record_digest(self.digest, self.policy.digest, pin, read),
            "statements": tuple(read),
            "approved_at": self.now,
            "expires_at": self.now + 10 * DAY,
        }
        return Approval(**{**given, **changes})

    def act(self, kind: Predicate, person: str, when: str, **changes: Any) -> str:
        given = {"schema_version": 1, "person": person, "reason": "why", "ticket": "CHG-1"}
        return self.say(kind, {**given, when: self.now.isoformat(), **changes}, person)

    def decide(self, *, at: datetime | None = None, **changes: Any) -> str:
        given: dict[str, Any] = {
            "environment": ENVIRONMENT,
            "policy": self.policy.digest,
            "tier": "high",
            "inputs": list(self.record().statements),
            "passed": True,
            "now": at or self.now,
            "version": "0.1.0",
        }
        summary = summary_of(self.digest, **{**given, **changes})
        statement = summary_statement(self.digest, summary)
        return self.say(Predicate.VERIFICATION, statement.predicate, "deployer")

    def serve(self, decision: str, environment: str, signer: str = "deployer") -> str:
        """Say that the release serves by the decision that lies under the key `decision`."""
        payload = decision.rpartition("/")[2].removesuffix(".dsse.json")
        served = Served(decision=payload, environment=environment, endpoint="credit", variant="blue")
        return self.say(Predicate.SERVED, served, signer)

    def sequence(self, *, witnessed: bool = True) -> None:
        """Append what no log has yet, sign a checkpoint a minute later and let the witness co-sign it."""
        new = [key for key in self.vault.objects if _is_statement(key) and key not in self.logged]
        entries = []
        for key in sorted(new):
            for version_id, content in self.vault.objects[key]:
                version = ObjectVersion(key, version_id, is_latest=True)
                entries.append(leaf_of(version, content, LeafKind.STATEMENT, self.now).content)
        self.append(entries, new, witnessed=witnessed)

    def append(self, entries: Sequence[bytes], keys: Sequence[str] = (), *, witnessed: bool = True) -> None:
        """Append entries to the log, whatever they are."""
        self.logged |= set(keys)
        made = [*self.edge.append(LOG, entries), *self.edge.partial(LOG)]
        for one in made:
            if one.key not in self.vault.objects:
                self.vault.add_version(one.key, one.content)
        at = self.now + timedelta(minutes=1)
        checkpoint = Checkpoint(origin_of(NAME, LOG), self.edge.size, self.edge.root(), self.number, at)
        signed = sign_checkpoint(checkpoint, key_id("log"), SIGNERS["log"])
        self.vault.add_version(numbered(checkpoints_prefix(LOG), self.number), signed.note.content)
        if witnessed:
            both = cosign_checkpoint(signed, witness_name(NAME), key_id("witness"), SIGNERS["witness"], at)
            self.vault.add_version(numbered(witnessed_prefix(LOG), self.number), both.note.content)
        self.number += 1
        self.now += HOUR

    def verdict(self, fingerprint: str | None = None) -> Verdict:
        """What the library says of admitting the release now."""
        trust = read_trust(self.vault, fingerprint or self.root.fingerprint, now=self.now)
        record = gather(self.vault, self.digest, trust.public_keys())
        logs, unread = read_logs(self.vault, trust.root, self.digest)
        return admit(record, self.vault, trust, logs, environment=ENVIRONMENT, now=self.now, unread=unread)

    def bundle(self, *, with_files: bool = True) -> dict[str, bytes]:
        """The files of the audit bundle by name."""
        objects = list(indexed(self.vault, self.digest))
        parts = [log_part(self.vault, name, self.digest) for name in log_names(self.vault)]
        files = bundle_files(
            self.digest, objects, [one for one in parts if one], files=self._file if with_files else None
        )
        return {one.name: b"".join(one.chunks()) for one in files}

    def _file(self, one: IndexedObject) -> Any:
        return iter([self.vault.read(one.key, one.version_id)])

    def archive(self, **options: Any) -> bytes:
        objects = list(indexed(self.vault, self.digest))
        parts = [log_part(self.vault, name, self.digest) for name in log_names(self.vault)]
        target = io.BytesIO()
        write_zip(bundle_files(self.digest, objects, [one for one in parts if one], files=self._file), target)
        return target.getvalue()


def agreed(world: World | None = None) -> World:
    """A release that could be admitted, as it should be; in `world`, where one is given."""
    world = world or World()
    world.pin()
    for gate, value in MEASURED.items():
        world.measure(gate, value)
    world.sequence()
    for person in ("approver-1", "approver-2"):
        world.approve(person)
    world.sequence()
    return world


def released() -> World:
    """A release that was admitted, as it should be."""
    world = agreed()
    world.decide()
    world.sequence()
    return world


def _is_statement(key: str) -> bool:
    return key.endswith((".dsse.json", ".root.json"))


def unpacked(files: Mapping[str, bytes], folder: Path) -> Path:
    """Write a bundle's files into `folder`."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


class MemoryBundle(verify.Bundle):
    """A bundle in memory, so that thousands can be judged without a disk."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.files = files
        super().__init__(files)

    def open(self, name: str) -> io.BytesIO:
        return io.BytesIO(self.files[name])


def reported(files: Mapping[str, bytes], fingerprint: str) -> verify.Report:
    """What verify.py tells of a bundle."""
    return verify.Verifier(MemoryBundle(files), fingerprint).verify()


def judged(files: Mapping[str, bytes], fingerprint: str, **options: Any) -> set[str]:
    """The codes of the reasons that verify.py gives."""
    return {one.code for one in verify.Verifier(MemoryBundle(files), fingerprint, **options).verify().reasons}


def index_of(files: Mapping[str, bytes]) -> Any:
    return json.loads(files[verify.INDEX])
