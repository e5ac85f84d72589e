"""What a preview could grant beside what a proof reads is refused, and a value that is not known is never a yes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from interlock.duties.planned import planned_world
from interlock.failures import BadInput
from tests.interlock.duties.test_planned import BOUND, EVIDENCE, POLICY, ROLE, TRUST, UNKNOWN, preview, role, step, urn

BUCKET, TOPIC, FUNCTION = "aws:s3/bucket:Bucket", "aws:sns/topic:Topic", "aws:lambda/function:Function"
REPOSITORY, SECRET = "aws:ecr/repository:Repository", "aws:secretsmanager/secret:Secret"
BUCKET_POLICY = "aws:s3/bucketPolicy:BucketPolicy"
LOCK = "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration"
VAULT = step(BUCKET, "vault", bucket="vault", objectLockEnabled=True)
GUARDED = step(BUCKET_POLICY, "guard", {"bucket": [urn(BUCKET, "vault")]}, bucket=UNKNOWN, policy=POLICY)
IMAGE = f"{EVIDENCE}.dkr.ecr.eu-west-1.amazonaws.com/interlock/prod/controller:1"
CONTROLLER = step(REPOSITORY, "controller", name="interlock/prod/controller")
DEPLOYER = f"arn:aws:iam::{EVIDENCE}:role/interlock/duties/interlock-prod-deployer"
TASK = "aws:ecs/taskDefinition:TaskDefinition"
MODEL = "aws:sagemaker/model:Model"


def refused(*steps: dict[str, Any]) -> str:
    with pytest.raises(BadInput) as error:
        planned_world(preview(BOUND, *steps))
    return "\n".join([str(error.value), *error.value.reasons])


@pytest.mark.parametrize(
    "kind",
    [
        "aws:iam/user:User", "aws:iam/userPolicy:UserPolicy", "aws:iam/userPolicyAttachment:UserPolicyAttachment",
        "aws:iam/group:Group", "aws:iam/groupMembership:GroupMembership", "aws:iam/accessKey:AccessKey",
        "aws:iam/policyAttachment:PolicyAttachment", "aws:kms/grant:Grant", "aws:kms/keyPolicy:KeyPolicy",
        "aws:s3/accessPoint:AccessPoint", "aws:s3/bucketNotification:BucketNotification",
        "aws:s3/bucketAclV2:BucketAclV2", "aws:ecr/registryPolicy:RegistryPolicy",
        "aws:lambda/functionUrl:FunctionUrl", "aws:codebuild/project:Project", "aws:scheduler/schedule:Schedule",
        "aws:ec2/instance:Instance", "aws-native:iam:Role", "command:local:Command",
    ],
)  # fmt: skip
def test_a_resource_of_a_type_that_is_not_read_is_refused_by_its_name(kind: str) -> None:
    assert f"other: {kind}: a proof reads no resource of this type" in refused(step(kind, "other", name="other"))


@pytest.mark.parametrize(
    ("thing", "kind", "key"),
    [
        (VAULT, BUCKET_POLICY, "bucket"),
        (VAULT, LOCK, "bucket"),
        (CONTROLLER, "aws:ecr/repositoryPolicy:RepositoryPolicy", "repository"),
        (step(SECRET, "s", name="s"), "aws:secretsmanager/secretPolicy:SecretPolicy", "secretArn"),
        (step(TOPIC, "t", name="t"), "aws:sns/topicPolicy:TopicPolicy", "arn"),
    ],
)
def test_two_of_what_a_thing_has_once_are_refused(thing: dict[str, Any], kind: str, key: str) -> None:
    twice = [step(kind, name, {key: [thing["urn"]]}, **{key: UNKNOWN, "policy": POLICY}) for name in ("one", "two")]
    assert f"it has 2 of {kind.rpartition(':')[2]}; accepted is one" in refused(thing, *twice)


def test_a_policy_that_belongs_to_nothing_of_the_preview_is_refused() -> None:
    stray = step("aws:iam/rolePolicyAttachment:RolePolicyAttachment", "stray", role="another", policyArn="arn:x")
    by_arn = step("aws:iam/rolePolicy:RolePolicy", "by-arn", role="arn:aws:iam::1:role/worker", policy=POLICY)
    told = refused(role(), stray, by_arn)
    assert "stray: role: it belongs to nothing of the preview; accepted is one resource of the preview" in told
    assert "by-arn: role: it belongs to nothing of the preview" in told


def test_a_policy_whose_text_names_another_thing_than_it_is_taken_from_is_refused() -> None:
    policy = step(BUCKET_POLICY, "p", {"bucket": [urn(BUCKET, "other")]}, bucket="vault", policy=POLICY)
    assert "p: bucket: it belongs to nothing" in refused(VAULT, GUARDED, step(BUCKET, "other", bucket="other"), policy)


def test_a_policy_among_a_thing_s_own_properties_is_refused() -> None:
    told = refused(step(BUCKET, "b", bucket="b", acl="public-read"), step(TOPIC, "t", name="t", policy=POLICY))
    assert "b: acl: accepted is a resource of its own" in told
    assert "t: policy: accepted is a resource of its own" in told


def runs(**inputs: Any) -> dict[str, Any]:
    return step(FUNCTION, "runs", name="runs", role=DEPLOYER, **inputs)


def task(image: Any, role_arn: str = DEPLOYER) -> dict[str, Any]:
    definitions = json.dumps([{"image": IMAGE}, {"image": image}]) if image is not None else UNKNOWN
    return step(TASK, "runs", family="runs", taskRoleArn=role_arn, containerDefinitions=definitions)


@pytest.mark.parametrize(
    "code",
    [
        task("evil.io/x:1"), task("999999999999.dkr.ecr.eu-west-1.amazonaws.com/x:1"), task(f"evil.io/{IMAGE}"),
        task(None), runs(s3Bucket="bucket", s3Key="x.zip"), runs(imageUri=UNKNOWN),
        step(MODEL, "runs", executionRoleArn=DEPLOYER, primaryContainer=UNKNOWN),
        step(MODEL, "runs", executionRoleArn=DEPLOYER, containers=[{"image": IMAGE}, {"image": "evil.io/x"}]),
    ],
)  # fmt: skip
def test_a_duty_s_role_that_may_run_another_s_code_lacks_an_image_of_the_foundation(code: dict[str, Any]) -> None:
    missing = planned_world(preview(BOUND, CONTROLLER, code)).world.missing
    assert f"an image of the foundation's repositories for runs, which runs as {DEPLOYER}" in missing


@pytest.mark.parametrize("code", [task(IMAGE), runs(imageUri=IMAGE), task("elsewhere.io/x:1", "arn:aws:iam::1:role/x")])
def test_the_foundation_s_images_run_as_duties_and_others_as_roles_of_none(code: dict[str, Any]) -> None:
    code = json.loads(json.dumps(code).replace("iam::1:", f"iam::{EVIDENCE}:"))
    assert not any("image" in one for one in planned_world(preview(BOUND, CONTROLLER, code)).world.missing)


def test_code_under_a_role_that_is_not_known_is_demanded_to_say_whose_it_is() -> None:
    code = step(FUNCTION, "runs", name="runs", role=UNKNOWN, imageUri=IMAGE)
    missing = planned_world(preview(BOUND, CONTROLLER, code)).world.missing
    assert "a role for runs whose name is known: role" in missing


def test_the_vault_is_held_to_the_days_that_the_settings_demand() -> None:
    document = preview(BOUND)
    document["config"]["interlock:vault"] = json.dumps({"retention_days": 365 * 7})
    assert planned_world(document).world.minimum_retention_days == 365 * 7


@pytest.mark.parametrize(
    "rule",
    [
        UNKNOWN, {"defaultRetention": UNKNOWN}, {"defaultRetention": {"mode": "COMPLIANCE", "days": UNKNOWN}},
        {"defaultRetention": {"mode": "COMPLIANCE", "days": [30]}},
    ],
)  # fmt: skip
def test_days_that_are_not_known_are_none(rule: Any) -> None:
    lock = step(LOCK, "lock", bucket="vault", rule=rule)
    versioning = step("aws:s3/bucketVersioning:BucketVersioning", "v", bucket="vault", versioningConfiguration=UNKNOWN)
    (vault,) = planned_world(preview(VAULT, GUARDED, lock, versioning)).world.resources
    assert (vault.attributes["retention_days"], vault.attributes["versioning"]) == ("0", "Disabled")


def test_tags_and_replicas_that_are_not_known_are_named() -> None:
    told = refused(
        step(ROLE, "worker", name="worker", assumeRolePolicy=TRUST, tags=UNKNOWN),
        step(ROLE, "other", name="other", assumeRolePolicy=TRUST, tags={"interlock:duty": UNKNOWN}),
        step(SECRET, "tagged", tags=UNKNOWN),
        step(SECRET, "copied", replicas=UNKNOWN),
        step(SECRET, "copied-somewhere", replicas=[{"region": UNKNOWN}]),
    )
    assert "worker: its tags, which say whose role it is, are not known" in told
    assert "other: its tags, which say whose role it is, are not known" in told
    assert all(f"{one}: its tags and the regions of its replicas" in told for one in ("tagged", "copied-somewhere"))


def test_a_key_that_may_be_off_is_not_there() -> None:
    key = step("aws:kms/key:Key", "k", policy=POLICY, keyUsage="SIGN_VERIFY", isEnabled=UNKNOWN)
    alias = step("aws:kms/alias:Alias", "a", {"targetKeyId": [key["urn"]]}, name="alias/interlock-prod-builder")
    missing = planned_world(preview(key, alias)).world.missing
    assert "an enabled key with the alias alias/interlock-prod-builder in eu-west-1" in missing


@pytest.mark.parametrize("needed", [None, 5, [5]])
def test_dependencies_that_are_no_lists_of_urns_are_refused(needed: Any) -> None:
    broken = step(BUCKET, "b", bucket="b")
    broken["newState"]["propertyDependencies"] = {"bucket": needed}
    assert f"propertyDependencies: bucket: received {needed!r}; accepted is a list of URNs" in refused(broken)


def test_accounts_and_settings_of_another_form_are_refused() -> None:
    document = preview(BOUND)
    document["steps"][0]["newState"]["inputs"]["allowedAccountIds"] = 5
    with pytest.raises(BadInput, match="allowedAccountIds: received 5; accepted is a list of accounts"):
        planned_world(document)
    document = preview(BOUND)
    document["config"]["interlock:approvers"] = None
    with pytest.raises(BadInput, match="config: interlock:approvers: received None; accepted is a text"):
        planned_world(document)
