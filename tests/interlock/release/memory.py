"""A vault in memory and a key on disk: what the tests of a room without network work with."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from interlock.release.digests import Sha256
from interlock.release.signing import EcdsaSignature, PublicKey
from interlock.release.vault import Lock, ObjectVersion, Overwritten, StoredObject


class LocalSigner:
    """Signs with a key of its own."""

    def __init__(self, key_id: str = "builder") -> None:
        self.key_id = key_id
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.public_key = PublicKey(self._key.public_key())
        self.signatures = 0

    def sign(self, digest: Sha256) -> EcdsaSignature:
        self.signatures += 1
        return EcdsaSignature(self._key.sign(digest, ec.ECDSA(utils.Prehashed(hashes.SHA256()))))


class MemoryVault:
    """Both halves of a vault. What S3 would refuse can be done to it by hand, to see whether a reader notices."""

    def __init__(self) -> None:
        self.objects: dict[str, list[tuple[str, bytes]]] = {}
        self.markers: set[str] = set()
        self.until: datetime | None = datetime(2030, 1, 1, tzinfo=UTC)
        self.mode = "COMPLIANCE"
        self.writes_left = 10_000
        self.written: dict[str, datetime] = {}
        """When it says that a key, or a version, was written, where it says so."""

    def put(self, key: str, content: bytes | Path, sha256: str) -> StoredObject:
        body = content if isinstance(content, bytes) else content.read_bytes()
        assert hashlib.sha256(body).hexdigest() == sha256
        if key in self.objects:
            if self.objects[key][-1][1] != body:
                raise Overwritten(key)
        elif self.writes_left == 0:
            raise ConnectionError("the writer was killed")
        else:
            self.writes_left -= 1
            self.add_version(key, body)
        return self.describe(key, self.objects[key][-1][0])

    def put_again(self, key: str, content: bytes | Path, sha256: str) -> StoredObject:
        body = content if isinstance(content, bytes) else content.read_bytes()
        assert hashlib.sha256(body).hexdigest() == sha256
        self.add_version(key, body)
        return self.describe(key, self.objects[key][-1][0])

    def add_version(self, key: str, body: bytes) -> None:
        versions = self.objects.setdefault(key, [])
        versions.append((f"{key}#{len(versions)}", body))

    def versions(self, prefix: str) -> Iterator[ObjectVersion]:
        for key in sorted(self.objects):
            if key.startswith(prefix):
                for version_id, _ in self.objects[key]:
                    latest = version_id == self.objects[key][-1][0]
                    written = self.written.get(version_id, self.written.get(key))
                    yield ObjectVersion(key, version_id, is_latest=latest, written_at=written)
                if key in self.markers:
                    yield ObjectVersion(key, "marker", is_latest=True, is_delete_marker=True)

    def read(self, key: str, version_id: str) -> bytes:
        return dict(self.objects[key])[version_id]

    def download(self, key: str, version_id: str, file: Path) -> None:
        with file.open("xb") as opened:
            opened.write(self.read(key, version_id))

    def describe(self, key: str, version_id: str) -> StoredObject:
        body = self.read(key, version_id)
        return StoredObject(key, version_id, len(body), hashlib.sha256(body).hexdigest())

    def lock(self, key: str, version_id: str) -> Lock | None:
        return Lock(self.mode, self.until) if self.until else None
