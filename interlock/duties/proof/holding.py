"""Claims about what is ours beside vault and signing keys: whom it is given to, and what it is held by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Final

from interlock.duties.evaluator.policy import Effect, Policy, PolicyStatement, PrincipalType
from interlock.duties.proof.calls import FREE, Session
from interlock.duties.proof.keeping import UNFASTENING
from interlock.duties.proof.lines import UNSAFE_LINES, on_unsafe_lines
from interlock.duties.proof.naming import for_others, sessions_named
from interlock.duties.proof.property import Context, Property, Violation
from interlock.duties.proof.taking import PUSHING
from interlock.duties.world import Resource, ResourceKind

USES: Final[dict[ResourceKind, tuple[str, ...]]] = {
    ResourceKind.KEY: ("kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:CreateGrant", "kms:PutKeyPolicy",
                       "kms:ScheduleKeyDeletion", "kms:Sign", "kms:DescribeKey"),
    ResourceKind.BUCKET: ("s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:ListBucket",
                          "s3:ListBucketVersions", "s3:PutBucketPolicy", "s3:GetBucketPolicy", "s3:DeleteObject"),
    ResourceKind.REPOSITORY: ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:PutImage",
                              "ecr:SetRepositoryPolicy", "ecr:BatchDeleteImage", "ecr:DescribeImages"),
    ResourceKind.FUNCTION: ("lambda:InvokeFunction", "lambda:InvokeFunctionUrl", "lambda:UpdateFunctionCode",
                            "lambda:UpdateFunctionConfiguration", "lambda:AddPermission", "lambda:GetFunction"),
    ResourceKind.SECRET: ("secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue",
                          "secretsmanager:PutResourcePolicy", "secretsmanager:DeleteSecret",
                          "secretsmanager:DescribeSecret"),
    ResourceKind.TABLE: ("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Scan", "dynamodb:PutResourcePolicy",
                         "dynamodb:DeleteTable", "dynamodb:DescribeTable"),
}  # fmt: skip
"""By kind: what an allowance of many actions at once is tried with, beside the actions that it names in full."""
ACCOUNT_IN_ARN: Final = 4
ANY_OTHER: Final = "AnyOther"
"""What stands for an action that nobody has listed."""
SERVING_OTHERS: Final = (ResourceKind.FUNCTION, ResourceKind.REPOSITORY, ResourceKind.BUCKET, ResourceKind.SECRET)
"""Kinds that AWS's services act on in their own name, for an account that they name."""
LENT: Final = ("kms:CreateGrant", "kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom",
               "kms:PutKeyPolicy")  # fmt: skip
LOOSENING_REPOSITORIES: Final = (
    "ecr:SetRepositoryPolicy", "ecr:DeleteRepositoryPolicy", "ecr:PutLifecyclePolicy", *UNFASTENING,
)  # fmt: skip
SESSION: Final = ":assumed-role/"
OWN_BUCKETS: Final = ("arn:aws:s3:::*staging*", "arn:aws:s3:::artifacts-*")
"""Patterns of the buckets beside the vault that the program makes."""
OWN_REPOSITORIES: Final = "arn:aws:ecr:*:*:repository/interlock/*"


def _nothing_for_outsiders(context: Context) -> Iterator[Violation]:
    accounts = context.scene.world.accounts
    known = {one.id for one in accounts}
    ours = sorted({one.organization_id for one in accounts if one.organization_id})
    other_than = tuple(("aws:principalorgid", one) for one in ours)
    for resource in context.scene.world.resources:
        if resource.kind is ResourceKind.TOPIC and resource.attributes.get("alarm") != "true":
            continue  # What SNS writes for a topic of its own accord names everybody.
        actions = sorted(set(_given_to_outsiders(context.scene.resource_policy(resource), resource, known)))
        if not actions:
            continue
        outside = [one for one in context.invited(resource) if one.arn.split(":")[ACCOUNT_IN_ARN] not in known]
        for session in (one for one in outside if not context.administers(one)):
            yield from _reached(context, session, actions, resource, other_than)
        yield from _unsigned(context, actions, resource)


def _given_to_outsiders(policy: Policy | None, resource: Resource, known: set[str]) -> Iterator[str]:
    """Yield actions, at least one for each that a policy allows to whoever is of no account that is known."""
    for statement in policy.statements if policy is not None else ():
        if statement.effect is Effect.ALLOW and _names_outsiders(statement, known):
            yield from _actions(statement, resource)


def _actions(statement: PolicyStatement, resource: Resource) -> Iterator[str]:
    """Yield the actions that a statement names, and of a pattern of them those that are used and one more."""
    service, uses = resource.arn.split(":")[2], USES.get(resource.kind, ())
    for written in statement.action or ("*",):
        if "*" not in written and "?" not in written:
            yield written
            continue
        pattern = written if ":" in written else f"{service}:{written}"
        yield from (one for one in uses if fnmatchcase(one.lower(), pattern.lower()))
        yield pattern.replace("*", ANY_OTHER).replace("?", "X")


def _names_outsiders(statement: PolicyStatement, known: set[str]) -> bool:
    named = (one.name for one in statement.principal if one.type is PrincipalType.AWS or one.name == "*")
    return any(
        (one.split(":")[ACCOUNT_IN_ARN] if one.count(":") > ACCOUNT_IN_ARN else one) not in known for one in named
    )


def _reached(
    context: Context, session: Session, actions: Sequence[str], resource: Resource,
    other_than: tuple[tuple[str, str], ...], who: str = "of an account that is none of ours",
) -> Iterator[Violation]:  # fmt: skip
    for action in actions:
        for thing in _things_of(resource):
            if call := context.scene.can(session, action, thing, other_than=other_than):
                words = f"{session}, {who}, can {action} on {thing}"
                yield Violation(words, call=call)
                return


def _nothing_by_name(context: Context) -> Iterator[Violation]:
    ways = {way.principal for one in context.scene.world.people for way in one.ways if way.kind == "user"}
    for resource in context.scene.world.resources:
        policy = context.scene.resource_policy(resource)
        for statement in policy.statements if policy is not None else ():
            names = [one.name for one in statement.principal if SESSION in one.name or one.name in ways]
            if statement.effect is not Effect.ALLOW or not names:
                continue
            actions = list(dict.fromkeys(_actions(statement, resource)))
            for session in sessions_named(context.scene, names):
                if not context.administers(session):
                    yield from _reached(context, session, actions, resource, (), "named by itself")


def _things_of(resource: Resource) -> list[str]:
    return [resource.arn, f"{resource.arn}/*"] if resource.kind is ResourceKind.BUCKET else [resource.arn]


def _unsigned(context: Context, actions: Sequence[str], resource: Resource) -> Iterator[Violation]:
    asked = (context.scene.unsigned(action, resource, thing) for action in actions for thing in _things_of(resource))
    if call := next((one for one in asked if one is not None), None):
        yield Violation(f"anybody can {call.action} on {call.resource} without a signature", call=call)


def _nothing_for_others_services(context: Context) -> Iterator[Violation]:
    for resource in context.scene.world.resources:
        policy = context.scene.resource_policy(resource)
        if resource.kind not in SERVING_OTHERS or policy is None:
            continue
        others = for_others(resource.policy, (one.id for one in context.scene.world.accounts))
        for statement in policy.statements:
            services = [one.name for one in statement.principal if one.type is PrincipalType.SERVICE]
            for service in services if statement.effect is Effect.ALLOW else ():
                for action in dict.fromkeys(_actions(statement, resource)):
                    asked = (
                        context.scene.served(service, action, resource, given, thing=thing)
                        for given in others
                        for thing in _things_of(resource)
                    )
                    if call := next((one for one in asked if one is not None), None):
                        words = f"{service} can {action} on {resource.arn} for whoever asks it to"
                        yield Violation(words, call=call)


def _lent_within_bounds(context: Context) -> Iterator[Violation]:
    world = context.scene.world
    strangers = [Session(arn, FREE) for arn in context.scene.strangers()]
    for resource in world.resources:
        of_others = [one for one in strangers if one.arn.split(":")[ACCOUNT_IN_ARN] != resource.account_id]
        if resource.attributes.get("evidence") == "true" and resource.kind is ResourceKind.KEY:
            by_themselves = {"kms:viaservice": None}
            words = "use the key of evidence beside S3"
            yield from context.first(of_others, LENT, resource.arn, words, given=by_themselves)
            yield from context.first(of_others, LENT[:1], resource.arn, "lend the key of evidence")
            yield from _lent_by_hand(context, resource)
        elif resource.kind is ResourceKind.REPOSITORY:
            own = [one for one in context.sessions() if not context.administers(one)]
            words = "loosen what holds images"
            yield from context.first([*of_others, *own], LOOSENING_REPOSITORIES, resource.arn, words)


def _lent_by_hand(context: Context, key: Resource) -> Iterator[Violation]:
    """Yield who gives the use of a key to others otherwise than by a service that lives on it."""
    others = [one for one in context.sessions() if not context.administers(one)]
    for given in ({"kms:grantisforawsresource": None}, {"kms:grantisforawsresource": ("false",)}):
        yield from context.first(others, LENT[:1], key.arn, "give the use of a key by hand", given=given)


def _own_lines(context: Context) -> Iterator[Violation]:
    for bucket in context.scene.world.of_kind(ResourceKind.BUCKET):
        if bucket.attributes.get("evidence") == "true" or not any(fnmatchcase(bucket.arn, one) for one in OWN_BUCKETS):
            continue
        yield from on_unsafe_lines(context, bucket, "use a bucket of ours")
    yield from _alarms_line(context)


def _alarms_line(context: Context) -> Iterator[Violation]:
    strangers = [Session(arn, FREE) for arn in context.scene.strangers()]
    words, given = next(iter(UNSAFE_LINES.items()))
    for topic in context.scene.world.of_kind(ResourceKind.TOPIC):
        # A preview cannot know a policy that names its own topic; the certificate says that it was not read.
        if topic.attributes.get("alarm") == "true" and topic.attributes.get("policy") != "unknown":
            told = f"tell of break-glass {words}"
            yield from context.first(strangers, ("sns:Publish",), topic.arn, told, given=given, loosened=True)


def _tags_fast(context: Context) -> Iterator[Violation]:
    for repository in context.scene.world.of_kind(ResourceKind.REPOSITORY):
        tags = repository.attributes.get("tags", "unknown")
        if tags == "IMMUTABLE" or not fnmatchcase(repository.arn, OWN_REPOSITORIES):
            continue
        words = f"push another image under a tag that there is, of tags that are {tags}"
        pushing = list(context.first(context.anybody(), PUSHING[:1], repository.arn, words))
        yield from pushing or [Violation(f"the tags of {repository.arn} are {tags}, not IMMUTABLE")]


PROPERTIES: Final = (
    Property(
        "nothing-by-name",
        "No policy of a thing gives anything to one session or one person's user: no boundary would limit it, and the "
        "table knows duties.",
        _nothing_by_name,
    ),
    Property(
        "outsiders-get-nothing",
        "No policy of a key, bucket, repository, function, secret, table or the alarm's topic gives anything to "
        "somebody of an account that is none of ours, unless they are of the organisation.",
        _nothing_for_outsiders,
    ),
    Property(
        "services-act-for-us",
        "None of AWS's services calls a function or uses a repository, bucket or secret on behalf of another account.",
        _nothing_for_others_services,
    ),
    Property(
        "lent-within-bounds",
        "Other accounts of ours use the key of evidence through services alone and give its use to nobody, and loosen "
        "nothing that holds images.",
        _lent_within_bounds,
    ),
    Property(
        "lines-are-safe",
        "Nobody uses a staging bucket or a store of artifacts without TLS of at least 1.2, or tells of break-glass "
        "without TLS, even were the policy to allow everyone everything beside what it denies.",
        _own_lines,
    ),
    Property("tags-are-fast", "No tag of a repository of ours comes to mean another image.", _tags_fast),
)
