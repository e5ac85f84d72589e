"""Distances between what was seen and what is seen agree with scipy, ties, gaps and all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from interlock.monitoring.drift import histogram, kolmogorov_smirnov, population_stability_index, quantile_edges
from interlock.monitoring.reference import SKETCH_POINTS, ColumnKind, ColumnReference, column_reference

NUMBERS = st.lists(st.sampled_from([-1.0, 0.0, 0.5, 2.0]) | st.floats(-1e6, 1e6), min_size=1, max_size=40)
COUNTS = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=12).filter(
    lambda pairs: all(sum(side) > 0 for side in zip(*pairs, strict=True))
)


@settings(max_examples=50)
@given(NUMBERS, NUMBERS)
def test_the_distance_of_kolmogorov_and_smirnov_agrees_with_scipy(first: list[float], second: list[float]) -> None:
    ours = kolmogorov_smirnov(np.sort(first), np.array(second))
    assert ours == pytest.approx(stats.ks_2samp(first, second).statistic, abs=1e-9)


@settings(max_examples=50)
@given(COUNTS)
def test_the_stability_index_is_both_relative_entropies_of_scipy(pairs: Sequence[tuple[int, int]]) -> None:
    before, after = (np.array(one) for one in zip(*(pair for pair in pairs if any(pair)), strict=True))
    kept = [np.where(one == 0, 0.5, one) for one in (before, after)]
    theirs = stats.entropy(kept[0], kept[1]) + stats.entropy(kept[1], kept[0])
    assert population_stability_index(before, after) == pytest.approx(theirs, abs=1e-9)
    assert population_stability_index(before, before) == 0
    assert population_stability_index(before, before * 3) == pytest.approx(
        population_stability_index(np.append(before, 0), np.append(before, 0) * 3), abs=1e-12
    )


@settings(max_examples=50)
@given(NUMBERS)
def test_bins_by_quantiles_hold_every_value_once_and_none_is_empty(values: list[float]) -> None:
    numbers = np.array(values)
    counts = histogram(numbers, quantile_edges(numbers))
    assert counts.sum() == numbers.size
    assert counts.min() >= 1


def test_bins_are_closed_above() -> None:
    assert histogram(np.array([1.0, 2.0, 2.5]), np.array([1.0, 2.0])).tolist() == [1, 1, 1]


@pytest.mark.parametrize(("before", "after"), [([1, 2], [1, 2, 3]), ([0, 0], [1, 2]), ([1, 2], [0, 0]), ([], [])])
def test_histograms_that_cannot_be_compared_are_refused(before: list[int], after: list[int]) -> None:
    with pytest.raises(ValueError, match="histogram"):
        population_stability_index(np.array(before, dtype=np.int64), np.array(after, dtype=np.int64))


def test_a_sample_of_nothing_or_of_no_numbers_has_no_distance() -> None:
    with pytest.raises(ValueError, match="nothing"):
        kolmogorov_smirnov(np.array([1.0]), np.empty(0))
    with pytest.raises(ValueError, match="no finite number"):
        kolmogorov_smirnov(np.array([1.0]), np.array([np.nan]))


def test_a_reference_of_numbers_counts_other_values_in_its_own_bins() -> None:
    reference = column_reference(pd.Series([*range(100), None]))
    assert reference.kind is ColumnKind.NUMBER
    assert reference.counts == (*[10] * 10, 1)
    assert len(reference.sketch) == SKETCH_POINTS
    assert reference.count(pd.Series([-5.0, 1000.0, None, None])).tolist() == [1, *[0] * 8, 1, 2]
    assert reference.stability_index(pd.Series([*range(100), None])) == 0


def test_a_reference_of_categories_knows_others_and_what_is_missing() -> None:
    reference = column_reference(pd.Series(["a", "b", "b", None], dtype=object))
    assert reference.categories == ("b", "a")
    assert reference.counts == (2, 1, 0, 1)
    assert reference.count(pd.Series(["a", "new", None], dtype=object)).tolist() == [0, 1, 1, 1]


def test_truth_values_are_categories() -> None:
    assert column_reference(pd.Series([True, False, True])).categories == ("True", "False")


def test_a_reference_survives_being_written_down() -> None:
    for values in (pd.Series(np.random.default_rng(1).normal(size=500)), pd.Series(list("abca"))):
        reference = column_reference(values)
        again = ColumnReference.model_validate_json(reference.model_dump_json())
        assert again == reference
        assert again.count(values).tolist() == list(reference.counts)


def test_infinite_numbers_and_words_among_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="infinite"):
        column_reference(pd.Series([1.0, np.inf], name="x"))
    with pytest.raises(ValueError, match="no number"):
        column_reference(pd.Series([1.0, 2.0], name="x")).count(pd.Series(["word"], name="x"))


def test_the_same_rows_in_another_order_give_the_same_reference() -> None:
    values = pd.Series([*"cabbca", None])
    assert column_reference(values) == column_reference(values[::-1])
