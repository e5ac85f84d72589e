"""Values survive the wire, whatever they hold."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rehearsal.engine.terraform.values import UNKNOWN, decode, encode, equal, type_of

scalar_types = st.sampled_from(["string", "number", "bool"])
types = st.recursive(
    scalar_types,
    lambda inner: (
        st.tuples(st.sampled_from(["list", "set", "map"]), inner).map(list)
        | st.dictionaries(st.text("abc", min_size=1), inner, min_size=1, max_size=3).map(
            lambda fields: ["object", fields]
        )
    ),
    max_leaves=6,
)


def values_of(kind: Any) -> st.SearchStrategy[Any]:
    """Return values of a type, null and unknown ones among them."""
    special = st.sampled_from([None, UNKNOWN])
    if kind == "string":
        return st.text() | special
    if kind == "number":
        return st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False, width=32) | special
    if kind == "bool":
        return st.booleans() | special
    if kind[0] in ("list", "set"):
        return st.lists(values_of(kind[1]), max_size=3) | special
    if kind[0] == "map":
        return st.dictionaries(st.text(), values_of(kind[1]), max_size=3) | special
    return st.fixed_dictionaries({name: values_of(inner) for name, inner in kind[1].items()}) | special


typed_values = types.flatmap(lambda kind: st.tuples(st.just(kind), values_of(kind)))


@given(typed_values)
def test_a_value_is_decoded_as_it_was_encoded(typed: tuple[Any, Any]) -> None:
    kind, value = typed
    assert equal(decode(encode(value, kind), kind), value, kind)


@given(
    st.recursive(
        st.text() | st.booleans() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_where_any_type_is_allowed_a_value_brings_its_own(value: Any) -> None:
    assert decode(encode(value, "dynamic"), "dynamic") == value
    assert type_of(value) is not None


def test_an_attribute_left_out_is_sent_as_null() -> None:
    kind = ["object", {"a": "string", "b": "number"}]
    assert decode(encode({"a": "x"}, kind), kind) == {"a": "x", "b": None}


@given(st.lists(st.integers(), max_size=5).flatmap(lambda items: st.tuples(st.just(items), st.permutations(items))))
def test_sets_are_equal_in_any_order_and_lists_only_in_one(pair: tuple[list[int], list[int]]) -> None:
    left, right = pair
    assert equal(left, right, ["set", "number"])
    assert equal(left, right, ["list", "number"]) == (left == right)


def test_a_set_counts_its_elements() -> None:
    assert not equal(["a", "a", "b"], ["a", "b", "b"], ["set", "string"])


def test_true_is_not_the_number_one() -> None:
    assert not equal(True, 1, "dynamic")
