"""Run in an environment with sigstore: says of each proof and checkpoint on its input whether sigstore accepts it.

Input and output are JSON: {"key": base64 of a DER SPKI, "checkpoints": [text], "proofs": [{"leaf": base64, "index",
"size", "root": base64, "hashes": [base64]}]}, and the same lists of verdicts; a checkpoint's is what it says, or null.
"""

from __future__ import annotations

import base64
import hashlib
import json
import sys
from importlib import import_module
from types import SimpleNamespace
from typing import Any


def main() -> None:
    merkle = import_module("sigstore._internal.merkle")
    checkpoint = import_module("sigstore._internal.rekor.checkpoint")
    trust = import_module("sigstore._internal.trust")
    common = import_module("sigstore_models.common.v1")
    refused = import_module("sigstore.errors").VerificationError

    asked = json.load(sys.stdin)
    der = base64.b64decode(asked["key"])
    details = common.PublicKeyDetails.PKIX_ECDSA_P256_SHA_256
    keyring = trust.Keyring([common.PublicKey(raw_bytes=base64.b64encode(der), key_details=details)])

    def included(proof: dict[str, Any]) -> bool:
        inner = SimpleNamespace(
            canonicalized_body=base64.b64decode(proof["leaf"]),
            inclusion_proof=SimpleNamespace(
                log_index=proof["index"],
                tree_size=proof["size"],
                root_hash=base64.b64decode(proof["root"]),
                hashes=[base64.b64decode(one) for one in proof["hashes"]],
            ),
        )
        try:
            merkle.verify_merkle_inclusion(SimpleNamespace(_inner=inner))
        except refused:
            return False
        return True

    def read(text: str) -> list[Any] | None:
        try:
            signed = checkpoint.SignedCheckpoint.from_text(text)
            signed.signed_note.verify(SimpleNamespace(verify=keyring.verify), hashlib.sha256(der).digest())
        except refused:
            return None
        return [signed.checkpoint.origin, signed.checkpoint.log_size, signed.checkpoint.log_hash]

    answer = {
        "proofs": [included(one) for one in asked["proofs"]],
        "checkpoints": [read(one) for one in asked["checkpoints"]],
    }
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
