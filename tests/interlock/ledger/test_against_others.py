"""Outside judges: sigstore reads our checkpoints and proofs, and the reference log's published values are ours."""

from __future__ import annotations

import base64
import json
import random
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

from interlock.ledger.checkpoint import Checkpoint
from interlock.ledger.merkle import ProofRefused, Tree, leaf_hash, verify_consistency, verify_inclusion
from interlock.release.digests import Sha256
from interlock.release.trust.document import KeyDuty
from policy.outside import outside_tools
from rehearsal.setup.progress import Progress
from tests.interlock.ledger.logs import KEYS, MINUTE, ORIGIN, START, cosigned, signed

LOCK = Path(__file__).resolve().parents[3] / "policy/model_signing/requirements.lock"

REFERENCE_ENTRIES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
REFERENCE_ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
REFERENCE_INCLUSIONS = {
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
}
REFERENCE_CONSISTENCIES = {
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
    (6, 7): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
}
"""Values of the tests of Certificate Transparency's reference log: github.com/transparency-dev/merkle (Apache 2.0)."""


def text(content: bytes) -> str:
    return base64.b64encode(content).decode()


def judged(proofs: list[dict[str, Any]], checkpoints: list[bytes]) -> dict[str, Any]:
    """What sigstore says, in an environment of its own."""
    key = serialization.load_pem_public_key(KEYS[KeyDuty.LOG].public_key.pem.encode())
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    asked = {"key": text(der), "proofs": proofs, "checkpoints": [one.decode() for one in checkpoints]}
    python = outside_tools("model-signing", LOCK, Progress()) / "python"
    judge = Path(__file__).with_name("sigstore_judge.py")
    answer = subprocess.run(
        [str(python), "-I", str(judge)], input=json.dumps(asked), capture_output=True, text=True, check=True
    )
    said: dict[str, Any] = json.loads(answer.stdout)
    return said


def test_sigstore_accepts_and_refuses_the_proofs_that_we_do() -> None:
    entries = [f"entry {number}".encode() for number in range(300)]
    tree, chance = Tree(entries), random.Random(6962)
    proofs, ours = [], []
    for size in [*range(1, 34), 255, 256, 257, 300]:
        for index in {0, size - 1, chance.randrange(size)}:
            honest = tree.inclusion(index, size)
            place = chance.randrange(size)
            asked = [
                (index, index, honest),
                (place, index, honest),
                (index, place, honest[::-1]),
                (index, index, honest[1:]),
            ]
            for leaf, at, steps in asked:
                proofs.append(
                    {
                        "leaf": text(entries[leaf]),
                        "index": at,
                        "size": size,
                        "root": text(tree.root(size)),
                        "hashes": [text(step) for step in steps],
                    }
                )
                try:
                    verify_inclusion(leaf_hash(entries[leaf]), at, size, steps, tree.root(size))
                    ours.append(True)
                except ProofRefused:
                    ours.append(False)
    assert judged(proofs, [])["proofs"] == ours
    assert {True, False} == set(ours)


def test_sigstore_reads_our_checkpoints_with_a_witness_and_without_and_refuses_others() -> None:
    checkpoint = Checkpoint(ORIGIN, 42, Sha256(bytes(range(32))), 7, START)
    note = signed(checkpoint)
    witnessed = cosigned(note, START + MINUTE)
    forged = witnessed.replace(b"\n42\n", b"\n43\n")
    foreign = signed(checkpoint, KEYS[KeyDuty.BUILDER]).note.content
    said = [ORIGIN, 42, bytes(range(32)).hex()]
    assert judged([], [note.note.content, witnessed, forged, foreign])["checkpoints"] == [said, said, None, None]


@pytest.mark.parametrize("size", range(9))
def test_the_reference_logs_roots_are_ours(size: int) -> None:
    assert reference().root(size).hex() == REFERENCE_ROOTS[size]


def test_the_reference_logs_proofs_are_ours() -> None:
    tree = reference()
    for (index, size), path in REFERENCE_INCLUSIONS.items():
        assert [step.hex() for step in tree.inclusion(index, size)] == path
        verify_inclusion(tree.leaf(index), index, size, [bytes.fromhex(one) for one in path], tree.root(size))
    for (old, new), path in REFERENCE_CONSISTENCIES.items():
        assert [step.hex() for step in tree.consistency(old, new)] == path
        verify_consistency(old, new, [bytes.fromhex(one) for one in path], tree.root(old), tree.root(new))


def reference() -> Tree:
    return Tree(bytes.fromhex(entry) for entry in REFERENCE_ENTRIES)
