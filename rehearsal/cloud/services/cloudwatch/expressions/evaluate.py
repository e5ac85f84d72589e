"""Evaluates a tree of metric maths (pure)."""

from __future__ import annotations

from collections.abc import Mapping

from rehearsal.cloud.services.cloudwatch.expressions.functions import FUNCTIONS, KEYWORDS, Evaluation, constant
from rehearsal.cloud.services.cloudwatch.expressions.syntax import (
    Array,
    Call,
    ExpressionError,
    Name,
    Node,
    Number,
    Operation,
    Text,
)
from rehearsal.cloud.services.cloudwatch.expressions.values import TimeSeries, Value, as_array, operate


def evaluate(node: Node, known: Mapping[str, Value], evaluation: Evaluation) -> Value:
    """Return the value of a tree; `known` holds the values of other queries by id. Raises ExpressionError."""
    if isinstance(node, Number | Text):
        return node.value
    if isinstance(node, Name):
        return _named(node, known)
    if isinstance(node, Array):
        members = [evaluate(member, known, evaluation) for member in node.members]
        return [series for member in members for series in as_array(member, "an array")]
    if isinstance(node, Operation):
        left = 0.0 if node.left is None else evaluate(node.left, known, evaluation)
        return operate(node.operator, left, evaluate(node.right, known, evaluation))
    return _called(node, known, evaluation)


def final_series(value: Value, evaluation: Evaluation) -> list[TimeSeries]:
    """Return what a query with this value answers: one series, or several for an array.

    A scalar is a series of that value in every period. Raises ExpressionError for text.
    """
    if isinstance(value, str):
        raise ExpressionError("an expression must have a metric or a number as its result, not text")
    return [constant(evaluation, value)] if isinstance(value, float) else as_array(value, "the result")


def _named(node: Name, known: Mapping[str, Value]) -> Value:
    if node.name in known:
        return known[node.name]
    if node.name.upper() in KEYWORDS:
        return node.name.upper()
    raise ExpressionError(f"no query of this request has the id {node.name}")


def _called(node: Call, known: Mapping[str, Value], evaluation: Evaluation) -> Value:
    function = FUNCTIONS.get(node.function)
    if function is None:
        raise ExpressionError(f"the function {node.function} is not provided; there are {', '.join(FUNCTIONS)}")
    return function(evaluation, [evaluate(argument, known, evaluation) for argument in node.arguments])
