"""Where the versions of the trust root and the policies that they name lie in the vault, for everybody who reads it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from interlock.release.digests import sha256
from interlock.release.tiers import InvalidPolicy, TiersPolicy, parse_policy
from interlock.release.trust.chain import read_signed
from interlock.release.vault import Overwritten, StoredObject, VaultReader, VaultWriter, version_of

TRUST: Final = "trust/"
POLICIES: Final = f"{TRUST}policies/"

_ROOT: Final = re.compile(rf"{TRUST}([1-9]\d{{0,8}})\.root\.json")


class Unpublished(ValueError):
    """What a reader needs does not lie in the vault, or is not what it should be."""


def root_key(version: int) -> str:
    """Return where a version of the trust root lies."""
    return f"{TRUST}{version}.root.json"


def policy_key(digest: str) -> str:
    """Return where the policy with a digest lies: its canonical JSON, whose SHA-256 the digest is."""
    return f"{POLICIES}{digest}.json"


def read_roots(reader: VaultReader) -> list[bytes]:
    """Return the published versions of the root, oldest first; nothing is believed before `verify_chain` has.

    Raises Unpublished if there is none, one is missing in between, or a key was written twice.
    """
    found: dict[int, str] = {}
    for version in reader.versions(TRUST):
        match = _ROOT.fullmatch(version.key)
        if match is not None and found.setdefault(int(match[1]), version.version_id) != version.version_id:
            raise Unpublished(f"{version.key} has several versions, and one is all that anybody may write")
    numbers = sorted(found)
    if not numbers:
        raise Unpublished(f"the vault holds no trust root under {TRUST}")
    if numbers != list(range(1, len(numbers) + 1)):
        raise Unpublished(f"the vault holds the versions {numbers} of the root, and a chain has no gap")
    return [reader.read(root_key(number), found[number]) for number in numbers]


def read_policy(reader: VaultReader, digest: str) -> TiersPolicy:
    """Return the published policy with a digest, which its bytes must have. Raises Unpublished."""
    key = policy_key(digest)
    found = version_of(reader, key)
    if found is None:
        raise Unpublished(f"the vault holds no policy {digest} ({key})")
    content = reader.read(key, found)
    if sha256(content).hex() != digest:
        raise Unpublished(f"{key} holds bytes with SHA-256 {sha256(content).hex()}")
    try:
        return parse_policy(content)
    except InvalidPolicy as error:
        raise Unpublished(f"{key} is no policy: {error}") from error


def publish(
    roots: Sequence[bytes], policies: Sequence[TiersPolicy], *, writer: VaultWriter, reader: VaultReader
) -> list[StoredObject]:
    """Put policies, and then the versions of the root that name them, into the vault; return what lies there.

    A version that is there already, signed by other people of the threshold, stays as it is. Raises Overwritten if
    another document lies in a version's place.
    """
    stored = [writer.put(policy_key(one.digest), one.content, one.digest) for one in policies]
    for content in roots:
        signed = read_signed(content)
        key = root_key(signed.root.version)
        there = version_of(reader, key)
        if there is None:
            stored.append(writer.put(key, content, sha256(content).hex()))
            continue
        if read_signed(reader.read(key, there)).fingerprint != signed.fingerprint:
            raise Overwritten(f"{key} holds another version {signed.root.version} of the root already")
        stored.append(reader.describe(key, there))
    return stored
