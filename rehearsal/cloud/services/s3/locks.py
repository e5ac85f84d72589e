"""Object Lock's rules: which retention a version may get, given the one it has."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from rehearsal.cloud.services.s3.errors import LOCKED, access_denied, invalid_argument, malformed_xml

_MODES = ("GOVERNANCE", "COMPLIANCE")


@dataclass(frozen=True)
class Retention:
    """A version's lock: in `mode` until `until` (UTC)."""

    mode: str
    until: datetime

    def holds_at(self, moment: datetime) -> bool:
        """Say whether the version is locked then."""
        return self.until > moment


def parse_date(text: str) -> datetime:
    """Return an ISO 8601 date as UTC; raises S3's InvalidArgument."""
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError as problem:
        raise invalid_argument("The retain until date must be provided in ISO 8601 format") from problem
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)


def show_date(moment: datetime) -> str:
    """Return a date as S3 writes it, to the millisecond."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z"


def of_upload(mode: str | None, until: str | None, now: datetime) -> Retention | None:
    """Return the retention that an upload's headers ask for, None if they ask for none.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html, x-amz-object-lock-*
    """
    if mode is None and until is None:
        return None
    if mode is None or until is None:
        raise invalid_argument("x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied")
    if mode not in _MODES:
        raise invalid_argument("Unknown wormMode directive.")
    return _in_future(Retention(mode, parse_date(until)), now)


def of_request(mode: str | None, until: str | None, now: datetime) -> Retention | None:
    """Return the retention that PutObjectRetention asks for, None if it asks for none at all.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectRetention.html
    """
    if mode is None and until is None:
        return None
    if mode not in _MODES or until is None:
        raise malformed_xml()
    return _in_future(Retention(mode, parse_date(until)), now)


def check_change(held: Retention | None, asked: Retention | None, now: datetime, *, bypass: bool) -> None:
    """Raise S3's AccessDenied if a version locked by `held` may not come to be locked by `asked`.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html#object-lock-retention-modes
    """
    if held is None or not held.holds_at(now):
        return
    weaker = asked is None or asked.until < held.until or (held.mode == "COMPLIANCE" and asked.mode != "COMPLIANCE")
    if weaker and not (held.mode == "GOVERNANCE" and bypass):
        raise access_denied(LOCKED)


def default_until(now: datetime, days: int | None, years: int | None) -> datetime:
    """Return the end of a bucket's default retention for a version made now."""
    return now + timedelta(days=(days or 0) + 365 * (years or 0))


def _in_future(retention: Retention, now: datetime) -> Retention:
    if retention.until <= now:
        raise invalid_argument("The retain until date must be in the future!")
    return retention
