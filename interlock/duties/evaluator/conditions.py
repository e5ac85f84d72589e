"""Whether a condition holds for a request.

Sources: IAM User Guide, "IAM JSON policy elements: Condition operators" and "Set operators for multivalued context
keys", https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, Final

from interlock.duties.evaluator.logic import Truth, agreed, every, known, some
from interlock.duties.evaluator.operators import NULL, OPERATORS, READERS, truth
from interlock.duties.evaluator.policy import Condition, Qualifier, Template
from interlock.duties.evaluator.request import Context
from interlock.duties.evaluator.texts import like, like_arn, literal, resolved


def holds(condition: Condition, values: Context, complete: bool) -> Truth:
    """Say whether one condition holds.

    An absent key of an incomplete request is unknown, and so are what AWS's documentation leaves open: a request's
    value that its operator cannot read, a variable without a value, several values under an operator without a
    qualifier where it matters, and a missing key under ForAnyValue with IfExists.
    """
    actual = values.get(condition.key)
    if actual is None and not complete:
        return Truth.UNKNOWN
    if condition.operator == NULL:
        return _null(condition, actual)
    if not actual:
        return _without_values(condition)
    if condition.qualifier is not None and not any(actual):
        return known(condition.qualifier is Qualifier.ALL)
    negated = OPERATORS[condition.operator].negated
    found = [_one(condition, value, values, complete) for value in actual]
    if negated:
        found = [hit.negated for hit in found]
    if condition.qualifier is Qualifier.ALL:
        return every(found)
    if condition.qualifier is Qualifier.ANY:
        return some(found)
    return found[0] if len(found) == 1 else agreed(every(found), some(found))


def _null(condition: Condition, actual: tuple[str, ...] | None) -> Truth:
    if actual and not any(actual):
        # Whether an empty text is a null value is said for set operators only.
        return Truth.UNKNOWN
    absent = not actual
    return known(any(truth(value.written) is absent for value in condition.values))


def _without_values(condition: Condition) -> Truth:
    if condition.qualifier is Qualifier.ANY:
        return Truth.UNKNOWN if condition.if_exists else Truth.NO
    return known(condition.if_exists or condition.qualifier is Qualifier.ALL or OPERATORS[condition.operator].negated)


def _one(condition: Condition, value: str, values: Context, complete: bool) -> Truth:
    """Say whether one value of the request equals, in the operator's positive sense, any value of the policy."""
    kind = OPERATORS[condition.operator]
    if kind.family in READERS:
        return _compared(kind.base, kind.family, value, condition.values)
    return some(_text(kind.base, template, value, values, complete) for template in condition.values)


def _text(base: str, template: Template, value: str, values: Context, complete: bool) -> Truth:
    pattern = resolved(template, values, complete)
    if pattern is None:
        return Truth.UNKNOWN
    return _TEXTS[base](pattern, value)


_TEXTS: Final[dict[str, Callable[[str, str], Truth]]] = {
    "StringEquals": lambda pattern, value: known(literal(pattern) == value),
    "StringEqualsIgnoreCase": lambda pattern, value: known(literal(pattern).casefold() == value.casefold()),
    "StringLike": lambda pattern, value: known(like(pattern, value)),
    "ArnEquals": like_arn,
    "ArnLike": like_arn,
}
_COMPARISONS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "Equals": operator.eq,
    "LessThan": operator.lt,
    "LessThanEquals": operator.le,
    "GreaterThan": operator.gt,
    "GreaterThanEquals": operator.ge,
    "Bool": operator.eq,
    "IpAddress": lambda actual, wanted: actual.version == wanted.version and actual.subnet_of(wanted),
}


def _compared(base: str, family: str, value: str, wanted: Iterable[Template]) -> Truth:
    try:
        actual = _read(family, value)
    except ValueError:
        return Truth.UNKNOWN
    compare = _COMPARISONS[base if base in _COMPARISONS else base.removeprefix(family)]
    return known(any(compare(actual, _read(family, template.written)) for template in wanted))


@lru_cache(maxsize=4096)
def _read(family: str, text: str) -> Any:
    return READERS[family][0](text)
