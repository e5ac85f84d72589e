"""Grants are further permissions on a key, for as long as nothing denies."""

from __future__ import annotations

from interlock.duties.evaluator.decision import decide
from interlock.duties.evaluator.policy import PolicyKind
from interlock.duties.evaluator.request import Grant, Layers, Request
from tests.interlock.duties.evaluator.shorthand import (
    ACCOUNT,
    ALICE,
    KEY,
    OTHER,
    ROLE,
    SESSION,
    attached,
    boundary,
    identity,
    policy,
    statement,
)

SIGN = frozenset({"Sign"})
CLOSED = attached({"AWS": f"arn:aws:iam::{OTHER}:root"}, action="kms:DescribeKey")


def test_a_grant_lets_its_grantee_do_what_it_lists_and_no_more() -> None:
    layers = Layers(resource=CLOSED, grants=(Grant(KEY, ROLE, SIGN),))
    decision = decide(Request(SESSION, "kms:Sign", KEY), layers)
    assert decision.allowed
    assert "grant" in decision.reason
    assert not decide(Request(SESSION, "kms:Decrypt", KEY), layers).allowed
    assert not decide(Request(ALICE, "kms:Sign", KEY), layers).allowed
    assert not decide(Request(SESSION, "kms:Sign", f"{KEY}5"), layers).allowed


def test_denies_and_service_control_policies_limit_a_grant() -> None:
    grants = (Grant(KEY, ROLE, SIGN),)
    denying = attached("*", "Deny", "kms:Sign")
    assert not decide(Request(SESSION, "kms:Sign", KEY), Layers(resource=denying, grants=grants)).allowed
    scp = policy(PolicyKind.SCP, statement(action="s3:*"))
    assert not decide(Request(SESSION, "kms:Sign", KEY), Layers(resource=CLOSED, grants=grants, scps=((scp,),))).allowed


def test_a_grant_to_a_role_heeds_the_boundary() -> None:
    layers = Layers(resource=CLOSED, grants=(Grant(KEY, ROLE, SIGN),), boundary=boundary(statement(action="s3:*")))
    assert decide(Request(SESSION, "kms:Sign", KEY), layers).layer is PolicyKind.BOUNDARY


def test_whether_a_grant_reaches_across_accounts_by_itself_is_unknown() -> None:
    key = KEY.replace("111122223333", OTHER)
    decision = decide(Request(SESSION, "kms:Sign", key), Layers(resource=CLOSED, grants=(Grant(key, ROLE, SIGN),)))
    assert (decision.allowed, decision.unknown) == (False, True)


def test_a_grants_context_has_to_equal_or_to_be_contained() -> None:
    def decided(grant: Grant, **context: str) -> bool:
        said = {f"kms:EncryptionContext:{key}": value for key, value in context.items()}
        return decide(Request(SESSION, "kms:Decrypt", KEY, said), Layers(resource=CLOSED, grants=(grant,))).allowed

    operations, pairs = frozenset({"Decrypt"}), (("Team", "risk"),)
    equal = Grant(KEY, ROLE, operations, encryption_context_equals=pairs)
    contained = Grant(KEY, ROLE, operations, encryption_context_subset=pairs)
    assert decided(equal, Team="risk")
    assert not decided(equal, Team="risk", More="x")
    assert not decided(equal)
    assert decided(contained, Team="risk", More="x")
    assert not decided(contained, More="x")


def test_a_grant_to_an_account_leaves_it_to_the_accounts_policies() -> None:
    grants = (Grant(KEY, f"arn:aws:iam::{ACCOUNT}:root", SIGN),)
    own = identity(statement(action="kms:Sign"))
    assert not decide(Request(SESSION, "kms:Sign", KEY), Layers(resource=CLOSED, grants=grants)).allowed
    assert not decide(Request(SESSION, "kms:Sign", KEY), Layers(resource=CLOSED, identity=own)).allowed
    assert decide(Request(SESSION, "kms:Sign", KEY), Layers(resource=CLOSED, identity=own, grants=grants)).allowed
