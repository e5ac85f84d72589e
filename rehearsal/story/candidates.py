"""The candidates of the story: what an honest team tries, in the order in which it tries it.

The labels carry history: of applicants who were black 67 of 100 were approved, of others 90. What was tried, and with
which figures, stands in docs/decisions/014-a-model-from-labels-with-a-history.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.linalg import null_space
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from rehearsal.story.loans import SEED, Applications, LoanData

THRESHOLD: Final = 0.5
"""The probability of approval from which on a model approves: one for everybody."""
FOLDS: Final = 5
SOLVER: Final = "newton-cholesky"

REFUSED, CHAMPION, CHALLENGER = range(3)
"""Places of the candidates among those that are trained; the last comes once the one before it serves."""
PENALTY, STRONGER = 0.1, 0.03
"""The inverse of a regression's penalty, as scikit-learn has it: the first two candidates', and the challenger's."""

Recipe = Callable[[Applications], Pipeline]


@dataclass(frozen=True)
class TrainedModel:
    """A pipeline, what it is, and how it did on the held-out applications (log loss in nats)."""

    title: str
    pipeline: Pipeline
    area_under_curve: float
    log_loss: float
    out_of_fold: npt.NDArray[np.float64]
    """The probability of approval of each training application, by a model that was trained without it."""

    def predict(self, applications: pd.DataFrame) -> npt.NDArray[np.float64]:
        """Return the probabilities of refusal and approval, shaped (applications, 2)."""
        answer: npt.NDArray[np.float64] = self.pipeline.predict_proba(applications)
        return answer


def train_candidates(data: LoanData) -> list[TrainedModel]:
    """Return the candidates in their order: the first one, which is refused, the champion, and its challenger."""
    return [
        _trained("logistic regression", plain_regression, data),
        _trained("constrained regression", constrained_regression, data),
        _trained("constrained, stronger penalty", partial(constrained_regression, inverse_penalty=STRONGER), data),
    ]


def plain_regression(applications: Applications) -> Pipeline:
    """Train a logistic regression on the inputs as they are."""
    prepare, inputs = _prepared(applications)
    return _pipeline(prepare, _regression().fit(inputs, applications.approved))


def constrained_regression(applications: Applications, inverse_penalty: float = PENALTY) -> Pipeline:
    """Train a logistic regression whose score has no covariance with any protected attribute in training.

    The attributes bound the weights and are not among the inputs, so that the model needs them of nobody. Source: M.
    B. Zafar, I. Valera, M. Gomez Rodriguez and K. P. Gummadi, "Fairness Constraints: Mechanisms for Fair
    Classification", AISTATS 2017, eq. (4) with a covariance threshold of zero.
    """
    prepare, inputs = _prepared(applications)
    basis = uncorrelated(inputs, applications.protected.to_numpy())
    decide = _regression(inverse_penalty).fit(inputs @ basis, applications.approved)
    # The basis is orthonormal, so the penalty on the weights is the same seen from either side.
    decide.coef_, decide.n_features_in_ = decide.coef_ @ basis.T, inputs.shape[1]
    return _pipeline(prepare, decide)


def uncorrelated(inputs: npt.NDArray[np.float64], attributes: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return an orthonormal basis, shaped (inputs, dimensions), of the weights without covariance with attributes.

    `inputs` is shaped (rows, inputs); `attributes`, shaped (rows, attributes), has NaN where a value is not known;
    such a row counts neither way.
    """
    centred = np.nan_to_num(attributes - np.nanmean(attributes, axis=0))
    basis: npt.NDArray[np.float64] = null_space(centred.T @ (inputs - inputs.mean(axis=0)))
    return basis


def _prepared(applications: Applications) -> tuple[Pipeline, npt.NDArray[np.float64]]:
    prepare = Pipeline([("fill", SimpleImputer(strategy="median", add_indicator=True)), ("scale", StandardScaler())])
    return prepare, prepare.fit_transform(applications.inputs)


def _pipeline(prepare: Pipeline, decide: LogisticRegression) -> Pipeline:
    return Pipeline([*prepare.steps, ("decide", decide)])


def _regression(inverse_penalty: float = PENALTY) -> LogisticRegression:
    return LogisticRegression(C=inverse_penalty, solver=SOLVER)


def _folds() -> StratifiedKFold:
    return StratifiedKFold(FOLDS, shuffle=True, random_state=SEED)


def _trained(title: str, recipe: Recipe, data: LoanData) -> TrainedModel:
    pipeline = recipe(data.train)
    approval = pipeline.predict_proba(data.held_out.inputs)[:, 1]
    return TrainedModel(
        title,
        pipeline,
        float(roc_auc_score(data.held_out.approved, approval)),
        float(log_loss(data.held_out.approved, approval)),
        _out_of_fold(recipe, data.train),
    )


def _out_of_fold(recipe: Recipe, applications: Applications) -> npt.NDArray[np.float64]:
    approval = np.empty(len(applications))
    for others, fold in _folds().split(applications.inputs, applications.approved):
        approval[fold] = recipe(applications.take(others)).predict_proba(applications.inputs.iloc[fold])[:, 1]
    return approval
