"""The outside judges: OpenSSF's `model_signing`, in-toto's own reader, and securesystemslib's DSSE."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from securesystemslib.dsse import Envelope
from securesystemslib.signer import SSlibKey  # type: ignore[attr-defined]

from interlock.release.evidence import Outcome
from interlock.release.manifest import manifest_of
from interlock.release.model_signature import is_of, sign_model
from interlock.release.test_result import result_of
from policy.outside import outside_tools
from rehearsal.setup.progress import Progress
from tests.interlock.release.audit.test_test_results import CASES, evidence
from tests.interlock.release.audit.world import SIGNERS, World, released
from tests.interlock.release.memory import LocalSigner

LOCK = Path(__file__).resolve().parents[3] / "policy" / "model_signing" / "requirements.lock"
READER = """
import json, sys
from google.protobuf import json_format
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement
for payload in json.load(sys.stdin):
    found = json_format.Parse(payload, statement_pb2.Statement())
    Statement.copy_from_pb(found).validate()
    print(found.predicate_type, found.subject[0].digest["sha256"])
"""

# Fields that the format does not know are refused by this reader.
TEST_RESULT_READER = """
import json, sys
from google.protobuf import json_format
from in_toto_attestation.predicates.test_result.v0 import test_result_pb2
from in_toto_attestation.v1.resource_descriptor import ResourceDescriptor
for payload in json.load(sys.stdin):
    found = json_format.Parse(payload, test_result_pb2.TestResult())
    for one in found.configuration:
        ResourceDescriptor.copy_from_pb(one).validate()
    lists = (found.configuration, found.passed_tests, found.warned_tests, found.failed_tests)
    print(found.result, *map(len, lists))
"""
RELEASED = released()


@pytest.fixture(scope="module")
def tools() -> Path:
    return outside_tools("model-signing", LOCK, Progress())


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    (folder / "data" / "deep").mkdir(parents=True)
    for name, content in (("MLmodel", b"flavors"), ("data/deep/w.bin", bytes(999)), ("Zed", b"2"), ("a b.txt", b"")):
        (folder / name).write_bytes(content)
    return folder


def judged(tools: Path, model: Path, bundle: bytes, key: LocalSigner) -> bool:
    signature, public = model.parent / "model.sig", model.parent / "key.pem"
    signature.write_bytes(bundle)
    public.write_text(key.public_key.pem)
    given = ["verify", "key", str(model), "--signature", str(signature), "--public_key", str(public)]
    done = subprocess.run([str(tools / "model_signing"), *given], capture_output=True, text=True)
    assert (done.returncode == 0) is ("Verification succeeded" in done.stdout), done.stdout + done.stderr
    return done.returncode == 0


def test_model_signing_accepts_our_bundle_and_refuses_a_changed_model(tools: Path, model: Path) -> None:
    key = SIGNERS["builder"]
    bundle = sign_model(manifest_of(model), key, key.public_key)
    assert judged(tools, model, bundle, key)
    assert not judged(tools, model, bundle, SIGNERS["deployer"])
    for change in changes(model):
        shutil.copytree(model, model.parent / "kept")
        change()
        assert not judged(tools, model, bundle, key), change.__name__
        shutil.rmtree(model)
        (model.parent / "kept").rename(model)


def changes(model: Path) -> Iterator[Callable[[], None]]:
    def flip() -> None:
        (model / "data/deep/w.bin").write_bytes(bytes(998) + b"\x01")

    def add() -> None:
        (model / "evil.py").write_bytes(b"import os")

    def remove() -> None:
        (model / "Zed").unlink()

    def rename() -> None:
        (model / "Zed").rename(model / "Zee")

    yield from (flip, add, remove, rename)


def test_signing_again_is_seen_to_be_needless(model: Path) -> None:
    key, manifest = SIGNERS["builder"], manifest_of(model)
    bundle = sign_model(manifest, key, key.public_key)
    assert is_of(bundle, manifest, key.public_key)
    assert not is_of(bundle, manifest, SIGNERS["deployer"].public_key)
    (model / "Zed").write_bytes(b"3")
    assert not is_of(bundle, manifest_of(model), key.public_key)
    assert not is_of(b"{}", manifest, key.public_key)
    assert not is_of(b"no json", manifest, key.public_key)


def envelopes(world: World) -> list[bytes]:
    return [found[0][1] for key, found in sorted(world.vault.objects.items()) if key.endswith(".dsse.json")]


def test_an_in_toto_reader_takes_every_statement_of_a_record(tools: Path) -> None:
    world = released()
    payloads = [json.loads(one) for one in envelopes(world)]
    texts = [Envelope.from_dict(one).payload.decode() for one in payloads]
    done = subprocess.run(
        [tools / "python", "-c", READER], input=json.dumps(texts), capture_output=True, text=True, check=True
    )
    read = [line.split() for line in done.stdout.splitlines()]
    assert [digest for _, digest in read] == [world.digest] * len(texts)
    assert {kind for kind, _ in read} == {json.loads(one)["predicateType"] for one in texts}


def test_an_in_toto_reader_takes_the_test_result_by_its_own_form(tools: Path) -> None:
    outcomes = {Outcome.PASSED: (), Outcome.FAILED: ("one case failed",)}
    said = [
        result_of(evidence(RELEASED, outcome=one, reasons=reasons, details={"cases": list(CASES)}), "3" * 64)
        for one, reasons in outcomes.items()
    ]
    done = subprocess.run(
        [tools / "python", "-c", TEST_RESULT_READER],
        input=json.dumps([json.dumps(one) for one in said]),
        capture_output=True,
        text=True,
        check=True,
    )
    counts = "4 1 0 1"
    assert done.stdout.splitlines() == [f"PASSED {counts}", f"FAILED {counts}"]


def test_securesystemslib_verifies_our_envelopes_and_no_others() -> None:
    world = released()
    keys = [
        SSlibKey(name, "ecdsa", "ecdsa-sha2-nistp256", {"public": signer.public_key.pem})
        for name, signer in SIGNERS.items()
    ]
    for content in envelopes(world):
        envelope = Envelope.from_dict(json.loads(content))
        for name, signature in list(envelope.signatures.items()):
            signature.keyid = name
            key = next(one for one in keys if one.keyid == name)
            assert envelope.verify([key], 1)
            envelope.payload += b" "
            with pytest.raises(Exception, match=r"[Tt]hreshold|[Vv]erif"):
                envelope.verify([key], 1)
