"""The conditions of a policy's statements, evaluated as IAM evaluates them."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

Values = Mapping[str, Sequence[str]]
"""Condition keys in lower case, and the request's values for them; a key that the request lacks is absent."""


def _numbers(compare: Callable[[float, float], bool]) -> Callable[[str, str], bool]:
    return lambda actual, wanted: compare(float(actual), float(wanted))


def _dates(compare: Callable[[datetime, datetime], bool]) -> Callable[[str, str], bool]:
    return lambda actual, wanted: compare(_date(actual), _date(wanted))


def _date(text: str) -> datetime:
    if re.fullmatch(r"[0-9]+", text):
        return datetime.fromtimestamp(int(text), UTC)
    parsed = datetime.fromisoformat(text)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def matches(pattern: str, text: str) -> bool:
    """Say whether `text` matches a pattern of *, for any characters, and ?, for one."""
    parts = (".*" if part == "*" else "." if part == "?" else re.escape(part) for part in re.split(r"([*?])", pattern))
    return re.fullmatch("".join(parts), text, re.DOTALL) is not None


def _matches_arn(actual: str, wanted: str) -> bool:
    """Each of an ARN's six parts matches by itself, so that a * does not reach over a colon but in the last."""
    parts, patterns = actual.split(":", 5), wanted.split(":", 5)
    return len(parts) == len(patterns) and all(
        matches(pattern, part) for part, pattern in zip(parts, patterns, strict=True)
    )


def _in_network(actual: str, wanted: str) -> bool:
    return ipaddress.ip_address(actual) in ipaddress.ip_network(wanted, strict=False)


_POSITIVE: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda actual, wanted: actual == wanted,
    "StringEqualsIgnoreCase": lambda actual, wanted: actual.casefold() == wanted.casefold(),
    "StringLike": lambda actual, wanted: matches(wanted, actual),
    "NumericEquals": _numbers(lambda a, b: a == b),
    "NumericLessThan": _numbers(lambda a, b: a < b),
    "NumericLessThanEquals": _numbers(lambda a, b: a <= b),
    "NumericGreaterThan": _numbers(lambda a, b: a > b),
    "NumericGreaterThanEquals": _numbers(lambda a, b: a >= b),
    "DateEquals": _dates(lambda a, b: a == b),
    "DateLessThan": _dates(lambda a, b: a < b),
    "DateLessThanEquals": _dates(lambda a, b: a <= b),
    "DateGreaterThan": _dates(lambda a, b: a > b),
    "DateGreaterThanEquals": _dates(lambda a, b: a >= b),
    "Bool": lambda actual, wanted: actual.lower() == wanted.lower(),
    "IpAddress": _in_network,
    "ArnEquals": _matches_arn,
    "ArnLike": _matches_arn,
}
_NEGATED = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "NumericNotEquals": "NumericEquals",
    "DateNotEquals": "DateEquals",
    "NotIpAddress": "IpAddress",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
}
_NEEDS = {"Numeric": float, "Date": _date, "IpAddress": ipaddress.ip_network, "NotIpAddress": ipaddress.ip_network}


def problem_with(operator: str, wanted: Sequence[str]) -> str | None:
    """Return why a condition cannot be evaluated here, or None if it can."""
    quantifier, base, _ = _parts(operator)
    if quantifier not in ("", "ForAllValues", "ForAnyValue"):
        return f"Invalid Condition type : {operator}"
    if base == "Null":
        return None if set(map(str.lower, wanted)) <= {"true", "false"} else f"Null takes true or false, not {wanted}"
    if base not in _POSITIVE and base not in _NEGATED:
        return f"Invalid Condition type : {operator}"
    for prefix, read in _NEEDS.items():
        if base.startswith(prefix):
            try:
                for value in wanted:
                    read(value)  # type: ignore[operator]
            except ValueError:
                return f"{operator} does not take {value!r}"
    return None


def holds(operator: str, key: str, wanted: Sequence[str], request: Values) -> bool:
    """Say whether one condition holds for a request.

    A missing key fails a positive operator, satisfies a negated one and anything with IfExists.
    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
    """
    quantifier, base, if_exists = _parts(operator)
    actual = request.get(key.lower())
    if base == "Null":
        return any((actual is None) == (value.lower() == "true") for value in wanted)
    if actual is None:
        return if_exists or base in _NEGATED or quantifier == "ForAllValues"
    one = _POSITIVE[_NEGATED.get(base, base)]
    found = [any(one(value, want) for want in wanted) for value in actual]
    if base in _NEGATED:
        found = [not hit for hit in found]
        return any(found) if quantifier == "ForAnyValue" else all(found)
    return all(found) if quantifier == "ForAllValues" else any(found)


def _parts(operator: str) -> tuple[str, str, bool]:
    quantifier, _, base = operator.rpartition(":")
    return quantifier, base.removesuffix("IfExists"), base.endswith("IfExists")
