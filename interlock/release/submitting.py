"""Submissions: writing a creator's request once, and finding it again as the builder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from pydantic import ValidationError

from interlock.release.digests import is_hex_digest, sha256
from interlock.release.pin_statement import PinnedRequest
from interlock.release.request import SUBMISSIONS, SUBMISSIONS_DAYS, ReleaseRequest, submission_key, submitter_of
from interlock.release.vault import ObjectVersion, Overwritten, StagingWriter, VaultReader


class NoSubmission(LookupError):
    """Nobody has submitted what was asked for."""


class DatedAhead(NoSubmission):
    """A request that says it was made later than it was written, and whose time has not come."""


class SeveralSubmissions(NoSubmission):
    """What was asked for names several submissions that differ in more than when they were made."""

    def __init__(self, wanted: str, found: Sequence[Submission]) -> None:
        names = "; ".join(f"{one.submitter}/{one.request.identifier} ({one})" for one in found)
        super().__init__(f"{wanted} was submitted several times; accepted is SUBMITTER/ID, of which there are: {names}")


CLOCKS_DIFFER_BY: Final = timedelta(minutes=5)
"""By how much a request may be dated later than the store took it."""

RENEWED_AFTER: Final = timedelta(days=SUBMISSIONS_DAYS) / 2
"""How old what lies there may be for asking once more to leave it as it is."""


@dataclass(frozen=True)
class Submission:
    """A request as it lies in the staging bucket."""

    request: ReleaseRequest
    submitter: str
    """Whose prefix it lies under."""
    key: str
    version_id: str
    is_new: bool = False
    """Whether this run wrote it."""
    written_at: datetime | None = None
    """When (UTC) the store took it, which no submitter can choose; None where that is not known."""
    staged_at: datetime | None = None
    """When (UTC) the store took the oldest of what was staged with it, where something was and that is known."""

    def __str__(self) -> str:
        asked = self.request
        return f"{asked.kind}, tier {asked.tier} for {asked.environment}, {asked.ticket}"

    @property
    def waits_until(self) -> datetime | None:
        """Until when (UTC) it can be pinned: then the store takes it away. None where that is not known."""
        taken = [moment for moment in (self.written_at, self.staged_at) if moment is not None]
        return min(taken) + timedelta(days=SUBMISSIONS_DAYS) if taken else None

    @property
    def pinned(self) -> PinnedRequest:
        """The request as a pin statement names it."""
        return PinnedRequest(
            document=self.request,
            key=self.key,
            version_id=self.version_id,
            sha256=sha256(self.request.content).hex(),
            submitter=self.submitter,
        )


def write_submission(
    request: ReleaseRequest, source_identity: str, *, writer: StagingWriter, reader: VaultReader
) -> Submission:
    """Write a request under its submitter's prefix, unless the same was asked for before: then return that.

    What lies there since long is written again as it is, and so waits on. What is dated ahead is replaced. Raises
    DatedAhead for what lies there then, and counts only from the time on that the submitter's clock said.
    """
    key = submission_key(source_identity, request)
    there = _latest(reader, key)
    if there is None:
        try:
            stored = writer.put(key, request.content, sha256(request.content).hex())
        except Overwritten:
            # Somebody with the same name has just asked for the same, at another second.
            there = _latest(reader, key)
            if there is None:
                raise
    kept = request
    if there is not None:
        if not _is_ahead(there):
            if there.written_at is None or request.submitted_at - there.written_at < RENEWED_AFTER:
                return there
            kept = there.request
        stored = writer.put_again(key, kept.content, sha256(kept.content).hex())
    # When the store took it tells whether the clock here is wrong.
    written = next((one.written_at for one in reader.versions(key) if one.version_id == stored.version_id), None)
    made = Submission(kept, source_identity, key, stored.version_id, is_new=kept is request, written_at=written)
    if _is_ahead(made):
        raise _ahead(made)
    return made


def find_submission(wanted: str, reader: VaultReader, *, now: datetime) -> Submission:
    """Return the submission that `wanted` names: its id, `<submitter>/<id>`, or the newest of a `NAME/VERSION`.

    `now` (UTC) is when it is looked for: what is dated ahead is none until then.
    Anybody may ask for any version. Where several people did, or one for different tiers, kinds or products, which of
    them is meant is not for a name to say. Raises NoSubmission.
    """
    name, _, last = wanted.rpartition("/")
    found: list[Submission] = []
    ahead: list[DatedAhead] = []
    if is_hex_digest(last) and "/" not in name:
        prefix = f"{SUBMISSIONS}{name}/" if name else SUBMISSIONS
        found = [one for one in _all(reader, prefix, now, ahead, last) if one.request.identifier == last]
        if len(found) > 1:
            raise SeveralSubmissions(wanted, found)
        if not found and ahead:
            raise ahead[0]
    if not found and name:
        every = _all(reader, SUBMISSIONS, now, ahead)
        found = [one for one in every if (one.request.name, one.request.version) == (name, last)]
        asked = {(one.submitter, one.request.kind, one.request.tier, one.request.produces) for one in found}
        if len(asked) > 1:
            raise SeveralSubmissions(wanted, found)
        found.sort(key=lambda one: (one.written_at or one.request.submitted_at, one.key))
    if not found:
        raise NoSubmission(f"nobody has submitted {wanted}")
    return found[-1]


def _read(content: bytes, version: ObjectVersion) -> Submission:
    """Return the submission in an object's bytes. Raises NoSubmission for what is none or lies elsewhere."""
    key = version.key
    try:
        request = ReleaseRequest.model_validate_json(content)
        submitter = submitter_of(key)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "document"
        raise NoSubmission(f"{key} is no request: {where}: {first['msg']}") from None
    except ValueError as error:
        raise NoSubmission(f"{key} is no submission: {error}") from None
    if submission_key(submitter, request) != key or request.content != content:
        raise NoSubmission(f"{key} holds another request than its name says")
    return Submission(request, submitter, key, version.version_id, written_at=version.written_at)


def _is_ahead(one: Submission) -> bool:
    """Say whether a request is dated later than it was written."""
    return one.written_at is not None and one.request.submitted_at - one.written_at > CLOCKS_DIFFER_BY


def _ahead(one: Submission) -> DatedAhead:
    said, written = one.request.submitted_at, one.written_at
    return DatedAhead(
        f"{one.key} says that it was submitted at {said:%Y-%m-%d %H:%M:%S} UTC, and was written at "
        f"{written:%Y-%m-%d %H:%M:%S} UTC; accepted is up to {CLOCKS_DIFFER_BY.seconds // 60} minutes later: the "
        f"submitter's clock is wrong. It counts from {said:%Y-%m-%d %H:%M:%S} UTC on; asking for the same by a right "
        "clock replaces it"
    )


def _latest(reader: VaultReader, key: str) -> Submission | None:
    for version in reader.versions(key):
        if version.key == key and version.is_latest and not version.is_delete_marker:
            return _read(reader.read(key, version.version_id), version)
    return None


def _all(
    reader: VaultReader, prefix: str, now: datetime, ahead: list[DatedAhead], identifier: str = ""
) -> Iterator[Submission]:
    """Yield every submission under a prefix; what else people leave there stands in nobody's way."""
    for version in reader.versions(prefix):
        if not version.is_latest or version.is_delete_marker or not version.key.endswith(f"{identifier}.json"):
            continue
        try:
            submitter_of(version.key)
        except ValueError:
            continue
        try:
            found = _read(reader.read(version.key, version.version_id), version)
        except NoSubmission:
            continue
        if _is_ahead(found) and found.request.submitted_at > now:
            ahead.append(_ahead(found))
        else:
            yield found
