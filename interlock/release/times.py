"""The times that a signed document may bear."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Final

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field

EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(9000, 1, 1, tzinfo=UTC)

_WRITTEN: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?"
    r"(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
)
"""RFC 3339, 5.6, with capital letters, to the microsecond and without leap seconds."""


def _as_written(value: object) -> datetime:
    if isinstance(value, datetime):
        return value
    if isinstance(value, str) and _WRITTEN.fullmatch(value):
        return datetime.fromisoformat(value)
    raise ValueError("accepted is a time with its zone, such as 2026-11-22T15:04:05Z (RFC 3339)")


def _in_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


Moment = Annotated[AwareDatetime, Field(ge=EARLIEST, lt=LATEST), BeforeValidator(_as_written), AfterValidator(_in_utc)]
"""A time, in UTC however it was written, so far from the calendar's two ends that adding a span to it, or showing it in
another zone, never runs over one of them: whoever signs a document writes any date, and its reader must be able to
answer."""
