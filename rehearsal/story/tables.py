"""The files that the gates measure the loan model on, as its team hands them over."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pandas as pd

from rehearsal.story.candidates import THRESHOLD, TrainedModel
from rehearsal.story.loans import TARGET, Applications, LoanData

ATTRIBUTES: Final = ("race", "sex", "age", "married", "dependants")
"""By the names that the tiers policy has for them."""
PROBABILITY, DECISION, APPLICATION = "probability", "decision", "application"


def write_tables(folder: Path, data: LoanData, model: TrainedModel) -> dict[str, dict[str, Any]]:
    """Write the tables of a candidate as CSV; return what each is, as `interlock release check` wants it told."""
    folder.mkdir(parents=True, exist_ok=True)
    trained, held_out = _whole(data.train), _whole(data.held_out)
    out_of_fold = trained.assign(
        **{PROBABILITY: model.out_of_fold, DECISION: (model.out_of_fold >= THRESHOLD).astype(int)}
    )
    # Before the first release, what was held out is the best guess at what will be asked.
    serving = data.held_out.inputs.assign(**{APPLICATION: data.held_out.inputs.index})
    told = {"target": TARGET, "protected": list(ATTRIBUTES), "identifier": APPLICATION}
    return {
        "training": _written(folder / "training.csv", trained, told),
        "evaluation": _written(folder / "evaluation.csv", held_out, told),
        "out_of_fold": _written(
            folder / "out_of_fold.csv", out_of_fold, told | {"prediction": PROBABILITY, "decision": DECISION}
        ),
        "serving": _written(folder / "serving.csv", serving, {"identifier": APPLICATION}),
    }


def attributes(protected: pd.DataFrame) -> pd.DataFrame:
    """Return who asked, in words; empty where it is not known."""
    race = pd.Series("white", index=protected.index).mask(protected["hispan"] == 1, "hispanic")
    return pd.DataFrame(
        {
            "race": race.mask(protected["black"] == 1, "black"),
            "sex": protected["male"].map({0.0: "female", 1.0: "male"}),
            "age": protected["old"].map({0.0: "up to the median", 1.0: "above the median"}),
            "married": protected["married"].map({0.0: "no", 1.0: "yes"}),
            "dependants": protected["dep"].map({0.0: "none", 1.0: "some"}),
        }
    )


def _whole(applications: Applications) -> pd.DataFrame:
    inputs = applications.inputs
    return pd.concat([inputs, attributes(applications.protected)], axis=1).assign(
        **{TARGET: applications.approved, APPLICATION: inputs.index}
    )


def _written(path: Path, frame: pd.DataFrame, told: Mapping[str, Any]) -> dict[str, Any]:
    frame.to_csv(path, index=False)
    return {"path": path.name, **told}
