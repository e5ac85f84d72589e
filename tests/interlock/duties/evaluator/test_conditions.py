"""What a condition says of a request, in the cases that the documentation leaves open too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from interlock.duties.evaluator.conditions import holds
from interlock.duties.evaluator.logic import Truth
from interlock.duties.evaluator.operators import OPERATORS
from interlock.duties.evaluator.policy import Condition, PolicyKind
from tests.interlock.duties.evaluator.shorthand import policy, statement

YES, NO, UNKNOWN = Truth.YES, Truth.NO, Truth.UNKNOWN
VALUES = {
    "String": "a", "Numeric": "1", "Date": "2026-01-01T00:00:00Z", "Bool": "true", "Binary": "YQ==",
    "IpAddress": "192.0.2.0/24", "Arn": "arn:aws:s3:::a", "Null": "true",
}  # fmt: skip


def condition(operator: str, values: str | Sequence[str], key: str = "aws:Key") -> Condition:
    written = policy(PolicyKind.IDENTITY, statement(Condition={operator: {key: values}}))
    return written.statements[0].condition[0]


def said(operator: str, wanted: str | Sequence[str], *actual: str, complete: bool = True) -> Truth:
    values: Mapping[str, tuple[str, ...]] = {"aws:key": actual} if actual else {}
    return holds(condition(operator, wanted), values, complete)


@pytest.mark.parametrize(
    ("operator", "wanted", "actual", "truth"),
    [
        ("StringEquals", "a*", "ab", NO),
        ("StringEquals", ["a", "b"], "b", YES),
        ("StringNotEquals", ["a", "b"], "b", NO),
        ("StringNotEquals", ["a", "b"], "c", YES),
        ("StringNotEqualsIgnoreCase", "A", "a", NO),
        ("StringLike", "a?c*", "abcd", YES),
        ("StringLike", "a.c", "abc", NO),
        ("StringNotLike", ["x*", "a*"], "ab", NO),
        ("NumericEquals", "1.0", "1", YES),
        ("NumericNotEquals", "1.0", "1", NO),
        ("NumericLessThan", "1.2", "1.2", NO),
        ("NumericLessThan", "1.2", "1.10", YES),
        ("NumericGreaterThanEquals", "10", "9", NO),
        ("NumericGreaterThan", "9", "10", YES),
        ("DateEquals", "2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00", YES),
        ("DateNotEquals", "2026-01-01", "2026-01-01T00:00:00Z", NO),
        ("DateLessThanEquals", "1767225600", "2026-01-01T00:00:00Z", YES),
        ("DateGreaterThanEquals", "2026-01-02", "2026-01-01", NO),
        ("Bool", "true", "TRUE", YES),
        ("Bool", "false", "true", NO),
        ("BinaryEquals", "YQ==", "YQ==", YES),
        ("BinaryEquals", "YQ==", "Yg==", NO),
        ("IpAddress", "10.0.0.0/8", "10.255.0.1", YES),
        ("IpAddress", "10.0.0.0/8", "2001:db8::1", NO),
        ("NotIpAddress", "10.0.0.1", "10.0.0.1", NO),
        ("ArnEquals", "arn:aws:iam::*:role/a*", "arn:aws:iam::1:role/ab", YES),
        ("ArnLike", "arn:aws:iam::1:role/a", "arn:aws:iam::1:role/A", NO),
        ("ArnNotEquals", "arn:aws:iam::1:role/a", "arn:aws:iam::1:role/b", YES),
        ("ArnNotLike", "arn:aws:iam::1:role/*", "arn:aws:iam::1:role/x:y", NO),
        ("ArnLike", "arn:aws:iam::1:role/a", "not an arn", NO),
        ("Null", "true", "x", NO),
        ("Null", "false", "x", YES),
    ],
)
def test_each_operator_compares_as_documented(
    operator: str, wanted: str | list[str], actual: str, truth: Truth
) -> None:
    assert said(operator, wanted, actual) is truth


@pytest.mark.parametrize("name", OPERATORS)
def test_a_missing_key_satisfies_negated_operators_and_those_with_if_exists_only(name: str) -> None:
    value = VALUES[OPERATORS[name].family]
    assert said(name, value) is (YES if OPERATORS[name].negated or name == "Null" else NO)
    if name != "Null":
        assert said(f"{name}IfExists", value) is YES
        assert said(f"ForAllValues:{name}", value) is YES
        assert said(f"ForAnyValue:{name}", value) is NO


@pytest.mark.parametrize("name", OPERATORS)
def test_a_missing_key_of_an_incomplete_request_is_unknown_to_every_operator(name: str) -> None:
    qualified = [name] if name == "Null" else [name, f"{name}IfExists", f"ForAllValues:{name}", f"ForAnyValue:{name}"]
    assert {said(one, VALUES[OPERATORS[name].family], complete=False) for one in qualified} == {UNKNOWN}


@pytest.mark.parametrize(
    ("operator", "wanted", "actual", "truth"),
    [
        ("ForAllValues:StringNotEquals", "a", ("b", "c"), YES),
        ("ForAllValues:StringNotEquals", "a", ("a", "c"), NO),
        ("ForAnyValue:StringNotEquals", "a", ("a", "c"), YES),
        ("ForAnyValue:StringNotEquals", "a", ("a", "a"), NO),
        ("StringEquals", "a", ("a", "a"), YES),
        ("StringEquals", "a", ("b", "c"), NO),
        ("StringEquals", "a", ("a", "c"), UNKNOWN),
        ("StringNotEquals", "a", ("a", "c"), UNKNOWN),
    ],
)
def test_several_values_need_a_set_operator_where_it_matters(
    operator: str, wanted: str, actual: tuple[str, ...], truth: Truth
) -> None:
    assert said(operator, wanted, *actual) is truth


def test_two_documented_rules_that_disagree_leave_it_unknown() -> None:
    assert said("ForAnyValue:StringEqualsIfExists", "a") is UNKNOWN
    assert said("Null", "true", "") is UNKNOWN


@pytest.mark.parametrize(
    ("operator", "wanted"), [("NumericLessThan", "3"), ("DateLessThan", "2026-01-01"), ("IpAddress", "10.0.0.0/8"),
                             ("Bool", "true"), ("BinaryEquals", "YQ==")]
)  # fmt: skip
def test_a_value_that_its_operator_cannot_read_is_unknown(operator: str, wanted: str) -> None:
    assert said(operator, wanted, "soon!") is UNKNOWN


def test_a_variable_without_a_value_or_with_several_is_unknown_and_a_default_stands_in() -> None:
    wanted = condition("StringEquals", "${aws:PrincipalTag/Team}")
    given = {"aws:key": ("a",)}
    assert holds(wanted, given, True) is UNKNOWN
    assert holds(wanted, {**given, "aws:principaltag/team": ("a", "b")}, True) is UNKNOWN
    assert holds(wanted, {**given, "aws:principaltag/team": ("a",)}, True) is YES
    with_default = condition("StringEquals", "${aws:PrincipalTag/Team, 'a'}")
    assert holds(with_default, given, True) is YES
    assert holds(with_default, given, False) is UNKNOWN


def test_a_wildcard_inside_a_variables_value_is_no_wildcard() -> None:
    wanted = condition("StringLike", "home/${aws:PrincipalTag/Team}/*")
    tag = {"aws:principaltag/team": ("*",)}
    assert holds(wanted, {"aws:key": ("home/other/x",), **tag}, True) is NO
    assert holds(wanted, {"aws:key": ("home/*/x",), **tag}, True) is YES


def test_an_arn_pattern_of_too_few_parts_is_unknown_where_it_could_match() -> None:
    assert said("ArnLike", "arn:aws:iam::*", "arn:aws:iam::1:role/a") is UNKNOWN
    assert said("ArnLike", "arn:aws:s3:*", "arn:aws:iam::1:role/a") is NO
