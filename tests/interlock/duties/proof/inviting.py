"""Changes that name somebody of no duty: in trusts, and in the policies of what duties use."""

from __future__ import annotations

import copy
import functools
import json
from collections.abc import Callable, Iterator
from typing import Any

from interlock.duties.world import Principal, Resource, ResourceKind, World
from tests.interlock.duties.proof.weakening import with_compute

Statement = dict[str, Any]
Invited = tuple[str, str, World]
OUTSIDER = "arn:aws:iam::999999999999:role/outsider"
EVERYTHING_OF = {
    ResourceKind.KEY: "kms:*", ResourceKind.BUCKET: "s3:*", ResourceKind.SECRET: "secretsmanager:*",
    ResourceKind.TABLE: "dynamodb:*",
}  # fmt: skip
SUBJECT = "token.actions.githubusercontent.com:sub"


def invitations(world: World) -> Iterator[Invited]:
    """Yield what was done, where, and the world in which it was done, always in the same order."""
    whole = with_compute(world)
    for make in (
        _trusts,
        _services_trusts,
        _circles,
        _subjects,
        _names,
        _guarded,
        _readers,
        _pushers,
        _callers,
        _publishers,
    ):
        yield from make(whole)


def _duties(world: World) -> Iterator[Principal]:
    return (one for one in world.principals if one.duty is not None)


def _unassigned(world: World, account_id: str) -> dict[str, str]:
    creator = next(world.of_duty("creator"))
    return {
        "another account": "arn:aws:iam::999999999999:root",
        "another account by its number": "888888888888",
        "a role of another account": OUTSIDER,
        "a user without a duty": f"arn:aws:iam::{account_id}:user/stranger",
        "a role without a duty": f"arn:aws:iam::{account_id}:role/some-app",
        "a session of another duty": f"arn:aws:sts::{creator.account_id}:assumed-role/{creator.name}/creator-1",
    }


def _trusts(world: World) -> Iterator[Invited]:
    actions = ["sts:AssumeRole", "sts:SetSourceIdentity"]
    for role in _duties(world):
        for words, arn in _unassigned(world, role.account_id).items():
            if role.duty != "creator":
                also = {"Sid": "Also", "Effect": "Allow", "Principal": {"AWS": arn}, "Action": actions}
                yield f"trust {words}", role.arn, _trusting(world, role, lambda kept, one=also: kept.append(one))  # type: ignore[misc]
        federated = {"Federated": f"arn:aws:iam::{role.account_id}:saml-provider/company"}
        also = {"Sid": "Also", "Effect": "Allow", "Principal": federated, "Action": "sts:AssumeRoleWithSAML"}
        changed = _trusting(world, role, lambda kept, one=also: kept.append(one))  # type: ignore[misc]
        yield "trust another identity provider", role.arn, changed


def _services_trusts(world: World) -> Iterator[Invited]:
    """Somebody who comes into a role that was made for a service, in whatever way."""
    creator = next(world.of_duty("creator"))
    account_id = creator.account_id
    own = {"StringEquals": {"aws:SourceAccount": account_id}}
    statement = {"Sid": "Run", "Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"},
                 "Action": "sts:AssumeRole", "Condition": own}  # fmt: skip
    trust = {"Version": "2012-10-17", "Statement": [statement]}
    bounded = next(one for one in world.boundaries if "DenyPeople" in str(one) and account_id in str(one.editable_arn))
    role = Principal(arn=f"arn:aws:iam::{account_id}:role/interlock/services/worker", trust=trust, boundary=bounded)
    whole = world.model_copy(update={"principals": (*world.principals, role)})
    provider = f"arn:aws:iam::{account_id}:oidc-provider/token.actions.githubusercontent.com"
    also = {
        **{words: ({"AWS": arn}, "sts:AssumeRole") for words, arn in _unassigned(world, account_id).items()},
        "a person": ({"AWS": f"arn:aws:iam::{account_id}:user/creator-1"}, "sts:AssumeRole"),
        "its account": ({"AWS": f"arn:aws:iam::{account_id}:root"}, "sts:AssumeRole"),
        "a duty's role": ({"AWS": creator.arn}, "sts:AssumeRole"),
        "anybody": ("*", "sts:AssumeRole"),
        "any token": ({"Federated": provider}, "sts:AssumeRoleWithWebIdentity"),
    }
    for words, (who, action) in also.items():
        more = {"Sid": "Also", "Effect": "Allow", "Principal": who, "Action": action}
        changed = _trusting(whole, role, functools.partial(_add, more))
        yield "let somebody into a service's role", words, changed
    for operator in ("StringEqualsIfExists", "ForAllValues:StringEquals"):
        condition = {operator: {"aws:SourceAccount": account_id}}
        for one in (role, next(one for one in _duties(whole) if "ecs-tasks" in str(one.trust))):
            changed = _trusting(whole, one, lambda kept, to=condition: kept[0].update(Condition=to))  # type: ignore[misc]
            yield "trust a service that does not say for whom", f"{one.arn} {operator}", changed


def _add(one: Statement, kept: list[Statement]) -> None:
    kept.append(one)


def _circles(world: World) -> Iterator[Invited]:
    """A role that deploys, whose boundary lets it assume roles, trusts its own sessions."""
    for role in world.of_duty("foundation"):
        names = {"every session": role.arn}
        names["one session"] = f"arn:aws:sts::{role.account_id}:assumed-role/{role.name}/foundation-1"
        for words, who in names.items():
            itself = {"Sid": "Again", "Effect": "Allow", "Principal": {"AWS": who},
                      "Action": ["sts:AssumeRole", "sts:SetSourceIdentity"],
                      "Condition": {"StringEquals": {"sts:SourceIdentity": "foundation-1"}}}  # fmt: skip
            changed = _trusting(world, role, lambda kept, one=itself: kept.append(one))  # type: ignore[misc]
            yield "trust itself", f"{role.arn} {words}", changed


def _subjects(world: World) -> Iterator[Invited]:
    for role in _duties(world):
        for number, one in enumerate((role.trust or {})["Statement"]):
            subject = one.get("Condition", {}).get("StringEquals", {}).get(SUBJECT)
            if isinstance(subject, str):
                repository = subject.partition(":ref:")[0]
                for wider in ("repo:*", f"{repository.partition('/')[0]}/*", f"{repository}:*", f"{subject}*"):
                    changed = _trusting(world, role, lambda kept, at=number, to=wider: _match(kept[at], SUBJECT, to))  # type: ignore[misc]
                    yield "trust subjects by a pattern", f"{role.arn} {wider}", changed


def _names(world: World) -> Iterator[Invited]:
    for role in _duties(world):
        for number, one in enumerate((role.trust or {})["Statement"]):
            if "AWS" not in one["Principal"]:
                continue
            for key in ("sts:SourceIdentity", "sts:RoleSessionName"):
                name = one.get("Condition", {}).get("StringEquals", {}).get(key)
                for wider in (f"{name[:-1]}*", f"*{name}") if isinstance(name, str) else ():
                    if key == "sts:SourceIdentity" and "sts:RoleSessionName" in one["Condition"]["StringEquals"]:
                        continue  # Another statement says which names may be taken.
                    changed = _trusting(world, role, lambda kept, at=number, k=key, to=wider: _match(kept[at], k, to))  # type: ignore[misc]
                    yield "trust names by a pattern", f"{role.arn} {one['Sid']} {key} {wider}", changed


def _match(statement: Statement, key: str, pattern: str) -> None:
    del statement["Condition"]["StringEquals"][key]
    statement["Condition"].setdefault("StringLike", {})[key] = pattern


def _trusting(world: World, role: Principal, edit: Callable[[list[Statement]], None]) -> World:
    trust = copy.deepcopy(role.trust) or {}
    # The trust of a role that nobody has denies everybody.
    trust["Statement"] = [one for one in trust["Statement"] if one["Effect"] == "Allow"]
    edit(trust["Statement"])
    changed = role.model_copy(update={"trust": trust})
    return world.model_copy(update={"principals": tuple(changed if one is role else one for one in world.principals)})


def _guarded(world: World) -> Iterator[Invited]:
    for resource in world.resources:
        if resource.kind not in EVERYTHING_OF or (resource.kind is ResourceKind.KEY and resource.owner is None):
            continue
        for who in (OUTSIDER, f"arn:aws:iam::{resource.account_id}:role/some-app"):
            policy = copy.deepcopy(resource.policy) or {}
            for statement in policy["Statement"]:
                _spare(statement, who)
            policy["Statement"].append(_allow(who, EVERYTHING_OF[resource.kind], "*"))
            yield f"give a {resource.kind} to somebody unknown", f"{resource.arn} {who}", _with(world, resource, policy)


def _spare(statement: Statement, who: str) -> None:
    for operator, keys in statement.get("Condition", {}).items():
        if statement["Effect"] == "Deny" and operator.startswith("ArnNot") and "aws:PrincipalArn" in keys:
            named = keys["aws:PrincipalArn"]
            keys["aws:PrincipalArn"] = [*([named] if isinstance(named, str) else named), who]


def _readers(world: World) -> Iterator[Invited]:
    for bucket in world.of_kind(ResourceKind.BUCKET):
        if bucket.attributes.get("evidence") == "true":
            for who in ("*", OUTSIDER, "arn:aws:iam::999999999999:root"):
                policy = _more(bucket, _allow(who, "s3:GetObject", f"{bucket.arn}/*"))
                yield "let others read evidence", f"{bucket.arn} {who}", _with(world, bucket, policy)
    for key in world.of_kind(ResourceKind.KEY):
        if key.attributes.get("evidence") == "true":
            for who in (OUTSIDER, "999999999999"):
                policy = _more(key, _allow(who, "kms:Decrypt", "*"))
                yield "let others read evidence", f"{key.arn} {who}", _with(world, key, policy)


def _pushers(world: World) -> Iterator[Invited]:
    approver = next(world.of_duty("approver"))
    for one in world.of_kind(ResourceKind.REPOSITORY):
        session = f"arn:aws:sts::{one.account_id}:assumed-role/{approver.name}/approver-1"
        for who in ("*", OUTSIDER, f"arn:aws:iam::{one.account_id}:role/some-app", session):
            statement = _allow(who, "ecr:PutImage", None)
            yield "let others push", f"{one.arn} {who}", _with(world, one, _more(one, statement))


def _callers(world: World) -> Iterator[Invited]:
    creator = next(world.of_duty("creator"))
    called = {one.resource for one in world.tasks if one.action == "lambda:InvokeFunction"}
    # And those that nobody is to call at all: a rule does.
    called |= {one.arn for one in world.compute if one.arn.endswith(("-sequencer", "-witness"))}
    for arn in sorted(called):
        account_id = arn.split(":")[4]
        # Of another account than the function's, a policy of theirs would have to say it, too.
        own = (_session_of(world, "creator"), f"arn:aws:iam::{account_id}:user/creator-1")
        named = own if account_id == creator.account_id else (_session_of(world, "approver"),)
        statements = {who: _allow(who, "lambda:InvokeFunction", arn) for who in ("*", OUTSIDER, *named)}
        service = {"Service": "events.amazonaws.com"}
        statements["a service for anybody"] = {**_allow("*", "lambda:InvokeFunction", arn), "Principal": service}
        by_url = {"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}}
        statements["a public URL"] = {**_allow("*", "lambda:InvokeFunctionUrl", arn), "Condition": by_url}
        for who, statement in statements.items():
            policy = {"Version": "2012-10-17", "Statement": [statement]}
            function = Resource(arn=arn, kind=ResourceKind.FUNCTION, account_id=account_id, policy=policy)
            changed = world.model_copy(update={"resources": (*world.resources, function)})
            yield "let others call a duty's function", f"{arn} {who}", changed


def _session_of(world: World, duty: str) -> str:
    role = next(world.of_duty(duty))
    return f"arn:aws:sts::{role.account_id}:assumed-role/{role.name}/{duty}-1"


def _publishers(world: World) -> Iterator[Invited]:
    for topic in world.of_kind(ResourceKind.TOPIC):
        policy = _more(topic, _allow(OUTSIDER, "sns:*", topic.arn))
        yield "give the alarm's topic to somebody unknown", topic.arn, _with(world, topic, policy)


def _allow(who: str, action: str, resource: str | None) -> Statement:
    principal = who if who == "*" else {"AWS": who}
    named = {} if resource is None else {"Resource": resource}
    return {"Sid": "Invite", "Effect": "Allow", "Principal": principal, "Action": action, **named}


def _more(resource: Resource, statement: Statement) -> dict[str, Any]:
    policy: dict[str, Any] = json.loads(json.dumps(resource.policy or {"Version": "2012-10-17", "Statement": []}))
    policy["Statement"].append(statement)
    return policy


def _with(world: World, old: Resource, policy: dict[str, Any]) -> World:
    changed = old.model_copy(update={"policy": policy})
    return world.model_copy(update={"resources": tuple(changed if one is old else one for one in world.resources)})
