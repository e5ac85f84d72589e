"""Approvers at their terminals: a release in memory, keys in a KMS of the test's own, and writes that can be killed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError
from cryptography.hazmat.primitives import serialization

from interlock.release.digests import Sha256
from interlock.release.vault import Lock, StoredObject
from tests.interlock.release.memory import MemoryVault
from tests.interlock.release.trust.people import DAY, NOW
from tests.interlock.release.verification.world import HOUR, KEYS, PEOPLE, World, shown_world

READING_AT = NOW + 2 * HOUR


class Killed(BaseException):
    """The process is gone; nothing of the code under test may catch it."""


class KillableVault(MemoryVault):
    """Objects with locks of their own; the `left`th write from now on kills the writer, before or after it arrived."""

    def __init__(self) -> None:
        super().__init__()
        self.locks: dict[str, datetime] = {}
        self.left: int | None = None
        self.arrives = False
        self.puts = 0

    def _write(self) -> bool:
        """Count a write; say whether it arrives although its writer dies."""
        self.puts += 1
        if self.left is None:
            return False
        self.left -= 1
        if self.left == 0 and not self.arrives:
            raise Killed
        return self.left == 0

    def put(self, key: str, content: bytes | Path, sha256: str) -> StoredObject:
        dies = self._write()
        stored = super().put(key, content, sha256)
        if dies:
            raise Killed
        return stored

    def lock(self, key: str, version_id: str) -> Lock | None:
        return Lock("COMPLIANCE", self.locks.get(key, NOW + 30 * DAY))

    def put_object_retention(self, *, Bucket: str, Key: str, VersionId: str, Retention: dict[str, Any]) -> None:
        dies = self._write()
        assert (Bucket, Retention["Mode"]) == ("vault", "COMPLIANCE")
        if self.locks.get(Key, NOW) > Retention["RetainUntilDate"]:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "shortens"}}, "PutObjectRetention")
        self.locks[Key] = Retention["RetainUntilDate"]
        assert VersionId == self.objects[Key][-1][0]
        if dies:
            raise Killed

    def get_object_retention(self, *, Bucket: str, Key: str, VersionId: str) -> dict[str, Any]:
        assert (Bucket, VersionId) == ("vault", self.objects[Key][-1][0])
        return {"Retention": {"Mode": "COMPLIANCE", "RetainUntilDate": self.locks.get(Key, NOW + 30 * DAY)}}


class Kms:
    """Signs with whichever key an ARN names."""

    def sign(self, *, KeyId: str, Message: bytes, **_: Any) -> dict[str, bytes]:
        return {"Signature": KEYS[KeyId].sign(Sha256(Message))}

    def get_public_key(self, *, KeyId: str) -> dict[str, bytes]:
        public = serialization.load_pem_public_key(KEYS[KeyId].public_key().pem.encode())
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return {"PublicKey": public.public_bytes(serialization.Encoding.DER, form)}


@dataclass
class Desk:
    """A release that shows all that is demanded, and the clients of whoever sits there."""

    person: str = "approver-1"
    world: World = field(default_factory=lambda: shown_world(vault=KillableVault()))

    def __post_init__(self) -> None:
        self.vault.puts = 0

    @property
    def vault(self) -> KillableVault:
        assert isinstance(self.world.vault, KillableVault)
        return self.world.vault

    @property
    def clients(self) -> Any:
        keys = {name: SimpleNamespace(source_identity=name, key_arn=name, alias=name) for name in PEOPLE}
        keys["stranger"] = SimpleNamespace(source_identity="stranger", key_arn="stranger", alias="stranger")
        return SimpleNamespace(
            vault_reader=self.vault,
            vault_writer=self.vault,
            s3=self.vault,
            kms=Kms(),
            session_name=lambda: self.person,
            manifest=SimpleNamespace(
                environment="prod", approver_keys=keys, vault=SimpleNamespace(bucket_name="vault")
            ),
        )

    @property
    def statements(self) -> list[str]:
        return [key for key in self.vault.objects if key.endswith(".dsse.json")]
