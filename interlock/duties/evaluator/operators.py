"""The condition operators that there are, and what each takes.

Source: IAM User Guide, "IAM JSON policy elements: Condition operators",
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from interlock.duties.evaluator.grammar import refuse
from interlock.duties.evaluator.policy import Condition, NotModelled, Qualifier, Template


@dataclass(frozen=True)
class Operator:
    """`base` is the positive operator of a negated one, and its own name else."""

    family: str
    base: str
    negated: bool = False


NULL: Final = "Null"
_POSITIVE: Final = {
    "String": ("StringEquals", "StringEqualsIgnoreCase", "StringLike"),
    "Numeric": (
        "NumericEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan", "NumericGreaterThanEquals",
    ),
    "Date": ("DateEquals", "DateLessThan", "DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals"),
    "Bool": ("Bool",),
    "Binary": ("BinaryEquals",),
    "IpAddress": ("IpAddress",),
    "Arn": ("ArnEquals", "ArnLike"),
    "Null": (NULL,),
}  # fmt: skip
_NEGATED: Final = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "NumericNotEquals": "NumericEquals",
    "DateNotEquals": "DateEquals",
    "NotIpAddress": "IpAddress",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
}
_FAMILIES: Final = {base: family for family, bases in _POSITIVE.items() for base in bases}
OPERATORS: Final = {
    **{base: Operator(family, base) for base, family in _FAMILIES.items()},
    **{name: Operator(_FAMILIES[base], base, negated=True) for name, base in _NEGATED.items()},
}
"""Every operator by its plain name."""


def number(text: str) -> Decimal:
    """Return a number of a policy or of a request. Raises ValueError."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{text!r} is not a number") from None
    if not value.is_finite():
        raise ValueError(f"{text!r} is not a finite number")
    return value


def date(text: str) -> datetime:
    """Return a date, written as ISO 8601 or as seconds since 1970. Raises ValueError."""
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", text) and not re.fullmatch(r"[0-9]{4}", text):
        try:
            return datetime.fromtimestamp(float(text), UTC)
        except (OverflowError, OSError):
            raise ValueError(f"{text!r} is not a date") from None
    parsed = datetime.fromisoformat(f"{text}-01-01" if len(text) == 4 else text)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """Return an address range; a plain address is a range of one. Raises ValueError."""
    return ipaddress.ip_network(text, strict=False)


def truth(text: str) -> bool:
    """Return a Boolean value. Raises ValueError."""
    if text.lower() not in ("true", "false"):
        raise ValueError(f"{text!r} is not true or false")
    return text.lower() == "true"


def octets(text: str) -> bytes:
    """Return what base64 text stands for. Raises ValueError."""
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError(f"{text!r} is not base64") from None


READERS: Final[dict[str, tuple[Callable[[str], Any], str]]] = {
    "Numeric": (number, "a number"),
    "Date": (date, "a date as ISO 8601 or seconds since 1970"),
    "Bool": (truth, "true or false"),
    "Binary": (octets, "base64"),
    "IpAddress": (network, "an address or a range in CIDR notation"),
    "Null": (truth, "true or false"),
}
"""By family: what reads a value, and what it accepts."""


def read_condition(operator: str, key: str, values: tuple[Template, ...], path: str, name: str) -> Condition:
    """Return one condition. Raises NotModelled for the operator, PolicyError for a value that it does not take."""
    qualifier, colon, rest = operator.rpartition(":")
    base = rest.removesuffix("IfExists")
    known = OPERATORS.get(base)
    if known is None or (colon and qualifier not in tuple(Qualifier)):
        raise NotModelled(
            f"{name}: {path}: the operator {operator!r} is not modelled; accepted are {', '.join(sorted(OPERATORS))}, "
            "each also with IfExists (but Null) and behind ForAllValues: or ForAnyValue:"
        )
    if base == NULL and (colon or rest != base):
        refuse(name, path, operator, "accepted is Null without qualifier and without IfExists")
    if not key or ":" not in key:
        refuse(name, path, key, "accepted is a condition key with its service, such as aws:SourceIp")
    if known.family in READERS:
        _check_values(values, known.family, f"{path}.{key}", name)
    return Condition(base, key.lower(), values, Qualifier(qualifier) if colon else None, rest != base)


def _check_values(values: tuple[Template, ...], family: str, path: str, name: str) -> None:
    reader, accepted = READERS[family]
    for value in values:
        if value.variables:
            raise NotModelled(
                f"{name}: {path}: the variable in {value.written!r} is not modelled; accepted is {accepted}"
            )
        try:
            reader(value.written)
        except ValueError:
            refuse(name, path, value.written, f"accepted is {accepted}")
