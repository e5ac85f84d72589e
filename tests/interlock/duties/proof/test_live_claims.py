"""What accounts hold that no preview does: their administrators, the trail's bucket, rights on state, several of each
thing; and how people and workflows come in there."""

from __future__ import annotations

import copy
import datetime
from typing import Any

import pytest

from interlock.duties.duty_world import duty_world
from interlock.duties.evaluator.decision import decide
from interlock.duties.evaluator.parsing import parse
from interlock.duties.evaluator.policy import PolicyKind
from interlock.duties.evaluator.request import Layers
from interlock.duties.proof import administering, entering, fulfilling, keeping, reaching, restraining
from interlock.duties.proof.certificate import certify
from interlock.duties.proof.closure import Closure
from interlock.duties.proof.forms import delegating
from interlock.duties.proof.property import Context, Property
from interlock.duties.proof.prove import prove
from interlock.duties.proof.scene import Scene
from interlock.duties.world import Compute, NamedDocument, Principal, Resource, ResourceKind, World
from tests.interlock.duties.landscapes import AUDIT, DEPLOYING, LAND, WORKLOAD
from tests.interlock.duties.proof.lending import with_platform
from tests.interlock.duties.proof.organised import guardrails, organised

Statement = dict[str, Any]
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
ELSEWHERE = "222233334444"
ADMINISTRATOR = f"arn:aws:iam::{WORKLOAD}:role/Administrator"
NOW = datetime.datetime(2026, 11, 22, tzinfo=datetime.UTC)
TRAIL = f"arn:aws:s3:::interlock-prod-trail-{AUDIT}"


@pytest.fixture(scope="module")
def world() -> World:
    return with_platform(duty_world(LAND, DEPLOYING))


def refuting(world: World, claims: tuple[Property, ...], name: str) -> list[str]:
    """Return, in words, what refutes one claim."""
    (outcome,) = prove(world, [one for one in claims if one.name == name])
    return [one.words for one in outcome.violations]


def changed(world: World, old: Principal, **update: Any) -> World:
    new = old.model_copy(update=update)
    return world.model_copy(update={"principals": tuple(new if one is old else one for one in world.principals)})


def role(world: World, duty: str, account: str = WORKLOAD) -> Principal:
    return next(one for one in world.of_duty(duty) if one.account_id == account)


def denying(world: World, duty: str, statement: Statement) -> World:
    """Return the world in which a role's policies deny something beside."""
    deployer = role(world, duty)
    document = {"Version": "2012-10-17", "Statement": [{"Sid": "Not", "Effect": "Deny", **statement}]}
    return changed(world, deployer, identity=(*deployer.identity, NamedDocument(name="not", document=document)))


def granting(world: World, duty: str, statement: Statement) -> World:
    holder = role(world, duty)
    document = {"Version": "2012-10-17", "Statement": [{"Sid": "More", "Effect": "Allow", **statement}]}
    return changed(world, holder, identity=(*holder.identity, NamedDocument(name="more", document=document)))


def administered(world: World) -> World:
    """Return the world with somebody who administers the workload's account, whom its principals may assume."""
    everybody = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{WORKLOAD}:root"}, "Action": "sts:AssumeRole"}
    trust = {"Version": "2012-10-17", "Statement": [everybody]}
    one = Principal(arn=ADMINISTRATOR, trust=trust, identity=(NamedDocument(name="all", document=EVERYTHING),))
    return world.model_copy(update={"trusted": (one,)})


def recorded(world: World, *, without: str = "") -> World:
    """Return the world with a trail's bucket, as `infra/audit` holds it, but for one statement."""
    things = [TRAIL, f"{TRAIL}/*"]
    spared = {"ArnNotLike": {"aws:PrincipalArn": f"arn:aws:iam::{AUDIT}:role/Administrator"}}
    held: list[Statement] = [
        {"Sid": "Plain", "Action": "s3:*", "Resource": things, "Condition": {"Bool": {"aws:SecureTransport": "false"}}},
        {
            "Sid": "Old",
            "Action": "s3:*",
            "Resource": things,
            "Condition": {"NumericLessThan": {"s3:TlsVersion": "1.2"}},
        },
        {"Sid": "Removal", "Action": [*keeping.REMOVING_OBJECTS, *keeping.REMOVING_IN_BUCKETS], "Resource": things},
        {"Sid": "Guards", "Action": list(keeping.CHANGING_GUARDS), "Resource": TRAIL, "Condition": spared},
    ]
    statements = [{**one, "Effect": "Deny", "Principal": "*"} for one in held if one["Sid"] != without]
    bucket = Resource(
        arn=TRAIL, kind=ResourceKind.BUCKET, account_id=AUDIT,
        policy={"Version": "2012-10-17", "Statement": statements},
        attributes={"record": "true", "lock_mode": "COMPLIANCE", "versioning": "Enabled", "retention_days": "30"},
    )  # fmt: skip
    administrators = (*world.administrators, f"arn:aws:iam::{AUDIT}:role/Administrator")
    return world.model_copy(update={"resources": (*world.resources, bucket), "administrators": administrators})


def test_workflows_that_deploy_are_proved_with_everybody_else(world: World) -> None:
    assert {one.claim.name: one.violations for one in prove(world) if not one.holds} == {}


def test_a_workflow_of_the_foundation_takes_nobodys_name_in_the_other_account(world: World) -> None:
    there = role(world, "foundation", LAND.evidence)
    trust = copy.deepcopy(there.trust) or {}
    for one in trust["Statement"]:
        if one["Sid"] == "NamesFromOtherAccount":
            del one["Condition"]
    assert any("bears" in one for one in refuting(changed(world, there, trust=trust), reaching.PROPERTIES, "own-name"))


@pytest.mark.parametrize("operator", ["NumericLessThanIfExists", "ForAllValues:NumericLessThan"])
def test_an_age_of_the_factor_that_need_not_be_told_is_refuted(world: World, operator: str) -> None:
    glass = role(world, "break-glass")
    trust = copy.deepcopy(glass.trust) or {}
    for one in trust["Statement"]:
        if "NumericLessThan" in one.get("Condition", {}):
            one["Condition"][operator] = one["Condition"].pop("NumericLessThan")
    found = refuting(changed(world, glass, trust=trust), entering.PROPERTIES, "with-a-factor")
    assert any("with MFA of an age that is not told" in one for one in found)


def test_a_right_that_is_denied_on_one_bucket_of_several_is_refuted(world: World) -> None:
    own = [
        Resource(arn=f"arn:aws:s3:::artifacts-{each}", kind=ResourceKind.BUCKET, account_id=WORKLOAD)
        for each in ("one", "two")
    ]
    several = world.model_copy(update={"resources": (*world.resources, *own)})
    assert refuting(several, fulfilling.PROPERTIES, "rights-reach-everything") == []
    less = denying(several, "platform", {"Action": "s3:PutBucketVersioning", "Resource": own[1].arn})
    found = refuting(less, fulfilling.PROPERTIES, "rights-reach-everything")
    assert len(found) == 1
    assert f"cannot s3:PutBucketVersioning on {own[1].arn}" in found[0]


def test_a_right_that_is_denied_on_one_role_of_several_is_refuted(world: World) -> None:
    services = [one for one in world.principals if ":role/interlock/services/" in one.arn]
    made = [
        Principal(
            arn=f"arn:aws:iam::{WORKLOAD}:role/interlock/services/{each}", boundary=role(world, "creator").boundary
        )
        for each in ("one", "two")
    ]
    several = world.model_copy(update={"principals": (*world.principals, *made)})
    assert not {one.arn for one in services} & {one.arn for one in made}
    less = denying(several, "platform", {"Action": "iam:PassRole", "Resource": made[0].arn})
    found = refuting(less, fulfilling.PROPERTIES, "rights-reach-everything")
    assert len(found) == 1
    assert f"cannot iam:PassRole on {made[0].arn}" in found[0]


def test_a_right_that_a_boundary_leaves_out_is_refuted_on_each_thing(world: World) -> None:
    platform = role(world, "platform")
    assert platform.boundary is not None
    document = copy.deepcopy(platform.boundary.document)
    key = next(one for one in world.resources if one.arn.endswith(":key/platform"))
    document["Statement"].append(
        {"Sid": "Not", "Effect": "Deny", "Action": "kms:EnableKeyRotation", "Resource": key.arn}
    )
    less = changed(world, platform, boundary=platform.boundary.model_copy(update={"document": document}))
    found = refuting(less, fulfilling.PROPERTIES, "rights-reach-everything")
    assert [key.arn in one for one in found] == [True]


@pytest.mark.parametrize(
    ("duty", "action"),
    [
        ("platform", "ec2:DescribeVpcs"),
        ("platform", "rds:ModifyDBInstance"),
        ("platform", "iam:CreateRole"),
        ("foundation", "kms:CreateKey"),
        ("foundation", "sns:Subscribe"),
    ],
)
def test_a_right_on_everything_or_on_what_is_yet_to_be_is_asked_for_too(world: World, duty: str, action: str) -> None:
    less = denying(world, duty, {"Action": action, "Resource": "*"})
    found = refuting(less, fulfilling.PROPERTIES, "rights-reach-everything")
    assert any(f"cannot {action} on " in one for one in found)


def test_nothing_of_the_table_is_kept_back_by_its_own_boundaries(world: World) -> None:
    scene = Scene(world)
    context = Context(scene, Closure(scene))
    in_vain = []
    for one in world.principals:
        held = world.entitlements.get(one.arn)
        if held is None:
            continue
        given = Layers(
            identity=tuple(parse(each, PolicyKind.IDENTITY, one.arn) for each in held.identity),
            boundary=parse(held.boundary, PolicyKind.BOUNDARY, one.arn),
            resource=delegating(one.account_id),
        )
        for statement in (each for document in held.identity for each in document["Statement"]):
            allowed: dict[str, bool] = {}
            for asked in fulfilling.rights(context, one, statement):
                decided = decide(asked.request, given).allowed
                allowed[asked.request.action] = allowed.get(asked.request.action, False) or decided
            in_vain += [(one.name, statement["Sid"], action) for action, is_so in allowed.items() if not is_so]
    # The foundation's two roles have one policy; KMS lets no other account administer a key.
    assert {sid for name, sid, _ in in_vain if name.endswith("foundation")} <= {"KeepKeys"}
    assert [one for one in in_vain if not one[0].endswith("foundation")] == []


def test_an_administrator_who_was_named_is_set_apart_and_stated(world: World) -> None:
    whole = administered(world)
    outcomes = prove(whole)
    assert {one.claim.name: one.violations for one in outcomes if not one.holds} == {}
    made = certify(whole, outcomes, "a test", NOW)
    assert any(one.what.startswith(f"{ADMINISTRATOR} administers its account") for one in made.assumptions)


@pytest.mark.parametrize("action", ["sts:AssumeRole", "iam:PutRolePolicy", "iam:UpdateAssumeRolePolicy"])
def test_whoever_becomes_an_administrator_is_shown(world: World, action: str) -> None:
    wider = granting(administered(world), "auditor", {"Action": action, "Resource": ADMINISTRATOR})
    auditor = role(wider, "auditor")
    free = changed(wider, auditor, boundary=None)
    found = refuting(free, administering.PROPERTIES, "administrators-stay-apart")
    assert [one for one in found if f"by {action} on {ADMINISTRATOR}" in one]


def let_in(world: World, principal: dict[str, Any], action: str = "AssumeRole", condition: Any = None) -> World:
    """Return the world with an administrator whose role lets some in, and no other."""
    statement = {"Effect": "Allow", "Principal": principal, "Action": f"sts:{action}", "Condition": condition or {}}
    trust = {"Version": "2012-10-17", "Statement": [statement]}
    one = Principal(arn=ADMINISTRATOR, trust=trust, identity=(NamedDocument(name="all", document=EVERYTHING),))
    return world.model_copy(update={"trusted": (one,)})


def becoming(world: World) -> list[str]:
    return refuting(world, administering.PROPERTIES, "administrators-stay-apart")


def test_somebody_of_another_account_becomes_an_administrator_only_if_the_proof_was_told(world: World) -> None:
    admins = f"arn:aws:iam::{ELSEWHERE}:role/Admins"
    for named in ("*", f"arn:aws:iam::{ELSEWHERE}:root", ELSEWHERE, admins):
        assert [one for one in becoming(let_in(world, {"AWS": named})) if "by sts:AssumeRole" in one] != []
    inside = {"StringEquals": {"aws:PrincipalAccount": WORKLOAD}}
    # Whom a role's policy names itself needs no right of their own, so that some of the account's own come in.
    found = becoming(let_in(world, {"AWS": "*"}, condition=inside))
    assert [one for one in found if not one.startswith(WORKLOAD)] == []
    told = let_in(world, {"AWS": admins}).model_copy(update={"trusted_elsewhere": (admins,)})
    assert becoming(told) == []
    assert becoming(told.model_copy(update={"trusted_elsewhere": (f"{admins}-too",)})) != []
    whole = let_in(world, {"AWS": [ELSEWHERE, admins]})
    assert becoming(whole.model_copy(update={"trusted_elsewhere": (admins,)})) != []
    assert becoming(whole.model_copy(update={"trusted_elsewhere": (f"arn:aws:iam::{ELSEWHERE}:root",)})) == []
    assert becoming(whole.model_copy(update={"management_account": ELSEWHERE})) == []


def test_a_session_of_a_duty_that_an_administrators_role_names_becomes_one(world: World) -> None:
    name = role(world, "break-glass").name
    session = f"arn:aws:sts::{WORKLOAD}:assumed-role/{name}/responder-1"
    assert becoming(let_in(world, {"AWS": session})) != []


@pytest.mark.parametrize("days", ["0", "29"])
def test_a_trails_bucket_that_keeps_for_fewer_days_than_its_module_takes_is_refuted(world: World, days: str) -> None:
    whole = recorded(world)
    bucket = next(one for one in whole.resources if one.arn == TRAIL)
    shorter = bucket.model_copy(update={"attributes": {**bucket.attributes, "retention_days": days}})
    resources = tuple(shorter if one is bucket else one for one in whole.resources)
    assert refuting(whole.model_copy(update={"resources": resources}), keeping.PROPERTIES, "records-stay") != []


def test_the_certificate_says_whom_an_administrators_role_lets_in(world: World) -> None:
    admins = f"arn:aws:iam::{ELSEWHERE}:role/Admins"
    told = let_in(world, {"AWS": admins}).model_copy(update={"trusted_elsewhere": (admins,)})
    made = certify(told, prove(told), "a test", NOW)
    assert [one.what for one in made.assumptions if f"its trust policy names {admins}." in one.what] != []
    assert [one.what for one in made.assumptions if one.what.startswith(f"{admins} is of another account")] != []


def test_only_tokens_whose_subject_is_named_exactly_become_an_administrator(world: World) -> None:
    issuer = "token.actions.githubusercontent.com"
    provider = {"Federated": f"arn:aws:iam::{WORKLOAD}:oidc-provider/{issuer}"}

    def with_subject(subject: str, operator: str = "StringEquals") -> list[str]:
        condition = {operator: {f"{issuer}:sub": subject}}
        return becoming(let_in(world, provider, "AssumeRoleWithWebIdentity", condition))

    assert with_subject("repo:operations/accounts:environment:admin") == []
    assert becoming(let_in(world, provider, "AssumeRoleWithWebIdentity")) != []
    assert with_subject("repo:operations/*", "StringLike") != []
    audience = {"StringEquals": {f"{issuer}:aud": "sts.amazonaws.com"}}
    assert becoming(let_in(world, provider, "AssumeRoleWithWebIdentity", audience)) != []
    workflows = [way for one in world.people for way in one.ways if way.principal == provider["Federated"]]
    (subject, *_) = next(iter(one for key, one in workflows[0].context.items() if key.lower().endswith(":sub")))
    assert any(
        "can come to act as an administrator by sts:AssumeRoleWithWebIdentity" in one for one in with_subject(subject)
    )


def test_a_provider_of_saml_says_itself_who_becomes_which_role(world: World) -> None:
    directory = {"Federated": f"arn:aws:iam::{WORKLOAD}:saml-provider/AWSSSO_0123456789abcdef_DO_NOT_DELETE"}
    assert becoming(let_in(world, directory, "AssumeRoleWithSAML")) == []


def test_whoever_decides_what_runs_as_an_administrator_is_shown(world: World) -> None:
    function = f"arn:aws:lambda:eu-west-1:{WORKLOAD}:function:operations"
    runs = Compute(arn=function, service="lambda", role_arns=(ADMINISTRATOR,))
    kept = let_in(world, {"Service": "lambda.amazonaws.com"}).model_copy(update={"compute": (*world.compute, runs)})
    assert becoming(kept) == []
    wider = granting(kept, "auditor", {"Action": "lambda:UpdateFunctionCode", "Resource": function})
    found = becoming(changed(wider, role(wider, "auditor"), boundary=None))
    assert [one for one in found if "decide what runs as an administrator by lambda:UpdateFunctionCode" in one] != []


@pytest.mark.parametrize("without", ["Plain", "Old", "Removal", "Guards"])
def test_what_holds_the_trails_bucket_is_demanded_statement_by_statement(world: World, without: str) -> None:
    assert refuting(recorded(world), keeping.PROPERTIES, "records-stay") == []
    assert refuting(recorded(world, without=without), keeping.PROPERTIES, "records-stay") != []


def test_the_organisation_keeps_what_trails_wrote_from_whoever_may_do_everything(world: World) -> None:
    documents = guardrails(["vault-primary", "vault-recovery"])
    kept = organised(recorded(world), documents)
    assert refuting(kept, restraining.PROPERTIES, "organisation-suffices") == []
    statements = documents["service_control"]["trail"]["Statement"]
    documents["service_control"]["trail"]["Statement"] = [
        one for one in statements if one["Sid"] != "DenyRemovingRecords"
    ]
    found = refuting(organised(recorded(world), documents), restraining.PROPERTIES, "organisation-suffices")
    assert [one for one in found if f"remove what trails wrote by s3:DeleteObject on {TRAIL}-eu-west-1/*" in one] != []


def test_the_trails_bucket_is_not_held_to_what_a_vault_is(world: World) -> None:
    assert {one.claim.name for one in prove(recorded(world)) if not one.holds} == set()


def test_a_right_on_state_beside_the_layers_own_is_more_than_the_table(world: World) -> None:
    other = f"arn:aws:s3:::interlock-prod-terraform-{WORKLOAD}-eu-west-1/*"
    wider = granting(world, "platform", {"Action": "s3:GetObject", "Resource": other})
    (outcome,) = [one for one in prove(wider) if one.claim.name == "no-more-than-the-table"]
    assert any("s3:GetObject" in one.words for one in outcome.violations)


def test_a_policy_of_one_secret_or_bucket_of_several_that_shuts_the_platform_out_is_refuted(world: World) -> None:
    denial = {"Sid": "Not", "Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}
    secret = next(one for one in world.resources if one.arn in world.kept and one.kind is ResourceKind.SECRET)
    policy = {"Version": "2012-10-17", "Statement": [denial]}
    bucket = Resource(
        arn="arn:aws:s3:::artifacts-two", kind=ResourceKind.BUCKET, account_id=WORKLOAD,
        policy={"Version": "2012-10-17", "Statement": [{**denial, "Action": "s3:*"}]},
    )  # fmt: skip
    shut = secret.model_copy(update={"policy": policy})
    resources = (*(shut if one is secret else one for one in world.resources), bucket)
    less = world.model_copy(update={"resources": resources})
    found = refuting(less, fulfilling.PROPERTIES, "platforms-can-be-mended")
    changing = [one for one in found if "nobody else mends it" in one]
    assert [secret.arn in changing[0], bucket.arn in changing[1], len(changing)] == [True, True, 2]


def test_a_policy_that_keeps_less_than_its_change_from_the_platform_is_refuted(world: World) -> None:
    name = "arn:aws:s3:::artifacts-three"
    denial = {"Sid": "Not", "Effect": "Deny", "Principal": "*", "Action": "s3:PutBucketTagging", "Resource": name}
    policy = {"Version": "2012-10-17", "Statement": [denial]}
    bucket = Resource(arn=name, kind=ResourceKind.BUCKET, account_id=WORKLOAD, policy=policy)
    less = world.model_copy(update={"resources": (*world.resources, bucket)})
    (found,) = refuting(less, fulfilling.PROPERTIES, "things-keep-nothing-back")
    assert f"the policy of {name} keeps" in found
    assert "from s3:PutBucketTagging" in found
