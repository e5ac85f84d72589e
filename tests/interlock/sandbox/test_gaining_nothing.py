"""A model that tries everything, in one process: each attack is answered with what it came to."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from interlock.sandbox.model import ModelSandbox
from interlock.sandbox.plan import MIB, Limits
from tests.interlock.sandbox.conftest import attacks
from tests.interlock.sandbox.models import hostile_model

CANARY = "canary-of-the-test"


class Target:
    """What the test holds out to the model: credentials, files and listening sockets, all real."""

    def __init__(self, folder: Path, sandbox: ModelSandbox) -> None:
        self.folder = folder
        self.sandbox = sandbox

    def answer(self, attack: str) -> str:
        return str(self.sandbox.predict(attacks(attack))[0])


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory, python: str) -> Iterator[Target]:
    folder = tmp_path_factory.mktemp("target")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", CANARY)
        patch.setenv("AWS_SECRET_ACCESS_KEY", CANARY)
        patch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.2/v2/credentials")
        limits = Limits(call_seconds=20, memory_bytes=1024 * MIB, scratch_bytes=4 * MIB)
        with ModelSandbox(hostile_model(folder / "model"), limits=limits, python=python) as sandbox:
            sandbox.load()
            yield Target(folder, sandbox)


@contextlib.contextmanager
def listening(family: int, address: str | tuple[str, int], kind: int = socket.SOCK_STREAM) -> Iterator[socket.socket]:
    with socket.socket(family, kind) as listener:
        listener.bind(address)
        if kind == socket.SOCK_STREAM:
            listener.listen()
        listener.setblocking(False)
        yield listener


def test_the_environment_is_ours_and_holds_no_credentials(target: Target) -> None:
    names = target.answer("environment").removeprefix("got: ").split()
    assert "HOME" in names
    assert [one for one in names if one.startswith(("AWS", "INTERLOCK", "PYTEST", "MLFLOW_TRACKING"))] == []


@pytest.mark.parametrize("whose", ["1", "self", "2", "thread-self"])
def test_no_process_gives_away_an_environment(target: Target, whose: str) -> None:
    assert target.answer(f"read /proc/{whose}/environ").startswith("no:")


def test_no_other_process_is_in_sight(target: Target) -> None:
    assert target.answer("others").startswith("no:")


def test_a_file_of_the_caller_cannot_be_read(target: Target) -> None:
    secret = target.folder / "credentials"
    secret.write_text(CANARY)
    secret.chmod(0o644)
    for path in (secret, Path.home() / ".aws/credentials", "/etc/passwd", "/etc/hostname", "/proc/1/root/etc/passwd"):
        assert target.answer(f"read {path}").startswith("no:")


def test_nothing_is_in_sight_but_libraries_devices_and_the_model(target: Target) -> None:
    shown = target.answer("visible").removeprefix("got: ").split()
    expected = ("/dev/", "/model/", "/scratch/", "/proc/1/", "/etc/ld.so.cache")
    assert [one for one in shown if not one.startswith(expected)] == []


@pytest.mark.parametrize(
    "where", ["/tmp/x", "/model/x", "/x", "/usr/lib/x", f"{Path.home()}/x", "/dev/x", "/proc/1/comm"]
)
def test_nothing_can_be_written_outside_of_the_scratch_folder(target: Target, where: str) -> None:
    assert target.answer(f"write {where}").startswith("no:")


@pytest.mark.parametrize("attack", ["overwrite_model", "remove_model"])
def test_a_model_cannot_change_itself_for_the_next_time_it_is_loaded(target: Target, attack: str) -> None:
    assert target.answer(attack).startswith("no:")


def test_the_scratch_folder_is_as_large_as_it_is_said_to_be(target: Target) -> None:
    assert target.answer("scratch 2").startswith("got:")
    assert target.answer("scratch 5").startswith("no:")


def test_machine_code_in_the_scratch_folder_is_not_loaded(target: Target) -> None:
    assert target.answer("scratch 0").startswith("got:")
    assert "failed to map segment" in target.answer("scratch_code")


def test_no_listener_on_the_loopback_is_reached(target: Target) -> None:
    with listening(socket.AF_INET, ("127.0.0.1", 0)) as listener:
        assert target.answer(f"connect 127.0.0.1 {listener.getsockname()[1]}").startswith("no:")
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_no_socket_in_the_file_system_is_reached(target: Target) -> None:
    path = str(target.folder / "listener")
    with listening(socket.AF_UNIX, path) as listener:
        assert target.answer(f"unix {path}").startswith("no:")
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_no_abstract_socket_is_reached(target: Target) -> None:
    with listening(socket.AF_UNIX, "\0interlock-abstract") as listener:
        assert target.answer("abstract interlock-abstract").startswith("no:")
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_a_pair_of_sockets_sends_to_nobody_else(target: Target) -> None:
    path = str(target.folder / "datagrams")
    with listening(socket.AF_UNIX, path, socket.SOCK_DGRAM) as listener:
        assert target.answer(f"pair_to {path}").startswith("no:")
        with pytest.raises(BlockingIOError):
            listener.recv(10)


@pytest.mark.parametrize(
    "attack",
    [
        *("netlink", "raw", "vsock"),
        "metadata http://169.254.169.254/latest/meta-data/iam/security-credentials/",
        "metadata http://169.254.170.2/v2/credentials",
    ],
)
def test_no_socket_of_any_other_family_is_opened(target: Target, attack: str) -> None:
    assert "Operation not permitted" in target.answer(attack)


@pytest.mark.parametrize("attack", ["fork", "daemon", "execute", "spawn", "replace"])
def test_no_process_is_started(target: Target, attack: str) -> None:
    assert target.answer(attack).startswith("no: PermissionError")


def test_threads_come_to_an_end_before_they_are_a_bomb(target: Target) -> None:
    assert target.answer("threads").startswith("no:")


def test_nobody_is_killed(target: Target) -> None:
    assert target.answer("kill -1").startswith("no:")
    assert target.answer(f"kill {socket.SOMAXCONN}").startswith("no:")
    # The first process of a namespace does not even kill itself.
    target.answer("kill 1")
    assert target.answer("who") == "got: 1000 1000 [] model"


@pytest.mark.parametrize("attack", ["become_root", "outlive"])
def test_neither_a_user_nor_the_watch_over_it_is_shaken_off(target: Target, attack: str) -> None:
    assert target.answer(attack).startswith("no: PermissionError")


def test_of_descriptors_there_are_the_two_pipes_and_nothing(target: Target) -> None:
    assert len(target.answer("descriptors").removeprefix("got: ").split()) == 5


def test_no_code_of_ours_that_talks_to_a_service_is_at_hand(target: Target) -> None:
    assert target.answer("modules").startswith("no:")


def test_what_is_printed_is_heard_by_nobody(target: Target, capfd: pytest.CaptureFixture[str]) -> None:
    assert "printed what nobody reads" in target.answer("fake_result")
    assert capfd.readouterr() == ("", "")
