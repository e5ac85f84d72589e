from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier, Lock
from typing import Any

import pytest

from interlock.release.manifest import manifest_of
from interlock.release.pin_statement import PinnedRequest
from interlock.release.request import ReleaseRequest, submission_key, submitter_of
from interlock.release.staging import NotStaged, fetch_staged, stage, staged_manifest, staged_since, submitted_folder
from interlock.release.submitting import (
    RENEWED_AFTER,
    DatedAhead,
    NoSubmission,
    SeveralSubmissions,
    find_submission,
    write_submission,
)
from interlock.release.transfer import Renewal
from interlock.release.vault import StoredObject
from tests.interlock.release.memory import MemoryVault

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)


def request(**other: Any) -> ReleaseRequest:
    fields = {
        "kind": "model", "name": "credit", "version": "3", "tier": "high", "environment": "prod",
        "ticket": "CHG-1234", "submitted_at": NOW, **other,
    }  # fmt: skip
    return ReleaseRequest.model_validate(fields)


def test_asking_for_the_same_again_is_asking_once_whenever_that_is() -> None:
    bucket = MemoryVault()
    first = write_submission(request(), "creator-1", writer=bucket, reader=bucket)
    again = write_submission(request(submitted_at=NOW + timedelta(days=3)), "creator-1", writer=bucket, reader=bucket)
    assert (first.is_new, again.is_new) == (True, False)
    assert (again.request, again.version_id) == (first.request, first.version_id)
    assert len(bucket.objects) == 1


@pytest.mark.parametrize(
    "other", [{"ticket": "CHG-1235"}, {"tier": "critical"}, {"reason": "why"}, {"logged_model_id": "m-2"}]
)
def test_asking_for_something_else_is_another_submission(other: dict[str, Any]) -> None:
    assert request(**other).identifier != request().identifier


def test_a_submission_is_found_by_its_id_by_its_submitter_and_by_what_it_is_of() -> None:
    bucket = MemoryVault()
    mine = write_submission(request(), "creator-1", writer=bucket, reader=bucket)
    later = request(ticket="CHG-9", submitted_at=NOW + timedelta(hours=1))
    newest = write_submission(later, "creator-1", writer=bucket, reader=bucket)
    bucket.add_version("submissions/creator-1/notes.json", b"{}")
    bucket.add_version(f"submissions/creator-1/{'0' * 64}.json", mine.request.content)
    assert find_submission(mine.request.identifier, bucket, now=NOW).key == mine.key
    assert find_submission(f"creator-1/{mine.request.identifier}", bucket, now=NOW).submitter == "creator-1"
    assert find_submission("credit/3", bucket, now=NOW).key == newest.key
    for unknown in ("credit/4", "0" * 64, f"creator-3/{mine.request.identifier}", "nonsense"):
        with pytest.raises(NoSubmission, match="nobody has submitted"):
            find_submission(unknown, bucket, now=NOW)


def test_of_one_request_by_two_people_the_builder_must_name_whose() -> None:
    bucket = MemoryVault()
    for person in ("creator-1", "creator-2"):
        write_submission(request(), person, writer=bucket, reader=bucket)
    with pytest.raises(NoSubmission, match=r"accepted is SUBMITTER/ID, of which there are: creator-1/.*; creator-2/"):
        find_submission(request().identifier, bucket, now=NOW)


@pytest.mark.parametrize(
    ("person", "other"),
    [
        ("creator-2", {"ticket": "CHG-9"}),
        ("creator-1", {"tier": "low"}),
        ("creator-1", {"kind": "folder"}),
        ("creator-1", {"produces": "text"}),
    ],
)
def test_a_name_that_several_asked_for_says_not_which_is_meant(person: str, other: dict[str, Any]) -> None:
    bucket = MemoryVault()
    mine = write_submission(request(), "creator-1", writer=bucket, reader=bucket)
    theirs = write_submission(request(**other), person, writer=bucket, reader=bucket)
    with pytest.raises(SeveralSubmissions, match="accepted is SUBMITTER/ID") as refused:
        find_submission("credit/3", bucket, now=NOW)
    for one in (mine, theirs):
        assert f"{one.submitter}/{one.request.identifier}" in str(refused.value)
        assert find_submission(f"{one.submitter}/{one.request.identifier}", bucket, now=NOW).key == one.key


def test_the_newest_is_the_one_that_the_store_took_last_whatever_it_says_of_itself() -> None:
    bucket = MemoryVault()
    ahead = request(submitted_at=NOW + timedelta(minutes=4))
    first = write_submission(ahead, "creator-1", writer=bucket, reader=bucket)
    last = write_submission(request(ticket="CHG-9"), "creator-1", writer=bucket, reader=bucket)
    bucket.written |= {first.key: NOW, last.key: NOW + timedelta(minutes=1)}
    assert find_submission("credit/3", bucket, now=NOW).key == last.key


def test_a_request_that_is_dated_later_than_it_was_written_is_none_until_that_time_has_come() -> None:
    bucket = MemoryVault()
    honest = write_submission(request(), "creator-1", writer=bucket, reader=bucket)
    ahead = request(ticket="CHG-9", submitted_at=NOW + timedelta(minutes=6))
    dated = write_submission(ahead, "creator-2", writer=bucket, reader=bucket)
    bucket.written |= {honest.key: NOW, dated.key: NOW}
    assert find_submission("credit/3", bucket, now=NOW).key == honest.key
    with pytest.raises(NoSubmission, match="was written at 2026-03-01 09:00:00 UTC; accepted is up to 5 minutes later"):
        find_submission(ahead.identifier, bucket, now=NOW)
    assert find_submission(ahead.identifier, bucket, now=NOW + timedelta(minutes=6)).key == dated.key
    honest_ones = find_submission("credit/3", bucket, now=NOW + timedelta(minutes=5))
    assert honest_ones.key == honest.key


@pytest.mark.parametrize("minutes", [5, 6])
def test_whoever_asks_with_a_clock_that_is_ahead_is_told_so(minutes: int) -> None:
    bucket = MemoryVault()
    ahead = request(submitted_at=NOW + timedelta(minutes=minutes))
    bucket.written = {submission_key("creator-1", ahead): NOW}
    if minutes == 5:
        assert write_submission(ahead, "creator-1", writer=bucket, reader=bucket).is_new
        return
    told = "the submitter's clock is wrong. It counts from 2026-03-01 09:06:00 UTC on; asking for the same by a right"
    for _ in range(2):
        with pytest.raises(DatedAhead, match=told):
            write_submission(ahead, "creator-1", writer=bucket, reader=bucket)
    assert find_submission(ahead.identifier, bucket, now=ahead.submitted_at).request == ahead


def test_asking_by_a_right_clock_replaces_what_was_asked_by_one_that_was_a_year_ahead() -> None:
    bucket = MemoryVault()
    bucket.written = {submission_key("creator-1", request()): NOW}
    with pytest.raises(DatedAhead):
        write_submission(request(submitted_at=NOW + timedelta(days=365)), "creator-1", writer=bucket, reader=bucket)
    honest = request(submitted_at=NOW + timedelta(minutes=1))
    made = write_submission(honest, "creator-1", writer=bucket, reader=bucket)
    assert (made.is_new, made.request) == (True, honest)
    assert find_submission(honest.identifier, bucket, now=NOW + timedelta(minutes=2)).request == honest
    assert not write_submission(honest, "creator-1", writer=bucket, reader=bucket).is_new


@pytest.mark.parametrize(("days", "versions"), [(14, 1), (16, 2), (29, 2)])
def test_a_request_that_is_made_again_when_half_its_time_is_over_waits_on_and_stays_the_same_request(
    days: int, versions: int
) -> None:
    bucket, key, later = MemoryVault(), submission_key("creator-1", request()), NOW + timedelta(days=days)
    bucket.written = {f"{key}#0": NOW, f"{key}#1": later}
    first = write_submission(request(), "creator-1", writer=bucket, reader=bucket)
    again = write_submission(request(submitted_at=later), "creator-1", writer=bucket, reader=bucket)
    assert (again.is_new, again.request) == (False, first.request), "a second pin of it would be another release's way"
    assert len(bucket.objects[key]) == versions
    assert first.waits_until == NOW + timedelta(days=30)
    assert again.waits_until == (later if versions == 2 else NOW) + timedelta(days=30)
    assert find_submission(first.request.identifier, bucket, now=later).pinned.sha256 == first.pinned.sha256


def test_whose_request_it_is_is_told_by_where_it_lies_alone() -> None:
    assert submitter_of(submission_key("creator-1", request())) == "creator-1"
    for key in ("submissions/a.json", f"submissions//{'0' * 64}.json", "other/a/b.json", "submissions/a/b/c.json"):
        with pytest.raises(ValueError, match="accepted is submissions/"):
            submitter_of(key)
    mine = write_submission(request(), "creator-1", writer=MemoryVault(), reader=MemoryVault()).pinned
    with pytest.raises(ValueError, match="elsewhere"):
        PinnedRequest.model_validate({**mine.model_dump(), "submitter": "creator-2"})
    with pytest.raises(ValueError, match="not the request's"):
        PinnedRequest.model_validate({**mine.model_dump(), "sha256": "0" * 64})


@pytest.mark.parametrize(
    "wrong",
    [
        {"ticket": "chg-1"}, {"ticket": "CHG-"}, {"ticket": "CHG-01"}, {"ticket": "CHG-1\n"}, {"tier": "huge"},
        {"environment": "Prod"}, {"environment": "prod\n"}, {"reason": "x" * 2001}, {"surprise": 1},
        {"submitted_at": datetime(2026, 3, 1)},
    ],
)  # fmt: skip
def test_a_request_of_another_form_is_none(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="1 validation error"):
        request(**wrong)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "model"
    (made / "data").mkdir(parents=True)
    for name in ("a", "b", "data/c"):
        (made / name).write_text("same" if name != "b" else "other")
    return made


def test_a_staged_folder_comes_back_as_it_was(folder: Path, tmp_path: Path) -> None:
    bucket, manifest = MemoryVault(), manifest_of(folder)
    prefix = submitted_folder("creator-1", manifest.subject_digest)
    assert staged_manifest(prefix, bucket) is None
    stage(folder, manifest, prefix, writer=bucket, reader=bucket)
    assert len(bucket.objects) == 3
    found = staged_manifest(prefix, bucket)
    assert found == manifest
    fetch_staged(manifest, prefix, tmp_path / "back", reader=bucket, downloader=bucket)
    assert manifest_of(tmp_path / "back") == manifest


@pytest.mark.parametrize(("days", "versions"), [(14, 1), (16, 2)])
def test_of_a_folder_that_is_submitted_again_what_has_waited_for_half_its_time_is_staged_again(
    folder: Path, tmp_path: Path, days: int, versions: int
) -> None:
    bucket, manifest, later = MemoryVault(), manifest_of(folder), NOW + timedelta(days=days)
    stage(folder, manifest, "s/", writer=bucket, reader=bucket)
    fresh = f"s/blobs/{manifest.files[0].sha256}"
    assert staged_since(manifest, "s/", bucket) is None
    bucket.written = dict.fromkeys(bucket.objects, NOW) | {f"{key}#1": later for key in bucket.objects}
    bucket.written[fresh] = later - timedelta(days=1)
    assert staged_since(manifest, "s/", bucket) == NOW
    stage(folder, manifest, "s/", writer=bucket, reader=bucket, renewal=Renewal(later - RENEWED_AFTER, bucket))
    assert {key: len(found) for key, found in bucket.objects.items()} == {
        key: 1 if key == fresh else versions for key in bucket.objects
    }
    assert staged_since(manifest, "s/", bucket) == (NOW if versions == 1 else later - timedelta(days=1))
    fetch_staged(manifest, "s/", tmp_path / "back", reader=bucket, downloader=bucket)
    assert manifest_of(tmp_path / "back") == manifest


@pytest.mark.parametrize("writes", range(3))
def test_a_folder_is_staged_whole_or_not_and_another_run_completes_it(folder: Path, writes: int) -> None:
    bucket, manifest = MemoryVault(), manifest_of(folder)
    bucket.writes_left = writes
    with pytest.raises(ConnectionError):
        stage(folder, manifest, "pins/x/", writer=bucket, reader=bucket, lanes=1)
    assert staged_manifest("pins/x/", bucket) is None
    bucket.writes_left = 10
    stage(folder, manifest, "pins/x/", writer=bucket, reader=bucket)
    assert staged_manifest("pins/x/", bucket) == manifest
    assert [len(versions) for versions in bucket.objects.values()] == [1, 1, 1]


class Meeting(MemoryVault):
    """A bucket in which nothing is sent or fetched alone: whoever comes waits for a second."""

    def __init__(self) -> None:
        super().__init__()
        self.meet = Barrier(2)

    def put(self, key: str, content: bytes | Path, sha256: str) -> StoredObject:
        if isinstance(content, Path):
            self.meet.wait(timeout=20)
        return super().put(key, content, sha256)

    def download(self, key: str, version_id: str, file: Path) -> None:
        self.meet.wait(timeout=20)
        super().download(key, version_id, file)


class Counting(MemoryVault):
    """A bucket that counts its writes right whoever writes at once."""

    def __init__(self) -> None:
        super().__init__()
        self.one_writer = Lock()

    def put(self, key: str, content: bytes | Path, sha256: str) -> StoredObject:
        with self.one_writer:
            return super().put(key, content, sha256)


def test_files_are_staged_and_fetched_several_at_a_time(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    for number in range(40):
        (folder / f"{number}.json").write_text(f"[{number}]")
    bucket, manifest = Meeting(), manifest_of(folder)
    stage(folder, manifest, "pins/x/", writer=bucket, reader=bucket)
    fetch_staged(manifest, "pins/x/", tmp_path / "back", reader=bucket, downloader=bucket)
    assert manifest_of(tmp_path / "back") == manifest


@pytest.mark.parametrize("writes", [0, 1, 17, 39, 40])
def test_a_folder_that_was_staged_several_at_a_time_and_broke_off_counts_for_nothing_until_it_is_whole(
    tmp_path: Path, writes: int
) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    for number in range(40):
        (folder / f"{number}.json").write_text(f"[{number}]")
    bucket, manifest = Counting(), manifest_of(folder)
    bucket.writes_left = writes
    with pytest.raises(ConnectionError):
        stage(folder, manifest, "pins/x/", writer=bucket, reader=bucket)
    assert staged_manifest("pins/x/", bucket) is None
    bucket.writes_left = 1000
    stage(folder, manifest, "pins/x/", writer=bucket, reader=bucket)
    assert staged_manifest("pins/x/", bucket) == manifest
    assert {len(versions) for versions in bucket.objects.values()} == {1}


def test_staged_bytes_that_were_exchanged_or_taken_away_are_not_used(folder: Path, tmp_path: Path) -> None:
    bucket, manifest = MemoryVault(), manifest_of(folder)
    stage(folder, manifest, "pins/x/", writer=bucket, reader=bucket)
    key = f"pins/x/blobs/{manifest.files[0].sha256}"
    bucket.add_version(key, b"evil")
    with pytest.raises(NotStaged, match="not what its manifest says"):
        fetch_staged(manifest, "pins/x/", tmp_path / "one", reader=bucket, downloader=bucket)
    del bucket.objects[key]
    with pytest.raises(NotStaged, match="is not staged"):
        fetch_staged(manifest, "pins/x/", tmp_path / "two", reader=bucket, downloader=bucket)
    bucket.add_version("pins/x/manifest.json", b"{}")
    with pytest.raises(NotStaged, match="is no manifest"):
        staged_manifest("pins/x/", bucket)
