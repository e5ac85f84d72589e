from __future__ import annotations

import random
from datetime import UTC, datetime

import numpy as np
import pytest
from scipy.stats import binom

from rehearsal.story.tally import Invocation, Tally, percentile, share


def test_a_fair_draw_lies_inside_the_interval_and_a_wrong_router_does_not() -> None:
    drawn = random.Random(1)
    fair = ["green" if drawn.random() < 0.05 else "blue" for _ in range(2000)]
    assert share("green", 0.05, fair).inside
    assert share("blue", 0.95, fair).inside
    for wrong in (0.0, 0.01, 0.1, 0.5):
        routed = ["green" if drawn.random() < wrong else "blue" for _ in range(2000)]
        assert not share("green", 0.05, routed).inside


def test_the_interval_holds_999_of_1000_draws() -> None:
    found = share("green", 0.05, ["blue"] * 2000)
    assert binom.cdf(found.high, 2000, 0.05) - binom.cdf(found.low - 1, 2000, 0.05) == pytest.approx(0.999, abs=3e-4)


@pytest.mark.parametrize(
    ("expected", "answered", "inside"), [(1.0, "green", True), (0.0, "blue", True), (1.0, "blue", False)]
)
def test_all_or_nothing_leaves_no_room(expected: float, answered: str, inside: bool) -> None:
    assert share("green", expected, [answered] * 50).inside is inside


def test_percentiles_are_numpys_nearest_rank() -> None:
    drawn = random.Random(2)
    values = [drawn.expovariate(1) for _ in range(997)]
    for percent in (1, 50, 90, 99, 100):
        found, above = percentile(values, percent)
        assert found == np.percentile(values, percent, method="inverted_cdf")
        assert np.percentile(values, percent) <= above
    with pytest.raises(ValueError, match="nothing"):
        percentile([], 50)


def test_a_tally_counts_by_variant() -> None:
    tally, now = Tally(), datetime.now(UTC)
    for variant in ("blue", "green", "blue"):
        tally.add(Invocation(variant, now, 0.1))
    assert tally.counts() == {"blue": 2, "green": 1}
