from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from interlock.release.digests import sha256
from interlock.release.envelope import open_envelope, seal
from interlock.release.finding import MOST_OF_A_KIND, ChangeKind, Fact, Finding, named_facts, told
from interlock.release.manifest import manifest_of
from interlock.release.pin_statement import PinPredicate, Source
from interlock.release.pinning import ModelSource, pin
from interlock.release.predicates import Predicate
from interlock.release.record import envelope_key
from interlock.release.request import SubjectKind
from interlock.release.statement import statement_about
from interlock.release.watching import Pinned, Watched, findings_about, pinned_versions, watch
from tests.interlock.release.memory import LocalSigner, MemoryVault

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SOURCE = ModelSource("mlflow", "credit", "2", "m-1", "run-1")


class Registry:
    """A registry with one version in it, which a test can change."""

    def __init__(self, files: Path) -> None:
        self.shown: dict[str, str] = {
            Fact.NAME: "credit",
            Fact.VERSION: "2",
            Fact.CREATED: "1000",
            Fact.LOGGED_MODEL: "m-1",
            Fact.RUN: "run-1",
            Fact.STATUS: "READY",
            Fact.DESCRIPTION: "",
            Fact.MODEL_DESCRIPTION: "",
            **named_facts(Fact.ALIAS, {"champion": "2", "other": "1"}),
        }
        self.folder: Path | None = files

    def facts(self, source: Source) -> Mapping[str, str]:
        return self.shown

    def files(self, source: Source, folder: Path) -> Path | None:
        return None if self.folder is None else shutil.copytree(self.folder, folder)


class Watching:
    """An observer beside a vault that holds one release."""

    def __init__(self, directory: Path) -> None:
        self.folder = directory / "model"
        self.folder.mkdir()
        (self.folder / "MLmodel").write_text("flavors: {}")
        (self.folder / "model.skops").write_bytes(b"weights")
        self.vault, self.builder, self.observer = MemoryVault(), LocalSigner(), LocalSigner("observer")
        done = pin(self.folder, SOURCE, writer=self.vault, reader=self.vault, signer=self.builder)
        self.digest = done.digest
        self.registry = Registry(self.folder)
        self.now = NOW

    @property
    def pinned(self) -> Pinned:
        (only,) = pinned_versions(self.digest, self.vault, {"builder": self.builder.public_key})
        return only

    def look(self) -> Watched:
        self.now += timedelta(minutes=1)
        return watch(
            self.pinned,
            self.registry,
            reader=self.vault,
            writer=self.vault,
            signer=self.observer,
            observers={"observer": self.observer.public_key},
            now=self.now,
        )

    def kinds(self) -> list[ChangeKind]:
        """Look, and return what was recorded."""
        finding = self.look().finding
        return [] if finding is None else [one.kind for one in finding.changes]

    def recorded(self) -> list[str]:
        return [key for key in self.vault.objects if key.startswith("findings/")]


@pytest.fixture
def watching(tmp_path: Path) -> Watching:
    return Watching(tmp_path)


def test_the_first_look_at_what_is_as_pinned_is_recorded_without_a_change_and_the_next_not_at_all(
    watching: Watching,
) -> None:
    first = watching.look()
    assert first.finding is not None
    assert (first.finding.changes, first.standing, first.finding.previous) == ((), (), "")
    assert first.finding.facts[Fact.FILES] == watching.digest
    assert watching.look() == Watched(watching.pinned, None, None, ())
    assert len(watching.recorded()) == 1


def test_a_finding_is_an_observers_statement_about_the_release(watching: Watching) -> None:
    stored = watching.look().stored
    assert stored is not None
    assert stored.key.startswith(f"findings/{watching.digest}/")
    content = watching.vault.read(stored.key, stored.version_id)
    statement, signers = open_envelope(content, {"observer": watching.observer.public_key})
    assert statement.predicate_type == Predicate.FINDING
    assert signers == {"observer"}
    assert statement.is_about(watching.digest)
    assert Finding.model_validate(statement.predicate).source == watching.pinned.source


def flip(folder: Path) -> None:
    (folder / "model.skops").write_bytes(b"weighTs")


def add(folder: Path) -> None:
    (folder / "evil.py").write_text("import os")


def remove(folder: Path) -> None:
    (folder / "model.skops").unlink()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (flip, "model.skops holds 7 bytes with SHA-256 "),
        (add, "evil.py was added"),
        (remove, "model.skops is missing"),
    ],
)
def test_overwritten_files_are_found_named_and_told_once(
    watching: Watching, spoil: Callable[[Path], None], said: str
) -> None:
    watching.look()
    spoil(watching.folder)
    found = watching.look()
    assert found.finding is not None
    assert found.finding.contradicts
    (change,) = found.finding.changes
    assert (change.kind, change.before) == (ChangeKind.FILES_OVERWRITTEN, watching.digest)
    assert change.after == manifest_of(watching.folder).subject_digest
    (detail,) = change.details
    assert detail.startswith(said)
    again = watching.look()
    assert again.finding is None
    assert [one.kind for one in again.standing] == [ChangeKind.FILES_OVERWRITTEN]


def test_what_was_overwritten_before_anybody_looked_is_found_at_the_first_look(watching: Watching) -> None:
    flip(watching.folder)
    assert watching.kinds() == [ChangeKind.FILES_OVERWRITTEN]


def test_files_that_are_put_back_are_told_too(watching: Watching) -> None:
    watching.look()
    flip(watching.folder)
    watching.look()
    (watching.folder / "model.skops").write_bytes(b"weights")
    found = watching.look()
    assert found.finding is not None
    assert [one.kind for one in found.finding.changes] == [ChangeKind.FILES_RESTORED]
    assert (found.standing, found.finding.contradicts) == ((), False)


@pytest.mark.parametrize("empty", [True, False])
def test_files_that_are_gone_are_told(watching: Watching, tmp_path: Path, *, empty: bool) -> None:
    watching.look()
    nothing = tmp_path / "nothing"
    nothing.mkdir()
    watching.registry.folder = nothing if empty else None
    assert watching.kinds() == [ChangeKind.FILES_GONE]


def test_what_cannot_be_a_release_any_more_is_overwritten_and_says_why(watching: Watching) -> None:
    (watching.folder / "a\x1b[31m.txt").write_text("")
    found = watching.look()
    assert [one.kind for one in found.standing] == [ChangeKind.FILES_OVERWRITTEN]
    assert "'a\\x1b[31m.txt' has a backslash or an unprintable character" in found.standing[0].details[0]


@pytest.mark.parametrize(
    ("edit", "kind"),
    [
        ({Fact.DESCRIPTION: "safe"}, ChangeKind.VERSION_EDITED),
        ({Fact.STATUS: "FAILED_REGISTRATION"}, ChangeKind.VERSION_EDITED),
        ({f"{Fact.TAG} approved": "yes"}, ChangeKind.VERSION_EDITED),
        ({Fact.NAME: "credit-2"}, ChangeKind.MODEL_RENAMED),
        ({Fact.MODEL_DESCRIPTION: "safe"}, ChangeKind.MODEL_EDITED),
        ({f"{Fact.MODEL_TAG} owner": "me"}, ChangeKind.MODEL_EDITED),
        ({f"{Fact.ALIAS} champion": "3"}, ChangeKind.ALIAS_MOVED),
        ({f"{Fact.ALIAS} other": "2"}, ChangeKind.ALIAS_MOVED),
        ({Fact.CREATED: "2000", Fact.DESCRIPTION: "new"}, ChangeKind.VERSION_RECREATED),
        ({Fact.LOGGED_MODEL: "m-2", Fact.RUN: "run-2"}, ChangeKind.VERSION_RECREATED),
    ],
)
def test_an_edit_is_one_finding_of_its_kind(watching: Watching, edit: dict[str, str], kind: ChangeKind) -> None:
    watching.look()
    watching.registry.shown |= edit
    assert watching.kinds() == [kind]
    assert watching.kinds() == []


def test_a_tag_and_an_alias_that_are_taken_away_are_told(watching: Watching) -> None:
    watching.registry.shown[f"{Fact.TAG} reviewed"] = "yes"
    watching.look()
    del watching.registry.shown[f"{Fact.TAG} reviewed"], watching.registry.shown[f"{Fact.ALIAS} champion"]
    assert watching.kinds() == [ChangeKind.VERSION_EDITED, ChangeKind.ALIAS_MOVED]


def test_aliases_that_move_between_other_versions_are_nothing_to_this_one(watching: Watching) -> None:
    watching.look()
    watching.registry.shown[f"{Fact.ALIAS} other"] = "3"
    assert watching.kinds() == []


def test_a_version_that_is_deleted_and_made_again_is_told_both_times(watching: Watching) -> None:
    watching.look()
    before = dict(watching.registry.shown)
    watching.registry.shown = {Fact.VERSION: ""}
    assert watching.kinds() == [ChangeKind.VERSION_DELETED, ChangeKind.ALIAS_MOVED]
    watching.registry.shown = before | {Fact.CREATED: "2000"}
    found = watching.look()
    assert found.finding is not None
    assert ChangeKind.VERSION_RECREATED in {one.kind for one in found.finding.changes}


def test_one_that_is_recreated_before_anybody_looked_is_found_by_its_logged_model(watching: Watching) -> None:
    watching.registry.shown |= {Fact.LOGGED_MODEL: "m-2", f"{Fact.TAG} a": "b"}
    assert watching.kinds() == [ChangeKind.VERSION_RECREATED]


def test_a_watch_that_was_killed_before_it_wrote_finds_the_same_again(watching: Watching) -> None:
    watching.look()
    flip(watching.folder)
    watching.vault.writes_left = 0
    with pytest.raises(ConnectionError):
        watching.look()
    watching.vault.writes_left = 10
    assert watching.kinds() == [ChangeKind.FILES_OVERWRITTEN]
    assert len(watching.recorded()) == 2


def test_a_finding_that_no_observer_signed_is_not_what_later_ones_are_compared_with(watching: Watching) -> None:
    watching.look()
    flip(watching.folder)
    own, watching.observer = watching.observer, LocalSigner("somebody")
    watching.look()
    watching.observer = own
    watching.vault.add_version(f"findings/{watching.digest}/{'0' * 64}.dsse.json", b"nothing of the kind")
    assert watching.kinds() == [ChangeKind.FILES_OVERWRITTEN]


def test_findings_follow_one_another(watching: Watching) -> None:
    for number in range(3):
        watching.registry.shown[Fact.DESCRIPTION] = str(number)
        watching.look()
    keys = {"observer": watching.observer.public_key}
    found = dict(findings_about(watching.digest, watching.vault, keys))
    by_time = sorted(found, key=lambda payload: found[payload].observed_at)
    assert [found[payload].previous for payload in by_time] == ["", *by_time[:-1]]


def test_a_pin_that_no_builder_signed_is_not_watched(watching: Watching) -> None:
    assert list(pinned_versions(watching.digest, watching.vault, {"builder": LocalSigner().public_key})) == []
    assert list(pinned_versions("0" * 64, watching.vault, {"builder": watching.builder.public_key})) == []


def test_a_folder_was_pinned_from_nothing_that_could_change(watching: Watching) -> None:
    source = Source(kind=SubjectKind.FOLDER, registry="", name="rules", version="0" * 64)
    predicate = PinPredicate(source=source, objects={}).model_dump(mode="json")
    statement = statement_about(watching.digest, Predicate.PIN, predicate)
    key = envelope_key(Predicate.PIN, watching.digest, sha256(statement.content).hex())
    watching.vault.add_version(key, seal(statement, watching.builder).content)
    assert watching.pinned.source.kind is SubjectKind.MODEL


def test_long_and_many_texts_are_held_by_their_digests() -> None:
    assert told("x" * 500) == "x" * 500
    short, other = told("x" * 501), told("x" * 500 + "y")
    assert len(short) == len(other) == 500
    assert short != other
    many = {f"{number:04}": "v" for number in range(MOST_OF_A_KIND + 3)}
    facts = named_facts(Fact.TAG, many)
    assert len(facts) == MOST_OF_A_KIND + 1
    assert facts["tag, 3 more"] != named_facts(Fact.TAG, many | {"0102": "w"})["tag, 3 more"]
    assert json.dumps(facts)
