"""Pages of GetMetricData and ListMetrics (pure)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from rehearsal.cloud.services.cloudwatch.data import Result
from rehearsal.cloud.services.cloudwatch.errors import invalid_value
from rehearsal.cloud.services.cloudwatch.requests import moment


def token(offset: int) -> str:
    """Return the token of a page that begins at `offset`."""
    return base64.urlsafe_b64encode(f"offset={offset}".encode()).decode()


def offset(given: str | None) -> int:
    """Return where the page of a token begins, 0 without a token. Raises AWS's InvalidParameterValue."""
    if not given:
        return 0
    try:
        return int(base64.urlsafe_b64decode(given.encode()).decode().removeprefix("offset="))
    except (ValueError, binascii.Error):
        raise invalid_value("Request parameter NextToken is invalid") from None


def data_page(
    results: Sequence[Result], first: int, size: int, newest_first: bool
) -> tuple[list[dict[str, Any]], str | None]:
    """Return MetricDataResults of at most `size` data points from `first` on, and the token of the next page.

    A result that goes on on the next page says PartialData here, and is there again with the rest.
    """
    page: list[dict[str, Any]] = []
    passed = 0
    for result in results:
        points = sorted(result.series.values.items(), reverse=newest_first)
        begin, end = max(0, first - passed), max(0, min(len(points), first + size - passed))
        passed += len(points)
        # An empty result belongs to the first page, one that earlier pages told whole to none.
        if begin < end or (not points and first == 0):
            page.append(_answer(result, points[begin:end], complete=end == len(points)))
        elif points and begin < len(points):
            break
    return page, token(first + size) if sum(len(r.series.values) for r in results) > first + size else None


def _answer(result: Result, points: Sequence[tuple[int, float]], complete: bool) -> dict[str, Any]:
    timestamps: list[datetime] = [moment(time) for time, _ in points]
    return {
        "Id": result.query["Id"],
        "Label": result.series.label,
        "Timestamps": timestamps,
        "Values": [value for _, value in points],
        "StatusCode": "Complete" if complete else "PartialData",
    }
