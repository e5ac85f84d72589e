"""Taking on a role takes every permission that the call needs, and a source identity stays."""

from __future__ import annotations

from interlock.duties.evaluator.assuming import Assumption, decide_assumption
from interlock.duties.evaluator.request import Layers, identity_provider, service
from tests.interlock.duties.evaluator.shorthand import (
    ACCOUNT,
    ALICE,
    ROLE,
    SESSION,
    boundary,
    identity,
    statement,
    trust,
)

PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"
NAMED = {"AWS": ALICE.name}
ALL_THREE = ["sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"]


def actions(assumption: Assumption) -> list[str]:
    return [request.action for request in assumption.requests]


def test_a_call_needs_a_permission_for_each_thing_it_asks() -> None:
    assert actions(Assumption(ALICE, ROLE, "s")) == ["sts:AssumeRole"]
    assert actions(Assumption(ALICE, ROLE, "s", "alice", {"team": "risk"})) == ALL_THREE
    assert actions(Assumption(identity_provider(PROVIDER), ROLE, "s")) == ["sts:AssumeRoleWithWebIdentity"]
    assert actions(Assumption(identity_provider(PROVIDER), ROLE, "s", saml=True)) == ["sts:AssumeRoleWithSAML"]


def test_a_user_whom_the_trust_policy_names_needs_no_policy_of_their_own() -> None:
    assert decide_assumption(Assumption(ALICE, ROLE, "s"), Layers(resource=trust(NAMED))).allowed


def test_trust_in_the_account_leaves_it_to_the_accounts_policies() -> None:
    trusting = trust({"AWS": f"arn:aws:iam::{ACCOUNT}:root"})
    assert not decide_assumption(Assumption(ALICE, ROLE, "s"), Layers(resource=trusting)).allowed
    own = identity(statement(action="sts:AssumeRole", resource=ROLE))
    assert decide_assumption(Assumption(ALICE, ROLE, "s"), Layers(identity=own, resource=trusting)).allowed


def test_a_policy_of_ones_own_does_not_open_a_role_that_does_not_trust() -> None:
    own = identity(statement(action="*"))
    decision = decide_assumption(
        Assumption(ALICE, ROLE, "s"), Layers(identity=own, resource=trust({"AWS": "999999999999"}))
    )
    assert not decision.allowed
    assert "trust policy" in decision.reason


def test_a_source_identity_is_refused_where_the_trust_policy_does_not_let_it_be_set() -> None:
    assumption = Assumption(ALICE, ROLE, "s", source_identity="alice")
    assert not decide_assumption(assumption, Layers(resource=trust(NAMED))).allowed
    assert decide_assumption(assumption, Layers(resource=trust(NAMED, ALL_THREE))).allowed


def test_a_role_can_demand_the_source_identity_and_the_session_name_of_a_person() -> None:
    demanding = trust(
        NAMED,
        ALL_THREE,
        Condition={"StringEquals": {"sts:SourceIdentity": "${aws:username}", "sts:RoleSessionName": "alice"}},
    )
    layers = Layers(resource=demanding)
    assert decide_assumption(Assumption(ALICE, ROLE, "alice", "alice"), layers).allowed
    assert not decide_assumption(Assumption(ALICE, ROLE, "bob", "alice"), layers).allowed
    assert not decide_assumption(Assumption(ALICE, ROLE, "alice", "bob"), layers).allowed
    assert not decide_assumption(Assumption(ALICE, ROLE, "alice"), layers).allowed


def test_a_source_identity_persists_and_no_later_role_changes_it() -> None:
    further = Assumption(SESSION, ROLE, "s", context={"aws:SourceIdentity": "ana"})
    assert actions(further) == ["sts:AssumeRole", "sts:SetSourceIdentity"]
    assert further.session_context["aws:sourceidentity"] == ("ana",)
    changed = Assumption(SESSION, ROLE, "s", "eve", context={"aws:SourceIdentity": "ana"})
    decision = decide_assumption(changed, Layers(resource=trust("*", "sts:*")))
    assert not decision.allowed
    assert "'ana' and cannot become 'eve'" in decision.reason


def test_the_new_session_carries_its_tags() -> None:
    assumption = Assumption(ALICE, ROLE, "s", tags={"Team": "risk"})
    assert assumption.session.name == f"arn:aws:sts::{ACCOUNT}:assumed-role/deployer/s"
    assert assumption.session_context == {"aws:principaltag/team": ("risk",)}


def test_claims_of_a_token_decide_who_of_an_identity_provider_is_trusted() -> None:
    subject = "repo:example/credit:environment:prod"
    trusting = trust(
        {"Federated": PROVIDER}, "sts:AssumeRoleWithWebIdentity",
        Condition={"StringEquals": {"token.actions.githubusercontent.com:sub": subject}},
    )  # fmt: skip

    def asked(claim: str) -> bool:
        context = {"token.actions.githubusercontent.com:sub": claim}
        assumption = Assumption(identity_provider(PROVIDER), ROLE, "s", context=context)
        return decide_assumption(assumption, Layers(resource=trusting)).allowed

    assert asked(subject)
    assert not asked("repo:example/credit:pull_request")


def test_a_service_takes_on_a_role_that_trusts_it_for_this_account_only() -> None:
    trusting = trust({"Service": "ecs-tasks.amazonaws.com"}, Condition={"StringEquals": {"aws:SourceAccount": ACCOUNT}})
    ecs = service("ecs-tasks.amazonaws.com")
    own = Assumption(ecs, ROLE, "task", context={"aws:SourceAccount": ACCOUNT})
    other = Assumption(ecs, ROLE, "task", context={"aws:SourceAccount": "999999999999"})
    assert decide_assumption(own, Layers(resource=trusting)).allowed
    assert not decide_assumption(other, Layers(resource=trusting)).allowed


def test_a_boundary_limits_taking_on_a_role_that_trusts_the_account() -> None:
    layers = Layers(
        identity=identity(statement(action="sts:*")),
        resource=trust({"AWS": ACCOUNT}),
        boundary=boundary(statement(action="s3:*")),
    )
    assert not decide_assumption(Assumption(SESSION, ROLE, "s"), layers).allowed
