"""Whether a function's own policy lets a service invoke it (pure).

Source: https://docs.aws.amazon.com/lambda/latest/dg/permissions-function-services.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any


def lets_service_invoke(
    statements: Iterable[Mapping[str, Any]], service: str, source_arn: str, source_account: str
) -> bool:
    """Return whether `service` may invoke the function on behalf of the resource `source_arn` of `source_account`.

    A statement with a condition that is not among those AddPermission writes holds for nobody.
    """
    facts = {"aws:sourcearn": source_arn, "aws:sourceaccount": source_account}
    matching = [
        one["Effect"]
        for one in statements
        if _names(one.get("Principal"), service)
        and any(_matches(action, "lambda:InvokeFunction") for action in _listed(one.get("Action")))
        and _holds(one.get("Condition") or {}, facts)
    ]
    return "Allow" in matching and "Deny" not in matching


def _names(principal: Any, service: str) -> bool:
    if isinstance(principal, Mapping):
        return service in _listed(principal.get("Service"))
    return bool(principal == "*" or principal == service)


def _holds(condition: Mapping[str, Mapping[str, Any]], facts: Mapping[str, str]) -> bool:
    for operator, wanted in condition.items():
        for key, values in wanted.items():
            fact = facts.get(key.lower())
            if fact is None:
                return False
            if operator in ("ArnLike", "StringLike"):
                if not any(_matches(value, fact) for value in _listed(values)):
                    return False
            elif operator not in ("StringEquals", "ArnEquals") or fact not in _listed(values):
                return False
    return True


def _matches(pattern: str, value: str) -> bool:
    expression = "".join({"*": ".*", "?": "."}.get(sign, re.escape(sign)) for sign in pattern)
    return re.fullmatch(expression, value, re.DOTALL) is not None


def _listed(value: Any) -> Sequence[str]:
    return [] if value is None else [value] if isinstance(value, str) else list(value)
