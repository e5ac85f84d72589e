"""The ledger's image: its entry point at Lambda's runtime API, with the library's code on the local cloud."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from interlock.aws.ledger import S3LedgerStorage
from interlock.aws.ledger_function import Settings
from interlock.aws.vault import S3VaultWriter
from interlock.duties.duty import SigningDuty
from interlock.failures import BadInput
from interlock.ledger.ledger import open_all
from interlock.release.digests import sha256
from interlock.release.trust.document import TrustRoot
from rehearsal.cloud import dockerfile
from rehearsal.cloud.server import LocalCloud
from tests.interlock.conftest import new_vault
from tests.interlock.ledger.memory import made_statement
from tests.interlock.ledger.published import ledger_keys, signed_root

IMAGE = Path(__file__).resolve().parents[2] / "images" / "ledger"
WAIT_SECONDS = 60


@dataclass
class Runtime:
    """Lambda's runtime API for one function: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html"""

    address: str
    events: queue.Queue[Any]
    answers: queue.Queue[tuple[str, Any]]

    def invoke(self, event: Any) -> tuple[str, Any]:
        """Return `response` and what the function returned, or `error` and what it raised."""
        self.events.put(event)
        return self.answers.get(timeout=WAIT_SECONDS)


@contextmanager
def runtime() -> Iterator[Runtime]:
    events: queue.Queue[Any] = queue.Queue()
    answers: queue.Queue[tuple[str, Any]] = queue.Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            event = events.get()
            if event is None:
                return
            content = json.dumps(event).encode()
            self.send_response(200)
            self.send_header("Lambda-Runtime-Aws-Request-Id", "1")
            self.send_header("Lambda-Runtime-Deadline-Ms", "9999999999999")
            self.send_header("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:::function:ledger")
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def do_POST(self) -> None:
            said = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"null")
            self.send_response(202)
            self.send_header("Content-Length", "0")
            self.end_headers()
            answers.put((self.path.rpartition("/")[2], said))

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield Runtime(f"127.0.0.1:{server.server_address[1]}", events, answers)
    finally:
        events.put(None)
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class Ledger:
    """A vault with a published root, and what its functions are told."""

    cloud: LocalCloud
    fingerprint: Path
    bucket: str
    root: TrustRoot
    keys: dict[SigningDuty, str]

    @property
    def log(self) -> str:
        return f"{self.cloud.context.region}-1"

    def environment(self, duty: str, log: str | None = None) -> dict[str, str]:
        key = SigningDuty.WITNESS if duty == "witness" else SigningDuty.LOG
        return {
            "LEDGER_DUTY": duty,
            "LEDGER_LOG": log or self.log,
            "LEDGER_BUCKET": self.bucket,
            "LEDGER_KEY_ARN": self.keys[key],
        }

    @contextmanager
    def running(self, duty: str, log: str | None = None) -> Iterator[Runtime]:
        """Run what the Dockerfile says, with the interpreter of the tests."""
        with runtime() as api:
            environment = {
                "PATH": os.environ["PATH"],
                "AWS_ENDPOINT_URL": self.cloud.endpoint_url,
                "AWS_ACCESS_KEY_ID": "test",
                "AWS_SECRET_ACCESS_KEY": "test",
                "AWS_REGION": self.cloud.context.region,
                "AWS_DEFAULT_REGION": self.cloud.context.region,
                "AWS_LAMBDA_RUNTIME_API": api.address,
                "NO_PROXY": "127.0.0.1",
                # Whoever sets these gains nothing in an isolated interpreter.
                "PYTHONPATH": "/nowhere",
                **self.environment(duty, log),
            }
            image = dockerfile.read(IMAGE / "Dockerfile")
            places = {place: str(origin) for place, origin in image.files.items()}
            places["/opt/ledger/trust-root.fingerprint"] = str(self.fingerprint)
            words = [places.get(word, word) for word in (*image.entry_point, *image.command)]
            command = [sys.executable, *words[1:]]
            process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                yield api
            finally:
                process.kill()
                process.wait()

    def add(self, number: int) -> None:
        key, content, _ = made_statement(number, "release")
        S3VaultWriter(self.cloud.client("s3"), self.bucket).put(key, content, sha256(content).hex())


@pytest.fixture
def ledger(cloud: LocalCloud, tmp_path: Path) -> Ledger:
    keys, bucket, region = ledger_keys(cloud), new_vault(cloud), cloud.context.region
    root, envelope = signed_root(cloud, keys, [f"{region}-1", "eu-central-1-2"])
    S3VaultWriter(cloud.client("s3"), bucket).put("trust/1.root.json", envelope, sha256(envelope).hex())
    fingerprint = tmp_path / "trust-root.fingerprint"
    fingerprint.write_text(f"{root.fingerprint}\n")
    return Ledger(cloud, fingerprint, bucket, root, keys)


def test_the_sequencers_function_appends_and_the_witnesss_co_signs(ledger: Ledger) -> None:
    with ledger.running("sequencer") as sequencer:
        assert sequencer.invoke({})[1]["size"] == 1
        ledger.add(1)
        kind, done = sequencer.invoke({"source": "aws.scheduler"})
        assert (kind, done["size"], done["appended"]) == ("response", 2, 1)
        kind, refused = sequencer.invoke({"operation": "sign this"})
        assert kind == "error"
        assert "operation: received 'sign this'" in refused["errorMessage"]
        with ledger.running("witness") as witness:
            kind, seen = witness.invoke({})
            assert (kind, seen["size"], seen["new"]) == ("response", 2, True)
    storage = S3LedgerStorage(ledger.cloud.client("s3"), ledger.bucket)
    (view,) = open_all(storage, ledger.root, remembered={}).logs
    assert (view.size, view.witnessed) == (2, True)


@pytest.mark.parametrize("built_in", ["none", "", "abc"])
def test_an_image_without_the_roots_fingerprint_does_nothing_and_says_so(ledger: Ledger, built_in: str) -> None:
    ledger.fingerprint.write_text(built_in)
    with ledger.running("sequencer") as sequencer:
        kind, refused = sequencer.invoke({})
    assert kind == "error"
    assert "without the fingerprint of a trust root" in refused["errorMessage"]
    assert S3LedgerStorage(ledger.cloud.client("s3"), ledger.bucket).names("ledger/") == []


def test_a_variable_of_the_environment_is_no_trust(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger.fingerprint.write_text("f" * 64)
    named = {**ledger.environment("sequencer"), "INTERLOCK_ROOT_FINGERPRINT": ledger.root.fingerprint}
    monkeypatch.setattr(ledger, "environment", lambda *_: named)
    with ledger.running("sequencer") as sequencer:
        kind, refused = sequencer.invoke({})
    assert kind == "error"
    assert "the trust root is not to be believed" in refused["errorMessage"]


def test_the_function_of_a_later_epoch_waits_until_it_is_opened(ledger: Ledger) -> None:
    with ledger.running("sequencer") as sequencer, ledger.running("witness") as witness:
        sequencer.invoke({})
        witness.invoke({})
    with ledger.running("sequencer", "eu-central-1-2") as later:
        assert later.invoke({}) == ("response", {"log": "eu-central-1-2", "waiting": ["it has not been opened"]})
        kind, opened = later.invoke({"operation": "open-epoch"})
        assert (kind, opened["number"]) == ("response", 0)
        assert later.invoke({})[1]["size"] == opened["size"]
    with ledger.running("sequencer") as before:
        kind, refused = before.invoke({})
        assert kind == "error"
        assert "it has ended" in refused["errorMessage"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LEDGER_DUTY", "approver"),
        ("LEDGER_LOG", "here"),
        ("LEDGER_BUCKET", ""),
        ("LEDGER_KEY_ARN", ""),
        ("LEDGER_RENEW_HOURS", "soon"),
        ("LEDGER_RENEW_HOURS", "nan"),
    ],
)
def test_a_function_with_a_wrong_variable_says_which(name: str, value: str) -> None:
    environment = {
        "LEDGER_DUTY": "witness",
        "LEDGER_LOG": "eu-west-1-1",
        "LEDGER_BUCKET": "vault",
        "LEDGER_KEY_ARN": "arn:aws:kms:eu-west-1:111122223333:key/1",
    }
    assert Settings.of(environment).log == "eu-west-1-1"
    with pytest.raises(BadInput, match=name):
        Settings.of({**environment, name: value})
