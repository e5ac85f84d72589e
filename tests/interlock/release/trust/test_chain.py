from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from interlock.release.digests import canonical_json
from interlock.release.signing import PrivateKeySigner
from interlock.release.trust.chain import RootRefused, verify_chain
from interlock.release.trust.document import Distrust, InvalidRoot, KeyDuty, TrustRoot, parse_root
from interlock.release.trust.drafting import Change, NewKey
from tests.interlock.release.trust.people import DAY, NOW, SIGNERS, first, following, new_key, signed


def reasons(*contents: bytes, fingerprint: str, now: datetime | None = NOW + DAY) -> str:
    with pytest.raises(RootRefused) as refused:
        verify_chain(contents, fingerprint, now=now)
    return "\n".join(refused.value.reasons)


def test_a_first_root_is_believed_by_its_fingerprint_and_a_threshold_of_its_own_people() -> None:
    root = first("ann", "ben", "cem")
    assert verify_chain([signed(root, ["ann", "cem"])], root.fingerprint, now=NOW).root == root
    assert "pinned is 00" in reasons(signed(root, ["ann", "ben"]), fingerprint="00" * 32)


def test_one_signature_of_two_is_too_few_and_so_is_the_same_person_twice() -> None:
    root = first("ann", "ben")
    said = reasons(signed(root, ["ann"]), fingerprint=root.fingerprint)
    assert said == "version 1 is signed by 1 of 2 of its own foundation people (ann); could sign: ben"
    assert "1 of 2" in reasons(signed(root, ["ann", "ann"]), fingerprint=root.fingerprint)


def test_a_person_with_two_keys_is_one_person() -> None:
    second = PrivateKeySigner(ec.generate_private_key(ec.SECP256R1()))
    root = following(first("ann", "ben"), Change([new_key("ann", signer=second)]))
    SIGNERS["ann again"] = second
    one = signed(first("ann", "ben"), ["ann", "ben"])
    said = reasons(one, signed(root, ["ann", "ann again"]), fingerprint=first("ann", "ben").fingerprint)
    assert "version 2 is signed by 1 of 2 of its own foundation people (ann); could sign: ben" in said


def test_an_approver_s_or_a_service_s_signature_counts_for_nothing() -> None:
    change = Change([new_key("cem", KeyDuty.APPROVER), NewKey(KeyDuty.BUILDER, None, SIGNERS["dan"].public_key())])
    before = first("ann", "ben")
    after = following(before, change)
    contents = signed(before, ["ann", "ben"]), signed(after, ["ann", "cem", "dan"])
    assert "signed by 1 of 2" in reasons(*contents, fingerprint=before.fingerprint)


def test_a_next_root_is_signed_by_the_people_of_the_old_one_and_of_its_own() -> None:
    before = first("ann", "ben")
    change = Change([new_key("cem"), new_key("dan")], threshold=3)
    after = following(before, change)
    one = signed(before, ["ann", "ben"])
    assert verify_chain([one, signed(after, ["ann", "ben", "cem"])], before.fingerprint, now=NOW + DAY).root == after
    said = reasons(one, signed(after, ["ann", "cem", "dan"]), fingerprint=before.fingerprint)
    assert "1 of 2 of version 1's foundation people" in said
    said = reasons(one, signed(after, ["ann", "ben"]), fingerprint=before.fingerprint)
    assert "2 of 3 of its own foundation people" in said


def test_a_distrusted_key_signs_no_root_whatever_date_it_writes() -> None:
    before = first("ann", "ben", "cem")
    stolen = Distrust(since=NOW + 30 * DAY, reason="laptop stolen")
    after = following(before, Change(distrusted={SIGNERS["cem"].key_id: stolen}))
    chain = [signed(before, ["ann", "ben"]), signed(after, ["ann", "ben"])]
    verify_chain(chain, before.fingerprint, now=NOW + 2 * DAY)
    third = following(after, Change(), now=NOW + 3 * DAY)
    assert "1 of 2" in reasons(*chain, signed(third, ["ann", "cem"]), fingerprint=before.fingerprint)


def test_a_key_is_believed_for_what_it_signed_before_the_day_from_which_it_is_distrusted() -> None:
    before = first("ann", "ben", "cem")
    after = following(before, Change(distrusted={SIGNERS["cem"].key_id: Distrust(since=NOW + 9 * DAY, reason="lost")}))
    key = after.keys[SIGNERS["cem"].key_id]
    assert key.believed_at(NOW + 8 * DAY)
    assert not key.believed_at(NOW + 9 * DAY)
    assert not key.believed_at(NOW - DAY), "it was not valid yet"
    assert not key.believed_at(NOW + 1000 * DAY), "it has expired"


def test_only_the_newest_root_must_not_have_expired() -> None:
    before = first("ann", "ben")
    after = following(before, Change(), now=NOW + 300 * DAY)
    one, two = signed(before, ["ann", "ben"]), signed(after, ["ann", "ben"])
    verify_chain([one, two], before.fingerprint, now=NOW + 500 * DAY)
    assert "version 1 expired at 2027-03-01" in reasons(one, fingerprint=before.fingerprint, now=NOW + 365 * DAY)
    verify_chain([one], before.fingerprint, now=None)


def test_an_expired_root_can_be_followed_by_one_that_its_people_sign() -> None:
    before = first("ann", "ben")
    after = following(before, Change(), now=NOW + 600 * DAY)
    verify_chain(
        [signed(before, ["ann", "ben"]), signed(after, ["ann", "ben"])], before.fingerprint, now=NOW + 601 * DAY
    )


def forged(root: TrustRoot, **changes: Any) -> bytes:
    document = {**json.loads(root.content), **changes}
    return signed(root, ["ann", "ben"], canonical_json(document))


def test_what_does_not_follow_the_version_before_is_refused() -> None:
    before = first("ann", "ben")
    after = following(before, Change())
    one, pinned = signed(before, ["ann", "ben"]), before.fingerprint
    assert "follows version 1" in reasons(one, forged(after, version=3), fingerprint=pinned)
    assert "names another version 1" in reasons(one, forged(after, previous="ab" * 32), fingerprint=pinned)
    assert "root of 'other'" in reasons(one, forged(after, name="other"), fingerprint=pinned)
    late = following(before, Change(), now=NOW + 9 * DAY)
    early = signed(following(late, Change(), now=NOW + 8 * DAY), ["ann", "ben"])
    assert "was issued before" in reasons(one, signed(late, ["ann", "ben"]), early, fingerprint=pinned)
    assert "follows version 1" in reasons(one, one, fingerprint=pinned)


def test_what_was_said_of_a_key_is_not_taken_back() -> None:
    change = Change([new_key("cem", KeyDuty.APPROVER)])
    lost = Distrust(since=NOW, reason="lost")
    one, two = first("ann", "ben"), following(first("ann", "ben"), change)
    three = following(two, Change(distrusted={SIGNERS["cem"].key_id: lost}), now=NOW + 2 * DAY)
    chain = [signed(root, ["ann", "ben"]) for root in (one, two, three)]
    verify_chain(chain, one.fingerprint, now=NOW + 3 * DAY)
    four = following(three, Change(), now=NOW + 3 * DAY)
    name = SIGNERS["cem"].key_id

    def with_key(**changes: Any) -> bytes:
        keys = json.loads(four.content)["keys"]
        return forged(four, keys={**keys, name: {**keys[name], **changes}})

    keys = {key: value for key, value in json.loads(four.content)["keys"].items() if key != name}
    assert "has lost the key" in reasons(*chain, forged(four, keys=keys), fingerprint=one.fingerprint)
    assert "something else" in reasons(*chain, with_key(person="mallory"), fingerprint=one.fingerprint)
    assert "trusts the key" in reasons(*chain, with_key(distrusted=None), fingerprint=one.fingerprint)


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"threshold": 1}, "threshold"),
        ({"threshold": 3}, "threshold"),
        ({"expires_at": "2028-03-01T09:00:00Z"}, "expires_at"),
        ({"expires_at": "2026-03-01T08:00:00Z"}, "expires_at"),
        ({"previous": "ab" * 32}, "previous"),
        ({"version": 0}, "version"),
        ({"schema_version": 2}, "schema_version"),
        ({"colour": "red"}, "colour"),
        ({"issued_at": "2026-03-01T09:00:00"}, "issued_at"),
        ({"keys": {}}, "threshold"),
        ({"policies": {"tiers": "xyz"}}, "policies.tiers"),
    ],
)
def test_a_document_that_is_no_root_is_refused_with_the_path_of_what_is_wrong(
    changes: dict[str, Any], path: str
) -> None:
    document = {**json.loads(first("ann", "ben").content), **changes}
    with pytest.raises(InvalidRoot) as refused:
        parse_root(canonical_json(document))
    assert path in {problem.path for problem in refused.value.problems}


def test_a_key_under_another_s_id_or_a_service_s_key_with_a_person_is_refused() -> None:
    document = json.loads(first("ann", "ben").content)
    ann, ben = (document["keys"][SIGNERS[name].key_id] for name in ("ann", "ben"))
    document["keys"] = {SIGNERS["ann"].key_id: ben, SIGNERS["ben"].key_id: {**ann, "duty": "builder"}}
    with pytest.raises(InvalidRoot) as refused:
        parse_root(canonical_json(document))
    said = str(refused.value)
    assert "each key under the SHA-256" in said
    assert "nobody's name for builder" in said


def test_bytes_that_are_not_canonical_are_no_root_even_if_they_say_the_same() -> None:
    root = first("ann", "ben")
    with pytest.raises(InvalidRoot, match="RFC 8785"):
        parse_root(json.dumps(json.loads(root.content), indent=1).encode())


def test_a_key_cannot_be_added_twice_nor_one_distrusted_that_is_not_there() -> None:
    root = first("ann", "ben")
    with pytest.raises(InvalidRoot, match="a key that is not there"):
        following(root, Change([new_key("ann", KeyDuty.APPROVER)]))
    with pytest.raises(InvalidRoot, match="ids of keys in the version before"):
        following(root, Change(distrusted={"ab" * 32: Distrust(since=NOW, reason="lost")}))
