"""Trust roots and policies that others than the foundation wrote."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from interlock.release.tiers import parse_policy
from interlock.release.trust.document import TrustRoot
from interlock.release.trust.drafting import Change, next_root
from interlock.release.trust.published import policy_key, root_key
from tests.interlock.release.audit.tampering.case import (
    Case,
    case,
    content_of,
    drop,
    flipped,
    ignored,
    put,
)
from tests.interlock.release.audit.world import (
    DAY,
    POLICY,
    SIGNERS,
    World,
    key_id,
    sealed_root,
)


def publish(
    world: World,
    change: Change,
    people: tuple[str, ...] = ("foundation-1", "foundation-2"),
    issued_at: datetime | None = None,
) -> TrustRoot:
    """Publish the root's next version, signed by `people`."""
    after = next_root(world.root, change, now=issued_at or world.now, life=365 * DAY, key_life=1000 * DAY)
    world.vault.add_version(root_key(after.version), sealed_root(after, people))
    return after


def root_cases() -> Iterator[Case]:
    yield case("root: an attacker's, of the same keys' names", _attackers_root, "root-refused")
    yield case(
        "root: signed by one person",
        lambda w: put(w, root_key(1), sealed_root(w.root, ("foundation-1",))),
        "root-refused",
    )
    yield case(
        "root: flip a bit", lambda w: put(w, root_key(1), flipped(content_of(w, root_key(1)), 100)), "root-refused"
    )
    yield case(
        "root: a next version by one person",
        lambda w: ignored(publish(w, Change(threshold=2), ("foundation-1",))),
        "root-refused",
    )
    yield case(
        "root: a next version by people who may not",
        lambda w: ignored(publish(w, Change(threshold=2), ("approver-1", "approver-2"))),
        "root-refused",
    )
    yield case("root: none", lambda w: drop(w, root_key(1)), "root-refused", program=("root-missing",))
    yield case(
        "policy: one that no root names", _other_policy, "policy-missing", program=("policy-missing", "policy-altered")
    )
    yield case("policy: softened", _soft_policy, "policy-altered")
    yield case("policy: one that was replaced before the decision", _decided_under_the_old_policy, "policy-superseded")
    yield case("policy: none", lambda w: drop(w, policy_key(w.policy.digest)), "policy-missing")


def _decided_under_the_old_policy(world: World) -> None:
    """The new version of the root dates itself after the decision, and lay in the vault before it."""
    policy = parse_policy(POLICY.replace("approval_days: 14", "approval_days: 13").encode())
    world.vault.add_version(policy_key(policy.digest), policy.content)
    publish(world, Change(policies={"tiers": policy.digest}), issued_at=world.now + 2 * DAY)
    world.sequence()
    world.decide()
    world.sequence()


def _attackers_root(world: World) -> None:
    attackers = {name: SIGNERS[name] for name in ("stranger",)}
    keys = {
        attackers["stranger"].public_key.key_id: world.root.keys[key_id("foundation-1")].model_copy(
            update={"public_key": attackers["stranger"].public_key.pem}
        ),
        **{name: key for name, key in world.root.keys.items() if name != key_id("foundation-1")},
    }
    root = world.root.model_copy(update={"keys": keys})
    put(world, root_key(1), sealed_root(root, ("stranger", "foundation-2")))


def _other_policy(world: World) -> None:
    drop(world, policy_key(world.policy.digest))
    world.vault.add_version(policy_key("ab" * 32), b"{}")


def _soft_policy(world: World) -> None:
    put(world, policy_key(world.policy.digest), world.policy.content.replace(b"0.8", b"0.1"))
