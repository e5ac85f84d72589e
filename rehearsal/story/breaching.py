"""The step in which everybody tries what their duty must never do, with the credentials that it gives them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import ClientError

from interlock.duties.boundaries import Boundary, boundary_arn
from interlock.duties.duty import Role, SigningDuty
from interlock.duties.prefixes import APPROVALS, DECISIONS, LEDGER, RECOVERY, RELEASES
from interlock.duties.rights import Account
from rehearsal.story.context import ENDPOINT, Context
from rehearsal.story.step import Seen, Unexpected

Call = Callable[[boto3.Session], Any]

REFUSALS = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError")
"""The codes with which services say that somebody may not; a request that is only malformed proves nothing."""
_DIGEST = hashlib.sha256(b"a statement that nobody made").digest()
_EVERYTHING = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})


@dataclass(frozen=True)
class Breach:
    """One attempt: under which role, whose, and what."""

    role: Role
    words: str
    call: Call
    person: str | None = None
    """Whose session it is, of those who have the duty; the first's unless given."""
    plain: bool = False
    """Whether it is tried as the person's own user, before they have taken on any role."""


def breach(context: Context) -> Seen:
    """Try every breach, and expect AWS to refuse each for want of permission."""
    answers = []
    for one in breaches(context):
        context.busy(f"{one.role}: {one.words}")
        who = context.people.bearer(one.role, one.person)
        session = context.people.user(who) if one.plain else context.people.as_(one.role, one.person)
        answer = refusal_of(f"{one.role} to {one.words}", one.call, session)
        answers.append({"duty": one.role.value, "who": who, "tried": one.words, "answer": answer})
    duties = {one["duty"] for one in answers}
    return Seen(
        f"{len(answers)} attempts under {len(duties)} roles, every one refused",
        {"breaches": answers},
    )


def refusal_of(words: str, call: Call, session: boto3.Session) -> str:
    """Return with what AWS refused an attempt. Raises Unexpected if it did not, or for another reason."""
    try:
        answer = call(session)
    except ClientError as error:
        code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
        if code not in REFUSALS:
            raise Unexpected(f"no right of {words}", f"{code}: {message}") from error
        return f"{code}: {message}"
    raise Unexpected(f"AWS to refuse: {words}", f"it did: {answer}")


def breaches(context: Context) -> Iterator[Breach]:
    """Yield what everybody tries."""
    assert context.manifest is not None
    manifest, people = context.manifest, context.people
    vault = manifest.vault.bucket_name
    release = f"{RELEASES}{context.pins[0].digest}/"
    endpoint = manifest.endpoints[ENDPOINT].endpoint_name
    signing = {duty: one.key_arn for duty, one in manifest.signing_keys.items()}
    approvers = {name: one.key_arn for name, one in manifest.approver_keys.items()}
    one_key, other_key = approvers["approver-1"], approvers["approver-2"]
    evidence = add(vault, f"{release}forged.json")
    approval = add(vault, f"{APPROVALS}{context.pins[0].digest}/forged.json")
    pinned = context.pins[0].files[0]

    yield Breach(Role.CREATOR, "write evidence for their own model", evidence)
    yield Breach(Role.CREATOR, "approve the release that they asked for", approval)
    yield Breach(Role.CREATOR, "sign an approval with approver-1's key", sign(one_key))
    yield Breach(
        Role.CREATOR, "take on the approver's role", become(people.role_arn(Role.APPROVER), "creator-1"), plain=True
    )
    yield Breach(Role.CREATOR, "move traffic to their model", move(endpoint))

    yield Breach(Role.BUILDER, "write an approval", approval)
    yield Breach(Role.BUILDER, "sign an approval with approver-1's key", sign(one_key))
    yield Breach(Role.BUILDER, "move traffic", move(endpoint))

    yield Breach(Role.APPROVER, "sign with approver-2's key", sign(other_key), person="approver-1")
    yield Breach(
        Role.APPROVER, "take on the approver's role in approver-2's name",
        become(people.role_arn(Role.APPROVER), "approver-2"), person="approver-1", plain=True,
    )  # fmt: skip
    yield Breach(Role.APPROVER, "deploy what they approved", move(endpoint))
    yield Breach(Role.APPROVER, "write evidence", evidence)
    yield Breach(Role.APPROVER, "sign as the builder", sign(signing[SigningDuty.BUILDER]))

    yield Breach(Role.DEPLOYER, "approve what it deploys", approval)
    yield Breach(Role.DEPLOYER, "sign an approval with approver-1's key", sign(one_key))
    yield Breach(Role.DEPLOYER, "write evidence", evidence)
    yield Breach(Role.DEPLOYER, "give itself more rights", widen(people.role_arn(Role.DEPLOYER)))

    yield Breach(Role.RESPONDER, "move traffic by their own hand", move(endpoint))
    yield Breach(Role.RESPONDER, "sign as the rollback function", sign(signing[SigningDuty.RESPONDER]))
    yield Breach(Role.ROLLBACK, "bring up another model", new_configuration(f"{endpoint}-forged"))
    yield Breach(Role.ROLLBACK, "write an approval", approval)

    yield Breach(Role.RECOVERER, "write the journal of a plan that nobody ran", add(vault, f"{RECOVERY}forged.json"))
    yield Breach(Role.RECOVERER, "approve the plan that they run", sign(one_key))
    yield Breach(Role.RECOVERY_RUNNER, "write an approval", approval)

    yield Breach(Role.OBSERVER, "change what serves", move(endpoint))
    yield Breach(Role.OBSERVER, "write evidence", evidence)

    yield Breach(Role.SEQUENCER, "write a statement", evidence)
    yield Breach(Role.SEQUENCER, "sign a statement as the builder", sign(signing[SigningDuty.BUILDER]))
    yield Breach(Role.WITNESS, "write the ledger that it witnesses", add(vault, f"{LEDGER}forged.json"))
    yield Breach(Role.WITNESS, "sign as the log", sign(signing[SigningDuty.LOG]))

    yield Breach(Role.AUDITOR, "write to what they audit", add(vault, f"{DECISIONS}forged.json"))
    yield Breach(Role.AUDITOR, "read the password of MLflow's administrator", read(manifest.tracking.admin_secret_arn))
    yield Breach(Role.AUDITOR, "take a pinned file away", delete(vault, pinned.key, pinned.version_id))

    foundation = people.role_arn(Role.FOUNDATION)
    yield Breach(Role.FOUNDATION, "sign as the builder, whose key they keep", sign(signing[SigningDuty.BUILDER]))
    yield Breach(Role.FOUNDATION, "end the builder's key", end_key(signing[SigningDuty.BUILDER]))
    yield Breach(Role.FOUNDATION, "take a pinned file away", delete(vault, pinned.key, pinned.version_id))
    yield Breach(Role.FOUNDATION, "give themselves more rights", widen(foundation))
    yield Breach(Role.FOUNDATION, "take their own boundary off", unbind(foundation))

    platform = people.role_arn(Role.PLATFORM)
    bound = boundary_arn(Boundary.PLATFORM, people.names, Account.WORKLOAD)
    yield Breach(Role.PLATFORM, "give themselves more rights", widen(platform))
    yield Breach(Role.PLATFORM, "take their own boundary off", unbind(platform))
    yield Breach(Role.PLATFORM, "write their boundary anew", rewrite(bound))
    yield Breach(Role.PLATFORM, "make a role without a boundary, and pass it on", make_role(people.names.workload))
    yield Breach(
        Role.PLATFORM, "let themselves into the builder's role", let_in(people.role_arn(Role.BUILDER), platform)
    )
    yield Breach(Role.PLATFORM, "push an image that would run", push(manifest.images["serving"].url))
    yield Breach(Role.PLATFORM, "sign as the builder", sign(signing[SigningDuty.BUILDER]))

    yield Breach(
        Role.BREAK_GLASS, "come in without a second factor",
        become(people.role_arn(Role.BREAK_GLASS), people.bearer(Role.BREAK_GLASS)), plain=True,
    )  # fmt: skip
    yield Breach(Role.BREAK_GLASS, "bring up another model", new_configuration(f"{endpoint}-forged"))
    yield Breach(Role.BREAK_GLASS, "silence their own alarm", silence(f"{people.names.prefix}-break-glass"))
    yield Breach(Role.BREAK_GLASS, "sign as the builder", sign(signing[SigningDuty.BUILDER]))


def sign(key_arn: str) -> Call:
    return lambda session: session.client("kms").sign(
        KeyId=key_arn, Message=_DIGEST, MessageType="DIGEST", SigningAlgorithm="ECDSA_SHA_256"
    )


def end_key(key_arn: str) -> Call:
    return lambda session: session.client("kms").schedule_key_deletion(KeyId=key_arn, PendingWindowInDays=7)


def add(bucket: str, key: str) -> Call:
    return lambda session: session.client("s3").put_object(Bucket=bucket, Key=key, Body=b"{}", IfNoneMatch="*")


def delete(bucket: str, key: str, version_id: str) -> Call:
    return lambda session: session.client("s3").delete_object(Bucket=bucket, Key=key, VersionId=version_id)


def move(endpoint: str) -> Call:
    return lambda session: session.client("sagemaker").update_endpoint_weights_and_capacities(
        EndpointName=endpoint, DesiredWeightsAndCapacities=[{"VariantName": "green", "DesiredWeight": 1.0}]
    )


def new_configuration(name: str) -> Call:
    return lambda session: session.client("sagemaker").create_endpoint_config(
        EndpointConfigName=name,
        ProductionVariants=[
            {"VariantName": "blue", "ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
        ],
    )


def read(secret_arn: str) -> Call:
    return lambda session: session.client("secretsmanager").get_secret_value(SecretId=secret_arn)


def become(role_arn: str, name: str) -> Call:
    """Try to take on a role under a name, without a second factor."""
    return lambda session: session.client("sts").assume_role(
        RoleArn=role_arn, RoleSessionName=name, SourceIdentity=name
    )


def widen(role_arn: str) -> Call:
    return lambda session: session.client("iam").put_role_policy(
        RoleName=_name(role_arn), PolicyName="more", PolicyDocument=_EVERYTHING
    )


def unbind(role_arn: str) -> Call:
    return lambda session: session.client("iam").delete_role_permissions_boundary(RoleName=_name(role_arn))


def rewrite(policy_arn: str) -> Call:
    return lambda session: session.client("iam").create_policy_version(
        PolicyArn=policy_arn, PolicyDocument=_EVERYTHING, SetAsDefault=True
    )


def make_role(account_id: str) -> Call:
    statement = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account_id}:root"}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    return lambda session: session.client("iam").create_role(
        RoleName="unbound", Path="/interlock/services/", AssumeRolePolicyDocument=trust
    )


def let_in(role_arn: str, principal_arn: str) -> Call:
    statement = {"Effect": "Allow", "Principal": {"AWS": principal_arn}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    return lambda session: session.client("iam").update_assume_role_policy(
        RoleName=_name(role_arn), PolicyDocument=trust
    )


def push(url: str) -> Call:
    registry, _, repository = url.partition("/")
    return lambda session: session.client("ecr").initiate_layer_upload(
        registryId=registry.partition(".")[0], repositoryName=repository
    )


def silence(rule: str) -> Call:
    return lambda session: session.client("events").disable_rule(Name=rule)


def _name(role_arn: str) -> str:
    return role_arn.rpartition("/")[2]
