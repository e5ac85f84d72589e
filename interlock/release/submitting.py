"""Submissions: writing a creator's request once, and finding it again as the builder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import ValidationError

from interlock.release.digests import is_hex_digest, sha256
from interlock.release.pin_statement import PinnedRequest
from interlock.release.request import SUBMISSIONS, ReleaseRequest, submission_key, submitter_of
from interlock.release.vault import Overwritten, VaultReader, VaultWriter


class NoSubmission(LookupError):
    """Nobody has submitted what was asked for, or several have; the message says which."""


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
    request: ReleaseRequest, source_identity: str, *, writer: VaultWriter, reader: VaultReader
) -> Submission:
    """Write a request under its submitter's prefix, unless the same was asked for before: then return that."""
    key = submission_key(source_identity, request)
    there = _latest(reader, key)
    if there is not None:
        return there
    try:
        stored = writer.put(key, request.content, sha256(request.content).hex())
    except Overwritten:
        # Somebody with the same name has just asked for the same, at another second.
        there = _latest(reader, key)
        if there is None:
            raise
        return there
    return Submission(request, source_identity, key, stored.version_id, is_new=True)


def find_submission(wanted: str, reader: VaultReader) -> Submission:
    """Return the submission that `wanted` names: its id, `<submitter>/<id>`, or the newest of a `NAME/VERSION`.

    Raises NoSubmission.
    """
    name, _, last = wanted.rpartition("/")
    found = []
    if is_hex_digest(last) and "/" not in name:
        prefix = f"{SUBMISSIONS}{name}/" if name else SUBMISSIONS
        found = [one for one in _all(reader, prefix, last) if one.request.identifier == last]
        if len(found) > 1:
            names = ", ".join(f"{one.submitter}/{last}" for one in found)
            raise NoSubmission(f"{wanted} was submitted by several; accepted is one of {names}")
    if not found and name:
        found = [one for one in _all(reader, SUBMISSIONS) if (one.request.name, one.request.version) == (name, last)]
        found.sort(key=lambda one: (one.request.submitted_at, one.key))
    if not found:
        raise NoSubmission(f"nobody has submitted {wanted}")
    return found[-1]


def read_submission(content: bytes, key: str, version_id: str) -> Submission:
    """Return the submission in an object's bytes. Raises NoSubmission for what is none, or lies elsewhere."""
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
    return Submission(request, submitter, key, version_id)


def _latest(reader: VaultReader, key: str) -> Submission | None:
    for version in reader.versions(key):
        if version.key == key and version.is_latest and not version.is_delete_marker:
            return read_submission(reader.read(key, version.version_id), key, version.version_id)
    return None


def _all(reader: VaultReader, prefix: str, identifier: str = "") -> Iterator[Submission]:
    for version in reader.versions(prefix):
        if not version.is_latest or version.is_delete_marker or not version.key.endswith(f"{identifier}.json"):
            continue
        try:
            submitter_of(version.key)
            yield read_submission(reader.read(version.key, version.version_id), version.key, version.version_id)
        except (ValueError, NoSubmission):
            # What else people leave under their prefixes stands in nobody's way.
            continue
