from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from interlock.cli import watch as commands
from interlock.cli.main import app
from interlock.failures import OutsideFailure
from interlock.release.finding import Fact
from interlock.release.watching import Watched
from tests.interlock.release.test_watching import Watching, add, flip

FINGERPRINT = "f" * 64


class Observer:
    """Runs `interlock watch registry` over a vault and a registry in memory."""

    def __init__(self, watching: Watching) -> None:
        self.watching = watching
        self.rounds = 0
        self.broken: set[int] = set()
        self.unseen = False
        """Whether a version is there that cannot be looked at."""

    def look(self, clients: Any, root: Any, credentials: Any, now: Any, releases: Sequence[str], **_: Any) -> Any:
        self.rounds += 1
        if self.rounds in self.broken:
            raise OutsideFailure("the registry does not answer")
        return self._seen(releases)

    def _seen(self, releases: Sequence[str]) -> Iterator[Watched]:
        if not releases or self.watching.digest in releases:
            yield self.watching.look()
        if self.unseen:
            raise OutsideFailure("1 pinned version could not be looked at", reasons=["other/1: the server failed"])

    def run(self, *arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(app, ["watch", "registry", "--fingerprint", FINGERPRINT, *arguments])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result.exit_code, result.output


@pytest.fixture
def observer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Observer:
    made = Observer(Watching(tmp_path))
    stack = type("Clients", (), {"vault_reader": made.watching.vault})
    monkeypatch.setattr(commands, "load_clients", lambda _: stack)
    monkeypatch.setattr(commands, "trust_from", lambda *_, **__: type("Trust", (), {"root": None}))
    monkeypatch.setattr(commands, "credentials_of", lambda *_: None)
    monkeypatch.setattr(commands, "watch_registry", made.look)
    monkeypatch.setenv("COLUMNS", "300")
    return made


def test_what_is_as_pinned_ends_well_and_is_told_once(observer: Observer) -> None:
    code, said = observer.run()
    assert (code, "1 findings recorded" in said, "is as pinned" in said) == (0, True, True)
    code, said = observer.run()
    assert (code, "0 findings recorded" in said) == (0, True)


def test_an_overwrite_is_refused_with_the_file_now_and_as_long_as_it_stands(observer: Observer) -> None:
    observer.run()
    flip(observer.watching.folder)
    for recorded in (1, 0):
        code, said = observer.run()
        assert code == 1
        assert f"{recorded} findings recorded" in said
        assert "credit/2" in said
        assert "files-overwritten" in said
        assert "model.skops holds 7 bytes" in said


@pytest.mark.parametrize("overwritten", [True, False])
def test_what_was_seen_is_told_although_a_version_could_not_be_looked_at(observer: Observer, overwritten: bool) -> None:
    observer.unseen = True
    if overwritten:
        flip(observer.watching.folder)
    code, said = observer.run()
    assert code == (1 if overwritten else 3)
    assert "1 findings recorded" in said
    assert "other/1: the server failed" in said
    assert ("files-overwritten" in said) is overwritten
    code, answer = observer.run("--output", "json")
    document = json.loads(answer)
    assert (code, len(document["watched"])) == (1 if overwritten else 3, 1)


def test_the_same_as_data_is_one_document(observer: Observer) -> None:
    add(observer.watching.folder)
    code, said = observer.run("--output", "json")
    document = json.loads(said)
    assert (code, document["outcome"]) == (1, "refused")
    (seen,) = document["watched"]
    assert seen["digest"] == observer.watching.digest
    assert [one["kind"] for one in seen["standing"]] == ["files-overwritten"]
    assert seen["recorded"].startswith(f"findings/{observer.watching.digest}/")


def test_what_a_models_author_wrote_shows_as_text(observer: Observer) -> None:
    observer.run()
    observer.watching.registry.shown[Fact.DESCRIPTION] = "\x1b[2Jall is well\nreleased: yes"
    code, said = observer.run()
    assert code == 0
    assert "\x1b" not in said
    assert "\\x1b[2Jall is well\\nreleased: yes" in said


def test_an_edit_alone_contradicts_no_release(observer: Observer) -> None:
    observer.run()
    observer.watching.registry.shown[f"{Fact.ALIAS} champion"] = "3"
    code, said = observer.run()
    assert (code, "alias-moved: alias champion was 2, is 3" in said) == (0, True)


def test_a_watch_goes_on_after_a_round_that_failed_and_says_so(
    observer: Observer, monkeypatch: pytest.MonkeyPatch
) -> None:
    observer.broken = {2}
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(commands, "sleep", pause)
    code, said = observer.run("--every", "60")
    assert (code, observer.rounds, pauses) == (130, 3, [60.0] * 3)
    assert "failed: the registry does not answer" in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--release", "credit/2"), "--release: received 'credit/2'; accepted are 64 hexadecimal digits"),
        (("--release", "0" * 64), "nothing that a builder pinned"),
        (("--every", "0"), "--every: received 0; accepted are 5 seconds or more"),
        (("--every", "nan"), "--every: received nan"),
        (("--fingerprint", "x"), "--fingerprint: received 'x'"),
    ],
)
def test_bad_input_is_one_message(observer: Observer, arguments: tuple[str, ...], said: str) -> None:
    code, text = observer.run(*arguments)
    assert (code, said in " ".join(text.split())) == (2, True), text
