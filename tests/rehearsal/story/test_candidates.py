from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from scipy.optimize import minimize

from rehearsal.story.candidates import (
    CHALLENGER,
    CHAMPION,
    REFUSED,
    THRESHOLD,
    TrainedModel,
    constrained_regression,
    train_candidates,
    uncorrelated,
)
from rehearsal.story.loans import FEATURES, PROTECTED, Applications, LoanData, load_loans
from rehearsal.story.serving import compared
from rehearsal.story.step import Unexpected

LEAST_IMPACT = 0.8
MOST_DIFFERENCE = 0.1


@pytest.fixture(scope="module")
def data() -> LoanData:
    return load_loans()


@pytest.fixture(scope="module")
def candidates(data: LoanData) -> list[TrainedModel]:
    return train_candidates(data)


def outcomes(model: TrainedModel, applications: Applications) -> dict[str, tuple[float, float, float]]:
    """Disparate impact, demographic parity difference and equal opportunity difference, by attribute."""
    approved = pd.Series(model.out_of_fold >= THRESHOLD, index=applications.inputs.index)
    deserving = applications.approved == 1
    found = {}
    for name in PROTECTED:
        group = applications.protected[name]
        rates = approved.groupby(group).mean()
        chances = approved[deserving].groupby(group[deserving]).mean()
        found[name] = (rates.min() / rates.max(), rates.max() - rates.min(), chances.max() - chances.min())
    return found


def is_fair(found: tuple[float, float, float]) -> bool:
    impact, parity, opportunity = found
    return impact >= LEAST_IMPACT and parity < MOST_DIFFERENCE and opportunity < MOST_DIFFERENCE


def test_the_first_candidate_repeats_the_history_in_its_labels(candidates: list[TrainedModel], data: LoanData) -> None:
    found = outcomes(candidates[REFUSED], data.train)
    assert {name for name in PROTECTED if not is_fair(found[name])} == {"black", "white", "min30"}
    assert found["black"][0] < LEAST_IMPACT


@pytest.mark.parametrize("index", [CHAMPION, CHALLENGER])
def test_a_constrained_candidate_is_fair_to_each_attribute_that_is_named(
    candidates: list[TrainedModel], data: LoanData, index: int
) -> None:
    assert all(map(is_fair, outcomes(candidates[index], data.train).values()))


def test_every_candidate_tells_more_than_the_rate_of_approval_does(
    candidates: list[TrainedModel], data: LoanData
) -> None:
    rate = data.held_out.approved.mean()
    knowing_nothing = -(rate * np.log(rate) + (1 - rate) * np.log(1 - rate))
    for candidate in candidates:
        assert candidate.area_under_curve > 0.8
        assert candidate.log_loss < 0.85 * knowing_nothing


def test_a_constrained_score_has_no_covariance_with_any_protected_attribute(data: LoanData) -> None:
    pipeline = constrained_regression(data.train)
    score = pipeline.decision_function(data.train.inputs)
    for name in PROTECTED:
        attribute = data.train.protected[name]
        centred = (attribute - attribute.mean()).fillna(0).to_numpy()
        assert abs(float(np.mean(centred * (score - score.mean())))) < 1e-9


def test_a_constrained_regression_is_what_an_optimizer_finds_under_the_same_constraints() -> None:
    draws = np.random.default_rng(7)
    inputs, attribute = draws.normal(size=(200, 3)), draws.integers(0, 2, size=200).astype(float)
    inputs[:, 0] += attribute
    approved = (inputs.sum(axis=1) + draws.normal(size=200) > 0).astype(int)
    applications = Applications(
        pd.DataFrame(inputs, columns=list("abc")), pd.Series(approved), pd.DataFrame({"of": attribute})
    )
    found = constrained_regression(applications)
    z = found[:-1].transform(applications.inputs)
    covariance = (attribute - attribute.mean()) @ (z - z.mean(axis=0))

    def loss(weights: npt.NDArray[np.float64]) -> float:
        signed = (2 * approved - 1) * (z @ weights[:3] + weights[3])
        return float(np.logaddexp(0, -signed).sum() + weights[:3] @ weights[:3] / (2 * 0.1))

    bound = {"type": "eq", "fun": lambda weights: covariance @ weights[:3]}
    best = minimize(loss, np.zeros(4), constraints=[bound], method="SLSQP", options={"ftol": 1e-12, "maxiter": 500})
    assert best.success
    decide = found.named_steps["decide"]
    assert np.allclose([*decide.coef_[0], *decide.intercept_], best.x, atol=1e-3)


def test_a_row_whose_attribute_is_not_known_bounds_nothing() -> None:
    inputs = np.array([[1.0, 0.0], [0.0, 1.0], [5.0, 5.0]])
    known = uncorrelated(inputs - inputs.mean(axis=0), np.array([[1.0], [0.0], [np.nan]]))
    assert known.shape == (2, 1)
    assert np.allclose(np.array([0.5, -0.5]) @ known, 0)


def test_the_models_need_nobodys_protected_attributes(candidates: list[TrainedModel]) -> None:
    for candidate in candidates:
        assert tuple(candidate.pipeline.feature_names_in_) == FEATURES


def test_training_again_gives_the_same_models(candidates: list[TrainedModel], data: LoanData) -> None:
    for one, other in zip(candidates, train_candidates(load_loans()), strict=True):
        assert np.array_equal(one.predict(data.held_out.inputs), other.predict(data.held_out.inputs))
        assert np.array_equal(one.out_of_fold, other.out_of_fold)


def test_an_answer_that_differs_is_named(candidates: list[TrainedModel], data: LoanData) -> None:
    model = candidates[0]
    served = model.predict(data.held_out.inputs)
    assert compared(model, data.held_out.inputs, served).details["largest_difference"] == 0
    served[17] += 1e-6
    with pytest.raises(Unexpected, match="application 17"):
        compared(model, data.held_out.inputs, served)
    with pytest.raises(Unexpected, match="shaped"):
        compared(model, data.held_out.inputs, served[:-1])
