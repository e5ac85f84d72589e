"""Which variant answers an invocation (pure)."""

from __future__ import annotations

from collections.abc import Sequence


def pick(weights: Sequence[float], draw: float) -> int | None:
    """Return the position that `draw`, uniform in [0, 1), falls on when each takes its share of the weights' sum.

    None if no weight is above zero. A weight of zero is never picked.
    Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ProductionVariant.html (InitialVariantWeight)
    """
    total = sum(weights)
    if total <= 0:
        return None
    left = draw * total
    for position, weight in enumerate(weights):
        left -= weight
        if left < 0:
            return position
    # Rounding may leave a hair's breadth above the last share.
    return max(position for position, weight in enumerate(weights) if weight > 0)
