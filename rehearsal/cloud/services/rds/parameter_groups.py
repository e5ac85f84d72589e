"""What DB parameter groups hold: the requests that change and describe them, on moto's records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from moto.core.responses import ActionResult
from moto.rds.exceptions import DBParameterGroupNotFoundError

from rehearsal.cloud.services.rds.parameters import Parameter, ParameterRefused, check, find
from rehearsal.cloud.services.rds.requests import refuse


def checked(known: Mapping[str, Parameter], wanted: Iterable[Mapping[str, Any]]) -> None:
    """Refuse the whole request if one of its parameters is refused. Raises RDSClientError."""
    for parameter in wanted:
        try:
            method = str(parameter.get("ApplyMethod", "immediate"))
            check(known, str(parameter["ParameterName"]), parameter.get("ParameterValue"), method)
        except ParameterRefused as refused:
            raise refuse(refused.code, str(refused)) from refused


def reset(backend: Any, known: Mapping[str, Parameter], request: Mapping[str, Any]) -> Any:
    """Take a group's values back, all or those named, and return the group. Raises RDSClientError.

    Source: https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ResetDBParameterGroup.html
    """
    group = group_named(backend, str(request.get("DBParameterGroupName")))
    if request.get("ResetAllParameters"):
        group.parameters.clear()
    for parameter in request.get("Parameters") or []:
        name = str(parameter["ParameterName"])
        checked(known, [{"ParameterName": name, "ApplyMethod": parameter.get("ApplyMethod", "immediate")}])
        group.parameters.pop(name, None)
    return group


def describe(backend: Any, known: Mapping[str, Parameter], request: Mapping[str, Any]) -> ActionResult:
    """Return a page of a group's parameters; `Source` chooses those that a user has set. Raises RDSClientError."""
    group = group_named(backend, str(request.get("DBParameterGroupName")))
    wanted, after, size = request.get("Source"), str(request.get("Marker") or ""), int(request.get("MaxRecords") or 100)
    names = sorted({*known, *group.parameters})
    rows = [_row(find(known, name), group.parameters.get(name)) for name in names if name > after]
    chosen = [row for row in rows if wanted in {None, row["Source"]}]
    marker = chosen[size - 1]["ParameterName"] if len(chosen) > size else None
    return ActionResult({"Parameters": chosen[:size], "Marker": marker})


def group_named(backend: Any, name: str) -> Any:
    """Return moto's record of a group. Raises DBParameterGroupNotFoundError."""
    if name not in backend.db_parameter_groups:
        raise DBParameterGroupNotFoundError(name)
    return backend.db_parameter_groups[name]


def _row(parameter: Parameter, given: Mapping[str, Any] | None) -> dict[str, Any]:
    value = given.get("ParameterValue") if given else parameter.default
    row = {
        "ParameterName": parameter.name,
        "ParameterValue": value,
        "Description": parameter.description,
        "Source": "user" if given else "engine-default",
        "ApplyType": parameter.apply_type,
        "DataType": parameter.data_type,
        "AllowedValues": parameter.allowed_values,
        "IsModifiable": parameter.is_modifiable,
        "ApplyMethod": (given or {}).get("ApplyMethod", "pending-reboot"),
    }
    return {name: field for name, field in row.items() if field is not None}
