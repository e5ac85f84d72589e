"""The layers of policies over one request."""

from __future__ import annotations

import pytest

from interlock.duties.evaluator.decision import decide
from interlock.duties.evaluator.policy import PolicyKind
from interlock.duties.evaluator.request import (
    Layers,
    Principal,
    Request,
    anonymous,
    federated_user,
    role_session,
    root,
    service,
    user,
)
from tests.interlock.duties.evaluator.shorthand import (
    ACCOUNT,
    ALICE,
    BUCKET,
    KEY,
    OTHER,
    ROLE,
    SESSION,
    SESSION_ARN,
    attached,
    boundary,
    identity,
    policy,
    reading,
    session_policy,
    statement,
)

NARROW = boundary(statement(action="ec2:*"))
NARROW_SESSION = session_policy(statement(action="ec2:*"))
FULL_SCP = policy(PolicyKind.SCP, statement(action="*"), name="FullAWSAccess")
EC2_SCP = policy(PolicyKind.SCP, statement(action="ec2:*"), name="OnlyEc2")
EVERYONE = {"AWS": "*"}
THEIR_ACCOUNT = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
THEIR_ROLE = {"AWS": ROLE}
THEIR_SESSION = {"AWS": SESSION_ARN}


def test_what_nothing_allows_is_denied_and_says_that_there_are_no_policies() -> None:
    decision = decide(reading(), Layers())
    assert not decision.allowed
    assert decision.layer is PolicyKind.IDENTITY
    assert "there are no identity policies" in decision.reason


def test_an_identity_policy_allows_and_is_named() -> None:
    decision = decide(reading(), Layers(identity=identity(statement(Sid="Read"))))
    assert decision.allowed
    assert [one.statement.label for one in decision.statements] == ["Read"]


@pytest.mark.parametrize(
    "layers",
    [
        Layers(identity=identity(statement(), statement("Deny", Sid="No"))),
        Layers(identity=identity(), resource=attached("*", "Deny", Sid="No")),
        Layers(identity=identity(), boundary=boundary(statement(), statement("Deny", Sid="No"))),
        Layers(identity=identity(), session=session_policy(statement(), statement("Deny", Sid="No"))),
        Layers(identity=identity(), scps=((policy(PolicyKind.SCP, statement(), statement("Deny", Sid="No")),),)),
        Layers(identity=identity(), rcps=((policy(PolicyKind.RCP, statement("Deny", Principal="*", Sid="No")),),)),
    ],
)
def test_a_deny_of_any_layer_wins_and_is_named(layers: Layers) -> None:
    decision = decide(reading(), layers)
    assert not decision.allowed
    assert decision.explicit
    assert [one.statement.label for one in decision.statements] == ["No"]
    assert decision.reason.startswith("denied: No of the ")


def test_a_boundary_that_is_silent_denies_and_says_so() -> None:
    decision = decide(reading(), Layers(identity=identity(), boundary=NARROW))
    assert (decision.allowed, decision.layer, decision.explicit) == (False, PolicyKind.BOUNDARY, False)
    assert "no statement of the boundary 'boundary' allows it" in decision.reason


def test_a_session_policy_that_is_silent_denies() -> None:
    decision = decide(reading(), Layers(identity=identity(), session=NARROW_SESSION))
    assert (decision.allowed, decision.layer) == (False, PolicyKind.SESSION)


@pytest.mark.parametrize(
    ("principal", "named", "identities", "allowed"),
    [
        (SESSION, THEIR_SESSION, (), True),
        (SESSION, EVERYONE, (), True),
        (SESSION, THEIR_ROLE, (), False),
        (SESSION, THEIR_ACCOUNT, identity(), False),
        (ALICE, {"AWS": ALICE.name}, (), True),
        (ALICE, THEIR_ACCOUNT, identity(), False),
    ],
)
def test_only_a_grant_to_the_user_the_session_or_everyone_passes_a_silent_boundary_and_session_policy(
    principal: Principal, named: object, identities: tuple[()], allowed: bool
) -> None:
    session = NARROW_SESSION if principal is SESSION else ()
    layers = Layers(identity=identities, resource=attached(named), boundary=NARROW, session=session)
    assert decide(reading(principal), layers).allowed is allowed


def test_a_grant_to_the_role_needs_no_identity_policy_but_heeds_the_boundary() -> None:
    assert decide(reading(), Layers(resource=attached(THEIR_ROLE))).allowed
    limited = decide(reading(), Layers(resource=attached(THEIR_ROLE), boundary=NARROW))
    assert (limited.allowed, limited.layer) == (False, PolicyKind.BOUNDARY)


def test_a_grant_to_the_own_account_gives_nothing_by_itself() -> None:
    assert not decide(reading(), Layers(resource=attached(THEIR_ACCOUNT))).allowed


def test_a_federated_users_session_has_no_more_than_its_session_policy() -> None:
    bob = federated_user(f"arn:aws:sts::{ACCOUNT}:federated-user/bob", ALICE.name)
    assert not decide(reading(bob), Layers(identity=identity())).allowed
    assert decide(reading(bob), Layers(identity=identity(), session=session_policy())).allowed
    assert not decide(reading(bob), Layers(resource=attached({"AWS": ALICE.name}))).allowed
    assert decide(reading(bob), Layers(resource=attached({"AWS": bob.name}))).allowed


def test_an_account_pays_both_sides_for_anothers_resource() -> None:
    resource = attached({"AWS": ROLE})
    assert not decide(reading(owner=OTHER), Layers(identity=identity())).allowed
    assert not decide(reading(owner=OTHER), Layers(resource=resource)).allowed
    assert not decide(reading(owner=OTHER), Layers(resource=attached("*"))).allowed
    assert decide(reading(owner=OTHER), Layers(identity=identity(), resource=resource)).allowed
    assert decide(reading(owner=OTHER), Layers(identity=identity(), resource=attached(THEIR_ACCOUNT))).allowed
    narrowed = Layers(identity=identity(), resource=attached(THEIR_SESSION), boundary=NARROW)
    assert decide(reading(owner=OTHER), narrowed).layer is PolicyKind.BOUNDARY


def test_every_level_of_service_control_policies_has_to_allow() -> None:
    for levels, allowed in [
        (((FULL_SCP,), (FULL_SCP,)), True),
        (((FULL_SCP,), (EC2_SCP,)), False),
        (((EC2_SCP,), (FULL_SCP,)), False),
        (((FULL_SCP,), (EC2_SCP, FULL_SCP)), True),
        (((FULL_SCP,), ()), False),
    ]:
        assert decide(reading(), Layers(identity=identity(), scps=levels)).allowed is allowed


def test_service_control_policies_limit_a_resource_policys_grant_and_the_root_user_too() -> None:
    assert not decide(reading(), Layers(resource=attached(THEIR_SESSION), scps=((EC2_SCP,),))).allowed
    assert not decide(reading(root(ACCOUNT)), Layers(scps=((EC2_SCP,),))).allowed
    assert decide(reading(root(ACCOUNT)), Layers()).allowed


def test_control_policies_leave_out_service_linked_roles_and_the_management_account() -> None:
    linked = role_session(f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/x.amazonaws.com/X", "x")
    rcp = policy(PolicyKind.RCP, statement("Deny", Principal="*"))
    layers = Layers(identity=identity(), scps=((EC2_SCP,),), rcps=((rcp,),))
    assert not decide(reading(), layers).allowed
    assert decide(reading(linked), layers).allowed
    managed = Layers(identity=identity(), scps=((EC2_SCP,),), rcps=((rcp,),), management_account=ACCOUNT)
    assert decide(reading(), managed).allowed


def test_a_resource_control_policy_denies_outsiders_and_services_where_the_service_heeds_it() -> None:
    rcps = ((policy(PolicyKind.RCP, statement("Deny", ["s3:*", "lambda:*"], Principal="*")),),)
    resource = attached({"Service": "cloudtrail.amazonaws.com"})
    assert decide(reading(service("cloudtrail.amazonaws.com")), Layers(resource=resource)).allowed
    assert not decide(reading(service("cloudtrail.amazonaws.com")), Layers(resource=resource, rcps=rcps)).allowed
    on_function = Request(SESSION, "lambda:InvokeFunction", f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:f")
    assert decide(on_function, Layers(identity=identity(statement(action="lambda:*")), rcps=rcps)).allowed


def test_who_has_no_account_is_decided_by_the_resource_alone() -> None:
    assert not decide(reading(anonymous()), Layers(resource=attached(THEIR_ACCOUNT))).allowed
    assert decide(reading(anonymous()), Layers(resource=attached("*"))).allowed
    assert not decide(reading(service("logs.amazonaws.com")), Layers()).allowed


def test_a_key_answers_to_iam_only_where_its_policy_delegates_to_the_account() -> None:
    request = Request(SESSION, "kms:Sign", KEY)
    own = identity(statement(action="kms:Sign"))
    silent = attached({"AWS": ALICE.name}, action="kms:*")
    assert not decide(request, Layers(identity=own, resource=silent)).allowed
    assert not decide(request, Layers(identity=own)).allowed
    assert decide(request, Layers(identity=own, resource=attached(THEIR_ACCOUNT, action="kms:*"))).allowed
    assert not decide(request, Layers(resource=attached(THEIR_ACCOUNT, action="kms:*"))).allowed
    assert decide(request, Layers(resource=attached(THEIR_ROLE, action="kms:Sign"))).allowed
    assert not decide(Request(root(ACCOUNT), "kms:Sign", KEY), Layers(resource=silent)).allowed


def test_what_is_not_on_a_key_needs_no_key_policy() -> None:
    own = identity(statement(action="kms:CreateKey"))
    assert decide(Request(SESSION, "kms:CreateKey", "*"), Layers(identity=own)).allowed


def test_a_deny_on_an_absent_key_of_an_incomplete_request_denies_and_names_the_key() -> None:
    condition = {"Bool": {"aws:MultiFactorAuthPresent": "false"}}
    layers = Layers(identity=identity(statement(), statement("Deny", Sid="NeedsMfa", Condition=condition)))
    assert decide(reading(), layers).allowed
    decision = decide(reading(complete=False), layers)
    assert (decision.allowed, decision.unknown) == (False, True)
    assert "unknown whether NeedsMfa" in decision.reason
    assert "aws:multifactorauthpresent" in decision.reason


def test_an_allow_that_is_unknown_does_not_allow() -> None:
    condition = {"StringEquals": {"aws:SourceVpce": "vpce-1"}}
    layers = Layers(identity=identity(statement(Condition=condition)))
    assert decide(reading(), layers).unknown is False
    decision = decide(reading(complete=False), layers)
    assert (decision.allowed, decision.unknown) == (False, True)
    assert decide(reading(context={"aws:SourceVpce": "vpce-1"}, complete=False), layers).allowed


def test_asking_who_one_is_needs_no_permission() -> None:
    layers = Layers(identity=identity(statement("Deny", "*")))
    assert decide(Request(ALICE, "sts:GetCallerIdentity", "*"), layers).allowed


def test_a_bucket_without_its_account_is_no_request() -> None:
    with pytest.raises(ValueError, match="resource_account"):
        Request(ALICE, "s3:GetObject", f"{BUCKET}/a")


def test_the_same_name_in_another_account_is_another_principal() -> None:
    other = user(f"arn:aws:iam::{OTHER}:user/alice")
    assert not decide(reading(other), Layers(identity=identity(), resource=attached({"AWS": ALICE.name}))).allowed


def test_two_tags_that_differ_in_case_only_are_one_key_with_both_values() -> None:
    request = reading(context={"aws:RequestTag/Team": "a", "aws:RequestTag/team": "b"})
    assert set(request.values["aws:requesttag/team"]) == {"a", "b"}
    asked = Layers(identity=identity(statement(Condition={"StringEquals": {"aws:RequestTag/team": "a"}})))
    assert decide(request, asked).unknown


def test_tags_of_a_federated_users_session_are_no_matter_of_a_trust_policy() -> None:
    own = identity(statement(action="sts:TagSession"))
    on_user = f"arn:aws:sts::{ACCOUNT}:federated-user/bob"
    assert decide(Request(ALICE, "sts:TagSession", on_user), Layers(identity=own)).allowed
    assert not decide(Request(ALICE, "sts:TagSession", ROLE), Layers(identity=own)).allowed


def test_a_deny_to_all_but_a_session_whose_account_it_does_not_list_is_unknown_to_the_session() -> None:
    excepting = policy(PolicyKind.RESOURCE, statement("Deny", NotPrincipal={"AWS": [SESSION_ARN, ROLE]}))
    decision = decide(reading(), Layers(identity=identity(), resource=excepting))
    assert (decision.allowed, decision.unknown, decision.explicit) == (False, True, False)
    assert "NotPrincipal" in decision.reason
