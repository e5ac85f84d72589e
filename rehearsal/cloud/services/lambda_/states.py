"""The states a function goes through, which its record shows and which restrain what may be done to it.

Source: https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from rehearsal.cloud.errors import json_error

_CHANGE_SECONDS = 0.3
"""How long a function stays Pending, and an update InProgress."""


def begin_creation(function: Any) -> None:
    """Have a new function be Pending for a while."""
    function.state = "Pending"
    _later(lambda: setattr(function, "state", "Active"))


def begin_update(function: Any) -> None:
    """Have an update be in progress for a while."""
    function.last_update_status = "InProgress"
    _later(lambda: setattr(function, "last_update_status", "Successful"))


def demand_settled(function: Any) -> None:
    """Raise AWS's ResourceConflictException while a creation or an update goes on."""
    if function.state == "Pending":
        raise json_error(
            "ResourceConflictException",
            "The operation cannot be performed at this time. The function is currently in the following state: Pending",
            409,
        )
    if update_status(function) == "InProgress":
        raise json_error(
            "ResourceConflictException",
            "The operation cannot be performed at this time. An update is in progress for resource: "
            f"{function.function_arn}",
            409,
        )


def demand_active(function: Any) -> None:
    """Raise AWS's ResourceConflictException if the function cannot be invoked yet."""
    if function.state == "Pending":
        demand_settled(function)


def update_status(function: Any) -> str:
    """Return the LastUpdateStatus."""
    return str(getattr(function, "last_update_status", "Successful"))


def described(function: Any) -> dict[str, str]:
    """Return what a function's configuration says of its states."""
    told = {"State": function.state, "LastUpdateStatus": update_status(function)}
    if function.state == "Pending":
        told |= {"StateReason": "The function is being created.", "StateReasonCode": "Creating"}
    if told["LastUpdateStatus"] == "InProgress":
        told |= {
            "LastUpdateStatusReason": "The function is being updated.",
            "LastUpdateStatusReasonCode": "Updating",
        }
    return told


def _later(change: Callable[[], None]) -> None:
    timer = threading.Timer(_CHANGE_SECONDS, change)
    timer.daemon = True
    timer.start()
