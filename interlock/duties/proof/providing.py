"""The claim that services are let use what they run on: images, secrets, the platform's keys, artifacts, functions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Final

from interlock.duties.evaluator import request
from interlock.duties.evaluator.policy import Effect, PrincipalType
from interlock.duties.evaluator.request import Layers
from interlock.duties.proof.calls import Session
from interlock.duties.proof.holding import OWN_REPOSITORIES
from interlock.duties.proof.keeping import is_the_platforms
from interlock.duties.proof.property import Context, Denied, Property, Violation
from interlock.duties.proof.working import FACTORS, SAFELY, WITHOUT_FACTOR, denied, regions, said_now
from interlock.duties.world import Principal, Resource, ResourceKind

PULLING: Final = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
READING: Final = ("secretsmanager:GetSecretValue",)
USING: Final = ("kms:Decrypt", "kms:GenerateDataKey")
KEEPING: Final = ("s3:GetObject", "s3:PutObject")
ARTIFACTS: Final = "arn:aws:s3:::artifacts-*"
FUNCTIONS: Final = "lambda.amazonaws.com"
_Facts = Mapping[str, tuple[str, ...]]


def _services_are_let(context: Context) -> Iterator[Violation]:
    world = context.scene.world
    services = [one for one in world.principals if one.duty is None and _is_a_services(context, one)]
    for resource in world.resources:
        if resource.kind is ResourceKind.REPOSITORY and fnmatchcase(resource.arn, OWN_REPOSITORIES):
            yield from _images(context, resource)
        elif resource.kind is ResourceKind.SECRET and resource.arn in world.kept:
            yield from _secret(context, resource)
        elif resource.kind is ResourceKind.KEY and is_the_platforms(resource):
            own = [one for one in services if one.account_id == resource.account_id]
            yield from _some_can(context, own, USING, resource, resource.arn, "use a key of the platform's")
        elif resource.kind is ResourceKind.BUCKET and fnmatchcase(resource.arn, ARTIFACTS):
            own = [one for one in services if one.account_id == resource.account_id]
            yield from _some_can(context, own, KEEPING, resource, f"{resource.arn}/*", "keep artifacts")
        elif resource.kind is ResourceKind.FUNCTION:
            yield from _function(context, resource)


def _is_a_services(context: Context, role: Principal) -> bool:
    return bool(context.scene.trusted(role.arn, PrincipalType.SERVICE))


def _images(context: Context, repository: Resource) -> Iterator[Violation]:
    scene = context.scene
    running = [one for one in scene.world.compute if repository.arn in one.images]
    roles = {arn for one in running if one.service != "lambda" for arn in one.role_arns}
    pulling = [one for one in scene.world.principals if one.arn in roles]
    yield from _some_can(context, pulling, PULLING, repository, repository.arn, "pull an image that it runs")
    for one in running:
        if one.service == "lambda":
            facts = {"aws:sourcearn": (one.arn,), "aws:sourceaccount": (one.arn.split(":")[4],)}
            # In an account of its own, AWS Lambda writes what it needs into a repository's policy itself.
            own = one.arn.split(":")[4] == repository.account_id
            yield from _served(context, FUNCTIONS, PULLING, repository, facts, loosened=own)


def _secret(context: Context, secret: Resource) -> Iterator[Violation]:
    """Yield who does not read a secret that is theirs: of the roles of a kind of service, if none of them does."""
    world = context.scene.world
    for pattern in world.kept[secret.arn].readers or ():
        readers = [one for one in world.principals if fnmatchcase(one.arn, pattern)]
        copies = [one for one in world.of_kind(ResourceKind.SECRET) if _name_of(one) == _name_of(secret)]
        tried = list(_some_can(context, readers, READING, secret, secret.arn, "read a secret that it needs"))
        # A service of one region may be let read its own region's copy alone.
        elsewhere = [one for one in copies if one is not secret]
        sessions = [Session(one.arn) for one in readers]
        if tried and not any(_can_some(context, sessions, READING[0], one.arn, SAFELY) for one in elsewhere):
            yield from tried
    anybody = [
        one for one in world.principals if any(fnmatchcase(one.arn, of) for of in world.kept[secret.arn].readers or ())
    ]
    yield from _some_can(context, anybody, READING, secret, secret.arn, "read a secret that it needs")


def _name_of(secret: Resource) -> str:
    return secret.arn.rpartition(":")[2].rpartition("-")[0]


def _some_can(
    context: Context, roles: Sequence[Principal], actions: Sequence[str], resource: Resource, thing: str, words: str
) -> Iterator[Violation]:
    """Yield, for each action, that none of the roles can do it to which their own policies give it."""
    for action in actions:
        for said in WITHOUT_FACTOR:
            given = _ordinary(context, action, resource, said)
            able = (Session(one.arn) for one in roles)
            granted = [one for one in able if context.scene.can(one, action, thing, given=given, delegated=True)]
            if granted and not _can_some(context, granted, action, thing, said):
                facts = {key: value for key, value in given.items() if value is not None}
                refused = denied(context.scene, granted[0], action, thing, facts)
                words_of = f"no role of a service can {words}: {action} on {thing} by {granted[0]} is denied"
                yield Violation(words_of, denied=refused)
                break


def _can_some(
    context: Context, sessions: Iterable[Session], action: str, thing: str, said: Mapping[str, tuple[str, ...]]
) -> bool:
    given = _ordinary(context, action, context.scene.resource(thing), said)
    each = context.scene.one_of_each(sessions)
    return any(context.scene.can(one, action, thing, given=given) is not None for one in each)


def _ordinary(
    context: Context, action: str, resource: Resource | None, said: Mapping[str, tuple[str, ...]]
) -> Mapping[str, tuple[str, ...] | None]:
    """Return what is known of a service's request: no factor, unless it is said."""
    arn = resource.arn if resource is not None else "*"
    return {**dict.fromkeys(FACTORS), **said_now(regions(context.scene, action, arn)[0]), **said}


def _function(context: Context, function: Resource) -> Iterator[Violation]:
    """Yield the services that a function's policy lets in, and keeps out again."""
    policy = context.scene.resource_policy(function)
    facts = {"aws:sourceaccount": (function.account_id,)}
    for statement in policy.statements if policy is not None else ():
        services = [one.name for one in statement.principal if one.type is PrincipalType.SERVICE]
        for service in services if statement.effect is Effect.ALLOW else ():
            yield from _served(context, service, statement.action, function, facts)


def _served(
    context: Context, service: str, actions: Iterable[str], resource: Resource, facts: _Facts, *, loosened: bool = False
) -> Iterator[Violation]:
    given = {**said_now(regions(context.scene, "", resource.arn)[0]), **SAFELY, **facts}
    for action in actions:
        served = "*" in action or context.scene.served(service, action, resource, given, loosened=loosened)
        if not served:
            asked = request.Request(
                request.service(service), action, resource.arn, given, resource_account=resource.account_id
            )
            layers = Layers(resource=context.scene.resource_policy(resource))
            words = f"{service} cannot {action} on {resource.arn} for this account, which it is let in for"
            yield Violation(words, denied=Denied(asked, layers))


PROPERTIES: Final = (
    Property(
        "services-work",
        "What services run on is kept from none of them: they pull their images, read their secrets, use the "
        "platform's keys, keep artifacts and call the functions that they are let call.",
        _services_are_let,
    ),
)
