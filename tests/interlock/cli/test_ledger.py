"""The commands of the ledger, on a vault in two regions."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from interlock.aws.ledger import S3LedgerStorage
from interlock.aws.vault import S3VaultReader, S3VaultWriter
from interlock.cli.main import app
from interlock.duties.duty import SigningDuty
from interlock.ledger.faults import FaultKind, LedgerFault, LedgerRefused
from interlock.ledger.layout import checkpoints_prefix, numbered
from interlock.ledger.sequencing import Appended, Sequencer
from interlock.ledger.storage import Incomplete
from interlock.release.digests import sha256
from interlock.release.trust.document import TrustRoot
from rehearsal.cloud.server import LocalCloud
from tests.interlock.conftest import new_vault
from tests.interlock.ledger.logs import digest
from tests.interlock.ledger.memory import made_statement
from tests.interlock.ledger.published import ledger_keys, signed_root
from tests.interlock.manifests import manifest_document

THERE = "eu-central-1"


@dataclass
class Shell:
    """Runs `interlock ledger` on a stack with two halves of a vault, and copies from one to the other."""

    cloud: LocalCloud
    manifest: Path
    here: str
    there: str
    root: TrustRoot

    def run(self, *arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(app, ["ledger", *arguments, "--stack", f"file:{self.manifest}"])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result.exit_code, result.output

    def json(self, *arguments: str) -> tuple[int, Any]:
        code, output = self.run(*arguments, "--output", "json")
        return code, json.loads(output)

    @property
    def log(self) -> str:
        return f"{self.cloud.context.region}-1"

    def add(self, number: int) -> str:
        key, content, payload = made_statement(number, "release")
        self.put(self.here, self.cloud.context.region, key, content)
        return payload

    def put(self, bucket: str, region: str, key: str, content: bytes) -> None:
        writer = S3VaultWriter(self.cloud.client("s3", region_name=region), bucket)
        writer.put(key, content, sha256(content).hex())

    def replicate(self, *, back: bool = False) -> None:
        """Copy what the other half lacks, as S3's replication does; VersionIds are others here."""
        regions = {self.here: self.cloud.context.region, self.there: THERE}
        source, target = (self.there, self.here) if back else (self.here, self.there)
        reader = S3VaultReader(self.cloud.client("s3", region_name=regions[source]), source)
        objects = S3LedgerStorage(self.cloud.client("s3", region_name=regions[target]), target)
        for version in reader.versions(""):
            objects.create(version.key, reader.read(version.key, version.version_id))


@pytest.fixture
def shell(cloud: LocalCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    keys = ledger_keys(cloud)
    here, there = new_vault(cloud), new_vault(cloud, region_name=THERE)
    region = cloud.context.region
    root, envelope = signed_root(cloud, keys, [f"{region}-1", f"{THERE}-2"])

    document = manifest_document()
    parts = {
        name: {**document["vault"], "bucket_name": name, "bucket_arn": f"arn:aws:s3:::{name}"} for name in (here, there)
    }
    signing = {
        duty.value: {"key_arn": keys.get(duty, keys[SigningDuty.LOG]), "key_id": "k", "alias": "alias/k"}
        for duty in SigningDuty
    }
    document |= {"region": region, "vault": parts[here], "signing_keys": signing}
    document["recovery"] = {"region": THERE, "vault": parts[there]}
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps(document))
    for name, value in {
        "AWS_ENDPOINT_URL": cloud.endpoint_url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "COLUMNS": "200",
        "INTERLOCK_ROOT_FINGERPRINT": root.fingerprint,
    }.items():
        monkeypatch.setenv(name, value)
    shell = Shell(cloud, manifest, here, there, root)
    shell.put(here, region, "trust/1.root.json", envelope)
    return shell


def test_a_statement_is_recorded_witnessed_verified_and_shown(shell: Shell, tmp_path: Path) -> None:
    payload = shell.add(1)
    code, done = shell.json("sequence")
    assert (code, done["log"], done["checkpoint"]["size"]) == (0, shell.log, 2)
    shell.replicate()
    code, seen = shell.json("witness")
    assert (code, seen["is_new"], seen["witnessed"]["size"]) == (0, True, 2)
    shell.replicate(back=True)
    memory = tmp_path / "memory"
    code, verified = shell.json("verify", "--memory", str(memory))
    assert code == 0
    (log,) = verified["logs"]
    assert (log["origin"], log["size"], log["witnessed"]["size"]) == (f"bank/{shell.log}", 2, 2)
    code, shown = shell.json("show", digest("release"))
    assert (code, [one["leaf"]["payload"] for one in shown["leaves"]]) == (0, [payload])
    assert shown["leaves"][0]["witnessed"] is True

    shell.add(2)
    code, text = shell.run("verify")
    assert code == 0
    assert "not recorded yet: releases/" in text
    code, text = shell.run("sequence")
    assert (code, "appended 1 leaves" in text) == (0, True)
    assert shell.json("sequence")[1]["appended"] == []
    assert shell.run("verify", "--memory", str(memory))[0] == 0


def test_a_log_that_was_cut_since_it_was_last_seen_is_refused(shell: Shell, tmp_path: Path) -> None:
    memory = tmp_path / "memory"
    shell.add(1)
    shell.run("sequence")
    shell.replicate()
    shell.add(2)
    shell.run("sequence")
    assert shell.run("verify", "--memory", str(memory))[0] == 0
    # The other half stands for a vault that was put back to what it held once.
    code, refused = shell.json("verify", "--memory", str(memory), "--region", THERE)
    assert (code, refused["outcome"]) == (1, "refused")
    assert [fault["kind"] for fault in refused["faults"]] == ["old-checkpoint"]


def test_an_old_checkpoint_is_refused_where_a_fresh_one_is_asked_for(shell: Shell) -> None:
    shell.run("sequence")
    assert shell.run("verify", "--max-hours", "1")[0] == 0
    code, refused = shell.json("verify", "--max-hours", "0")
    assert (code, [fault["kind"] for fault in refused["faults"]]) == (1, ["old-checkpoint"])


def test_a_leaf_whose_statement_is_gone_is_refused(shell: Shell) -> None:
    shell.add(1)
    shell.run("sequence")
    shell.replicate()
    # A replica with other VersionIds holds none of the objects that were recorded.
    code, refused = shell.json("verify", "--region", THERE)
    assert (code, {fault["kind"] for fault in refused["faults"]}) == (1, {"gone"})


def test_what_a_witness_waits_for_is_told(shell: Shell) -> None:
    shell.replicate()
    code, text = shell.run("witness")
    assert (code, "has shown nothing yet" in text) == (0, True)
    shell.run("sequence")
    place = numbered(checkpoints_prefix(shell.log), 0)
    checkpoint = S3LedgerStorage(shell.cloud.client("s3"), shell.here).read(place)
    assert checkpoint is not None
    shell.put(shell.there, THERE, place, checkpoint)
    code, seen = shell.json("witness")
    assert (code, seen["witnessed"], len(seen["waiting"])) == (0, None, 1)


def test_after_a_failover_the_other_regions_log_goes_on(shell: Shell) -> None:
    shell.add(1)
    shell.run("sequence")
    shell.replicate()
    shell.run("witness")
    log = f"{THERE}-2"
    code, refused = shell.json("sequence", "--log", log)
    assert (code, refused["faults"][0]["kind"]) == (1, "discontinued")
    healthy = shell.manifest.read_text()
    shell.manifest.write_text(healthy.replace(shell.here, "interlock-a-region-that-failed"))
    code, opened = shell.json("open-epoch", log)
    assert (code, opened["checkpoint"]["origin"]) == (0, f"bank/{log}")
    assert shell.run("sequence", "--log", log)[0] == 0
    shell.manifest.write_text(healthy)
    shell.replicate(back=True)
    code, refused = shell.json("sequence", "--log", shell.log)
    assert (code, refused["faults"][0]["kind"]) == (1, "discontinued")
    # Without a name it is the newest log that has begun.
    assert shell.json("sequence")[1]["log"] == log


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("sequence", "--log", "nowhere"), 2, "a region and an epoch"),
        (("sequence", "--log", "eu-west-3-1"), 2, "accepted is a log of"),
        (("sequence", "--log", "eu-central-1-9"), 2, "the trust root names"),
        (("open-epoch", "eu-central-1-2", "--after", "eu-west-1-9"), 2, "--after"),
        (("witness", "--fingerprint", "abc"), 2, "64 hexadecimal digits"),
        (("verify", "--region", "mars-1"), 2, "--region"),
        (("verify", "--fingerprint", "0" * 64), 1, "fingerprint"),
        (("verify",), 1, "there is no log"),
        (("show", "xyz"), 2, "64 hexadecimal digits"),
    ],
)
def test_a_mistake_is_told_in_one_message(shell: Shell, arguments: tuple[str, ...], code: int, says: str) -> None:
    shell.replicate()
    found, text = shell.run(*arguments)
    assert (found, says in text) == (code, True), text
    assert "Traceback" not in text


def test_a_watch_goes_on_after_an_outside_failure_and_ends_when_it_is_refused(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("interlock.cli.ledger.time.sleep", slept.append)
    runs = iter([Incomplete("not yet"), None, LedgerRefused([LedgerFault(FaultKind.FORKED, "another", "here")])])
    sequence = Sequencer.sequence

    def one(self: Sequencer, now: datetime, **options: Any) -> Appended:
        failure = next(runs)
        if failure is not None:
            raise failure
        return sequence(self, now, **options)

    monkeypatch.setattr(Sequencer, "sequence", one)
    code, text = shell.run("sequence", "--watch", "30")
    assert (code, slept) == (1, [30.0, 30.0])
    assert "not yet" in text
    assert "appended" in text
    assert "forked" in text
