"""What a request needs: the actions, each on a resource and under condition keys, all of which have to be allowed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from rehearsal.cloud.authorization import keys
from rehearsal.cloud.authorization.calls import Call
from rehearsal.cloud.authorization.guards import tags_of
from rehearsal.cloud.authorization.layers import role_of
from rehearsal.cloud.authorization.naming import arns_of
from rehearsal.cloud.authorization.passing import passed_roles
from rehearsal.cloud.authorization.resources import patterns_of

Values = Mapping[str, str | Sequence[str]]

_TAGS: Final = ("Tags", "tags")
_OF_ROLES: Final = {
    "AttachRolePolicy", "DeleteRolePermissionsBoundary", "DeleteRolePolicy", "DetachRolePolicy", "PutRolePolicy",
}  # fmt: skip
"""Operations for which iam:PermissionsBoundary is the boundary that the role has; for others it is the one given.

Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
"""
_PARAMETERS: Final[Mapping[str, Mapping[str, str]]] = {
    "application-autoscaling": {"ServiceNamespace": "application-autoscaling:service-namespace"},
    "cloudwatch": {"Namespace": "cloudwatch:namespace"},
    "iam": {"PolicyArn": "iam:policyarn", "AWSServiceName": "iam:awsservicename"},
}
"""Parameters that are condition keys as they are."""
_ITEMS: Final = {"ConditionCheck": "ConditionCheckItem", "Put": "PutItem", "Update": "UpdateItem",
                 "Delete": "DeleteItem", "Get": "GetItem"}  # fmt: skip


@dataclass(frozen=True)
class Need:
    """One action on one resource. `owner` is the account of a resource whose ARN names none.

    Not `exact` is what is known by its action only: its resource and its own condition keys are not looked at.
    """

    action: str
    resource: str
    values: Values = field(default_factory=dict)
    exact: bool = True
    owner: str = ""


def needs_of(call: Call, account_id: str) -> list[Need]:
    """Return everything that a request of an account needs."""
    return [*_own_needs(call, account_id), *_passing(call)]


def request_values(call: Call) -> dict[str, str | Sequence[str]]:
    """Return the condition keys that the parameters of any operation give."""
    tags = _request_tags(call)
    values: dict[str, str | Sequence[str]] = {f"aws:requesttag/{key}": value for key, value in tags.items()}
    if tags or call.parameters.get("TagKeys"):
        values["aws:tagkeys"] = tuple(tags) or tuple(map(str, call.parameters["TagKeys"]))
    for parameter, key in _PARAMETERS.get(call.service, {}).items():
        if call.parameters.get(parameter):
            values[key] = str(call.parameters[parameter])
    return values


def _own_needs(call: Call, account_id: str) -> Iterator[Need]:
    values = request_values(call)
    if call.service == "kms":
        for action, resource, more in keys.needs_of(call, account_id):
            yield Need(action, resource, {**values, **more})
        return
    if call.action in ("dynamodb:TransactWriteItems", "dynamodb:TransactGetItems"):
        yield from _transaction(call, account_id)
        return
    if call.action in ("dynamodb:BatchGetItem", "dynamodb:BatchWriteItem"):
        for table in call.parameters.get("RequestItems", {}):
            yield Need(call.action, _table(call, str(table), account_id), values)
        return
    patterns = patterns_of(call.action)
    if patterns is None:
        yield Need(call.action, "*", values, exact=False)
        return
    if call.service == "iam":
        values |= _boundary(call, arns_of(call, patterns, account_id))
    for arn in arns_of(call, patterns, account_id):
        tags = {f"aws:resourcetag/{key}": value for key, value in tags_of(arn).items()}
        yield Need(call.action, arn, values | tags)


def _passing(call: Call) -> Iterator[Need]:
    for role, service in passed_roles(call):
        yield Need("iam:PassRole", role, {"iam:passedtoservice": service})


def _boundary(call: Call, arns: Sequence[str]) -> Mapping[str, str]:
    if call.operation in _OF_ROLES:
        role = role_of(arns[0])
        boundary = role.permissions_boundary_arn if role is not None else None
    else:
        boundary = call.parameters.get("PermissionsBoundary")
    return {"iam:permissionsboundary": str(boundary)} if boundary else {}


def _transaction(call: Call, account_id: str) -> Iterator[Need]:
    for item in call.parameters.get("TransactItems", []):
        for kind, asked in item.items():
            if kind in _ITEMS and asked:
                yield Need(f"dynamodb:{_ITEMS[kind]}", _table(call, str(asked["TableName"]), account_id))


def _table(call: Call, name: str, account_id: str) -> str:
    return name if name.startswith("arn:") else f"arn:aws:dynamodb:{call.region}:{account_id}:table/{name}"


def _request_tags(call: Call) -> dict[str, str]:
    for name in _TAGS:
        given: Any = call.parameters.get(name)
        if isinstance(given, Mapping):
            return {str(key): str(value) for key, value in given.items()}
        if isinstance(given, list):
            return dict(_tag(one) for one in given if isinstance(one, Mapping))
    return {}


def _tag(written: Mapping[str, Any]) -> tuple[str, str]:
    """Return a tag, whose members each service spells in its own way."""
    members = {name.removeprefix("Tag").lower(): value for name, value in written.items()}
    return str(members.get("key", "")), str(members.get("value", ""))
