"""The signature of OpenSSF's model-signing over a release's files, for those who check models with that tool.

Nothing of ours relies on it: its digest leaves out the names of files. Format: the predicate `signature/v1.0` of
https://github.com/ossf/model-signing-spec in a Sigstore bundle v0.3 with a public key
(https://github.com/sigstore/protobuf-specs, sigstore_bundle.proto).
"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any, Final

from interlock.release.digests import canonical_json
from interlock.release.envelope import read_sealed, sign_payload
from interlock.release.manifest import Manifest
from interlock.release.signing import PublicKey, Signer
from interlock.release.statement import PAYLOAD_TYPE

MEDIA_TYPE: Final = "application/vnd.dev.sigstore.bundle.v0.3+json"
PREDICATE: Final = "https://model_signing/signature/v1.0"


def sign_model(manifest: Manifest, signer: Signer, public_key: PublicKey) -> bytes:
    """Return the bundle over the files of `manifest`, signed by `signer`, whose public half is `public_key`."""
    payload = canonical_json(_statement(manifest))
    signature = sign_payload(PAYLOAD_TYPE, payload, signer)
    return canonical_json(
        {
            "mediaType": MEDIA_TYPE,
            "verificationMaterial": {
                # The tool looks for a key by the digest of its PEM.
                "publicKey": {"hint": hashlib.sha256(public_key.pem.encode()).hexdigest()},
                "tlogEntries": [],
            },
            "dsseEnvelope": {
                "payload": base64.b64encode(payload).decode(),
                "payloadType": PAYLOAD_TYPE,
                "signatures": [{"sig": signature.sig, "keyid": ""}],
            },
        }
    )


def _statement(manifest: Manifest) -> dict[str, Any]:
    root = hashlib.sha256(b"".join(bytes.fromhex(file.sha256) for file in manifest.files)).hexdigest()
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": manifest.subject_digest, "digest": {"sha256": root}}],
        "predicateType": PREDICATE,
        "predicate": {
            # Nothing is left out: what the tool ignores by default, such as .git, could hold code.
            "serialization": {
                "method": "files", "hash_type": "sha256", "allow_symlinks": False, "ignore_paths": [],
            },
            "resources": [
                {"name": file.path, "algorithm": "sha256", "digest": file.sha256} for file in manifest.files
            ],
        },
    }  # fmt: skip


def is_of(bundle: bytes, manifest: Manifest, public_key: PublicKey) -> bool:
    """Say whether `bundle` is the signature of `public_key`'s owner over the files of `manifest` already."""
    try:
        envelope = json.loads(bundle)["dsseEnvelope"]
        sealed = read_sealed(canonical_json(envelope))
    except (ValueError, KeyError, TypeError):
        return False
    same = sealed.payload_type == PAYLOAD_TYPE and sealed.payload == canonical_json(_statement(manifest))
    return same and bool(sealed.signers({"signer": public_key}))
