from __future__ import annotations

import itertools
from typing import Any

import pytest

from interlock.release.request import Produces
from interlock.release.tiers import InvalidPolicy, Tier, missing_before_locking, parse_policy
from interlock.release.tiers_difference import Effect, differences
from tests.interlock.release.policies import EXAMPLE, REAL, example_policy, varied


def test_the_policy_of_this_repository_can_be_used_and_its_tiers_demand_more_and_more() -> None:
    policy = parse_policy(REAL.read_bytes())
    assert missing_before_locking(policy) == []
    assert set(policy.tiers) == set(Tier)
    ranked = [policy.tiers[tier] for tier in Tier]
    for lower, higher in itertools.pairwise(ranked):
        assert set(lower.evidence) <= set(higher.evidence)
        assert sum(one.count for one in lower.approvals) <= sum(one.count for one in higher.approvals)
        assert lower.retention_days <= higher.retention_days
        assert lower.approval_days >= higher.approval_days


def test_the_published_form_reads_back_as_the_same_policy() -> None:
    policy = example_policy()
    again = parse_policy(policy.content)
    assert (again, again.digest) == (policy, policy.digest)


def test_a_comment_changes_no_digest_and_a_limit_does() -> None:
    assert parse_policy(b"# said otherwise\n" + EXAMPLE.read_bytes()).digest == example_policy().digest
    changed = parse_policy(varied("tiers.high.evidence.fairness.limits.disparate_impact.at_least", 0.79))
    assert changed.digest != example_policy().digest


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("tiers.high.evidence.fairness.limits.disparate_impact", {"at_least": float("nan")}, "a finite number"),
        ("tiers.high.evidence.fairness.limits.disparate_impact", {"at_least": 1, "at_most": 2}, "exactly one of"),
        ("tiers.high.evidence.fairness.limits.disparate_impact", {"at_least": "1e999999999"}, "at most 100 digits"),
        ("tiers.high.evidence.fairness.parameters", {"seed": float("inf")}, "what JSON can hold exactly"),
        ("tiers.high.evidence.fairness.signers", [], "tiers.high.evidence.fairness.signers"),
        ("tiers.high.evidence.fairness.signers", ["creator"], "tiers.high.evidence.fairness.signers.0"),
        ("tiers.high.rollout.steps_percent", [10, 5, 100], "rising percentages, the last 100"),
        ("tiers.high.rollout.steps_percent", [10, 50], "rising percentages, the last 100"),
        ("tiers.high.emergency.approvals", [{"count": 2}], "more than the 2 of the usual path"),
        ("tiers.high.emergency.evidence", ["secrets"], "tiers.high.emergency.evidence: received secrets"),
        ("tiers.high.approvals", [{"count": 1, "group": "risk"}], "none, for the policy has no groups"),
        ("groups", {"risk": ["approver-1", "approver-1"]}, "each person once"),
        ("groups", {"risk": ["a b"]}, "groups.risk.0"),
        ("tiers.huge", {}, "tiers.huge"),
        ("review_by", None, "review_by: received nothing"),
        ("reviewed_by", "2030-01-01", "did you mean review_by?"),
        ("schema_version", 2, "schema_version"),
    ],
)
def test_what_is_wrong_is_said_by_its_path(path: str, value: Any, said: str) -> None:
    with pytest.raises(InvalidPolicy) as refused:
        parse_policy(varied(path, value))
    assert said in str(refused.value)


def test_a_policy_that_lets_bytes_be_locked_unseen_is_named() -> None:
    policy = parse_policy(varied("tiers.high.emergency.evidence", ["fairness"]))
    assert [one.path for one in missing_before_locking(policy)] == ["tiers.high.emergency.evidence"] * 2


def test_what_is_demanded_depends_on_what_is_produced_and_on_the_path() -> None:
    high = example_policy().tiers[Tier.HIGH]
    assert "fairness" in high.demands(Produces.DECISIONS)
    assert "fairness" not in high.demands(Produces.TEXT)
    assert "text-safety" in high.demands(Produces.TEXT, emergency=True)
    assert set(high.demands(Produces.DECISIONS, emergency=True)) < set(high.demands(Produces.DECISIONS))
    without = parse_policy(varied("tiers.low.emergency", None)).tiers[Tier.LOW]
    with pytest.raises(ValueError, match="no emergency path"):
        without.demands(Produces.DECISIONS, emergency=True)


@pytest.mark.parametrize(
    ("path", "value", "told", "effect"),
    [
        ("tiers.high.evidence.fairness.limits.disparate_impact.at_least", 0.7, "≥ 0.8 becomes ≥ 0.7", Effect.LOOSER),
        ("tiers.high.evidence.fairness.limits.disparate_impact", {"above": 0.8}, "becomes > 0.8", Effect.STRICTER),
        ("tiers.low.evidence.privacy.limits.findings.at_most", 1, "≤ 0 becomes ≤ 1", Effect.LOOSER),
        ("tiers.high.evidence.fairness.limits.disparate_impact.bound", "lower", "at its lower bound", Effect.OTHER),
        ("tiers.low.evidence.lineage", None, "is demanded no more", Effect.LOOSER),
        ("tiers.low.evidence.lineage.signers", ["builder", "observer"], "observer is added", Effect.LOOSER),
        ("tiers.low.evidence.privacy.parameters", {"columns": ["a"]}, "becomes ['a']", Effect.OTHER),
        ("tiers.high.approvals", [{"count": 1}], "2 of all approvers becomes 1 of all approvers", Effect.LOOSER),
        ("tiers.high.retention_days", 3000, "2557 becomes 3000", Effect.STRICTER),
        ("tiers.high.approval_days", 15, "14 becomes 15", Effect.LOOSER),
        ("tiers.high.emergency", None, "is a path no more", Effect.STRICTER),
        ("tiers.high.sources", ["s3://loans/"], "s3://loans/ is added", Effect.LOOSER),
        ("tiers.low", None, "is gone", Effect.OTHER),
        ("protected_attributes", ["race", "sex", "age", "married"], "dependants is gone", Effect.LOOSER),
        ("groups", {"risk": ["approver-1"]}, "approver-1 is added", Effect.LOOSER),
        ("review_by", "2027-07-01", "2027-06-30 becomes 2027-07-01", Effect.OTHER),
    ],
)  # fmt: skip
def test_a_change_is_told_in_words_with_what_it_does(path: str, value: Any, told: str, effect: Effect) -> None:
    (change,) = differences(example_policy(), parse_policy(varied(path, value)))
    assert told in change.text
    assert change.effect is effect
    assert change.path.split(".")[:3] == path.split(".")[:3] or path == "groups"


def test_a_policy_differs_from_itself_in_nothing() -> None:
    assert differences(example_policy(), example_policy()) == []
