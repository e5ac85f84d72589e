"""Claims about each role: what it must never do, what it may not make, and that it can do its work."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from interlock.duties.evaluator import request
from interlock.duties.evaluator.decision import decide
from interlock.duties.prefixes import OWN_NAME
from interlock.duties.proof.calls import FREE, Session
from interlock.duties.proof.forms import Form
from interlock.duties.proof.property import OWNERS, Context, Denied, Property, Violation
from interlock.duties.proof.reaching import ALARMS
from interlock.duties.proof.scene import Scene
from interlock.duties.proof.taking import (
    ALTERING_ROLES,
    ALTERING_USERS,
    CHANGING_PROVIDERS,
    ENDING_POLICIES,
    ON_GROUPS,
    ON_POLICIES,
    ON_ROLES,
    PUSHING,
)
from interlock.duties.repository_policy import REGISTRY
from interlock.duties.world import Person, Principal, PrincipalKind, Resource, ResourceKind, Task

SAFELY: Final[Mapping[str, tuple[str, ...]]] = {"aws:securetransport": ("true",), "s3:tlsversion": ("1.3",)}
"""What every request of ours says."""
ORDINARY: Final[Mapping[str, tuple[str, ...]]] = {
    **SAFELY, "aws:multifactorauthpresent": ("true",), "aws:multifactorauthage": ("60",),
}  # fmt: skip
"""What every request of somebody says who came in as an IAM user."""
TAGS: Final = "aws:resourcetag/"
FACTORS: Final = ("aws:multifactorauthpresent", "aws:multifactorauthage")
WITHOUT_FACTOR: Final[tuple[Mapping[str, tuple[str, ...]], ...]] = (
    {**SAFELY, "aws:multifactorauthpresent": ("false",)}, SAFELY,
)  # fmt: skip
"""What requests say of services and of whoever comes by a token or by IAM Identity Center: AWS knows no factor of
theirs, and says so or says nothing.

Source: IAM User Guide, "AWS global condition context keys", aws:MultiFactorAuthPresent.
"""
APPROVERS_NEEDED: Final = 2
REGION_IN_ARN: Final = 3
GLOBAL_SERVICES: Final = frozenset({"budgets", "ce", "cloudfront", "iam", "organizations", "route53"})
"""Services whose one endpoint is in us-east-1."""
ROLE_ID: Final = "AROAEXAMPLEEXAMPLE123"
"""What stands for the id that AWS gives a role."""
MOVING_TRAFFIC: Final = ("sagemaker:UpdateEndpoint", "sagemaker:UpdateEndpointWeightsAndCapacities")
CHANGING_WHAT_SERVES: Final[Mapping[str, tuple[str, ...]]] = {
    "sagemaker": (
        *MOVING_TRAFFIC, "sagemaker:CreateEndpoint", "sagemaker:CreateEndpointConfig", "sagemaker:DeleteEndpoint",
        "sagemaker:DeleteEndpointConfig", "sagemaker:CreateModel", "sagemaker:DeleteModel",
        "sagemaker:CreateInferenceComponent", "sagemaker:UpdateInferenceComponent",
        "sagemaker:DeleteInferenceComponent", "sagemaker:StopInferenceExperiment",
    ),
    "ecs": ("ecs:CreateService", "ecs:UpdateService", "ecs:DeleteService", "ecs:StopTask", "ecs:CreateTaskSet",
            "ecs:UpdateServicePrimaryTaskSet"),
    "application-autoscaling": (
        "application-autoscaling:RegisterScalableTarget", "application-autoscaling:DeregisterScalableTarget",
        "application-autoscaling:PutScalingPolicy", "application-autoscaling:DeleteScalingPolicy",
        "application-autoscaling:PutScheduledAction",
    ),
    "cloudformation": ("cloudformation:CreateStack", "cloudformation:UpdateStack", "cloudformation:DeleteStack",
                       "cloudformation:ExecuteChangeSet", "cloudformation:CreateStackSet"),
    "rds": ("rds:ModifyDBInstance", "rds:DeleteDBInstance", "rds:StopDBInstance", "rds:RebootDBInstance",
            "rds:ModifyDBParameterGroup", "rds:DeleteDBSnapshot", "rds:PromoteReadReplica",
            "rds:ModifyDBSnapshotAttribute", "rds:ModifyDBClusterSnapshotAttribute"),
    "ec2": ("ec2:AuthorizeSecurityGroupIngress", "ec2:RevokeSecurityGroupIngress", "ec2:RevokeSecurityGroupEgress",
            "ec2:CreateRoute", "ec2:DeleteRoute", "ec2:ReplaceRoute"),
    "events": ALARMS,
    "ssm": ("ssm:PutParameter", "ssm:DeleteParameter"),
    "elasticloadbalancing": (
        "elasticloadbalancing:ModifyListener", "elasticloadbalancing:ModifyRule", "elasticloadbalancing:DeleteListener",
        "elasticloadbalancing:DeleteLoadBalancer", "elasticloadbalancing:RegisterTargets",
        "elasticloadbalancing:DeregisterTargets", "elasticloadbalancing:CreateRule", "elasticloadbalancing:DeleteRule",
        "elasticloadbalancing:SetRulePriorities", "elasticloadbalancing:SetSecurityGroups",
    ),
}  # fmt: skip
"""By service: what decides what answers requests and tracking, or whether anything does."""
TRAFFIC_DUTIES: Final = frozenset({"deployer", "responder", "break-glass"})


def _never(context: Context) -> Iterator[Violation]:
    for one in context.scene.world.forbidden:
        session = Session(one.principal, FREE)
        if call := context.scene.can(session, one.action, one.resource):
            yield Violation(f"{session} can {one.name}: {one.action} on {one.resource}", call=call)


def _traffic(context: Context) -> Iterator[Violation]:
    for account in context.scene.world.accounts:
        endpoints = f"arn:aws:sagemaker:*:{account.id}:endpoint/*"
        yield from context.first(context.sessions(but=TRAFFIC_DUTIES), MOVING_TRAFFIC, endpoints, "move traffic")


def _serving(context: Context) -> Iterator[Violation]:
    # Each duty is held to what the table gives it.
    others = [one for one in context.sessions() if context.scene.principal(one.arn).duty is None]
    for session in others:
        if not context.administers(session):
            account_id = context.scene.principal(session.arn).account_id
            for service, actions in CHANGING_WHAT_SERVES.items():
                anything = f"arn:aws:{service}:*:{account_id}:*"
                yield from context.first([session], actions, anything, "change what serves")


def _foundations_own(context: Context) -> Iterator[Violation]:
    others = [one for one in context.sessions() if not context.administers(one)]
    for principal in context.scene.world.principals:
        if principal.duty is not None:
            actions = [*(edit.action for edit in ON_ROLES), *ALTERING_ROLES]
            yield from context.first(others, actions, principal.arn, "change a duty's role")
    for account in context.scene.world.accounts:
        groups = f"arn:aws:iam::{account.id}:group/*"
        yield from context.first(others, ON_GROUPS, groups, "change what the users of a group may do")
        for kind in ("oidc-provider", "saml-provider"):
            providers = f"arn:aws:iam::{account.id}:{kind}/*"
            yield from context.first(others, CHANGING_PROVIDERS, providers, "change who signs in")
        users = f"arn:aws:iam::{account.id}:user/*"
        yield from context.first(others, ALTERING_USERS, users, "change whom a user's name and factors stand for")
    for arn in sorted(_policy_arns(context)):
        yield from context.first(others, (*ON_POLICIES, *ENDING_POLICIES), arn, "change a boundary or a managed policy")
    beside = [one for one in others if context.scene.principal(one.arn).duty not in OWNERS]
    yield from context.first(beside, REGISTRY, "*", "change what a whole registry takes in")
    for repository in context.scene.world.of_kind(ResourceKind.REPOSITORY):
        invited = [one for one in context.invited(repository) if not context.administers(one)]
        yield from context.first([*others, *invited], PUSHING, repository.arn, "decide which image runs")


def _policy_arns(context: Context) -> set[str]:
    named = [
        document for one in context.scene.world.principals for document in (*one.identity, one.boundary) if document
    ]
    return {one.editable_arn for one in named if one.editable_arn}


def _bounded(context: Context) -> Iterator[Violation]:
    known = sorted(context.scene.boundaries)
    elsewhere = tuple(("iam:permissionsboundary", arn) for arn in known)
    for session in context.sessions(but=OWNERS):
        if context.administers(session):
            continue
        for action, kind in (("iam:CreateRole", "role"), ("iam:CreateUser", "user")):
            anything = f"arn:aws:iam::{context.scene.principal(session.arn).account_id}:{kind}/*"
            if call := context.scene.can(session, action, anything, other_than=elsewhere):
                yield Violation(f"{session} can make a {kind} outside of every boundary by {action}", call=call)
        for action in ("iam:DeleteRolePermissionsBoundary", "iam:PutRolePermissionsBoundary"):
            if call := context.scene.can(session, action, "arn:aws:iam::*:role/*", other_than=elsewhere):
                yield Violation(f"{session} can take a boundary off by {action}", call=call)
    for principal in context.scene.world.principals:
        if principal.duty is not None and principal.boundary is None:
            # What its policies could come to say, nothing would limit: a request shows the difference.
            widened = Session(principal.arn, FREE, Form.WIDENED)
            user = f"arn:aws:iam::{principal.account_id}:user/*"
            words = f"{principal.arn} carries out {principal.duty} without a boundary"
            yield Violation(words, call=context.scene.can(widened, "iam:CreateUser", user))


def _tasks(context: Context) -> Iterator[Violation]:
    world = context.scene.world
    for missing in sorted({one.principal for one in world.tasks if world.principal(one.principal) is None}):
        yield Violation(f"{missing} has tasks, and there is no such role")
    by_principal: dict[str, list[Task]] = {}
    for one in world.tasks:
        by_principal.setdefault(one.principal, []).append(one)
    for principal in world.principals:
        if not (tasks := by_principal.get(principal.arn)):
            continue
        sessions = list(_workers(context, principal))
        for session, person in sessions:
            for task in tasks:
                yield from _undone(context.scene, task, session, person)
    approvers = [
        one for one in world.people if any(key.owner == f"approver:{one.source_identity}" for key in world.resources)
    ]
    able = [one for one in approvers if _reaches(context, one, "approver")]
    if world.tasks and len(able) < APPROVERS_NEEDED:
        words = f"{len(able)} of the {APPROVERS_NEEDED} approvers that are needed reach their duty and have a key"
        yield Violation(words, denied=_nobody_else_signs(context))


def _nobody_else_signs(context: Context) -> Denied | None:
    """Return the request of one more approver, which is denied for want of a key of their own."""
    keys = [one for one in context.scene.world.of_kind(ResourceKind.KEY) if (one.owner or "").startswith("approver:")]
    roles = list(context.scene.world.of_duty("approver"))
    if not keys or not roles:
        return None
    return denied(context.scene, Session(roles[0].arn, "one-more-approver"), "kms:Sign", keys[0].arn, ORDINARY)


def _reaches(context: Context, person: Person, duty: str) -> bool:
    return any(context.scene.principal(one.arn).duty == duty for one in context.closure.of(person))


def _workers(context: Context, principal: Principal) -> Iterator[tuple[Session, Person | None]]:
    people = [one for one in context.scene.world.people if principal.duty in one.duties]
    reaching = [one for one in people if _own_session(context, one, principal.arn) is not None]
    for person in reaching:
        yield Session(principal.arn, person.source_identity), person
    if not reaching:
        yield Session(principal.arn), None


def _own_session(context: Context, person: Person, arn: str) -> Session | None:
    reached = context.closure.of(person)
    return next((one for one in reached if one == Session(arn, person.source_identity)), None)


def _undone(scene: Scene, task: Task, session: Session, person: Person | None) -> Iterator[Violation]:
    if task.own_key and person is None:
        return
    asks = (task.resource, *(value for values in task.context.values() for value in values))
    if any(OWN_NAME in one for one in asks) and (person is None or person.source_identity is None):
        return
    resources = _in_own_name([task.resource], person)
    if task.own_key and person is not None:
        resources = tuple(_own_keys(scene, person))
    said_of_it = {key.lower(): _in_own_name(values, person) for key, values in task.context.items()}
    has_factor = person is not None and any(way.kind == "user" for way in person.ways)
    for resource in resources:
        # What is there has its own tags.
        is_there = scene.resource(resource) is not None
        own = {key: one for key, one in said_of_it.items() if not (is_there and key.startswith(TAGS))}
        for said in (ORDINARY,) if has_factor else WITHOUT_FACTOR:
            given = {**said, **own}
            tried = [
                denied(scene, session, task.action, resource, {**_fixed(scene, session, resource, region), **given})
                for region in regions(scene, task.action, resource)
            ]
            if not any(decide(one.request, one.layers).allowed for one in tried):
                words = f"{session} cannot {task.name}: {task.action} on {resource} is denied"
                yield Violation(words, denied=tried[0])
                break


def _in_own_name(written: Iterable[str], person: Person | None) -> tuple[str, ...]:
    """Return what a task is about, with the name of whoever does it."""
    name = person.source_identity if person is not None else None
    return tuple(one.replace(OWN_NAME, name) if name is not None else one for one in written)


def regions(scene: Scene, action: str, resource: str) -> list[str]:
    """Return where the request could go: to the region that the resource names, or to any of the world's."""
    parts = resource.split(":", 5)
    if len(parts) > REGION_IN_ARN and parts[REGION_IN_ARN] not in ("", "*"):
        return [parts[REGION_IN_ARN]]
    if action.partition(":")[0].lower() in GLOBAL_SERVICES:
        return ["us-east-1"]
    return sorted({one.region for one in scene.world.resources if one.region}) or ["us-east-1"]


def said_now(region: str) -> dict[str, tuple[str, ...]]:
    """Return what AWS itself says of every request that is made now in a region."""
    now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    return {
        "aws:currenttime": (now.strftime("%Y-%m-%dT%H:%M:%SZ"),),
        "aws:epochtime": (str(int(now.timestamp())),),
        "aws:requestedregion": (region,),
        "aws:viaawsservice": ("false",),
    }


def _fixed(scene: Scene, session: Session, resource_arn: str, region: str) -> dict[str, tuple[str, ...]]:
    """Return what AWS itself says of a request now; of what it does not say here, nothing is in the request."""
    facts = said_now(region)
    if scene.principal(session.arn).kind is PrincipalKind.ROLE:
        name = scene.caller(session).name.rpartition("/")[2]
        facts["aws:userid"] = (f"{ROLE_ID}:{name}",)
        facts["aws:tokenissuetime"] = facts["aws:currenttime"]
    owner = scene.world.account(_owner(scene, session, resource_arn))
    if owner is not None and owner.organization_id:
        facts["aws:resourceorgid"] = (owner.organization_id,)
    return facts


def _own_keys(scene: Scene, person: Person) -> list[str]:
    owner = f"approver:{person.source_identity}"
    return [one.arn for one in scene.world.of_kind(ResourceKind.KEY) if one.owner == owner]


def denied(
    scene: Scene, session: Session, action: str, resource_arn: str, given: Mapping[str, tuple[str, ...]]
) -> Denied:
    """Return the request of a session on a resource, or on an example of a pattern's, as the evaluator takes it."""
    resource: Resource | None = scene.resource(resource_arn)
    policy = scene.resource_policy(resource) if resource else None
    owner = _owner(scene, session, resource_arn)
    facts = {key: value for key, value in scene.known(session).items() if value is not None}
    of_resource = {key.lower(): value for key, value in (resource.context if resource else {}).items()}
    asked = request.Request(
        scene.caller(session), action, resource_arn.replace("*", "x"), {**facts, **of_resource, **given},
        resource_account=owner,
    )  # fmt: skip
    return Denied(asked, scene.layers(session, policy, owner))


def _owner(scene: Scene, session: Session, resource_arn: str) -> str:
    if (resource := scene.resource(resource_arn)) is not None:
        return resource.account_id
    parts = resource_arn.split(":", 5)
    named = parts[4] if len(parts) == 6 and parts[4].isdigit() else ""
    return named or scene.principal(session.arn).account_id


PROPERTIES: Final = (
    Property("never", "No role can do what its duty must never do.", _never),
    Property("traffic", "Only deployer, responder and break-glass move traffic.", _traffic),
    Property("serving-is-kept", "No role beside those of duties changes what serves, or whether it does.", _serving),
    Property(
        "foundations-own",
        "Only the foundation changes duties' roles, boundaries and managed policies, and decides which images run.",
        _foundations_own,
    ),
    Property(
        "bounded",
        "Every duty's role is inside of a boundary, and nobody but the foundation makes one outside.",
        _bounded,
    ),
    Property("duties-work", "Every duty can do each of its tasks, and at least two people can approve.", _tasks),
)
