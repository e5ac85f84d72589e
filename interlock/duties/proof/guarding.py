"""Claims about secrets, live state, duties' functions, the alarm's topic and services' roles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Final

from interlock.duties.evaluator import request
from interlock.duties.evaluator.request import Layers
from interlock.duties.guarded_resources import (
    SECRET_CHANGES,
    SECRET_READING,
    SECRET_WRITING,
    STATE_CHANGES,
    TABLE_CHANGES,
)
from interlock.duties.landscape import SERVICE_ROLE_PATH
from interlock.duties.proof.calls import Session
from interlock.duties.proof.forms import EVERYTHING
from interlock.duties.proof.naming import for_others
from interlock.duties.proof.property import OWNERS, Context, Denied, Property, Violation
from interlock.duties.proof.sparing import becoming
from interlock.duties.world import Keeping, NamedDocument, Principal, Resource, ResourceKind

INVOKING: Final = ("lambda:InvokeFunction", "lambda:InvokeAsync")
BY_URL: Final = ("lambda:InvokeFunctionUrl",)
CHANGING_FUNCTIONS: Final = (
    "lambda:AddPermission", "lambda:RemovePermission", "lambda:UpdateFunctionCode",
    "lambda:UpdateFunctionConfiguration", "lambda:CreateFunctionUrlConfig", "lambda:CreateEventSourceMapping",
    "lambda:DeleteFunction", "lambda:PutFunctionConcurrency", "lambda:CreateAlias", "lambda:UpdateAlias",
    "lambda:DeleteAlias", "lambda:UpdateEventSourceMapping", "lambda:PutFunctionEventInvokeConfig",
    "lambda:UpdateFunctionEventInvokeConfig", "lambda:UpdateFunctionUrlConfig", "lambda:PutRuntimeManagementConfig",
)  # fmt: skip
"""What lets others call a function, changes what it does, or keeps it from running."""
SILENCING: Final = (
    "sns:DeleteTopic", "sns:SetTopicAttributes", "sns:AddPermission", "sns:RemovePermission",
    "sns:PutDataProtectionPolicy",
)  # fmt: skip
ENDING_SUBSCRIPTIONS: Final = ("sns:Unsubscribe", "sns:SetSubscriptionAttributes")
UNSUBSCRIBING: Final = frozenset({"foundation", "platform"})
"""Duties whose work ends subscriptions, of whatever topic: the certificate assumes that they leave the alarm's."""
RULES: Final = "events.amazonaws.com"
PUBLISHING: Final = "sns:Publish"
ENTERING: Final = ("sts:AssumeRole",)
OF_SERVICES: Final = "-service"
"""What the ARN of the boundary of services' roles ends with."""
ANYBODY: Final = "anybody"
USED_BY_SERVICES: Final = {
    "secretsmanager:GetSecretValue": "arn:aws:secretsmanager:*:{account}:secret:*",
    "secretsmanager:PutSecretValue": "arn:aws:secretsmanager:*:{account}:secret:*",
    "kms:Decrypt": "arn:aws:kms:*:{account}:key/*",
    "s3:GetObject": "arn:aws:s3:::*",
    "s3:PutObject": "arn:aws:s3:::*",
}
"""What services' roles are made for, and people's sessions as them are not."""


def _secrets_kept(context: Context) -> Iterator[Violation]:
    for resource, keeping in _kept(context, ResourceKind.SECRET):
        readers = keeping.readers
        if readers is not None:
            yield from _others(context, resource, readers, SECRET_READING, "read a secret")
        yield from _others(context, resource, keeping.writers, SECRET_WRITING, "give a secret its value")
        yield from _others(context, resource, keeping.administrators, SECRET_CHANGES, "change a secret")


def _state_kept(context: Context) -> Iterator[Violation]:
    for resource, keeping in _kept(context, ResourceKind.TABLE):
        yield from _others(context, resource, keeping.writers, STATE_CHANGES, "change live state")
        yield from _others(context, resource, keeping.administrators, TABLE_CHANGES, "change the table of live state")


def _kept(context: Context, kind: ResourceKind) -> Iterator[tuple[Resource, Keeping]]:
    kept = context.scene.world.kept
    return ((one, kept[one.arn]) for one in context.scene.world.of_kind(kind) if one.arn in kept)


def _others(
    context: Context, resource: Resource, allowed: Sequence[str], actions: Iterable[str], words: str
) -> Iterator[Violation]:
    """Yield who else could, were the resource's policy to allow everyone everything beside what it denies."""
    others = [one for one in context.callers(resource) if not _is_one_of(one.arn, allowed)]
    yield from context.first(others, actions, resource.arn, words, loosened=True)
    if resource.policy is None:
        # Nobody is denied anything: what the others' own policies allow is all that counts.
        rest = [one for one in context.sessions() if not _is_one_of(one.arn, allowed)]
        yield from context.first(rest, actions, resource.arn, words)


def _is_one_of(arn: str, patterns: Iterable[str]) -> bool:
    return any(arn == one or fnmatchcase(arn, one) for one in patterns)


def _functions(context: Context) -> Iterator[Violation]:
    tasks = [one for one in context.scene.world.tasks if one.action in INVOKING]
    for arn in sorted({one.resource for one in tasks} | under_duties(context)):
        users = {one.principal for one in tasks if one.resource == arn}
        function = context.scene.resource(arn)
        invited = context.invited(function) if function is not None else []
        others = [one for one in context.sessions() if one.arn not in users and not context.administers(one)]
        others += [one for one in invited if one.arn not in users]
        yield from context.first(others, INVOKING, arn, "call a duty's function")
        yield from context.first(others[-len(invited) :] if invited else (), BY_URL, arn, "call a duty's function")
        changing = [one for one in (*context.sessions(but=OWNERS), *invited) if not context.administers(one)]
        yield from context.first(
            changing, CHANGING_FUNCTIONS, arn, "change who calls a duty's function or what it does"
        )
        if function is not None:
            yield from _on_behalf_of_others(context, function)


def under_duties(context: Context) -> set[str]:
    """Return the functions whose code runs under a duty's role, whether anybody's task is to call them or not."""
    duties = {one.arn for one in context.scene.world.principals if one.duty is not None}
    running = (one for one in context.scene.world.compute if one.service == "lambda")
    return {one.arn for one in running if duties & set(one.role_arns)}


def _on_behalf_of_others(context: Context, function: Resource) -> Iterator[Violation]:
    """Yield the services that would call a function for whoever asks them to, of whatever account."""
    policy = context.scene.resource_policy(function)
    names = {one.name for statement in policy.statements for one in statement.principal} if policy else set()
    others = for_others(function.policy, (one.id for one in context.scene.world.accounts))
    for service in sorted(one for one in names if one.endswith(".amazonaws.com")):
        for action in INVOKING:
            asked = (context.scene.served(service, action, function, given) for given in others)
            if call := next((one for one in asked if one is not None), None):
                yield Violation(f"{service} calls a duty's function for whoever asks it to by {action}", call=call)


def _alarm_heard(context: Context) -> Iterator[Violation]:
    for topic in context.scene.world.of_kind(ResourceKind.TOPIC):
        if topic.attributes.get("alarm") == "true":
            anybody = [*context.sessions(but=OWNERS), *context.invited(topic)]
            others = [one for one in anybody if not context.administers(one)]
            yield from context.first(others, SILENCING, topic.arn, "silence the alarm of break-glass")
            yield from _unheard(context, topic)
    beside = [one for one in context.sessions(but=UNSUBSCRIBING) if not context.administers(one)]
    yield from context.first(beside, ENDING_SUBSCRIPTIONS, "*", "end whom the alarm of break-glass tells")


def _unheard(context: Context, topic: Resource) -> Iterator[Violation]:
    """Yield an alarm's publishing to its topic that the topic's policy does not let through."""
    if topic.policy is None:
        return
    scene = context.scene
    of_account = [one for one in scene.world.of_kind(ResourceKind.ALARM) if one.account_id == topic.account_id]
    rules = [one.arn for one in of_account]
    said = {"aws:sourceaccount": (topic.account_id,), "aws:securetransport": ("true",)}
    each = [{**said, "aws:sourcearn": (rule,)} for rule in rules] or [said]
    if any(scene.served(RULES, PUBLISHING, topic, facts) is not None for facts in each):
        return
    source = rules[0] if rules else f"arn:aws:events:{topic.region}:{topic.account_id}:rule/any"
    asked = request.Request(
        request.service(RULES), PUBLISHING, topic.arn, {**said, "aws:sourcearn": (source,)},
        resource_account=topic.account_id,
    )  # fmt: skip
    layers = Layers(resource=scene.resource_policy(topic))
    yield Violation(f"no rule of {topic.account_id} tells {topic.arn} of break-glass", denied=Denied(asked, layers))


def _services_alone(context: Context) -> Iterator[Violation]:
    world, scene = context.scene.world, context.scene
    everything = (NamedDocument(name="everything", document=EVERYTHING),)
    for arn, boundary in sorted(world.known_boundaries().items()):
        if not arn.endswith(OF_SERVICES):
            continue
        account_id = arn.split(":")[4]
        role = f"arn:aws:iam::{account_id}:role{SERVICE_ROLE_PATH}any-other"
        scene.add(Principal(arn=role, identity=everything, boundary=boundary))
        for action, of in USED_BY_SERVICES.items():
            anything = of.replace("{account}", account_id)
            yield from context.first([Session(role, ANYBODY)], (action,), anything, "act as a service", delegated=True)
    for account in world.accounts:
        if account.rcps and account.id != world.management_account:
            into = f"arn:aws:iam::{account.id}:role{SERVICE_ROLE_PATH}any-other"
            words = "come into a role that the platform makes for a service"
            reached = list(becoming(context, account.id))
            yield from context.first(reached, ENTERING, into, words, loosened=True, delegated=True)


PROPERTIES: Final = (
    Property(
        "secrets-are-kept",
        "Only the services and duties that need a secret read it, and only its administrators change who does, even "
        "were its policy to allow everyone everything beside what it denies.",
        _secrets_kept,
    ),
    Property(
        "services-stay-services",
        "A session that bears a person's name can do nothing as a role that the platform makes for a service; and "
        "where the organisation's policies are known, nobody but AWS's services becomes one, whatever its trust says.",
        _services_alone,
    ),
    Property(
        "live-state-is-kept",
        "Only the controller, the rollback function and the recovery's runner change live state, even were the table's "
        "policy to allow everyone everything beside what it denies.",
        _state_kept,
    ),
    Property(
        "functions-are-kept",
        "Only those whose task it is call a duty's function, and only the foundation changes it or who calls it.",
        _functions,
    ),
    Property(
        "alarm-is-heard",
        "Nobody takes away the topic that tells of break-glass, changes who publishes to it, or ends whom it tells, "
        "and the rule that watches for break-glass may publish to it.",
        _alarm_heard,
    ),
)
