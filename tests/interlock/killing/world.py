"""A stack, its people and a folder to release, for commands that are killed: each step stands on those before it."""

from __future__ import annotations

import json
import os
import time
import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from interlock.admission import Anchor, judge, trust_from
from interlock.aws.kms import KmsSigner, fetch_public_key
from interlock.aws.ledger import S3LedgerStorage, S3Statements
from interlock.aws.vault import S3VaultReader, S3VaultWriter
from interlock.duties.duty import SigningDuty
from interlock.ledger.head import LogKey
from interlock.ledger.sequencing import Sequencer
from interlock.ledger.witnessing import Witness
from interlock.manifest import StackManifest
from interlock.release.manifest import manifest_of
from interlock.release.tiers import POLICY_NAME, parse_policy
from interlock.release.trust.document import KeyDuty, TrustRoot
from interlock.release.trust.drafting import Change, NewKey, first_root
from interlock.release.trust.published import publish
from rehearsal.cloud.server import LocalCloud
from tests.interlock.cli.releasing import new_staging
from tests.interlock.conftest import new_vault
from tests.interlock.killing.buckets import State
from tests.interlock.killing.front import Death, Front
from tests.interlock.killing.processes import Ended, Processes
from tests.interlock.release.policies import varied
from tests.interlock.release.trust.people import DAY, new_key, signed
from tests.rehearsal.cloud.roles import granting, trusting

STEPS = ("submit", "pin", "check", "approve", "revoke")
PEOPLE: Mapping[str, str] = {
    "submit": "creator-1",
    "pin": "pipeline-1",
    "check": "pipeline-1",
    "approve": "approver-1",
    "revoke": "approver-1",
}
EVIDENCE = {
    "privacy": {"limits": {"findings": {"at_most": 0}}},
    "file-safety": {"limits": {"unsafe_files": {"at_most": 0}}},
    "documents": {"limits": {"missing_documents": {"at_most": 0}}},
}
CARD = """# A model card
Date: {day}
## Intended use
It is there to be released and killed on the way.
## Training data
None of it was trained on anything at all.
## Evaluation
It answers what its weights say, every time.
## Limitations
It knows nothing of the world around it.
## Owner
The team that keeps the release record.
"""
_SAID = ("--ticket", "CHG-7", "--reason", "reads well")


@dataclass
class World:
    """A vault and a staging bucket behind a front, and whoever acts on them."""

    cloud: LocalCloud
    front: Front
    processes: Processes
    directory: Path
    files: int = 2
    commands: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.vault, self.staging = new_vault(self.cloud), new_staging(self.cloud)
        kms = self.cloud.client("kms")
        names = [*(duty.value for duty in SigningDuty), "approver-1"]
        keys = {one: kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"] for one in names}
        self.keys = {name: str(one["Arn"]) for name, one in keys.items()}
        self.manifest = self.directory / "manifest.json"
        self.manifest.write_text(self._manifest(keys).to_json())
        self.root = self._published()
        self.folder = self.directory / "model"
        self.folder.mkdir()
        for number in range(self.files - 1):
            (self.folder / f"weights-{number}.json").write_text(json.dumps({"weights": [number, 1, 2]}))
        (self.folder / "model_card.md").write_text(CARD.format(day=f"{datetime.now(UTC) - DAY:%Y-%m-%d}"))
        self.role: str = self.cloud.client("iam").create_role(
            RoleName=f"duty-{uuid.uuid4().hex[:8]}", AssumeRolePolicyDocument=trusting("*")
        )["Role"]["Arn"]
        granting(self.cloud, self.role, "*")
        self._sessions: dict[str, dict[str, str]] = {}

    @cached_property
    def digest(self) -> str:
        return manifest_of(self.folder).subject_digest

    @property
    def log(self) -> str:
        return f"{self.cloud.context.region}-1"

    def perform(self, step: str, death: Death | None = None, plant: str | None = None) -> Ended:
        """Run a step's command as a process of its own, and kill it when it comes to its `death`."""
        return self.run(PEOPLE[step], *self._arguments(step), death=death, plant=plant)

    def run(self, person: str, *arguments: str, death: Death | None = None, plant: str | None = None) -> Ended:
        self.commands += 1
        said = self.directory / f"said-{self.commands}"
        self.front.watch(lambda: self.processes.running, death)
        try:
            return self.processes.run(
                [*arguments, "--stack", f"file:{self.manifest}"], self._environment(person), said, plant
            )
        finally:
            self.front.drain()

    def record(self) -> None:
        """Let the log and its witness see what lies in the vault."""
        s3, now = self.cloud.client("s3"), datetime.now(UTC)
        storage = S3LedgerStorage(s3, self.vault)
        Sequencer(self.log, self.root, storage, S3Statements(s3, self.vault), self._log_key(SigningDuty.LOG)).sequence(
            now
        )
        Witness(self.log, self.root, storage, self._log_key(SigningDuty.WITNESS)).witness(now)

    def verifies(self) -> bool:
        """Say whether the release may be deployed as of now."""
        now, reader = datetime.now(UTC), self.reader
        trust = trust_from(Anchor(self.root.fingerprint), reader, now=now)
        return judge(reader, trust, self.digest, "local", now=now)[1].verifies

    @property
    def reader(self) -> S3VaultReader:
        return S3VaultReader(self.cloud.client("s3"), self.vault)

    def state(self) -> State:
        return State.of(self.cloud.context.account_id, [self.vault, self.staging])

    def lying(self) -> Counter[str]:
        """Return how many versions and delete markers lie where; of statements, whose times differ, in which folder."""
        found: Counter[str] = Counter()
        s3 = self.cloud.client("s3")
        for bucket in (self.vault, self.staging):
            for one in S3VaultReader(s3, bucket).versions(""):
                key = one.key.rpartition("/")[0] if one.key.endswith(".dsse.json") else one.key
                found[f"{bucket}/{key}{' is deleted' if one.is_delete_marker else ''}"] += 1
            begun = s3.list_multipart_uploads(Bucket=bucket).get("Uploads", ())
            found.update(f"{bucket}/{one['Key']} in parts" for one in begun)
        return found

    def _arguments(self, step: str) -> list[str]:
        if step == "submit":
            return ["release", "submit", f"folder:{self.folder}", "--tier", "low", "--ticket", "CHG-1"]
        if step == "pin":
            return ["release", "pin", f"model/{self.digest}"]
        if step == "check":
            return ["release", "check", self.digest]
        return [step, self.digest, *_SAID, "--yes", "--output", "json"]

    def _environment(self, person: str) -> dict[str, str]:
        if person not in self._sessions:
            given = self.cloud.client("sts").assume_role(RoleArn=self.role, RoleSessionName=person)["Credentials"]
            self._sessions[person] = {
                "AWS_ACCESS_KEY_ID": given["AccessKeyId"],
                "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
                "AWS_SESSION_TOKEN": given["SessionToken"],
            }
        scratch = self.directory / "scratch"
        scratch.mkdir(exist_ok=True)
        return {
            **self._sessions[person],
            "AWS_ENDPOINT_URL": self.front.url,
            "AWS_DEFAULT_REGION": self.cloud.context.region,
            "INTERLOCK_ROOT_FINGERPRINT": self.root.fingerprint,
            "NO_PROXY": "127.0.0.1",
            "COLUMNS": "200",
            "TMPDIR": str(scratch),
            "PATH": os.environ["PATH"],
        }

    def _log_key(self, duty: SigningDuty) -> LogKey:
        signer = KmsSigner(self.cloud.client("kms"), self.keys[duty.value])
        return LogKey(signer, signer.public_key().key_id)

    def _published(self) -> TrustRoot:
        kms, now = self.cloud.client("kms"), datetime.now(UTC)
        tiers = parse_policy(varied("tiers.low.evidence", EVIDENCE, tiers__low__emergency=None))
        services = [
            NewKey(KeyDuty(duty.value), None, fetch_public_key(kms, self.keys[duty.value]))
            for duty in (SigningDuty.BUILDER, SigningDuty.LOG, SigningDuty.WITNESS)
        ]
        approver = NewKey(KeyDuty.APPROVER, "approver-1", fetch_public_key(kms, self.keys["approver-1"]))
        change = Change(
            [new_key("ann"), new_key("ben"), *services, approver],
            policies={POLICY_NAME: tiers.digest},
            log_origins=(f"acme/{self.log}",),
        )
        root = first_root("acme", change, now=now - timedelta(hours=1), life=90 * DAY, key_life=90 * DAY)
        writer = S3VaultWriter(self.cloud.client("s3"), self.vault)
        publish([signed(root, ["ann", "ben"])], [tiers], writer=writer, reader=self.reader)
        return root

    def _manifest(self, keys: Mapping[str, Any]) -> StackManifest:
        account, region = self.cloud.context.account_id, self.cloud.context.region
        signing = {name: {"key_arn": one["Arn"], "key_id": one["KeyId"], "alias": name} for name, one in keys.items()}
        return StackManifest.model_validate(
            {
                "stack": "test",
                "environment": "local",
                "account_id": account,
                "accounts": dict.fromkeys(("workload", "evidence", "audit"), account),
                "region": region,
                "vault": {
                    "bucket_name": self.vault, "bucket_arn": f"arn:aws:s3:::{self.vault}", "retention_days": 30,
                    "staging_bucket_name": self.staging, "staging_bucket_arn": f"arn:aws:s3:::{self.staging}",
                    "encryption_key_arn": keys["builder"]["Arn"],
                },
                "signing_keys": {duty.value: signing[duty.value] for duty in SigningDuty},
                "approver_keys": {"approver-1": {**signing["approver-1"], "source_identity": "approver-1"}},
                "network": {"vpc_id": "vpc-1", "private_subnet_ids": ["subnet-1"]},
                "artifact_store": {
                    "bucket_name": "artifacts", "bucket_arn": "arn:aws:s3:::artifacts",
                    "encryption_key_arn": keys["builder"]["Arn"],
                },
                "tracking": {
                    "uri": "http://127.0.0.1:1", "domain": "mlflow.example.com", "cluster": "c", "service": "s",
                    "admin_secret_arn": "arn:aws:secretsmanager:::secret",
                    "load_balancer_arn": "arn:aws:elasticloadbalancing:::lb",
                    "database": {
                        "identifier": "d", "address": "127.0.0.1", "port": 5432, "name": "mlflow",
                        "auth_name": "mlflow_auth", "master_secret_arn": "arn:aws:secretsmanager:::secret",
                    },
                },
                "endpoints": {},
            }
        )  # fmt: skip


def next_second() -> None:
    """Wait until the clock of statements, which counts seconds, has moved on."""
    time.sleep(1.05 - time.time() % 1)
