from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.release.manifest import (
    InvalidManifest,
    Manifest,
    ManifestFile,
    UnfitFolder,
    manifest_of,
    parse_manifest,
    path_problem,
)

EMPTY = hashlib.sha256(b"").hexdigest()


def folder_with(root: Path, files: dict[str, bytes]) -> Path:
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    return root


def test_a_manifest_lists_every_file_sorted_with_size_and_digest(tmp_path: Path) -> None:
    folder_with(tmp_path, {"b": b"bee", "a/z": b"", "a.txt": b"x"})
    manifest = manifest_of(tmp_path)
    assert [(file.path, file.size) for file in manifest.files] == [("a.txt", 1), ("a/z", 0), ("b", 3)]
    assert manifest.files[2].sha256 == hashlib.sha256(b"bee").hexdigest()
    assert manifest.total_size == 4


def test_the_subject_digest_is_that_of_the_documented_canonical_json(tmp_path: Path) -> None:
    manifest = manifest_of(folder_with(tmp_path, {"m": b"1"}))
    expected = (
        b'{"files":[{"path":"m","sha256":"' + hashlib.sha256(b"1").hexdigest().encode() + b'","size":1}],'
        b'"schema_version":1}'
    )
    assert manifest.content == expected
    assert manifest.subject_digest == hashlib.sha256(expected).hexdigest()


@pytest.mark.parametrize("change", ["content", "name", "added", "removed"])
def test_any_change_of_the_files_gives_another_release(tmp_path: Path, change: str) -> None:
    before = manifest_of(folder_with(tmp_path, {"a": b"1", "b": b"2"})).subject_digest
    if change == "content":
        (tmp_path / "a").write_bytes(b"3")
    elif change == "name":
        (tmp_path / "a").rename(tmp_path / "c")
    elif change == "added":
        (tmp_path / "empty").touch()
    else:
        (tmp_path / "b").unlink()
    assert manifest_of(tmp_path).subject_digest != before


def test_links_pipes_and_unfit_names_are_refused_all_at_once(tmp_path: Path) -> None:
    folder_with(tmp_path, {"fine": b"", "two\nlines": b""})
    (tmp_path / "link").symlink_to("fine")
    (tmp_path / "outside").symlink_to("/etc", target_is_directory=True)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UnfitFolder) as refused:
        manifest_of(tmp_path)
    assert refused.value.problems == (
        "'link' is a symbolic link",
        "'outside' is a symbolic link",
        "'pipe' is not a regular file",
        "'two\\nlines' has a backslash or an unprintable character in it",
    )


def test_a_folder_without_files_is_no_release(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UnfitFolder, match="holds no files"):
        manifest_of(tmp_path)


def test_many_small_files_are_described_in_order(tmp_path: Path) -> None:
    folder_with(tmp_path, {f"{index % 7}/{index}": str(index).encode() for index in range(500)})
    paths = [file.path for file in manifest_of(tmp_path).files]
    assert len(paths) == 500
    assert paths == sorted(paths)


@pytest.mark.parametrize(
    "path", ["", "/etc/passwd", "a/../b", "..", "./a", "a//b", "a/", "a\\b", "a\x00", "a\x1b[1m", "\ud800"]
)
def test_a_path_that_could_leave_the_folder_or_mislead_a_reader_is_refused(path: str) -> None:
    assert path_problem(path) is not None


@given(st.lists(st.from_regex(r"[a-z0-9_ é]{1,8}(/[a-z]{1,4}){0,2}", fullmatch=True), min_size=1, unique=True))
def test_a_manifest_survives_being_written_and_read(paths: list[str]) -> None:
    manifest = Manifest(files=tuple(ManifestFile(path=path, size=0, sha256=EMPTY) for path in sorted(paths)))
    assert parse_manifest(manifest.content) == manifest


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        ({"schema_version": 1, "files": []}, "without files"),
        ({"schema_version": 2, "files": [{"path": "a", "size": 0, "sha256": EMPTY}]}, "schema_version"),
        ({"schema_version": 1, "files": [{"path": "../a", "size": 0, "sha256": EMPTY}]}, "files.0.path"),
        ({"schema_version": 1, "files": [{"path": "a", "size": -1, "sha256": EMPTY}]}, "files.0.size"),
        ({"schema_version": 1, "files": [{"path": "a", "size": True, "sha256": EMPTY}]}, "files.0.size"),
        ({"schema_version": 1, "files": [{"path": "a", "size": 0, "sha256": "zz"}]}, "files.0.sha256"),
        ({"schema_version": 1, "files": [{"path": "a", "size": 0, "sha256": EMPTY}] * 2}, "equal or out of order"),
        ({"schema_version": 1, "files": [{"path": "a", "size": 0, "sha256": EMPTY}], "note": 1}, "note"),
    ],
)
def test_a_document_that_is_no_manifest_is_refused_by_field(document: dict[str, object], complaint: str) -> None:
    with pytest.raises(InvalidManifest, match=complaint):
        parse_manifest(json.dumps(document, sort_keys=True, separators=(",", ":")).encode())


def test_a_manifest_in_another_form_than_the_canonical_one_is_refused(tmp_path: Path) -> None:
    content = manifest_of(folder_with(tmp_path, {"a": b""})).content
    with pytest.raises(InvalidManifest, match="canonical"):
        parse_manifest(content + b"\n")
