"""Whatever comes over the pipe, it is an array of the asked shape or the model has failed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.release.gates.gate import ModelFailed
from interlock.sandbox.answers import predictions, told

ANYTHING = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)),
    max_leaves=5,
)
SHAPES = st.one_of(ANYTHING, st.lists(st.integers(-1, 4), max_size=3))
HEADS = st.fixed_dictionaries(
    {},
    optional={
        "kind": st.one_of(ANYTHING, st.sampled_from(["numbers", "text"])),
        "dtype": st.one_of(ANYTHING, st.sampled_from(["<f8", "|b1", "<u2", "|O", ">f8"])),
        "shape": SHAPES,
        "failed": ANYTHING,
    },
)


@given(HEADS, st.lists(st.binary(max_size=40), max_size=3), st.integers(0, 4))
def test_any_answer_is_an_array_of_the_asked_shape_or_a_failure(
    head: dict[str, Any], blobs: list[bytes], rows: int
) -> None:
    try:
        values = predictions(head, blobs, rows, 10)
    except ModelFailed:
        return
    assert values.shape[0] == rows
    assert values.dtype.kind in "biufO"
    if values.dtype.kind == "f":
        assert np.isfinite(values).all()
    if values.dtype.kind == "O":
        assert all(isinstance(one, str) and len(one) <= 10 for one in values.ravel())


@pytest.mark.parametrize(
    ("lengths", "content", "reason"),
    [
        ([1, 1], b"a", "other lengths than it said"),
        ([1, 2], b"ab", "other lengths than it said"),
        ([2**32 - 1, 2], b"a", "other lengths than it said"),
        ([1], b"a", "did not answer with 2 texts"),
        ([1, 1], b"\xc3\xa9", "not UTF-8"),
        ([1, 11], b"a" + b"b" * 11, "11 characters; accepted are 10"),
    ],
)
def test_texts_that_do_not_add_up_are_a_failure(lengths: list[int], content: bytes, reason: str) -> None:
    blobs = [np.array(lengths, dtype="<u4").tobytes(), content]
    with pytest.raises(ModelFailed, match=reason):
        predictions({"kind": "text", "shape": [2]}, blobs, 2, 10)


def test_booleans_that_are_none_are_a_failure() -> None:
    with pytest.raises(ModelFailed, match="booleans that are none"):
        predictions({"kind": "numbers", "dtype": "|b1", "shape": [2]}, [b"\x01\x02"], 2, 10)


@given(st.text())
def test_what_a_model_says_is_told_on_one_short_line(text: str) -> None:
    assert told(text).isprintable()
    assert len(told(text)) <= 300
