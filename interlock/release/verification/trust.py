"""What a verifier believes: the newest version of the trust root, and the tiers policies that its versions named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from interlock.release.signing import PublicKey
from interlock.release.tiers import POLICY_NAME, TiersPolicy
from interlock.release.trust.chain import RootRefused, read_signed, verify_chain
from interlock.release.trust.document import TrustRoot
from interlock.release.trust.published import Unpublished, policy_key, read_policy, read_roots
from interlock.release.vault import VaultReader
from interlock.release.verification.reason import Reason, ReasonCode


@dataclass(frozen=True)
class Trust:
    """A trust root that was verified from its pinned fingerprint on."""

    root: TrustRoot
    """The newest version."""
    named: frozenset[str]
    """The digests of the tiers policies that the newest version names, or one before it did."""
    policies: Mapping[str, TiersPolicy]
    """By digest, those of them that could be read."""
    faults: Mapping[str, Reason] = field(default_factory=dict)
    """By digest, why the others could not."""

    @property
    def policy_in_force(self) -> str | None:
        """The digest of the tiers policy that the newest version names."""
        return self.root.policies.get(POLICY_NAME)

    def public_keys(self) -> dict[str, PublicKey]:
        """Return every key that the root ever believed, by its id."""
        return {name: PublicKey.from_pem(key.public_key.encode()) for name, key in self.root.keys.items()}


def read_trust(
    roots: VaultReader, fingerprint: str, *, now: datetime | None, policies: VaultReader | None = None
) -> Trust:
    """Return what may be believed of the published trust root; policies are read from `roots` unless given.

    `fingerprint` is of the version that whoever verifies was given, which need not be the first. `now` is None where
    there is no clock to trust; then no root has expired. Raises RootRefused with the reasons.
    """
    try:
        contents = read_roots(roots)
    except (Unpublished, ValueError) as error:
        raise RootRefused([str(error)]) from error
    signed = [read_signed(content) for content in contents]
    pinned = next((index for index, one in enumerate(signed) if one.fingerprint == fingerprint), 0)
    root = verify_chain(contents[pinned:], fingerprint, now=now).root
    named = frozenset(one.root.policies[POLICY_NAME] for one in signed[pinned:] if POLICY_NAME in one.root.policies)
    found: dict[str, TiersPolicy] = {}
    faults: dict[str, Reason] = {}
    for digest in sorted(named):
        try:
            found[digest] = read_policy(policies or roots, digest)
        except Unpublished as error:
            key = policy_key(digest)
            is_there = any(version.key == key for version in (policies or roots).versions(key))
            code = ReasonCode.POLICY_ALTERED if is_there else ReasonCode.POLICY_MISSING
            faults[digest] = Reason(code, str(error), key)
    return Trust(root, named, found, faults)
