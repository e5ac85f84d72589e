"""What a solver finds of a condition on a free value is what the evaluator says of every value."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from interlock.duties.evaluator import conditions
from interlock.duties.evaluator.logic import Truth
from interlock.duties.evaluator.parsing import parse
from interlock.duties.evaluator.policy import Condition, NotModelled, PolicyKind
from interlock.duties.evaluator.request import Request, user
from interlock.duties.proof.facts import Facts
from interlock.duties.proof.formula import every
from interlock.duties.proof.solving import solution
from tests.interlock.duties.proof.worlds import ACCOUNT, allow, document

KEY = "aws:requesttag/team"
TEXTS = ("ML Platform", "aws cli", " ", "équipe", "\\u{61}", "\\", "a:b c", "日本", "x", "")
LIKE = (*TEXTS, "* *", "?", "é*", "*:*", "")
NUMBERS = ("1735689600", "20000000", "-20000000000", "0.005", "0.0051", "1e30")
DATES = ("2019-01-01T00:00:00Z", "1969-12-31T00:00:00Z", "2150-01-01", "1735689600", "1735689600.5")
OPERATORS = {
    "String": ("StringEquals", "StringNotEquals", "StringLike", "StringNotLike"),
    "Numeric": ("NumericEquals", "NumericLessThan", "NumericGreaterThan", "NumericNotEquals"),
    "Date": ("DateEquals", "DateLessThan", "DateGreaterThanEquals", "DateNotEquals"),
}
VALUES = {"String": (LIKE, TEXTS), "Numeric": (NUMBERS, NUMBERS), "Date": (DATES, DATES)}
DRAWN = 150


def read(written: dict[str, Any]) -> tuple[Condition, ...]:
    return parse(document(allow("s3:GetObject", "*", **written)), PolicyKind.IDENTITY, "drawn").statements[0].condition


def drawn(random: Random, family: str) -> tuple[Condition, ...]:
    wanted, _ = VALUES[family]
    operators = random.sample(OPERATORS[family], 2)
    return read({one: {KEY: random.sample(wanted, random.choice((1, 1, 2)))} for one in operators})


def is_met(asked: tuple[Condition, ...], context: dict[str, tuple[str, ...]]) -> bool:
    ann = user(f"arn:aws:iam::{ACCOUNT}:user/ann")
    values = Request(ann, "s3:GetObject", "arn:aws:s3:::a/b", context, resource_account=ACCOUNT).values
    return all(conditions.holds(one, values, complete=True) is Truth.YES for one in asked)


def found(asked: tuple[Condition, ...]) -> dict[str, tuple[str, ...]] | None:
    formula = every(Facts({}).met((one,)) for one in asked)
    assert not isinstance(formula, bool)
    answer = solution(formula)
    return None if answer is None else dict(answer)


@pytest.mark.parametrize("family", OPERATORS)
def test_a_condition_is_met_by_what_is_found_and_by_nothing_where_nothing_is_found(family: str) -> None:
    random = Random(20261122)
    for _ in range(DRAWN):
        asked = drawn(random, family)
        context = found(asked)
        if context is not None:
            assert is_met(asked, context), (asked, context)
        else:
            assert not any(is_met(asked, {KEY: (value,)}) for value in VALUES[family][1]), asked
            assert not is_met(asked, {}), asked


@pytest.mark.parametrize(
    ("operator", "value"),
    [
        ("NumericGreaterThan", "1735689600"),
        ("NumericLessThan", "-1735689600"),
        ("DateLessThan", "2019-01-01T00:00:00Z"),
        ("DateGreaterThan", "2101-01-01T00:00:00Z"),
        ("StringEquals", "ML Platform"),
        ("StringLike", "* *"),
        ("StringEquals", "équipe"),
        ("StringEqualsIgnoreCase", "ML Platform"),
        ("StringEquals", ""),
        ("StringEquals", "\\u{61}"),
        ("ArnLike", "arn:aws:iam::*:user/a b"),
    ],
)
def test_a_value_is_found_however_large_early_or_strange_it_is(operator: str, value: str) -> None:
    asked = read({operator: {KEY: value}})
    context = found(asked)
    assert context is not None
    assert is_met(asked, context)


def test_an_example_is_one_that_can_be_read_where_there_is_one() -> None:
    (value,) = (found(read({"StringNotEquals": {KEY: "a"}, "Null": {KEY: "false"}})) or {})[KEY]
    assert value.isascii()
    assert value.isprintable()
    assert value.strip()


@pytest.mark.parametrize(
    "written",
    [
        {"StringEquals": {KEY: ""}, "Null": {KEY: "false"}},
        {"StringEquals": {KEY: "\U00030000"}},
        {"StringEqualsIgnoreCase": {KEY: "É"}},
        {"NumericEquals": {KEY: "1e9999"}},
    ],
)
def test_a_value_that_the_solver_has_not_is_no_proof(written: dict[str, Any]) -> None:
    with pytest.raises(NotModelled):
        found(read(written))
