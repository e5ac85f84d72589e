from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from interlock.release.verification.reason import ReasonCode
from interlock.serving.command import Anchored, NotServed, folder_to_load, read_anchored
from interlock.serving.taking_in import NotLoaded, take_in
from tests.interlock.release.trust.people import NOW
from tests.interlock.release.verification.world import FILES, World, admitted_world, approved_world, shown_world
from tests.interlock.serving.travelling import unload

ADMITTED = admitted_world()
C = ReasonCode


class Container:
    """A container's folders, and what was built into its image."""

    def __init__(self, root: Path, world: World) -> None:
        self.world = world
        self.model, self.record = unload(world, root)
        self.private = root / "private"
        self.private.mkdir()
        self.fingerprint = world.roots[0].fingerprint
        self.environment = "prod"

    @property
    def anchored(self) -> Anchored:
        return Anchored(self.fingerprint, self.environment)

    def take_in(self) -> Path:
        return take_in(self.model, self.record, self.private, digest=self.world.digest, **vars(self.anchored))

    def codes(self) -> set[ReasonCode]:
        with pytest.raises(NotLoaded) as refused:
            self.take_in()
        return {one.code for one in refused.value.reasons}


@pytest.fixture
def container(tmp_path: Path) -> Container:
    return Container(tmp_path, ADMITTED.spoiled())


def test_a_release_is_loaded_from_a_copy_with_exactly_its_bytes(container: Container) -> None:
    folder = container.take_in()
    assert folder.is_relative_to(container.private)
    found = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert found == FILES


def test_what_changes_after_the_copy_is_not_what_is_loaded(container: Container) -> None:
    folder = container.take_in()
    (container.model / "files" / "MLmodel").write_bytes(b"evil")
    assert (folder / "MLmodel").read_bytes() == FILES["MLmodel"]
    assert not os.access(folder / "MLmodel", os.W_OK) or os.geteuid() == 0


def link_a_file(container: Container) -> None:
    file = container.model / "files" / "MLmodel"
    file.rename(container.model.parent / "elsewhere")
    file.symlink_to(container.model.parent / "elsewhere")


def link_a_folder(container: Container) -> None:
    (container.model / "files" / "more").symlink_to("/etc")


def put_a_pipe(container: Container) -> None:
    os.mkfifo(container.model / "files" / "pipe")


def flip_a_byte(container: Container) -> None:
    file = container.model / "files" / "data" / "model.bin"
    file.write_bytes(b"Weights")


def swap_two_files(container: Container) -> None:
    one, other = (container.model / "files" / name for name in ("MLmodel", "data/model.bin"))
    content = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(content)


def add_a_file(container: Container) -> None:
    (container.model / "files" / "sitecustomize.py").write_bytes(b"")


def add_beside(container: Container) -> None:
    (container.model / "MLmodel").write_bytes(b"flavors: {}\n")


def drop_the_approvals(container: Container) -> None:
    for file in (container.record / "approvals").iterdir():
        file.unlink()


def drop_the_decisions(container: Container) -> None:
    for file in (container.record / "decisions").iterdir():
        file.unlink()


def drop_the_channels(container: Container) -> None:
    container.record.rename(container.record.parent / "lost")


def pin_another_root(container: Container) -> None:
    container.fingerprint = "0" * 64


def drop_the_manifest(container: Container) -> None:
    (container.model / "manifest.json").unlink()


@pytest.mark.parametrize(
    ("attack", "expected"),
    [
        (link_a_file, {C.NOT_A_REGULAR_FILE, C.OBJECT_MISSING}),
        (link_a_folder, {C.NOT_A_REGULAR_FILE}),
        (put_a_pipe, {C.NOT_A_REGULAR_FILE}),
        (flip_a_byte, {C.OBJECT_ALTERED}),
        (swap_two_files, {C.OBJECT_ALTERED}),
        (add_a_file, {C.OBJECT_ADDED}),
        (add_beside, {C.OBJECT_ADDED}),
        (drop_the_approvals, {C.APPROVAL_MISSING}),
        (drop_the_decisions, {C.NOT_ADMITTED}),
        (drop_the_channels, {C.ROOT_MISSING}),
        (pin_another_root, {C.ROOT_REFUSED}),
        (drop_the_manifest, {C.MANIFEST_MISSING}),
    ],
)
def test_what_was_done_to_what_travelled_is_named(
    container: Container, attack: Callable[[Container], None], expected: set[ReasonCode]
) -> None:
    attack(container)
    assert container.codes() == expected


def test_a_release_that_nobody_approved_is_not_loaded(tmp_path: Path) -> None:
    assert Container(tmp_path, shown_world()).codes() == {C.APPROVAL_MISSING, C.NOT_ADMITTED}


def test_what_was_approved_for_staging_alone_serves_in_an_image_for_staging_and_in_none_for_prod(
    tmp_path: Path,
) -> None:
    staged = Container(tmp_path, admitted_world(environment="staging"))
    assert staged.codes() >= {C.NOT_ADMITTED, C.APPROVAL_FOR_ANOTHER_ENVIRONMENT}
    again = Container(tmp_path / "again", staged.world)
    again.environment = "staging"
    assert (again.take_in() / "MLmodel").is_file()


def test_a_container_started_without_the_deployers_verdict_loads_nothing(tmp_path: Path) -> None:
    assert Container(tmp_path, approved_world()).codes() == {C.NOT_ADMITTED}


def test_a_revocation_that_travelled_stops_the_next_container(tmp_path: Path) -> None:
    world = ADMITTED.spoiled()
    world.revoke("approver-4", NOW)
    assert Container(tmp_path, world).codes() == {C.REVOKED}


def test_a_container_without_model_data_holds_whatever_is_pinned(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    assert folder_to_load(tmp_path / "model", tmp_path, Anchored("0" * 64, "prod")) == tmp_path / "model"


@pytest.mark.parametrize("named", ["", "3f9a", "../../etc"])
def test_a_container_is_told_which_release_it_is_to_load(
    container: Container, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    monkeypatch.setenv("INTERLOCK_RELEASE", named)
    with pytest.raises(NotServed, match="accepted is the digest of the release"):
        folder_to_load(container.model, container.record, container.anchored)


def test_bytes_of_another_release_than_the_one_named_are_not_loaded(
    container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INTERLOCK_RELEASE", "0" * 64)
    with pytest.raises(NotServed, match="manifest-of-another-release"):
        folder_to_load(container.model, container.record, container.anchored)


def test_hostile_names_show_as_text_in_the_log(container: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    (container.model / "files" / "\x1b[2Jgone\n").write_bytes(b"")
    monkeypatch.setenv("INTERLOCK_RELEASE", container.world.digest)
    with pytest.raises(NotServed) as refused:
        folder_to_load(container.model, container.record, container.anchored)
    assert "\x1b" not in str(refused.value)
    assert r"\x1b[2Jgone\n" in str(refused.value)


@pytest.mark.parametrize(
    ("fingerprint", "environment"),
    [
        ("", "prod"),
        ("f" * 63, "prod"),
        ("none\nnone", "prod"),
        ("F" * 64, "prod"),
        ("none", "prod"),
        ("f" * 64, "none"),
        ("f" * 64, ""),
        ("f" * 64, "Prod"),
        ("f" * 64, "prod\nstaging"),
        ("f" * 64, "../prod"),
    ],
)
def test_an_image_that_pins_half_of_it_or_nonsense_starts_nothing(
    tmp_path: Path, fingerprint: str, environment: str
) -> None:
    root, where = tmp_path / "trust-root.fingerprint", tmp_path / "environment"
    root.write_text(fingerprint)
    where.write_text(environment)
    with pytest.raises(NotServed, match=r"accepted (are 64 hexadecimal digits|is the name of the environment)"):
        read_anchored(root, where)


def test_what_is_built_into_an_image_is_read_whole_or_not_at_all(tmp_path: Path) -> None:
    root, where = tmp_path / "trust-root.fingerprint", tmp_path / "environment"
    root.write_text(f"{'f' * 64}\n")
    with pytest.raises(NotServed, match="nothing says what may be loaded"):
        read_anchored(root, where)
    where.write_text("prod\n")
    assert read_anchored(root, where) == Anchored("f" * 64, "prod")
    for file in (root, where):
        file.write_text("none\n")
    assert read_anchored(root, where) is None
