"""An outside judge: The Update Framework's own client decides the same chains."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from securesystemslib.signer import Signature, SSlibKey  # type: ignore[attr-defined]
from tuf.api.exceptions import UnsignedMetadataError
from tuf.api.metadata import Role, Root  # type: ignore[attr-defined]

from interlock.release.envelope import pre_authentication_encoding, signed_digest
from interlock.release.trust.chain import RootRefused, verify_chain
from interlock.release.trust.document import PAYLOAD_TYPE, TrustRoot
from interlock.release.trust.drafting import Change
from tests.interlock.release.trust.people import DAY, NOW, SIGNERS, first, following, new_key, signed

PEOPLE = ("ann", "ben", "cem", "dan")


def as_tuf(root: TrustRoot) -> Root:
    """The same keys and threshold as TUF's root role."""
    keys = {
        name: SSlibKey(name, "ecdsa", "ecdsa-sha2-nistp256", {"public": key.public_key})
        for name, key in root.keys.items()
    }
    unused = {role: Role([], 1) for role in ("timestamp", "snapshot", "targets")}
    return Root(
        version=root.version,
        expires=root.expires_at,
        keys=keys,  # type: ignore[arg-type]
        roles={"root": Role(list(keys), root.threshold), **unused},
    )


def tuf_accepts(before: TrustRoot, after: TrustRoot, people: list[str], now_days: int) -> bool:
    """Follow TUF's client workflow: signed by the old root and the new one, version by version, then expiry."""
    payload = pre_authentication_encoding(PAYLOAD_TYPE, after.content)
    digest = signed_digest(PAYLOAD_TYPE, after.content)
    signatures = {
        SIGNERS[person].key_id: Signature(SIGNERS[person].key_id, SIGNERS[person].sign(digest).hex())
        for person in people
    }
    try:
        as_tuf(before).verify_delegate("root", payload, signatures)
        as_tuf(after).verify_delegate("root", payload, signatures)
    except UnsignedMetadataError:
        return False
    return after.version == before.version + 1 and not as_tuf(after).is_expired(NOW + timedelta(days=now_days))


some_people = st.lists(st.sampled_from(PEOPLE), unique=True)


@settings(max_examples=60, deadline=None)
@given(
    old=st.lists(st.sampled_from(PEOPLE), min_size=2, unique=True),
    added=some_people,
    signing=some_people.filter(bool),
    old_threshold=st.integers(2, 4),
    new_threshold=st.integers(2, 4),
    skipped=st.integers(0, 1),
    now_days=st.sampled_from([2, 380]),
)
def test_tuf_s_client_accepts_a_next_root_exactly_where_we_do(
    old: list[str],
    added: list[str],
    signing: list[str],
    old_threshold: int,
    new_threshold: int,
    skipped: int,
    now_days: int,
) -> None:
    before = first(*old, threshold=min(old_threshold, len(old)))
    everybody = sorted({*old, *added})
    after = before
    for _ in range(skipped + 1):
        new = [new_key(person) for person in everybody if SIGNERS[person].key_id not in after.keys]
        after = following(after, Change(new, threshold=min(new_threshold, len(everybody))))
    contents = [signed(before, old), signed(after, signing)]
    try:
        verify_chain(contents, before.fingerprint, now=NOW + now_days * DAY)
        ours = True
    except RootRefused:
        ours = False
    assert ours == tuf_accepts(before, after, signing, now_days)
