"""A release as it travelled into the container: copied, each byte hashed as it is copied, and verified from the copy.

What was verified is then what is loaded: nobody else can write to the copy, and nothing else is ever read.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from interlock.release.predicates import APPROVALS, DECISIONS
from interlock.release.record import gather
from interlock.release.trust.chain import RootRefused
from interlock.release.trust.published import TRUST
from interlock.release.vault import Lock, ObjectVersion, StoredObject, files_prefix, release_prefix
from interlock.release.verification.judging import load
from interlock.release.verification.reason import Reason, ReasonCode
from interlock.release.verification.trust import read_trust

_CHUNK_BYTES: Final = 1024**2


class NotLoaded(Exception):
    """A release that is not to be loaded; `reasons` says why."""

    def __init__(self, digest: str, reasons: Sequence[Reason]) -> None:
        self.digest, self.reasons = digest, tuple(reasons)
        super().__init__("\n".join(f"[{one.code.value}] {one}" for one in reasons))


@dataclass
class PrivateCopy:
    """A copy of what travelled, read as a vault is: without versions and locks."""

    folder: Path
    """Nobody's but this process's; files lie in it under their keys of the vault."""
    stored: dict[str, StoredObject] = field(default_factory=dict)
    """By key: size and digest of the bytes as they were copied."""

    def take(self, prefix: str, source: Path) -> list[Reason]:
        """Copy what lies below `source` as what lies under `prefix`; return what is no regular file there."""
        found, reasons = [], []
        for path, mode in _entries(source, ""):
            key = f"{prefix}{path}"
            if stat.S_ISREG(mode):
                found.append((key, source / path))
            else:
                text = f"{key} is no regular file, and a release holds nothing else"
                reasons.append(Reason(ReasonCode.NOT_A_REGULAR_FILE, text, key))
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for stored in pool.map(lambda one: self._copy(*one), found):
                self.stored[stored.key] = stored
        return reasons

    def _copy(self, key: str, source: Path) -> StoredObject:
        target = self.folder / key
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        digest, size = hashlib.sha256(), 0
        # The source may change while it is read: what counts is what arrives here.
        with (
            open(os.open(source, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file,
            open(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400), "wb") as copy,
        ):
            while chunk := file.read(_CHUNK_BYTES):
                digest.update(chunk)
                copy.write(chunk)
                size += len(chunk)
        return StoredObject(key, "", size, digest.hexdigest())

    def versions(self, prefix: str) -> Iterator[ObjectVersion]:
        """Yield the one version that each object under `prefix` has."""
        for key in sorted(self.stored):
            if key.startswith(prefix):
                yield ObjectVersion(key, "", is_latest=True)

    def read(self, key: str, version_id: str) -> bytes:
        """Return a copied file's bytes. Raises OSError."""
        del version_id
        return (self.folder / key).read_bytes()

    def describe(self, key: str, version_id: str) -> StoredObject:
        """Return what was copied, as it was hashed then."""
        del version_id
        return self.stored[key]

    def lock(self, key: str, version_id: str) -> Lock | None:
        """Return None: nothing holds a file."""
        del key, version_id
        return None


def take_in(model: Path, record: Path, private: Path, *, digest: str, fingerprint: str, environment: str) -> Path:
    """Return the folder with the files of the release `digest`, verified from `fingerprint` on (profile *load*).

    Only a release that a deployer admitted to `environment` is taken in.

    `model` is what lies under the release's own prefix in the vault; `record` holds the folders `approvals` and
    `decisions`, of what others said of it, and `trust`, the versions of the trust root and the policies. `private` is
    an empty folder of this process. Raises NotLoaded with every reason, OSError.
    """
    copy = PrivateCopy(private)
    sources: Mapping[str, Path] = {
        release_prefix(digest): model,
        f"{APPROVALS}{digest}/": record / "approvals",
        f"{DECISIONS}{digest}/": record / "decisions",
        TRUST: record / "trust",
    }
    reasons = [reason for prefix, source in sources.items() for reason in copy.take(prefix, source)]
    try:
        trust = read_trust(copy, fingerprint, now=None)
    except RootRefused as refused:
        code = ReasonCode.ROOT_REFUSED if any(True for _ in copy.versions(TRUST)) else ReasonCode.ROOT_MISSING
        raise NotLoaded(digest, [Reason(code, one, TRUST) for one in refused.reasons]) from refused
    verdict = load(gather(copy, digest, trust.public_keys()), copy, trust, environment=environment)
    if reasons or not verdict.verifies:
        raise NotLoaded(digest, [*reasons, *verdict.reasons])
    return private / files_prefix(digest)


def _entries(folder: Path, prefix: str) -> Iterator[tuple[str, int]]:
    """Yield every path below `folder` that is no folder, with its mode; links are not followed."""
    if not folder.is_dir():
        return
    with os.scandir(folder) as found:
        for entry in found:
            mode = entry.stat(follow_symlinks=False).st_mode
            if stat.S_ISDIR(mode):
                yield from _entries(Path(entry.path), f"{prefix}{entry.name}/")
            else:
                yield f"{prefix}{entry.name}", mode
