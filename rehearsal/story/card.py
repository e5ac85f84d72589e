"""The model card that a candidate's team hands over."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from rehearsal.story.candidates import THRESHOLD, TrainedModel

CARD = """\
# Loan approval: {title}

Date: {date}

## Intended use
Says how likely an application for a mortgage is to be approved, for an underwriter who reads it beside the file. Above
{threshold} it recommends approval, by the same threshold for everybody. It decides nothing alone, and is for no other
product, country or time than those of its data.

## Training data
Mortgage applications in Boston in 1990, collected by its Federal Reserve Bank and cleaned by Hunter and Walker (1996).
Three of four are trained on. The labels are what underwriters decided, and not whether loans were repaid, so that a
model can learn their habits. Protected attributes are inputs of no candidate; the constrained one uses them in training
only, so that its score has no covariance with any of them.

## Evaluation
On the applications that were held out the area under the curve is {area:.3f} and the log loss {loss:.3f} nats. Fairness
is measured on predictions for training applications by models that were trained without them.

## Limitations
Nobody knows which refusals were right. A model that is held to parity refuses fewer, and finds fewer of those that were
refused. Attributes that the data lack are not looked at. Income and prices are those of 1990.

## Owner
The credit team. Ask them before the model is used for anything else, and when its figures drift.
"""


def write_card(file: Path, model: TrainedModel) -> Path:
    """Write the card of a candidate, and return its file."""
    figures = {"title": model.title, "area": model.area_under_curve, "loss": model.log_loss, "threshold": THRESHOLD}
    file.write_text(CARD.format(date=datetime.now(UTC).date().isoformat(), **figures), encoding="utf-8")
    return file
