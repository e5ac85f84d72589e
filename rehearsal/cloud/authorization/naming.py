"""The ARNs that a request's parameters name: patterns of the table, filled in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any, Final

from moto.iam.models import IAMBackend, iam_backends
from moto.secretsmanager.models import secretsmanager_backends

from rehearsal.cloud.authorization.calls import Call

_FIELD: Final = re.compile(r"\{(\w+)\}")
_PARTITION: Final = "aws"
_DEFAULTS: Final = {"cluster": "default"}
_REGISTRY: Final = "registryId"


def arns_of(call: Call, patterns: Sequence[str], account_id: str) -> list[str]:
    """Return what an operation is on, each once.

    Where the parameters name nothing, it is on whatever its first pattern may stand for, as in a listing of all.
    """
    account_id = str(call.parameters.get(_REGISTRY) or account_id) if call.service == "ecr" else account_id
    found = [arn for pattern in patterns for arn in _filled(call, pattern, account_id)]
    if not found and patterns:
        found = [_FIELD.sub("*", _absolute(call, _with_account(patterns[0], account_id), account_id))]
    return list(dict.fromkeys(arn for arn in found))


def _filled(call: Call, pattern: str, account_id: str) -> Iterator[str]:
    pattern = _with_account(pattern, account_id)
    names = _FIELD.findall(pattern)
    given = [_values(call, name, account_id) for name in names]
    for values in product(*given):
        # The last of them is what the operation is on; the ones before only say where it lies.
        last = values[-1] if values else ""
        if last.startswith("arn:"):
            yield last
            continue
        filled = pattern
        for name, value in zip(names, values, strict=True):
            filled = filled.replace(f"{{{name}}}", value.rpartition("/")[2] if value.startswith("arn:") else value)
        yield _absolute(call, filled, account_id)


def _with_account(pattern: str, account_id: str) -> str:
    return pattern.replace("{account}", account_id)


def _absolute(call: Call, named: str, account_id: str) -> str:
    if named.startswith("arn:") or named == "*":
        return named
    return f"arn:{_PARTITION}:{call.service}:{call.region}:{account_id}:{named}"


def _values(call: Call, name: str, account_id: str) -> list[str]:
    given = call.parameters.get(name, _DEFAULTS.get(name))
    values = [str(value) for value in given] if isinstance(given, list) else [str(given)] if given else []
    own = _OWN.get((call.service, name))
    return [own(call, value, account_id) for value in values] if own is not None else values


def _iam_path(kind: str) -> Any:
    def path(call: Call, name: str, account_id: str) -> str:
        if call.operation.startswith("Create") and "Path" in call.parameters:
            return f"{call.parameters['Path']}{name}"
        backend: IAMBackend = iam_backends[account_id][_PARTITION]
        holders: Mapping[str, Any] = getattr(backend, kind)
        known = next((one for one in list(holders.values()) if one.name == name), None)
        return f"{known.path if known is not None else '/'}{name}"

    return path


def _secret(call: Call, name: str, account_id: str) -> str:
    if name.startswith("arn:"):
        return name
    secrets = secretsmanager_backends[account_id][call.region].secrets
    known = next((one for one in list(dict.values(secrets)) if one.name == name), None)
    return str(known.arn) if known is not None else f"{name}-??????"


def _task_definition(call: Call, name: str, account_id: str) -> str:  # noqa: ARG001 (one of several like it)
    return name if name.startswith("arn:") or ":" in name else f"{name}:*"


def _parameter(call: Call, name: str, account_id: str) -> str:  # noqa: ARG001 (one of several like it)
    return name if name.startswith("arn:") else name.removeprefix("/").partition(":")[0]


def _function(call: Call, name: str, account_id: str) -> str:  # noqa: ARG001 (one of several like it)
    if name.startswith("arn:"):
        return name
    _, _, named = name.rpartition("function:")
    qualifier = call.parameters.get("Qualifier")
    return f"{named}:{qualifier}" if qualifier else named


def _address(call: Call, url: str, account_id: str) -> str:  # noqa: ARG001 (one of several like it)
    return url.partition("://")[2] or url


_OWN: Final[Mapping[tuple[str, str], Any]] = {
    ("ecs", "taskDefinition"): _task_definition,
    ("iam", "GroupName"): _iam_path("groups"),
    ("iam", "PolicyName"): lambda call, name, _: f"{call.parameters.get('Path') or '/'}{name}",
    ("iam", "RoleName"): _iam_path("roles"),
    ("iam", "Url"): _address,
    ("iam", "UserName"): _iam_path("users"),
    ("lambda", "FunctionName"): _function,
    ("secretsmanager", "SecretId"): _secret,
    ("ssm", "Name"): _parameter,
    ("ssm", "Names"): _parameter,
    ("ssm", "Path"): _parameter,
    ("ssm", "ResourceId"): _parameter,
}
