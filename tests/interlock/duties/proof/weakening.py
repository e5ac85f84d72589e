"""Changes that leave every statement where it was and make it weaker: what a reviewer would overlook."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

from interlock.duties.repository_policy import repository_policy
from interlock.duties.world import Compute, NamedDocument, Principal, Resource, ResourceKind, World

Statement = dict[str, Any]
Weakened = tuple[str, str, World]
VERSION = "2012-10-17"
RARELY = {"StringEquals": {"aws:PrincipalTag/on-duty": "no"}}
ANY_OF_OURS = {"StringEquals": {"aws:PrincipalOrgID": "o-exampleorgid"}}


def weakenings(world: World) -> Iterator[Weakened]:
    """Yield what was done, where, and the world in which it was done, always in the same order."""
    whole = with_compute(world)
    for make in (
        _boundaries_without_a_denial, _boundaries_swapped, _denials_narrowed, _denials_beside, _denials_of_less,
        _trusts_of_the_organisation, _trusts_without_a_name, _trusts_of_an_account, _services_roles_assumed,
        _all_but_something, _code_and_images, _keys_of_the_account, _names_of_keys, _ways_of_users,
        _denials_of_nearly_everything,
    ):  # fmt: skip
        yield from make(whole)


NOBODY_ASKS_SO = {
    "bears a tag that no role has": {"StringNotEquals": {"aws:PrincipalTag/on-duty": "yes"}},
    "is a user": {"Null": {"aws:username": "true"}},
    "was made in the past": {"DateGreaterThan": {"aws:CurrentTime": "2025-01-01T00:00:00Z"}},
    "was made in the past, in seconds": {"NumericGreaterThan": {"aws:EpochTime": "1735689600"}},
    "is of an old session": {"DateGreaterThan": {"aws:TokenIssueTime": "2025-01-01T00:00:00Z"}},
    "comes by an endpoint": {"StringNotEquals": {"aws:SourceVpce": "vpce-0abc"}},
    "is of another's id": {"StringNotEquals": {"aws:userid": "AIDAEXAMPLE"}},
    "comes from another program": {"StringNotLike": {"aws:UserAgent": "emacs*"}},
}
"""Conditions that hold of every request that anybody of ours makes, by what a request that they spare is like."""


def with_compute(world: World) -> World:
    """Return the world with the registry's repositories, and what runs their images under the roles of services."""
    runs, repositories = [], {}
    for principal in world.principals:
        services = [one["Principal"].get("Service") for one in _trusting(principal)]
        if not any(services) or principal.duty is None:
            continue
        kind = "lambda" if "lambda.amazonaws.com" in services else "ecs"
        thing = "function" if kind == "lambda" else "service/cluster"
        arn = (
            f"arn:aws:{kind}:eu-west-1:{principal.account_id}:{thing}{':' if kind == 'lambda' else '/'}{principal.name}"
        )
        image = f"arn:aws:ecr:eu-west-1:444455556666:repository/interlock/prod/{principal.duty}"
        runs.append(Compute(arn=arn, service=kind, role_arns=(principal.arn,), images=(image,)))
        repositories[image] = Resource(
            arn=image, kind=ResourceKind.REPOSITORY, account_id="444455556666",
            policy=json.loads(
                repository_policy(
                    _foundation(world), ["111122223333"], [], [principal.account_id] if kind == "lambda" else []
                )
            ),
            attributes={"tags": "IMMUTABLE"},
        )  # fmt: skip
    alarm = Resource(
        arn="arn:aws:events:eu-west-1:111122223333:rule/interlock-prod-break-glass", kind=ResourceKind.ALARM,
        account_id="111122223333",
    )  # fmt: skip
    more = (*world.resources, *repositories.values(), alarm)
    return world.model_copy(update={"compute": tuple(runs), "resources": more})


def _foundation(world: World) -> list[str]:
    return [one.arn for one in world.of_duty("foundation")]


def _trusting(principal: Principal) -> list[Statement]:
    return [one for one in (principal.trust or {}).get("Statement", []) if isinstance(one.get("Principal"), dict)]


def _principal(world: World, old: Principal, **update: Any) -> World:
    changed = old.model_copy(update=update)
    return world.model_copy(update={"principals": tuple(changed if one is old else one for one in world.principals)})


def _resource(world: World, old: Resource, **update: Any) -> World:
    changed = old.model_copy(update=update)
    return world.model_copy(update={"resources": tuple(changed if one is old else one for one in world.resources)})


def _edited(document: dict[str, Any] | None, number: int, edit: Callable[[Statement], None]) -> dict[str, Any]:
    changed = copy.deepcopy(document or {})
    edit(changed["Statement"][number])
    return changed


def _bounded_by(world: World, name: str, document: dict[str, Any]) -> World:
    """Return the world with a boundary's document changed wherever it is attached."""

    def changed(one: NamedDocument | None) -> NamedDocument | None:
        return one.model_copy(update={"document": document}) if one is not None and one.name == name else one

    principals = tuple(one.model_copy(update={"boundary": changed(one.boundary)}) for one in world.principals)
    boundaries = tuple(changed(one) for one in world.boundaries)
    return world.model_copy(update={"principals": principals, "boundaries": boundaries})


def _boundaries(world: World) -> dict[str, dict[str, Any]]:
    return {one.boundary.name: one.boundary.document for one in world.principals if one.boundary is not None}


def _boundaries_without_a_denial(world: World) -> Iterator[Weakened]:
    for name, document in _boundaries(world).items():
        for number, one in enumerate(document["Statement"]):
            if one["Effect"] == "Deny":
                rest = [*document["Statement"][:number], *document["Statement"][number + 1 :]]
                less = {**document, "Statement": rest}
                yield "drop a boundary's denial", f"{name} {one['Sid']}", _bounded_by(world, name, less)
                rare = _edited(
                    document, number, lambda it: it.setdefault("Condition", {}).update(copy.deepcopy(RARELY))
                )
                yield "narrow a boundary's denial", f"{name} {one['Sid']}", _bounded_by(world, name, rare)


def _boundaries_swapped(world: World) -> Iterator[Weakened]:
    anything = {"Version": VERSION, "Statement": [{"Sid": "Most", "Effect": "Allow", "Action": "*", "Resource": "*"}]}
    for name in _boundaries(world):
        yield "open a boundary", name, _bounded_by(world, name, anything)
    for principal in world.principals:
        if principal.duty is not None:
            loose = NamedDocument(
                name="loose", document=anything, editable_arn="arn:aws:iam::111122223333:policy/loose"
            )
            yield "swap a boundary", principal.arn, _principal(world, principal, boundary=loose)


def _policies(world: World) -> Iterator[tuple[Resource, int, Statement]]:
    for resource in world.resources:
        for number, one in enumerate((resource.policy or {}).get("Statement", [])):
            if one["Effect"] == "Deny" and (one["Sid"] != "DenyPlainTransport" or resource.kind is ResourceKind.BUCKET):
                yield resource, number, one


def _denials_narrowed(world: World) -> Iterator[Weakened]:
    for resource, number, one in _policies(world):
        policy = _edited(
            resource.policy, number, lambda it: it.setdefault("Condition", {}).update(copy.deepcopy(RARELY))
        )
        yield "narrow a denial", f"{resource.arn} {one['Sid']}", _resource(world, resource, policy=policy)


def _denials_beside(world: World) -> Iterator[Weakened]:
    for resource, number, one in _policies(world):
        if "Resource" in one and resource.kind is not ResourceKind.REPOSITORY:
            policy = _edited(resource.policy, number, lambda it: it.update(NotResource=it.pop("Resource")))
            yield "deny it everywhere else", f"{resource.arn} {one['Sid']}", _resource(world, resource, policy=policy)


def _denials_of_less(world: World) -> Iterator[Weakened]:
    for resource, number, one in _policies(world):
        actions = one["Action"] if isinstance(one["Action"], list) else []
        for action in actions:
            policy = _edited(resource.policy, number, lambda it, left=action: it["Action"].remove(left))  # type: ignore[misc]
            name = f"{resource.arn} {one['Sid']} {action}"
            yield "deny one action less", name, _resource(world, resource, policy=policy)


def _duties(world: World) -> Iterator[Principal]:
    return (one for one in world.principals if one.duty is not None)


def _trusts_of_the_organisation(world: World) -> Iterator[Weakened]:
    accounts = tuple(one.model_copy(update={"organization_id": "o-exampleorgid"}) for one in world.accounts)
    organised = world.model_copy(update={"accounts": accounts})
    anybody = {"Sid": "Ours", "Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole",
               "Condition": ANY_OF_OURS}  # fmt: skip
    for principal in _duties(organised):
        trust = {"Version": VERSION, "Statement": [anybody]}
        yield "trust the organisation", principal.arn, _principal(organised, principal, trust=trust)


def _trusts_without_a_name(world: World) -> Iterator[Weakened]:
    for principal in _duties(world):
        for number, one in enumerate(_trusting(principal)):
            for operator, keys in one.get("Condition", {}).items():
                for key in keys:
                    if key in ("aws:SourceAccount", "aws:SourceArn") or ":" not in key:
                        continue
                    trust = _edited(principal.trust, number, lambda it, o=operator, k=key: it["Condition"][o].pop(k))  # type: ignore[misc]
                    yield (
                        "trust without asking",
                        f"{principal.arn} {one['Sid']} {key}",
                        _principal(world, principal, trust=trust),
                    )


def _trusts_of_an_account(world: World) -> Iterator[Weakened]:
    root = {"Sid": "Account", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
            "Action": ["sts:AssumeRole", "sts:SetSourceIdentity"]}  # fmt: skip
    for principal in _duties(world):
        trust = copy.deepcopy(principal.trust) or {}
        trust["Statement"] = [*(one for one in trust["Statement"] if one["Effect"] == "Allow"), root]
        yield "trust an account", principal.arn, _principal(world, principal, trust=trust)


def _services_roles_assumed(world: World) -> Iterator[Weakened]:
    creator = next(world.of_duty("creator"))
    for principal in _duties(world):
        if not any("Service" in one["Principal"] for one in _trusting(principal)):
            continue
        also = {"Sid": "Also", "Effect": "Allow", "Principal": {"AWS": creator.arn}, "Action": "sts:AssumeRole"}
        trust = copy.deepcopy(principal.trust) or {}
        trust["Statement"].append(also)
        trusting = _principal(world, principal, trust=trust)
        old = next(trusting.of_duty("creator"))
        yield "assume a service's role", principal.arn, _granting(trusting, old, "sts:AssumeRole")


def _granting(world: World, principal: Principal, *actions: str, bounded: bool = False, **more: Any) -> World:
    statement = {"Sid": "More", "Effect": "Allow", "Action": list(actions), "Resource": "*", **more}
    if "NotAction" in more:
        del statement["Action"]
    document = NamedDocument(name="more", document={"Version": VERSION, "Statement": [statement]})
    kept = {} if bounded else {"boundary": None}
    return _principal(world, principal, identity=(*principal.identity, document), **kept)


def _all_but_something(world: World) -> Iterator[Weakened]:
    for principal in _duties(world):
        if principal.duty != "foundation":
            for bounded in (True, False):
                changed = _granting(world, principal, NotAction=["iam:CreateUser"], bounded=bounded)
                within = "within its boundary" if bounded else "without its boundary"
                yield "allow all but something", f"{principal.arn} {within}", changed


TAKING = (
    ("lambda:UpdateFunctionCode",), ("ecs:RegisterTaskDefinition", "iam:PassRole"), ("iam:CreateAccessKey",),
    ("ecr:PutImage",), ("ecr:BatchDeleteImage",), ("ecr:SetRepositoryPolicy",), ("ecs:ExecuteCommand",),
    ("iam:UpdateAssumeRolePolicy",), ("kms:CreateGrant",), ("s3:PutLifecycleConfiguration",),
)  # fmt: skip


def _code_and_images(world: World) -> Iterator[Weakened]:
    for principal in _duties(world):
        if principal.duty in ("creator", "platform", "builder", "approver", "responder"):
            for actions in TAKING:
                if principal.duty == "platform" and actions == ("lambda:UpdateFunctionCode",):
                    continue  # It keeps functions; its boundary keeps it from the one that counts.
                yield (
                    f"grant {' and '.join(actions)}",
                    f"{principal.arn} bounded",
                    _granting(world, principal, *actions, bounded=True),
                )
                yield f"grant {' and '.join(actions)}", principal.arn, _granting(world, principal, *actions)


def _keys_of_the_account(world: World) -> Iterator[Weakened]:
    for key in world.of_kind(ResourceKind.KEY):
        root = {"Sid": "Root", "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{key.account_id}:root"},
                "Action": "kms:*", "Resource": "*"}  # fmt: skip
        policy = {"Version": VERSION, "Statement": [root]}
        yield "leave a key to its account", key.arn, _resource(world, key, policy=policy)
        lent = {"Sid": "Lend", "Effect": "Allow", "Principal": "*", "Action": "kms:CreateGrant", "Resource": "*",
                "Condition": {"StringEquals": {"kms:ViaService": "rds.eu-west-1.amazonaws.com"}}}  # fmt: skip
        statements = (key.policy or {})["Statement"]
        rest = [one for one in statements if one["Sid"] != "DenyGrants"]
        if key.owner is not None:
            lending = {"Version": VERSION, "Statement": [*rest, lent]}
            yield "lend a key to a service", key.arn, _resource(world, key, policy=lending)


def _names_of_keys(world: World) -> Iterator[Weakened]:
    keys = [one for one in world.of_kind(ResourceKind.KEY) if one.owner is not None]
    for key in keys:
        other = next(one for one in keys if one.owner != key.owner and one.region == key.region)
        yield "point an alias elsewhere", key.arn, _resource(world, key, context=other.context)
        if key.owner and key.owner.startswith("approver:"):
            theirs = next(one for one in keys if one.owner != key.owner and (one.owner or "").startswith("approver:"))
            swapped = json.loads(
                json.dumps(key.policy).replace(
                    key.owner.removeprefix("approver:"), str(theirs.owner).removeprefix("approver:")
                )
            )
            yield "name another approver", key.arn, _resource(world, key, policy=swapped)


def _ways_of_users(world: World) -> Iterator[Weakened]:
    people = [one for one in world.people if one.kind == "person" and one.ways[0].kind == "user"]
    for person in people:
        if "foundation" in person.duties:
            continue
        users = [
            _user(one.ways[0].principal, "iam:CreateAccessKey" if one is person else "sts:GetCallerIdentity")
            for one in people
        ]
        changed = world.model_copy(update={"principals": (*world.principals, *users)})
        yield "make access keys of other users", person.name, changed


def _user(arn: str, *actions: str) -> Principal:
    entering = ["sts:AssumeRole", "sts:SetSourceIdentity"]
    statement = {"Sid": "Own", "Effect": "Allow", "Action": [*entering, *actions], "Resource": "*"}
    document = {"Version": VERSION, "Statement": [statement]}
    return Principal(arn=arn, identity=(NamedDocument(name="own", document=document),))


def _denials_of_nearly_everything(world: World) -> Iterator[Weakened]:
    for words, condition in NOBODY_ASKS_SO.items():
        denial = {"Sid": "Nearly", "Effect": "Deny", "Action": "*", "Resource": "*", "Condition": condition}
        for name, document in _boundaries(world).items():
            denying = {**document, "Statement": [*document["Statement"], denial]}
            yield "bound to nobody's requests", f"{name} unless it {words}", _bounded_by(world, name, denying)
        for resource in world.resources:
            if resource.owner is not None or resource.kind is ResourceKind.BUCKET:
                statements = (resource.policy or {})["Statement"]
                policy = {"Version": VERSION, "Statement": [*statements, {**denial, "Principal": "*"}]}
                where = f"{resource.arn} unless the request {words}"
                yield "keep to nobody's requests", where, _resource(world, resource, policy=policy)
