"""Which images that a serving template had before its models may keep: those that the builder signed for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

from interlock.release.image import (
    SERVING,
    ImageReference,
    envelopes_prefix,
    reasons_against,
    reasons_against_earlier,
)
from interlock.release.signing import PublicKey
from interlock.release.statement import Statement
from interlock.release.trust.document import KeyDuty, TrustRoot
from interlock.release.vault import VaultReader


class SignedImages:
    """Judges serving images by what lies in a vault about them, under keys that a trust root believes."""

    def __init__(self, vault: VaultReader, root: TrustRoot, repository: str) -> None:
        """Take the URL under which the builder signs for serving images; a region's replica has a host of its own."""
        self._vault = vault
        self._keys = _builders(root)
        self._repository = repository
        self._signed = cache(self._read)

    def reasons_against(self, image: str, present: str) -> Sequence[str]:
        """Return why a model may not go on with `image` beside the template's `present` one. Raises OutsideFailure."""
        try:
            earlier, now = ImageReference.parse(image), ImageReference.parse(present)
        except ValueError as error:
            return [str(error)]
        if earlier.repository != now.repository:
            return [f"it is of another repository than {now.repository}"]
        against_it, signed = self._signed(earlier.digest)
        against_present, signed_now = self._signed(now.digest)
        return [*against_it, *against_present] or reasons_against_earlier(signed, signed_now)

    def _read(self, digest: str) -> tuple[Sequence[str], Sequence[Statement]]:
        envelopes = {
            version.key: self._vault.read(version.key, version.version_id)
            for version in self._vault.versions(envelopes_prefix(SERVING, digest))
            if not version.is_delete_marker
        }
        return reasons_against(ImageReference(self._repository, digest), envelopes, self._keys)


def _builders(root: TrustRoot) -> Mapping[str, PublicKey]:
    """Return the builder's keys that nobody distrusts.

    Images are signed for outside of the ledger, so that nobody can say when: a key that has ended since counts for what
    lies in the vault, to which nobody else adds, and one that is distrusted for nothing.
    """
    return {
        name: PublicKey.from_pem(key.public_key.encode())
        for name, key in root.keys.items()
        if key.duty is KeyDuty.BUILDER and key.distrusted is None
    }
