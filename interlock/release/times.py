"""The times that a signed document may bear."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Final

from pydantic import AwareDatetime, Field

EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(9000, 1, 1, tzinfo=UTC)

Moment = Annotated[AwareDatetime, Field(ge=EARLIEST, lt=LATEST)]
"""A time with its zone, so far from the calendar's two ends that adding a span to it, or moving it to UTC, never runs
over one of them: whoever signs a document writes any date, and its reader must be able to answer."""
