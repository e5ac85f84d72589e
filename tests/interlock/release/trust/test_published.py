from __future__ import annotations

import pytest

from interlock.release.trust.drafting import Change
from interlock.release.trust.published import Unpublished, policy_key, publish, read_policy, read_roots, root_key
from interlock.release.vault import Overwritten
from tests.interlock.release.memory import MemoryVault
from tests.interlock.release.policies import example_policy
from tests.interlock.release.trust.people import first, following, signed

ROOT = first("ann", "ben")
CHAIN = [signed(ROOT, ["ann", "ben"]), signed(following(ROOT, Change()), ["ann", "ben"])]


def test_what_was_published_is_read_back_in_order() -> None:
    vault, policy = MemoryVault(), example_policy()
    stored = publish(CHAIN, [policy], writer=vault, reader=vault)
    assert [one.key for one in stored] == [policy_key(policy.digest), root_key(1), root_key(2)]
    assert read_roots(vault) == CHAIN
    assert read_policy(vault, policy.digest) == policy


@pytest.mark.parametrize("writes", range(3))
def test_publishing_is_completed_by_another_run_and_a_root_never_precedes_its_policy(writes: int) -> None:
    vault, policy = MemoryVault(), example_policy()
    vault.writes_left = writes
    with pytest.raises(ConnectionError):
        publish(CHAIN, [policy], writer=vault, reader=vault)
    assert root_key(1) not in vault.objects or policy_key(policy.digest) in vault.objects
    vault.writes_left = 10
    first_time = publish(CHAIN, [policy], writer=vault, reader=vault)
    assert publish(CHAIN, [policy], writer=vault, reader=vault) == first_time
    assert len(vault.objects) == 3


def test_the_same_version_with_other_signatures_is_published_already() -> None:
    vault = MemoryVault()
    publish(CHAIN[:1], [], writer=vault, reader=vault)
    publish([signed(ROOT, ["ben", "ann"])], [], writer=vault, reader=vault)
    assert read_roots(vault) == CHAIN[:1]


def test_another_version_one_is_not_published_over_the_first() -> None:
    vault = MemoryVault()
    publish(CHAIN[:1], [], writer=vault, reader=vault)
    with pytest.raises(Overwritten, match="another version 1"):
        publish([signed(first("ann", "cem"), ["ann", "cem"])], [], writer=vault, reader=vault)


def test_a_gap_a_second_version_and_an_empty_vault_are_said() -> None:
    vault = MemoryVault()
    with pytest.raises(Unpublished, match="no trust root"):
        read_roots(vault)
    vault.add_version(root_key(2), CHAIN[1])
    with pytest.raises(Unpublished, match="no gap"):
        read_roots(vault)
    vault.add_version(root_key(1), CHAIN[0])
    vault.add_version(root_key(1), CHAIN[0])
    with pytest.raises(Unpublished, match="several versions"):
        read_roots(vault)


def test_a_policy_that_is_not_there_or_has_other_bytes_is_not_read() -> None:
    vault, policy = MemoryVault(), example_policy()
    with pytest.raises(Unpublished, match="holds no policy"):
        read_policy(vault, policy.digest)
    vault.add_version(policy_key(policy.digest), policy.content + b"\n")
    with pytest.raises(Unpublished, match="bytes with SHA-256"):
        read_policy(vault, policy.digest)
    vault.add_version(policy_key("0" * 64), b"")
