"""How good predictions are: figures of weights, for the bootstrap to be taken of.

Everywhere labels, scores and targets are shaped (rows,), weights (…, rows), and a figure (…).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from interlock.monitoring.arrays import Flags, Floats
from interlock.monitoring.resampling import Figure


def mean_of(values: Floats) -> Figure:
    """Return the weighted mean of one value a row; NaN where all weights are 0."""

    def mean(weights: Floats) -> Floats:
        with np.errstate(invalid="ignore"):
            return np.asarray((weights @ values) / weights.sum(axis=-1), dtype=np.float64)

    return mean


def area_under_curve(positive: Flags, scores: Floats) -> Figure:
    """Return the area under the ROC curve: how likely a positive row scores above a negative one, ties half.

    NaN where only one class has weight.
    Source: Hanley and McNeil, Radiology 143 (1982).
    """
    order, starts = _ties(scores)
    ranked = positive[order]

    def area(weights: Floats) -> Floats:
        sorted_weights = weights[..., order]
        positives = np.add.reduceat(sorted_weights * ranked, starts, axis=-1)
        negatives = np.add.reduceat(sorted_weights * ~ranked, starts, axis=-1)
        below = np.cumsum(negatives, axis=-1) - negatives / 2
        with np.errstate(invalid="ignore"):
            pairs = positives.sum(axis=-1) * negatives.sum(axis=-1)
            return np.asarray((positives * below).sum(axis=-1) / pairs, dtype=np.float64)

    return area if scores.size else lambda weights: np.full(weights.shape[:-1], np.nan)


def log_losses(positive: Flags, probabilities: Floats) -> Floats:
    """Return minus the logarithm of the probability that each row's own class was given, in nats.

    Probabilities are kept one rounding error away from 0 and 1, as scikit-learn does, so that the result is finite.
    """
    rounding = np.finfo(np.float64).eps
    kept = np.clip(probabilities, rounding, 1 - rounding)
    return np.asarray(-np.log(np.where(positive, kept, 1 - kept)))


def brier_losses(positive: Flags, probabilities: Floats) -> Floats:
    """Return the squared distance of each probability from what happened. Source: Brier (1950)."""
    return np.asarray((probabilities - positive) ** 2)


def classification(positive: Flags, scores: Floats, threshold: float) -> Mapping[str, Figure]:
    """Return the figures of a classifier of two classes; a row is decided positive at `threshold` and above.

    Log loss and Brier's score are left out where a score is no probability.
    """
    figures = {
        "area_under_curve": area_under_curve(positive, scores),
        "accuracy": mean_of(np.asarray((scores >= threshold) == positive, dtype=np.float64)),
    }
    if bool(np.all((scores >= 0) & (scores <= 1))):
        figures["log_loss"] = mean_of(log_losses(positive, scores))
        figures["brier"] = mean_of(brier_losses(positive, scores))
    return figures


def regression(target: Floats, predicted: Floats) -> Mapping[str, Figure]:
    """Return the figures of a regression: root mean squared error and mean absolute error, in the target's unit."""
    squared = mean_of((predicted - target) ** 2)
    return {"rmse": lambda weights: np.sqrt(squared(weights)), "mae": mean_of(np.abs(predicted - target))}


MORE_IS_BETTER = frozenset({"area_under_curve", "accuracy"})


def gain(name: str, model: Figure, champion: Figure) -> Figure:
    """Return by how much the model is better than the champion at figure `name`; negative where it is worse."""
    sign = 1.0 if name in MORE_IS_BETTER else -1.0
    return lambda weights: sign * (model(weights) - champion(weights))


def roc_curve(positive: Flags, scores: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Return the rates of false and of true positives at each score as threshold, from (0, 0) to (1, 1).

    Both NaN beyond (0, 0) for a class without weight.
    """
    order, starts = _ties(-scores)
    ranked = positive[order]
    ends = np.append(starts[1:], scores.size) - 1
    with np.errstate(invalid="ignore"):
        rates = [np.cumsum(weights[order] * side) for side in (~ranked, ranked)]
        false, true = (np.append(0.0, rate[ends] / rate[-1]) for rate in rates)
    return false, true


def calibration(positive: Flags, probabilities: Floats, weights: Floats, bins: int = 10) -> list[dict[str, float]]:
    """Return, for each of `bins` equally wide intervals that has rows, what was predicted there and what happened."""
    place = np.minimum((probabilities * bins).astype(np.int64), bins - 1)
    found = []
    for one in range(bins):
        inside = place == one
        total = float(weights[inside].sum())
        if total > 0:
            found.append(
                {
                    "from": one / bins,
                    "to": (one + 1) / bins,
                    "predicted": float(weights[inside] @ probabilities[inside]) / total,
                    "observed": float(weights[inside] @ positive[inside]) / total,
                    "count": int(inside.sum()),
                }
            )
    return found


def _ties(scores: Floats) -> tuple[np.ndarray, np.ndarray]:
    """Return the order of the scores, and where in it each new value begins."""
    order = np.argsort(scores, kind="stable")
    ranked = scores[order]
    return order, np.flatnonzero(np.append(True, ranked[1:] != ranked[:-1]))
