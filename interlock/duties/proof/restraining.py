"""Claims about the organisation's policies: what they keep from whoever may do everything in an account, whoever has a
duty there included, and from whoever is outside.

Each kind of policy has to suffice by itself: service control policies for the account's own, resource control policies
for all others, whom no service control policy of ours binds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from interlock.duties.evaluator import request
from interlock.duties.evaluator.policy import Policy, PolicyKind
from interlock.duties.evaluator.request import Layers
from interlock.duties.guarded_resources import SECRET_READING
from interlock.duties.landscape import SERVICE_ROLE_PATH
from interlock.duties.proof.calls import FREE, Call, Session
from interlock.duties.proof.closure import Closure
from interlock.duties.proof.forms import Form, parsed
from interlock.duties.proof.keeping import REMOVING_OBJECTS, TAKING_KEYS
from interlock.duties.proof.naming import FOR_OTHERS, FOREIGN, outsider
from interlock.duties.proof.permission import Question, example
from interlock.duties.proof.property import DEPLOYING, OWNERS, Context, Property, Violation
from interlock.duties.proof.reaching import RECORD
from interlock.duties.proof.scene import Scene
from interlock.duties.proof.sparing import ORGANIZATION, becoming, foreigners, spared
from interlock.duties.proof.taking import CHANGING_PROVIDERS
from interlock.duties.world import Resource, ResourceKind

Given = Mapping[str, tuple[str, ...] | None]
NOBODY: Final[frozenset[str]] = frozenset()
LEAVING: Final = (
    "organizations:LeaveOrganization", "account:CloseAccount", "account:DisableRegion", "account:EnableRegion",
)  # fmt: skip
WATCHING: Final = (
    "access-analyzer:DeleteAnalyzer", "config:DeleteConfigurationRecorder", "config:DeleteDeliveryChannel",
    "config:PutConfigurationRecorder", "config:PutDeliveryChannel", "config:StopConfigurationRecorder",
)  # fmt: skip
LASTING: Final = ("iam:CreateAccessKey", "iam:CreateLoginProfile", "iam:CreateUser")
ROLES: Final = (
    "iam:AttachRolePolicy", "iam:CreateRole", "iam:DeleteRole", "iam:DeleteRolePermissionsBoundary",
    "iam:DeleteRolePolicy", "iam:DetachRolePolicy", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy",
    "iam:UpdateAssumeRolePolicy", "iam:UpdateRole",
)  # fmt: skip
POLICIES: Final = (
    "iam:CreatePolicy", "iam:CreatePolicyVersion", "iam:DeletePolicy", "iam:DeletePolicyVersion",
    "iam:SetDefaultPolicyVersion",
)  # fmt: skip
SERVICES_ROLES: Final = (
    "iam:AttachRolePolicy", "iam:CreateRole", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy",
    "iam:UpdateAssumeRolePolicy",
)  # fmt: skip
REMOVING: Final = (*REMOVING_OBJECTS[:3], "s3:PutObjectLegalHold")
WEAKENING: Final = (
    "s3:DeleteBucket", "s3:DeleteBucketPolicy", "s3:PutBucketAcl", "s3:PutBucketObjectLockConfiguration",
    "s3:PutBucketOwnershipControls", "s3:PutBucketPolicy", "s3:PutBucketPublicAccessBlock", "s3:PutBucketVersioning",
    "s3:PutEncryptionConfiguration", "s3:PutLifecycleConfiguration", "s3:PutReplicationConfiguration",
)  # fmt: skip
RENAMING: Final = ("kms:DeleteAlias", "kms:UpdateAlias")
NAMING: Final = ("kms:CreateAlias",)
ELSEWHERE: Final = "xx-elsewhere-1"
"""A region that no policy allows."""
BEGUN_ELSEWHERE: Final = {
    "ec2": ("ec2:RunInstances",),
    "kms": ("kms:CreateKey", "kms:ReplicateKey"),
    "lambda": ("lambda:CreateFunction",),
    "sagemaker": ("sagemaker:CreateEndpoint",),
    "sns": ("sns:CreateTopic",),
}
ENTERING: Final = ("sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession")
USING: Final = {
    ResourceKind.KEY: ("kms:Decrypt", "kms:Sign"),
    ResourceKind.BUCKET: ("s3:GetObject",),
    ResourceKind.SECRET: SECRET_READING,
}
PLAIN: Final = {
    "kms:Decrypt": "arn:aws:kms:*:{account}:key/*",
    "s3:GetObject": "arn:aws:s3:::*/*",
    "secretsmanager:GetSecretValue": "arn:aws:secretsmanager:*:{account}:secret:*",
    "sts:AssumeRole": "arn:aws:iam::{account}:role/*",
}
SERVICE: Final = "cloudtrail.amazonaws.com"
"""One of those that act for whoever asks them to."""
WORKFLOWS: Final = "token.actions.githubusercontent.com"
ANY_WORKFLOW: Final = "repo:zq-stranger/any:ref:refs/heads/main"
LETTING_ANYBODY: Final = {
    "Version": "2012-10-17",
    "Statement": [{"Sid": "Anybody", "Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}],
}


@dataclass(frozen=True)
class Demand:
    """What nobody of an account does, whatever their own policies, but for roles of the duties `spared`."""

    actions: tuple[str, ...]
    on: str
    words: str
    spared: frozenset[str] = NOBODY


def _organisation(context: Context) -> Iterator[Violation]:
    world = context.scene.world
    controlled = [one for one in world.accounts if (one.scps or one.rcps) and one.id != world.management_account]
    if not controlled:
        return
    alone = Scene(
        world.model_copy(update={"accounts": tuple(one.model_copy(update={"rcps": ()}) for one in world.accounts)})
    )
    by_themselves = Context(alone, Closure(alone, OWNERS))
    for account in controlled:
        # Somebody whose own policies allow everything, the account's root user, and whom they could make or enter.
        reached = becoming(by_themselves, account.id)
        for demand in _demands(by_themselves, account.id):
            anybody = [*reached, *_having_duties(by_themselves, account.id, demand.spared)]
            for one in by_themselves.first(anybody, demand.actions, demand.on, demand.words, delegated=True):
                chain = reached.get(one.call.session, ()) if one.call and one.call.session else ()
                yield replace(one, chain=chain)


def _having_duties(context: Context, account_id: str, spared: frozenset[str]) -> list[Session]:
    """Return whoever has a duty's role in an account, were it to have every right and no boundary."""
    roles = (one for one in context.scene.world.principals if one.account_id == account_id and one.duty is not None)
    return [Session(one.arn, FREE, Form.UNLIMITED) for one in roles if one.duty not in spared]


def _demands(context: Context, account_id: str) -> Iterator[Demand]:
    yield Demand(LEAVING, "*", "take the account out of the organisation's hands")
    yield Demand(RECORD, f"arn:aws:cloudtrail:*:{account_id}:trail/*", "stop the record")
    yield Demand(WATCHING, "*", "stop what watches the account")
    for service, actions in BEGUN_ELSEWHERE.items():
        yield Demand(actions, f"arn:aws:{service}:{ELSEWHERE}:{account_id}:*", "work where nobody watches")
    yield from _about_identities(f"arn:aws:iam::{account_id}")
    for arn in context.scene.world.records:
        if f"-{account_id}-" in arn:
            yield Demand(REMOVING, f"{arn}/*", "remove what trails wrote")
            yield Demand(WEAKENING, arn, "weaken what holds what trails wrote")
    for resource in context.scene.world.resources:
        if resource.account_id == account_id:
            yield from _about_evidence(resource)


def _about_identities(iam: str) -> Iterator[Demand]:
    for kind in ("oidc-provider", "saml-provider"):
        yield Demand(CHANGING_PROVIDERS, f"{iam}:{kind}/*", "say who signs in")
    yield Demand(LASTING, f"{iam}:user/*", "make credentials that last")
    for duty in sorted(DEPLOYING):
        yield Demand(ROLES, f"{iam}:role/interlock/duties/*-{duty}", "change who deploys")
        yield Demand(POLICIES, f"{iam}:policy/interlock/boundaries/*-{duty}", "change a deploying role's boundary")
    yield Demand(POLICIES, f"{iam}:policy/interlock/duties/*", "change what a duty may do")
    for path in ("role/interlock/duties", "role/interlock/replication"):
        yield Demand(ROLES, f"{iam}:{path}/*", "change a duty's role", spared=OWNERS)
    yield Demand(POLICIES, f"{iam}:policy/interlock/boundaries/*", "change a boundary", spared=OWNERS)
    yield Demand(SERVICES_ROLES, f"{iam}:role{SERVICE_ROLE_PATH}*", "change a service's role", spared=DEPLOYING)
    unbinding = ("iam:DeleteRolePermissionsBoundary",)
    yield Demand(unbinding, f"{iam}:role{SERVICE_ROLE_PATH}*", "take a service's boundary off")


def _about_evidence(resource: Resource) -> Iterator[Demand]:
    is_kept = resource.attributes.get("evidence") == "true"
    if resource.kind is ResourceKind.BUCKET and is_kept:
        yield Demand(REMOVING, f"{resource.arn}/*", "remove evidence")
        yield Demand(WEAKENING, resource.arn, "weaken what holds evidence", spared=OWNERS)
    if resource.kind is ResourceKind.KEY and (resource.owner or is_kept):
        yield Demand(TAKING_KEYS[:3], resource.arn, "take a key away")
        start = resource.arn.rpartition(":")[0]
        for alias in resource.context.get("kms:ResourceAliases", ()):
            # What keeps a key knows it by its name.
            yield Demand(RENAMING, f"{start}:{alias}", "take away the name by which a key is kept")
            yield Demand(NAMING, f"{start}:{alias}", "let another key pass for one", spared=OWNERS)


def _outsiders(context: Context) -> Iterator[Violation]:
    world = context.scene.world
    for account in world.accounts:
        if not (account.scps or account.rcps) or account.id == world.management_account:
            continue
        for session, fixed in foreigners(context, account.id):
            yield from _by_outsider(context, account.id, session, fixed)
        yield from _by_the_organisations_others(context, account.id, account.organization_id)
        yield from _by_others_services(context, account.id)
        yield from _by_others_workflows(context, account.id)
        yield from _by_plain_lines(context, account.id)


def _by_outsider(context: Context, account_id: str, session: Session, fixed: Given) -> Iterator[Violation]:
    for resource in _of_account(context, account_id):
        of = f"{resource.arn}/*" if resource.kind is ResourceKind.BUCKET else resource.arn
        actions, words = USING[resource.kind], "use what is the organisation's"
        yield from context.first([session], actions, of, words, given=fixed, loosened=True, delegated=True)
    for role in context.scene.world.principals:
        if role.account_id == account_id and role.duty is not None:
            words = "come into a duty's role"
            yield from context.first([session], ENTERING, role.arn, words, given=fixed, loosened=True)


def _by_the_organisations_others(context: Context, account_id: str, organization: str | None) -> Iterator[Violation]:
    """Yield how somebody of the organisation's other accounts, whom no service control policy of ours binds, removes
    evidence, were its bucket to let them."""
    ours: Given = {ORGANIZATION: (organization,)} if organization else {}
    others = [outsider(context.scene), *spared(FOREIGN, context.scene.above(account_id))]
    for resource in _of_account(context, account_id):
        if resource.attributes.get("evidence") == "true" and resource.kind is ResourceKind.BUCKET:
            actions, on, words = REMOVING_OBJECTS[:3], f"{resource.arn}/*", "remove evidence from another account"
            yield from context.first(others, actions, on, words, given=ours, delegated=True)


def _by_others_services(context: Context, account_id: str) -> Iterator[Violation]:
    for resource in _of_account(context, account_id):
        for action in USING[resource.kind]:
            on = f"{resource.arn}/any" if resource.kind is ResourceKind.BUCKET else resource.arn
            if call := _let(context, request.service(SERVICE), action, on, account_id, FOR_OTHERS):
                yield Violation(f"{SERVICE} can {action} on {on} for somebody of another organisation", call=call)


def _by_others_workflows(context: Context, account_id: str) -> Iterator[Violation]:
    provider = request.identity_provider(f"arn:aws:iam::{account_id}:oidc-provider/{WORKFLOWS}")
    action, role = "sts:AssumeRoleWithWebIdentity", f"arn:aws:iam::{account_id}:role/any"
    if call := _let(context, provider, action, role, account_id, {f"{WORKFLOWS}:sub": (ANY_WORKFLOW,)}):
        yield Violation(f"a workflow of another owner ({ANY_WORKFLOW}) can come into a role by {action}", call=call)


def _by_plain_lines(context: Context, account_id: str) -> Iterator[Violation]:
    anybody = list(becoming(context, account_id))
    plain: Given = {"aws:securetransport": ("false",)}
    for action, on in PLAIN.items():
        anything, words = on.replace("{account}", account_id), "ask without TLS"
        yield from context.first(anybody, (action,), anything, words, given=plain, delegated=True)


def _of_account(context: Context, account_id: str) -> Iterator[Resource]:
    return (one for one in context.scene.world.resources if one.account_id == account_id and one.kind in USING)


def _let(context: Context, who: request.Principal, action: str, on: str, owner: str, given: Given) -> Call | None:
    """Return a call of somebody without policies of their own, were what they ask for open to anybody."""
    open_to_all: Policy = parsed(LETTING_ANYBODY, PolicyKind.RESOURCE, "a policy that lets anybody do everything")
    layers = Layers(resource=open_to_all, rcps=context.scene.resource_controls(owner))
    question = Question(who, action, on, layers, owner, given)
    found = example(question)
    return Call(None, action, found.resource, found.context, owner, question) if found else None


PROPERTIES: Final = (
    Property(
        "organisation-suffices",
        "Where the organisation's policies are known: not even whoever may do everything in an account, its root user, "
        "or a duty's role without a boundary leaves the organisation, stops the record or what watches, removes "
        "evidence or what trails wrote or weakens what holds them, takes away a key or its name, changes duties, "
        "boundaries or who signs in, makes credentials that last, or works in other regions; the foundation alone "
        "changes vault and duties.",
        _organisation,
    ),
    Property(
        "outsiders-stay-out",
        "Where the organisation's policies are known: nobody of another organisation, and no service on their behalf, "
        "uses its keys, evidence and secrets or comes into its roles, even were their own policies to allow everyone "
        "everything; no workflow of another owner comes into a role, nobody of the organisation's other accounts "
        "removes evidence, and nobody asks without TLS.",
        _outsiders,
    ),
)
