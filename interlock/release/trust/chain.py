"""Which trust root is believed: a chain from the version whose fingerprint is pinned to the newest."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from interlock.release.digests import sha256
from interlock.release.envelope import InvalidEnvelope, Sealed, read_sealed
from interlock.release.signing import PublicKey
from interlock.release.trust.document import PAYLOAD_TYPE, InvalidRoot, TrustedKey, TrustRoot, parse_root


class RootRefused(ValueError):
    """A root that is not to be believed; `reasons` says why, one line each."""

    def __init__(self, reasons: Sequence[str]) -> None:
        self.reasons = tuple(reasons)
        super().__init__("; ".join(reasons))


@dataclass(frozen=True)
class SignedRoot:
    """A root as signed: not believed yet."""

    root: TrustRoot
    sealed: Sealed

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of the root's bytes, in hexadecimal digits."""
        return sha256(self.sealed.payload).hex()

    def people(self, keys: Mapping[str, TrustedKey]) -> frozenset[str]:
        """Return the people of `keys` who signed it; one who signed with two keys is one person."""
        public = {name: PublicKey.from_pem(key.public_key.encode()) for name, key in keys.items()}
        return frozenset(str(keys[name].person) for name in self.sealed.signers(public))


def read_signed(content: bytes) -> SignedRoot:
    """Return the root in an envelope, whoever signed it. Raises RootRefused if it is none."""
    try:
        sealed = read_sealed(content)
        if sealed.payload_type != PAYLOAD_TYPE:
            raise RootRefused([f"the payload is of type {sealed.payload_type!r}, not {PAYLOAD_TYPE!r}"])
        return SignedRoot(parse_root(sealed.payload), sealed)
    except InvalidEnvelope as error:
        raise RootRefused([f"no signed document: {error}"]) from error
    except InvalidRoot as error:
        raise RootRefused([str(problem) for problem in error.problems]) from error


def verify_chain(contents: Sequence[bytes], fingerprint: str, *, now: datetime | None) -> SignedRoot:
    """Return the newest root of a chain that begins with the one whose fingerprint is known from elsewhere.

    The first is believed because of its fingerprint, and must be signed by a threshold of its own people. Each
    further one must follow it by one version, name its fingerprint, and be signed by a threshold of the people of the
    version before, and of its own. Only the newest must not have expired at `now`; None asks for no such thing, where
    there is no clock to trust.

    Raises RootRefused with every reason found at the first version that is not to be believed.
    Source: TUF specification 1.0, 5.3 "Update the root role".
    """
    if not contents:
        raise RootRefused(["there is no root"])
    signed = [read_signed(content) for content in contents]
    first = signed[0]
    if first.fingerprint != fingerprint:
        raise RootRefused(
            [f"version {first.root.version} has the fingerprint {first.fingerprint}; pinned is {fingerprint}"]
        )
    _demand(_unsigned(first, first.root, "its own"))
    for before, after in itertools.pairwise(signed):
        _demand(_unfit(before, after))
    newest = signed[-1].root
    if now is not None and now >= newest.expires_at:
        raise RootRefused(
            [f"version {newest.version} expired at {newest.expires_at.isoformat()}: sign and publish the next one"]
        )
    return signed[-1]


def _unfit(before: SignedRoot, after: SignedRoot) -> list[str]:
    old, new = before.root, after.root
    if new.version != old.version + 1:
        return [f"version {new.version} follows version {old.version}: one follows the other by one"]
    reasons = []
    if new.previous != before.fingerprint:
        reasons.append(f"version {new.version} names another version {old.version}, {new.previous}, before it")
    if new.name != old.name:
        reasons.append(f"version {new.version} is the root of {new.name!r}, not of {old.name!r}")
    if new.issued_at < old.issued_at:
        reasons.append(f"version {new.version} was issued before version {old.version}")
    reasons += _rewritten(old, new)
    reasons += _unsigned(after, old, f"version {old.version}'s")
    reasons += _unsigned(after, new, "its own")
    return reasons


def _rewritten(old: TrustRoot, new: TrustRoot) -> list[str]:
    """Return where `new` takes back what `old` said: what was signed under it must stay verifiable, and no more."""
    reasons = []
    for name, key in old.keys.items():
        now = new.keys.get(name)
        if now is None:
            reasons.append(f"version {new.version} has lost the key {name[:12]}…, of the {key.duty}")
        elif (now.duty, now.person, now.valid_from) != (key.duty, key.person, key.valid_from):
            reasons.append(f"version {new.version} says something else of the key {name[:12]}…, of the {key.duty}")
        elif key.distrusted is not None and (now.distrusted is None or now.distrusted.since > key.distrusted.since):
            reasons.append(f"version {new.version} trusts the key {name[:12]}… again, which was distrusted")
    return reasons


def _unsigned(signed: SignedRoot, judge: TrustRoot, whose: str) -> list[str]:
    guardians = judge.guardians(signed.root.issued_at)
    people = signed.people(guardians)
    if len(people) >= judge.threshold:
        return []
    missing = sorted({str(key.person) for key in guardians.values()} - people)
    return [
        f"version {signed.root.version} is signed by {len(people)} of {judge.threshold} of {whose} foundation people "
        f"({', '.join(sorted(people)) or 'nobody'}); could sign: {', '.join(missing) or 'nobody'}"
    ]


def _demand(reasons: Sequence[str]) -> None:
    if reasons:
        raise RootRefused(reasons)
