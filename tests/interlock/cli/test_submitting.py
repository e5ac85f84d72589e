from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rehearsal.cloud.server import LocalCloud
from tests.interlock.cli.releasing import ReleaseShell, released_on

ASKED = ("--tier", "low", "--ticket", "CHG-1234")


@pytest.fixture
def shell(cloud: LocalCloud, manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ReleaseShell:
    return ReleaseShell.on(cloud, released_on(cloud, manifest, tmp_path), monkeypatch)


def test_a_creator_submits_a_version_once_under_their_own_name(shell: ReleaseShell, registered: str) -> None:
    code, made = shell.json("creator-1", "release", "submit", f"{registered}/1", *ASKED)
    assert code == 0, made
    assert (made["submitter"], made["new"]) == ("creator-1", True)
    assert made["key"] == f"submissions/creator-1/{made['id']}.json"
    assert made["request"]["logged_model_id"].startswith("m-")
    code, again = shell.json("creator-1", "release", "submit", f"{registered}/1", *ASKED)
    assert (code, again) == (0, {**made, "new": False})
    until = datetime.fromisoformat(made["waits_until"])
    assert timedelta(days=29) < until - datetime.now(UTC) <= timedelta(days=30)
    code, said = shell.run("creator-1", "release", "submit", f"{registered}/1", *ASKED)
    assert f"it waits until {until:%Y-%m-%d} to be pinned" in " ".join(said.split())
    code, other = shell.json("creator-2", "release", "submit", f"{registered}/1", *ASKED)
    assert (code, other["id"], other["submitter"]) == (0, made["id"], "creator-2")
    assert len(shell.keys("staging_bucket_name")) == 2


def test_a_folder_is_staged_with_its_submission(shell: ReleaseShell, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "weights").write_bytes(b"w" * 100)
    code, made = shell.json("creator-1", "release", "submit", f"folder:{folder}", *ASKED)
    assert code == 0, made
    assert made["request"]["name"] == "model"
    assert len(made["request"]["version"]) == 64
    assert made["waits_until"] is not None
    assert len(shell.keys("staging_bucket_name")) == 3
    (tmp_path / "hollow").mkdir()
    (tmp_path / "hollow" / "weights").touch()
    code, said = shell.run("creator-1", "release", "submit", f"folder:{tmp_path / 'hollow'}", *ASKED)
    assert (code, "its 1 files hold no bytes" in " ".join(said.split())) == (1, True), said
    assert len(shell.keys("staging_bucket_name")) == 3
    (folder / "link").symlink_to("weights")
    code, said = shell.run("creator-1", "release", "submit", f"folder:{folder}", *ASKED)
    assert (code, "'link' is a symbolic link" in said) == (1, True), said


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("credit/99", *ASKED), 2, "could not look up credit/99"),
        (("nobody/1", *ASKED), 2, "could not look up nobody/1"),
        (("prompt:nothing/1", *ASKED), 2, "the prompt nothing/1"),
        (("credit@candidate", *ASKED), 2, "an alias may point elsewhere tomorrow"),
        (("credit", *ASKED), 2, "accepted is NAME/VERSION"),
        (("prompt:credit", *ASKED), 2, "accepted is prompt:NAME/VERSION"),
        (("folder:/nowhere", *ASKED), 2, "accepted is an existing folder"),
        (("folder:" + "x" * 300, *ASKED), 2, "name: received 'xxx"),
        (("folder:" + "x" * 300 + "/model", *ASKED), 2, "accepted is an existing folder"),
        (("credit/1", "--tier", "huge", "--ticket", "CHG-1"), 2, "tier: received 'huge'; accepted is one of low"),
        (("credit/1", "--tier", "low", "--ticket", "1"), 2, "ticket: received '1'; accepted is a change ticket"),
        (("credit/1", *ASKED, "--environment", "Prod!"), 2, "environment: received 'Prod!'"),
        (("credit/1", *ASKED, "--emergency"), 2, "reason: none given"),
        (("a\nb/1", *ASKED), 2, "could not look up a"),
        (("../..//1", *ASKED), 2, "could not look up"),
        (("credit/1", "--tier", "x", "--ticket", "y"), 2, "this is no request for release"),
    ],
)
def test_what_cannot_be_asked_for_is_one_message_and_leaves_nothing(
    shell: ReleaseShell, registered: str, arguments: tuple[str, ...], code: int, said: str
) -> None:
    found, told = shell.run("creator-1", "release", "submit", *arguments)
    assert (found, said in told) == (code, True), told
    assert len(told.splitlines()) <= 5
    assert shell.keys("staging_bucket_name") == []


def test_a_caller_without_a_name_is_refused(
    shell: ReleaseShell, registered: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell.act_as("creator-1")
    shell.sessions["nobody"] = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_SESSION_TOKEN": ""}
    code, said = shell.run("nobody", "release", "submit", f"{registered}/1", *ASKED)
    assert (code, "bears no source identity" in said) == (1, True), said
