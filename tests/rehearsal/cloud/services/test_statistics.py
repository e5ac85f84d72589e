"""CloudWatch's statistics against numpy's and against hand-computed cases of AWS's documentation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehearsal.cloud.services.cloudwatch.statistics import Sample, Summary, UnknownStatistic, statistic

VALUES = st.lists(st.floats(-1e6, 1e6, allow_nan=False), min_size=1, max_size=200)
ONE_TO_TWENTY = [Sample(float(value)) for value in range(1, 21)]


@given(VALUES, st.floats(0, 100).map(lambda percent: round(percent, 3)))
def test_percentiles_are_numpys(values: list[float], percent: float) -> None:
    computed = statistic(f"p{percent}")([Sample(value) for value in values])
    assert computed == pytest.approx(np.percentile(values, percent), rel=1e-9, abs=1e-6)


@given(st.lists(st.tuples(st.floats(-1e3, 1e3), st.integers(1, 20)), min_size=1, max_size=30))
def test_a_counted_value_weighs_as_much_as_that_many_single_ones(pairs: list[tuple[float, int]]) -> None:
    counted = [Sample(value, count) for value, count in pairs]
    single = [Sample(value) for value, count in pairs for _ in range(count)]
    for name in ("p50", "p99.9", "Average", "Sum", "SampleCount", "Minimum", "Maximum", "tm90", "tc75", "TS(10%:80%)"):
        assert statistic(name)(counted) == pytest.approx(statistic(name)(single), rel=1e-9, abs=1e-6), name


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("SampleCount", 20.0),
        ("Sum", 210.0),
        ("Average", 10.5),
        ("Minimum", 1.0),
        ("Maximum", 20.0),
        ("p50", 10.5),
        ("p100", 20.0),
        ("tm90", 9.5),  # without 19 and 20
        ("TM(5%:95%)", 10.5),  # without 1 and 20
        ("TM(80%:)", 18.5),  # 17 to 20
        ("TM(5:10)", 8.0),  # 6 to 10: the lower bound is excluded, the upper included
        ("IQM", 10.5),
        ("TC(5:10)", 5.0),
        ("tc90", 18.0),
        ("ts90", 171.0),
        ("TS(:3)", 6.0),
        ("PR(:5)", 25.0),
        ("PR(10:15)", 25.0),
        ("wm90", (171 + 2 * 18) / 20),
        ("WM(5%:95%)", (2 * 2 + sum(range(3, 19)) + 2 * 19) / 20),
    ],
)
def test_every_kind_of_statistic_over_one_to_twenty(name: str, expected: float) -> None:
    assert statistic(name)(ONE_TO_TWENTY) == pytest.approx(expected)


def test_percentiles_of_summaries_exist_only_where_all_values_are_equal() -> None:
    assert statistic("p90")([Summary(count=5, total=10, least=1, most=4)]) is None
    assert statistic("p90")([Summary(count=5, total=10, least=2, most=2)]) == 2
    assert statistic("p90")([Summary(count=1, total=3, least=3, most=3)]) == 3
    assert statistic("Average")([Summary(count=5, total=10, least=1, most=4), Sample(40.0)]) == pytest.approx(50 / 6)


@pytest.mark.parametrize("name", ["p101", "median", "sum", "TM()", "TM(:)", "TM(10%:90)", "PR(10%:90%)", "tm", "p"])
def test_unknown_statistics_are_refused(name: str) -> None:
    with pytest.raises(UnknownStatistic):
        statistic(name)
